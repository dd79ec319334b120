"""Quantiles, against scipy and numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from codette_desktop.domain.quantiles import percentile, student


@pytest.mark.parametrize("freedom", [5, 8, 11, 20, 100, 1e6])
@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_the_quantile_is_scipys(freedom: float, level: float) -> None:
    assert student(freedom, level) == pytest.approx(stats.t.ppf((1 + level) / 2, freedom), rel=0.005)


def test_fewer_than_three_degrees_count_as_three() -> None:
    assert student(0) == student(1) == student(3) == pytest.approx(3.18, rel=0.01)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_percentiles_are_numpys(values: list[float], share: float) -> None:
    assert percentile(values, share) == pytest.approx(np.percentile(values, 100 * share), abs=1e-6)


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)

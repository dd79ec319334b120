"""Student's quantiles, against scipy."""

import pytest
from scipy import stats

from codette_desktop.domain.quantiles import student


@pytest.mark.parametrize("freedom", [5, 8, 11, 20, 100, 1e6])
@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_the_quantile_is_scipys(freedom: float, level: float) -> None:
    assert student(freedom, level) == pytest.approx(stats.t.ppf((1 + level) / 2, freedom), rel=0.005)


def test_fewer_than_three_degrees_count_as_three() -> None:
    assert student(0) == student(1) == student(3) == pytest.approx(3.18, rel=0.01)

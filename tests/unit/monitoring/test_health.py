"""The health score: the specification's computed examples, and its parts in words."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from codette_desktop.monitoring.figures import median_and_mad, wilson_lower
from codette_desktop.monitoring.health import Vitals, apdex, health_score

TIMES = [100.0] * 10


def vitals(
    times: list[float] | None = None, requests: int = 100, errors: int = 0, memory: float = 0.5, uptime: float = 1.0
) -> Vitals:
    return Vitals(times or TIMES, 150.0, requests, errors, memory, 0.5, uptime)


def test_the_computed_examples_of_the_specification() -> None:
    assert round(health_score(vitals()).score or 0) == 100
    assert round(health_score(vitals([100.0] * 8 + [360.0] * 2)).score or 0) == 97
    assert round(health_score(vitals(errors=1)).score or 0) == 96
    assert round(health_score(vitals(requests=50, errors=7)).score or 0) == 54
    assert round(health_score(vitals(memory=0.95)).score or 0) == 65
    assert round(health_score(vitals(memory=0.985)).score or 0) == 40
    assert round(health_score(vitals([100.0] * 3, requests=3, errors=1)).score or 0) == 19


def test_what_costs_most_is_said() -> None:
    assert health_score(vitals(memory=0.95)).text == "65: memory 95 %"
    assert health_score(vitals(requests=50, errors=7)).text == "54: 7 of 50 requests failed"
    both = health_score(vitals([400.0] * 10, memory=0.93))
    assert both.text.endswith(": memory 93 %, 10 of 10 answers began late")
    assert health_score(vitals()).text == "100: all is well"


def test_bands() -> None:
    assert health_score(vitals()).band == "healthy"
    assert health_score(vitals(memory=0.95)).band == "degraded"
    assert health_score(vitals(memory=0.985)).band == "unhealthy"


def test_nothing_measured_is_unknown_and_never_well() -> None:
    found = health_score(Vitals())
    assert (found.score, found.band) == (None, "unknown")
    assert all(part.value is None for part in found.parts)
    assert health_score(Vitals(first_token_ms=[100.0] * 4, target_ms=150.0)).band == "unknown"


def test_what_is_down_has_no_points() -> None:
    found = health_score(Vitals(down=True))
    assert (found.score, found.band) == (0.0, "unhealthy")


def test_a_critical_alert_caps_the_score_and_is_named() -> None:
    found = health_score(Vitals(memory=0.2, critical=("Graphics device hot",)))
    assert (found.score, found.band, found.text) == (49.0, "unhealthy", "49: Graphics device hot")
    assert (health_score(Vitals(memory=0.99, critical=("Memory nearly full",))).score or 99) < 49


def test_a_window_without_data_drops_out() -> None:
    only = health_score(Vitals(memory=0.95))
    assert only.score == pytest.approx(100 * (0.97 - 0.95) / (0.97 - 0.8))
    two = health_score(Vitals(memory=0.95, uptime=1.0))
    assert two.score == pytest.approx(100 * math.sqrt((0.97 - 0.95) / 0.17))


@given(
    errors=st.integers(0, 50),
    memory=st.floats(0, 1),
    gpu=st.floats(0, 1),
    uptime=st.floats(0, 1),
    times=st.lists(st.floats(1, 10_000), max_size=20),
)
def test_it_lies_between_its_worst_and_its_best_part(
    errors: int, memory: float, gpu: float, uptime: float, times: list[float]
) -> None:
    found = health_score(Vitals(times, 150.0, 50, errors, memory, gpu, uptime))
    values = [max(part.value, 0.01) for part in found.parts if part.value is not None]
    assert found.score is not None
    assert 100 * min(values) - 1e-6 <= found.score <= 100 * max(values) + 1e-6
    worse = health_score(Vitals(times, 150.0, 50, min(50, errors + 1), memory, gpu, uptime))
    assert (worse.score or 0) <= found.score + 1e-9


def test_apdex() -> None:
    assert apdex([100, 150, 151, 600, 601], 150) == pytest.approx((2 + 2 / 2) / 5)


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (1, 3), (7, 50), (5, 5), (1, 1000)])
def test_wilsons_bound_is_scipys(hits: int, count: int) -> None:
    level = float(2 * stats.norm.cdf(1.3) - 1)
    wanted = stats.binomtest(hits, count).proportion_ci(level, method="wilson").low
    assert wilson_lower(hits, count, z=1.3) == pytest.approx(wanted, abs=1e-12)
    assert wilson_lower(0, 0) == 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_median_and_deviation_are_numpys_and_scipys(values: list[float]) -> None:
    import numpy as np

    middle, mad = median_and_mad(values)
    assert middle == pytest.approx(np.median(values))
    assert mad == pytest.approx(stats.median_abs_deviation(values), abs=1e-6)

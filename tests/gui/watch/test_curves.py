"""Curves as numbers."""

import math
from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.series import Series
from codette_desktop.gui.tabs.watch.charts.curves import Curve, events, in_the_last_minute, sampled, to_pixels

NAN = math.nan


def series(at: list[float], values: list[float], step: float = 1.0) -> Series:
    row = array("d", values)
    return Series(array("d", at), row, row, row, step)


@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(NAN)), min_size=1, max_size=400),
    st.integers(1, 60),
)
def test_no_peak_is_lost_on_the_way_to_pixels(values: list[float], width: int) -> None:
    x, y = np.arange(len(values), dtype=float) + 1.7e9, np.array(values)
    start, end = 1.7e9, 1.7e9 + len(values)
    shown_x, shown = to_pixels(x, y, start, end, width)
    assert shown_x.size == shown.size <= max(2 * width + 4, 2 * width)
    assert np.all(np.diff(shown_x) >= 0)
    known, kept = y[np.isfinite(y)], shown[np.isfinite(shown)]
    assert kept.size > 0 or known.size == 0
    if known.size:
        assert (kept.min(), kept.max()) == (known.min(), known.max())


def test_each_column_keeps_its_own_bounds() -> None:
    rng = np.random.default_rng(3)
    x, y = np.arange(1_000, dtype=float), rng.normal(size=1_000)
    shown_x, shown = to_pixels(x, y, 0, 1_000, 10)
    for column in range(10):
        inside = shown[(shown_x >= 100 * column) & (shown_x < 100 * (column + 1))]
        whole = y[100 * column : 100 * (column + 1)]
        assert (inside.min(), inside.max()) == (whole.min(), whole.max())


def test_only_what_is_in_view_is_drawn_and_one_more_on_either_side() -> None:
    x = np.arange(100, dtype=float)
    shown, _y = to_pixels(x, x, 40.5, 60.5, 500)
    assert (shown[0], shown[-1]) == (40, 61)


def test_a_curve_is_broken_where_its_sensor_was_silent() -> None:
    curve = sampled("CPU", 0, series([0, 1, 2, 100, 101], [1, 2, 3, 4, 5]))
    assert curve.x.tolist() == [0, 1, 2, 51, 100, 101]
    assert np.isnan(curve.y[3])
    hidden = sampled("CPU", 0, series([0, 1, 6, 11, 12], [1, 2, 3, 4, 5]))
    assert hidden.x.size == 5  # a hidden window is sampled every five seconds, which is no gap


def test_long_steps_are_no_gaps() -> None:
    hours = sampled("CPU", 0, series([0, 3_600, 7_200], [1, 2, 3], 3_600))
    assert hours.x.size == 3


def test_a_moment_between_two_samples_has_the_nearer_value() -> None:
    curve = sampled("CPU", 0, series([10, 11, 12], [1, 2, 3]))
    assert [curve.at(moment) for moment in (10.4, 10.6, 0.0, 13.0, 200.0)] == [1, 2, 1, 3, None]
    assert Curve("none", 0).at(5) is None


def test_where_nothing_is_known_there_is_no_value() -> None:
    curve = sampled("CPU", 0, series([10, 11, 12], [1, NAN, NAN]))
    assert curve.at(11.6) is None
    assert curve.last() == 1
    assert Curve("none", 0).last() is None
    assert sampled("CPU", 0, series([10, 11], [NAN, NAN])).is_empty


def test_events_stand_for_themselves_however_far_apart() -> None:
    curve = events("Guide", 1, series([0, 500, 900], [1, NAN, 3]))
    assert curve.x.tolist() == [0, 900]
    assert curve.dots


def test_counts_are_those_of_the_minute_before() -> None:
    at = [float(second) for second in range(200)]
    rate = [1.0 if second in (50, 60, 150) else 0.0 for second in range(200)]
    found = in_the_last_minute(series(at, rate))
    assert [found.mean[second] for second in (49, 50, 60, 109, 110, 120, 150, 199)] == [0, 1, 2, 2, 1, 0, 1, 1]


def test_counts_do_not_grow_because_samples_are_rarer() -> None:
    every_second = in_the_last_minute(series([float(at) for at in range(120)], [0.2] * 120))
    every_fifth = in_the_last_minute(series([5.0 * at for at in range(24)], [0.2] * 24, 5.0))
    assert every_second.mean[-1] == pytest.approx(12)
    assert every_fifth.mean[-1] == pytest.approx(12)


def test_counts_of_long_steps_are_per_minute() -> None:
    hours = Series(array("d", [0, 3_600]), array("d", [0.5, 1]), array("d", [0, 0]), array("d", [2, 3]), 3_600)
    found = in_the_last_minute(hours)
    assert (list(found.mean), list(found.high)) == ([30, 60], [120, 180])


def test_bands_are_drawn_between_gaps() -> None:
    x = np.arange(6, dtype=float)
    low = np.array([0, 0, NAN, 1, 1, 1])
    curve = Curve("CPU", 0, x, low + 1, low, low + 2)
    assert [(band[0].tolist(), band[2].tolist()) for band in curve.bands(-1, 10)] == [
        ([0, 1], [2, 2]),
        ([3, 4, 5], [3, 3, 3]),
    ]
    assert Curve("CPU", 0, x, x).bands(-1, 10) == []
    assert curve.bounds() == (0, 3)  # the band must fit on the axis too

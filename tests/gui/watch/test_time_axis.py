"""Ticks and words of time."""

import os
import time
from collections.abc import Iterator

import pytest

from codette_desktop.gui.tabs.watch.charts.time_axis import moment_text, period_text, span_text, time_ticks
from codette_desktop.gui.tabs.watch.now.now_state import RANGES_S
from tests.support.watching import NOON


@pytest.fixture(params=["UTC", "Asia/Kathmandu", "America/St_Johns"], autouse=True)
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """Clocks that differ from UTC by hours and quarters of one."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize("span", RANGES_S.values())
@pytest.mark.parametrize("most", [1, 3, 6, 12])
def test_ticks_lie_within_and_are_few(span: float, most: int) -> None:
    ticks = time_ticks(NOON - span, NOON, most)
    assert len(ticks) <= most + 1
    assert all(NOON - span <= tick.at <= NOON for tick in ticks)
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)
    if most >= 3:
        assert len({tick.text for tick in ticks}) == len(ticks) >= 1


def test_ticks_stand_on_round_moments_of_the_local_clock() -> None:
    assert all(tick.text[-2:] in ("00", "15", "30", "45") for tick in time_ticks(NOON - 60, NOON, 4))
    quarters = time_ticks(NOON - 3_600, NOON, 5)
    assert all(tick.text[-2:] in ("00", "15", "30", "45") for tick in quarters), quarters


def test_midnight_is_told_by_its_date(zone: str) -> None:
    if zone == "UTC":
        assert [tick.text for tick in time_ticks(NOON - 86_400, NOON, 6)] == ["12:00", "18:00", "29 Nov", "06:00"]


def test_moments_are_as_exact_as_the_chart(zone: str) -> None:
    if zone == "UTC":
        assert moment_text(NOON, 300) == "11:00:00"
        assert moment_text(NOON, 86_400) == "11:00"
        assert moment_text(NOON, 604_800) == "29 Nov 11:00"
        assert period_text(NOON - 300, NOON) == "29 Nov 10:55:00 to 11:00:00"
        assert period_text(NOON - 86_400, NOON) == "28 Nov 11:00 to 29 Nov 11:00"


def test_spans_read_as_the_picker_names_them() -> None:
    assert [span_text(span) for span in RANGES_S.values()] == [
        "1 min", "5 min", "15 min", "1 h", "6 h", "24 h", "7 d", "30 d", "90 d",
    ]  # fmt: skip
    assert span_text(40) == "40 s"
    assert span_text(450) == "7.5 min"

"""What is in view and how it moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.gui.tabs.watch.now.now_state import KEPT_S, LONGEST_S, SHORTEST_S, Mode
from codette_desktop.gui.tabs.watch.now.period import Viewport
from tests.support.watching import NOON


@pytest.fixture
def view() -> Viewport:
    return Viewport(NOON, 300)


def test_it_follows_the_newest_sample(view: Viewport) -> None:
    assert view.follow(NOON + 1)
    assert (view.period.start, view.period.end) == (NOON - 299, NOON + 1)
    assert not view.follow(NOON + 1)


def test_held_it_stays_and_then_goes_on(view: Viewport) -> None:
    view.hold()
    assert not view.follow(NOON + 30)
    assert view.period.end == NOON
    assert view.period.mode is Mode.HELD
    view.hold()
    assert view.period.mode is Mode.LIVE
    assert view.period.end == NOON + 30


def test_panning_leaves_now_and_comes_back(view: Viewport) -> None:
    view.pan(-100)
    assert view.period.mode is Mode.PAST
    assert (view.period.start, view.period.end) == (NOON - 400, NOON - 100)
    view.pan(1_000)
    assert view.period.mode is Mode.LIVE
    assert view.period.end == NOON
    assert view.period.span == 300


def test_zooming_keeps_the_moment_under_the_pointer_in_its_place(view: Viewport) -> None:
    view.pan(-1_000)
    moment = view.period.start + 0.25 * view.period.span
    view.zoom(0.5, moment)
    assert view.period.span == pytest.approx(150)
    assert (moment - view.period.start) / view.period.span == pytest.approx(0.25)


def test_zooming_while_live_keeps_now(view: Viewport) -> None:
    view.zoom(2, NOON - 280)
    assert view.period.mode is Mode.LIVE
    assert (view.period.end, view.period.span) == (NOON, 600)
    view.zoom(0.5)
    assert view.period.span == 300


def test_another_range_ends_where_the_old_one_did(view: Viewport) -> None:
    view.pan(-5_000)
    end = view.period.end
    view.set_range("1h")
    assert (view.period.end, view.period.span, view.period.key) == (end, 3_600, "1h")
    view.zoom(1.7)
    assert view.period.key == ""


def test_the_start_is_the_oldest_sample(view: Viewport) -> None:
    view.to_start(NOON - 2_000)
    assert (view.period.start, view.period.mode) == (NOON - 2_000, Mode.PAST)
    view.to_start(NOON - 100)  # all there is, is in view
    assert view.period.mode is Mode.LIVE
    view.to_start(None)
    assert view.period.start == NOON - KEPT_S


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("pan"), st.floats(-1e8, 1e8)),
            st.tuples(st.just("zoom"), st.floats(0.01, 100)),
            st.tuples(st.just("follow"), st.floats(0, 1e5)),
            st.tuples(st.just("hold"), st.just(0.0)),
        ),
        max_size=30,
    )
)
def test_whatever_one_does_it_stays_within_what_is_kept(steps: list[tuple[str, float]]) -> None:
    view, now = Viewport(NOON, 300), NOON
    for name, value in steps:
        match name:
            case "pan":
                view.pan(value)
            case "zoom":
                view.zoom(value, view.period.start + 0.3 * view.period.span)
            case "follow":
                now += value
                view.follow(now)
            case _:
                view.hold()
        period = view.period
        assert SHORTEST_S * 0.999 <= period.span <= LONGEST_S * 1.001
        assert period.end <= now + 1e-3
        assert period.mode is not Mode.LIVE or period.end == pytest.approx(now)

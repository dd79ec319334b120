"""The presenter alone: what it decides to show, without a widget."""

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from codette_desktop.domain.alerts import HealthPart, HealthScore
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.events import RequestEnded
from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.domain.telemetry import DeviceInfo
from codette_desktop.gui.tabs.watch.now.model_states import trend_text
from codette_desktop.gui.tabs.watch.now.now_state import CardState, ChartsState, Mode, ModelState, Period, Tone
from codette_desktop.gui.tabs.watch.now.presenter import NowPresenter
from codette_desktop.monitoring.recent import RecentFigures
from codette_desktop.store.errors import StoreError
from tests.support.watching import (
    MODELS,
    SimulatedRequest,
    SimulatedWatch,
    busy_watch,
    simulated_application,
)


class View:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.cards: dict[str, CardState] = {}
        self.models: list[ModelState] = []
        self.charts: ChartsState | None = None
        self.drawn = 0
        self.periods: list[Period] = []
        self.errors: list[CodetteError] = []

    def show_cards(self, cards: Sequence[CardState]) -> None:
        self.cards = {card.key: card for card in cards}

    def show_models(self, models: Sequence[ModelState]) -> None:
        self.models = list(models)

    def show_charts(self, state: ChartsState) -> None:
        self.charts, self.drawn = state, self.drawn + 1

    def show_period(self, period: Period) -> None:
        self.periods.append(period)

    def show_error(self, error: CodetteError) -> None:
        self.errors.append(error)

    def chart(self, key: str):
        assert self.charts is not None
        return next(chart for chart in self.charts.charts if chart.key == key)

    @property
    def keys(self) -> list[str]:
        return [chart.key for chart in self.charts.charts] if self.charts else []


class Desk:
    """A presenter with its view, its watch and its application."""

    def __init__(self, watch: SimulatedWatch) -> None:
        self.watch, self.view = watch, View()
        self.application = simulated_application(watch)
        self.presenter = NowPresenter(self.application, self.view, clock=watch.clock)

    async def poll(self) -> View:
        self.presenter.poll()
        await self.presenter.tasks.finish()
        return self.view


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk(busy_watch())
    yield made
    await made.presenter.aclose()


@pytest_asyncio.fixture
async def plain() -> AsyncIterator[Desk]:
    """A computer without a graphics device and without a thermometer, just started."""
    watch = SimulatedWatch(temperatures=False)
    made = Desk(watch)
    yield made
    await made.presenter.aclose()


async def test_before_anything_was_measured_nothing_is_shown(plain: Desk) -> None:
    view = await plain.poll()
    assert not plain.presenter.has_data
    assert (view.cards, view.charts) == ({}, None)


async def test_all_nine_charts_over_one_period(desk: Desk) -> None:
    view = await desk.poll()
    assert view.keys == [
        "speed", "first_token", "busy", "memory", "temperature", "power", "queue", "cache", "traffic",
    ]  # fmt: skip
    assert view.charts is not None
    assert view.charts.period == Period(desk.watch.now_at - 300, desk.watch.now_at)
    assert not view.charts.missing
    assert not any(chart.is_empty for chart in view.charts.charts)
    assert len(view.charts.marks) == 5
    assert [curve.label for curve in view.chart("busy").curves] == ["Processor", "GPU 0", "GPU 1"]
    assert [curve.label for curve in view.chart("speed").curves] == sorted(MODELS)


async def test_one_redraw_for_a_sample_and_none_without(desk: Desk) -> None:
    await desk.poll()
    drawn = desk.view.drawn
    for _ in range(5):
        await desk.poll()
    assert desk.view.drawn == drawn
    desk.watch.step()
    await desk.poll()
    assert desk.view.drawn == drawn + 1
    assert desk.view.charts is not None
    assert desk.view.charts.period.end == desk.watch.now_at


async def test_held_charts_stand_still_while_cards_go_on(desk: Desk) -> None:
    await desk.poll()
    desk.presenter.hold()
    await desk.poll()
    period, drawn = desk.presenter.period, desk.view.drawn
    spark = desk.view.cards["busy"].spark
    for _ in range(3):
        desk.watch.step()
        await desk.poll()
    assert desk.presenter.period == period
    assert period.mode is Mode.HELD
    assert desk.view.drawn == drawn
    assert desk.view.cards["busy"].spark != spark
    desk.presenter.live()
    assert desk.view.charts is not None
    assert desk.view.charts.period.end == desk.watch.now_at


async def test_the_past_is_read_from_the_store_in_the_background(desk: Desk) -> None:
    await desk.poll()
    assert desk.watch.history.reads == []
    desk.presenter.set_range("24h")
    assert desk.watch.history.reads == []  # not on this thread
    await desk.presenter.tasks.finish()
    assert [end - start for start, end in desk.watch.history.reads] == [pytest.approx(86_400, abs=1)]
    curve = desk.view.chart("busy").curves[0]
    assert curve.x[0] == pytest.approx(desk.watch.now_at - 86_400, abs=200)
    assert curve.low.size == curve.y.size


async def test_a_day_on_view_is_not_read_again_with_every_sample(desk: Desk) -> None:
    await desk.poll()
    desk.presenter.set_range("24h")
    await desk.presenter.tasks.finish()
    for _ in range(10):
        desk.watch.step()
        await desk.poll()
    assert len(desk.watch.history.reads) == 1
    desk.watch.step(130)  # a pixel is two minutes wide
    await desk.poll()
    assert len(desk.watch.history.reads) == 2


async def test_of_many_wishes_only_the_last_is_read(desk: Desk) -> None:
    await desk.poll()
    desk.presenter.set_range("24h")
    for _ in range(20):
        desk.presenter.pan(-3_600)
    await desk.presenter.tasks.finish()
    assert 1 <= len(desk.watch.history.reads) <= 2
    assert desk.watch.history.reads[-1][0] == pytest.approx(desk.presenter.period.start)


async def test_a_new_answer_is_drawn_at_the_next_poll(desk: Desk) -> None:
    await desk.poll()
    before = desk.view.chart("speed").curves[0].y.size
    desk.watch.history.requests.append(SimulatedRequest(desk.watch.now_at - 1, MODELS[0], 99.0, 50.0))
    await desk.poll()
    assert desk.view.chart("speed").curves[0].y.size == before
    desk.watch.run(3)  # not more often than every two seconds, however many answers there are
    desk.application.bus.publish(RequestEnded(RequestRecord("1", desk.watch.now_at, MODELS[0], MODELS[0])))
    await desk.poll()
    assert 99.0 in desk.view.chart("speed").curves[0].y


async def test_what_no_sensor_tells_is_folded_into_one_line(plain: Desk) -> None:
    plain.watch.run(30)
    view = await plain.poll()
    assert view.charts is not None
    assert view.charts.missing == ("Temperature", "Power")
    assert not {"temperature", "power"} & set(view.keys)
    assert view.cards["busy"].title == "CPU"


async def test_a_device_that_does_not_tell_its_power_says_so_in_its_chart() -> None:
    watch = SimulatedWatch((DeviceInfo("gpu:0", "Silent", "intel"),))
    watch.silent = True
    watch.run(10)
    desk = Desk(watch)
    view = await desk.poll()
    assert view.chart("power").empty == "No graphics device tells its power"
    assert view.chart("power").is_empty
    await desk.presenter.aclose()


async def test_a_time_without_requests_says_so(plain: Desk) -> None:
    plain.watch.step()
    view = await plain.poll()
    assert view.chart("speed").is_empty
    assert view.chart("speed").empty == "No model was asked in this time"


async def test_a_model_keeps_its_colour(desk: Desk) -> None:
    await desk.poll()
    places = {curve.label: curve.place for curve in desk.view.chart("speed").curves}
    assert places == {model.label: model.place for model in desk.view.models}
    desk.watch.history.requests[:] = [item for item in desk.watch.history.requests if item.label == MODELS[2]]
    desk.watch.history.requests.append(SimulatedRequest(desk.watch.now_at - 1, "A new one", 99.0, 50.0))
    desk.presenter.pan(-1)
    desk.presenter.live()
    await desk.presenter.tasks.finish()
    after = {curve.label: curve.place for curve in desk.view.chart("speed").curves}
    assert after == {MODELS[2]: places[MODELS[2]], "A new one": 3}


async def test_a_broken_history_is_told_once(desk: Desk) -> None:
    await desk.poll()
    desk.watch.history.error = StoreError("The disk is full.")
    for _ in range(4):
        desk.watch.step(5)
        await desk.poll()
    assert [error.message for error in desk.view.errors] == ["The disk is full."]
    desk.watch.history.error = None
    desk.watch.step(5)
    await desk.poll()
    assert not desk.view.chart("speed").is_empty


# The cards


async def test_each_card_has_a_number_a_unit_and_words(desk: Desk) -> None:
    desk.presenter.poll()
    await desk.presenter.tasks.finish()
    desk.watch.step()
    view = await desk.poll()
    shown = {key: (card.value, card.unit, card.worst) for key, card in view.cards.items()}
    assert shown["health"] == ("88", "of 100", "memory 84 %")
    assert shown["speed"] == ("196", "tokens/s", "2 running, 1 waiting")
    assert shown["first_token"][:2] == ("42", "ms")
    assert shown["first_token"][2].startswith(f"slowest: {MODELS[2]} 2")
    assert shown["errors"][0] == "2"
    assert shown["cache"] == ("27", "%", "9 of 33 questions")
    assert view.cards["errors"].tip.endswith("The last one: The disk is full.")
    assert view.cards["busy"].title == "GPU"
    assert view.cards["busy"].worst.startswith("GPU 0 · ")
    assert len(view.cards["speed"].spark) == 60


async def test_a_minute_is_a_minute_however_often_one_looks(plain: Desk) -> None:
    for _ in range(4):
        plain.watch.step(5)
    spark = (await plain.poll()).cards["busy"].spark
    assert len(spark) == 60
    assert sum(value == value for value in spark) == 16  # from the first of four samples on


async def test_the_health_card_remembers_its_minute(desk: Desk) -> None:
    for score in (90.0, None, 40.0):
        desk.watch.score = HealthScore(score, "unhealthy", (HealthPart("speed", 0.1, 0.3, "slow"),), "40: slow")
        desk.watch.step()
        await desk.poll()
    card = desk.view.cards["health"]
    assert card.spark[0] == 90
    assert card.spark[1] != card.spark[1]  # NaN: a gap
    assert card.spark[2] == 40
    assert (card.tone, card.worst, card.tip) == (Tone.BAD, "slow", "speed: slow")


async def test_unknown_figures_are_dashes_not_noughts(plain: Desk) -> None:
    plain.watch.step()
    plain.watch.score = HealthScore(None, "unknown", (), "Nothing has been measured yet")
    plain.watch.recent = RecentFigures()
    view = await plain.poll()
    assert {view.cards[key].value for key in ("health", "speed", "first_token", "errors")} == {"–"}


@pytest.mark.parametrize(("used", "tone"), [(0.5, Tone.PLAIN), (0.91, Tone.WARNING), (0.98, Tone.BAD)])
async def test_full_memory_is_marked(plain: Desk, used: float, tone: Tone) -> None:
    plain.watch.memory_share = used
    plain.watch.step()
    assert (await plain.poll()).cards["memory"].tone is tone


async def test_the_fullest_device_is_named(desk: Desk) -> None:
    desk.watch.device_memory_share = 0.95
    desk.watch.step()
    view = await desk.poll()
    assert view.cards["memory"].worst == "GPU 0 95 %"
    assert view.cards["memory"].tone is Tone.WARNING


# The models


async def test_models_stand_in_the_order_of_their_requests(desk: Desk) -> None:
    await desk.poll()
    counts = [int(dict(model.figures)["Requests"]) for model in desk.view.models]
    assert counts == sorted(counts, reverse=True)
    by_label = {model.label: model for model in desk.view.models}
    assert by_label[MODELS[2]].trend == "31 % slower than usual"
    assert by_label[MODELS[2]].trend_tone is Tone.WARNING
    assert by_label[MODELS[2]].health == "64"
    assert by_label[MODELS[0]].trend == "as usual"


@pytest.mark.parametrize(
    ("speed", "first", "words", "tone"),
    [
        (None, None, "learning what is usual", Tone.PLAIN),
        (0.0, None, "as usual", Tone.GOOD),
        (0.02, -0.03, "as usual", Tone.GOOD),
        (-0.31, 0.1, "31 % slower than usual", Tone.WARNING),
        (-0.1, 0.6, "begins 60 % later than usual", Tone.WARNING),
        (0.5, 0.2, "begins 20 % later than usual", Tone.WARNING),
        (0.5, 0.0, "50 % faster than usual", Tone.GOOD),
        (0.0, -0.4, "begins 40 % sooner than usual", Tone.GOOD),
    ],
)
def test_the_trend_in_words(speed: float | None, first: float | None, words: str, tone: Tone) -> None:
    assert trend_text("Guide", {("Guide", "speed"): speed, ("Guide", "first_token"): first}) == (words, tone)


def test_a_model_without_detectors_is_being_learnt() -> None:
    assert trend_text("Guide", {("Other", "speed"): 0.9})[0] == "learning what is usual"


async def test_after_closing_nothing_is_heard(desk: Desk) -> None:
    await desk.presenter.aclose()
    due = desk.presenter._requests_due
    desk.application.bus.publish(RequestEnded(RequestRecord("1", 0.0, MODELS[0], MODELS[0])))
    assert desk.presenter._requests_due == due

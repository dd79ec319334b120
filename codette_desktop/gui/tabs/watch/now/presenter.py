"""Decides what the page "Now" shows: reads the watch, moves the period in view, loads what must be loaded. No Qt."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.events import AlertChanged, Event, ModelLoaded, ModelUnloaded, RequestEnded
from codette_desktop.domain.request_log import ModelTotals
from codette_desktop.domain.series import Series, SeriesName
from codette_desktop.domain.telemetry import Mark, Sample
from codette_desktop.gui.tabs.watch.charts.chart_specs import (
    ChartSpec,
    chart_specs,
    names_of,
    request_chart,
    sensor_chart,
)
from codette_desktop.gui.tabs.watch.charts.colours import ModelPlaces
from codette_desktop.gui.tabs.watch.charts.curves import MINUTE_S
from codette_desktop.gui.tabs.watch.now.model_states import model_states
from codette_desktop.gui.tabs.watch.now.now_cards import Cards
from codette_desktop.gui.tabs.watch.now.now_state import CardState, ChartsState, ChartState, Mode, ModelState, Period
from codette_desktop.gui.tabs.watch.now.period import Viewport
from codette_desktop.gui.tabs.watch.now.sources import Watch
from codette_desktop.gui.tasks import Tasks

if TYPE_CHECKING:
    from codette_desktop.application import Application

POINTS, REQUEST_POINTS = 720, 240
TOTALS_S = 86_400.0  # the cards of the models speak of the last day
_REQUESTS_EVERY_S, _REQUESTS_AT_REST_S = 2.0, 15.0  # where something happened since, and where nothing did
_TOTALS_EVERY_S = 15.0
_SENSORS_EVERY_S = 30.0  # where the period begins before memory does
_LONGEST_STILL_S = 15.0
_CLOCK_SLACK_S = 15.0  # the newest sample counts as now unless it is older than this


class NowView(Protocol):
    """What draws it."""

    def show_cards(self, cards: Sequence[CardState]) -> None: ...
    def show_models(self, models: Sequence[ModelState]) -> None: ...
    def show_charts(self, state: ChartsState) -> None: ...
    def show_period(self, period: Period) -> None: ...
    def show_error(self, error: CodetteError) -> None: ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be read in the background."""

    period: Period
    names: tuple[SeriesName, ...] = ()
    totals: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    wanted: _Wanted
    sensors: dict[SeriesName, Series]
    requests: dict[str, dict[str, Series]]
    marks: tuple[Mark, ...]
    totals: Sequence[ModelTotals] | None


class NowPresenter:
    """One GUI thread. `poll` is called some times a second while the page is on view."""

    def __init__(self, application: "Application", view: NowView, *, clock: Callable[[], float] = time.time) -> None:
        self._watch: Watch = application.watch
        self._figures = application.store.requests.figures
        self._view, self._clock = view, clock
        self.tasks = Tasks(view.show_error)
        self.places = ModelPlaces()
        self.viewport = Viewport(clock())
        self.cards = Cards(self._watch)
        self._seen: set[SeriesName] = set()
        self._version = -1
        self._kept: dict[SeriesName, Series] = {}  # as last read from the database; what came since is in memory
        self._sensors: dict[SeriesName, Series] = {}
        self._drawn_at = self._polled_at = 0.0
        self._requests: dict[str, dict[str, Series]] = {}
        self._marks: tuple[Mark, ...] = ()
        self._totals: Sequence[ModelTotals] = ()
        self._wanted: _Wanted | None = None
        self._loading = self._told = False
        self._requests_due = self._totals_due = self._sensors_due = self._requests_read = 0.0
        self._unsubscribe = application.bus.subscribe(Event, self._on_event)

    @property
    def period(self) -> Period:
        """What is in view."""
        return self.viewport.period

    @property
    def has_data(self) -> bool:
        """Whether anything was ever measured."""
        return self._watch.latest is not None

    # What the person does

    def set_range(self, key: str) -> None:
        """A length of time, by its name in the picker."""
        self.viewport.set_range(key)
        self._moved()

    def hold(self) -> None:
        """Freeze the charts, or let them go on."""
        self.viewport.hold()
        self._moved()

    def live(self) -> None:
        """Back to the newest sample."""
        self.viewport.live()
        self._moved()

    def pan(self, seconds: float) -> None:
        """Look later or earlier."""
        self.viewport.pan(seconds)
        self._moved()

    def zoom(self, factor: float, around: float | None = None) -> None:
        """Look at a shorter (below 1) or a longer time."""
        self.viewport.zoom(factor, around)
        self._moved()

    def to_start(self) -> None:
        """To the oldest sample in memory; from there on backwards by the arrow keys."""
        self.viewport.to_start(self._watch.history.samples.start)
        self._moved()

    # What happens

    def poll(self) -> None:
        """Show what is new, if anything is."""
        sample, version = self._watch.latest, self._watch.history.samples.version
        if sample is None:
            return
        self._heed_clock()
        if version != self._version:
            self._version = version
            self._note_seen(sample)
            self._view.show_cards(self.cards.make(sample))
            if self.viewport.follow(self._moment(sample)):
                self._view.show_period(self.period)
            if self.period.mode is Mode.LIVE and self._has_moved(sample.at):
                self._read_memory()
                self._show_charts()
        self._read_what_is_due()

    def _heed_clock(self) -> None:
        """After the clock was set back nothing would be due for as long."""
        now = self._clock()
        if now < self._polled_at - _CLOCK_SLACK_S:
            self._requests_due = self._totals_due = self._sensors_due = 0.0
        self._polled_at = now

    def _has_moved(self, at: float) -> bool:
        """Whether the newest sample lies half a step further than what is drawn: nobody sees a smaller one."""
        return abs(at - self._drawn_at) >= min(_LONGEST_STILL_S, self.period.span / (2 * POINTS))

    def _moment(self, sample: Sample) -> float:
        now = self._clock()
        return sample.at if abs(now - sample.at) <= _CLOCK_SLACK_S else max(now, sample.at)

    def _on_event(self, event: Event) -> None:
        """On any thread: the next poll reads anew."""
        if isinstance(event, RequestEnded | ModelLoaded | ModelUnloaded | AlertChanged):
            self._requests_due = min(self._requests_due, self._requests_read + _REQUESTS_EVERY_S)
            self._totals_due = min(self._totals_due, self._clock() + 1.0)

    def _moved(self) -> None:
        """The period is another one: what is in memory is shown at once, the rest when it has been read."""
        self._view.show_period(self.period)
        self._requests_due = self._sensors_due = 0.0
        self._read_memory()
        self._show_charts()
        self._read_what_is_due()

    def _note_seen(self, sample: Sample) -> None:
        for name in names_of(self._specs()):
            if name not in self._seen and _value(sample, name) is not None:
                self._seen.add(name)

    # Reading

    def _specs(self) -> tuple[ChartSpec, ...]:
        return chart_specs(self._watch.devices)

    def _in_memory(self) -> bool:
        return self._watch.history.is_in_memory(self.period.start)

    def _read_memory(self) -> None:
        if self._in_memory():
            names, period = names_of(self._specs()), self.period
            first = max(period.start - MINUTE_S, self._watch.history.samples.start or 0.0)
            self._sensors = self._watch.history.series(names, min(first, period.start), period.end + 0.001, POINTS)
        elif self.period.mode is Mode.LIVE:
            self._sensors = self._watch.history.continued(self._kept, self.period.end + 0.001)

    def _read_what_is_due(self) -> None:
        now, period = self._clock(), self.period
        live = period.mode is Mode.LIVE
        names: tuple[SeriesName, ...] = ()
        if not self._in_memory() and now >= self._sensors_due:
            names = names_of(self._specs())
            self._sensors_due = now + max(_SENSORS_EVERY_S, period.span / POINTS) if live else float("inf")
        totals = now >= self._totals_due
        if not names and not totals and now < self._requests_due:
            return
        pause = max(_REQUESTS_AT_REST_S, period.span / REQUEST_POINTS)
        self._requests_read = now
        self._requests_due = now + pause if live else float("inf")
        if totals:
            self._totals_due = now + _TOTALS_EVERY_S
        self._want(_Wanted(period, names, totals))

    def _want(self, wanted: _Wanted) -> None:
        """Only the newest wish is read; wishes that came while one was being read are worth nothing by then."""
        before = self._wanted
        if before is not None:
            wanted = _Wanted(wanted.period, wanted.names or before.names, wanted.totals or before.totals)
        self._wanted = wanted
        if not self._loading:
            self._loading = True
            self.tasks.start(self._load(), "read the history")

    async def _load(self) -> None:
        loop = asyncio.get_event_loop()
        try:
            while self._wanted is not None:
                wanted, self._wanted = self._wanted, None
                self._take(await loop.run_in_executor(None, self._read, wanted))
        except CodetteError as error:
            if not self._told:  # once is enough: it is tried again all the time
                self._told = True
                self._view.show_error(error)
        finally:
            self._loading = False

    def _read(self, wanted: _Wanted) -> _Found:
        """In the background."""
        history, period = self._watch.history, wanted.period
        start, end = period.start, period.end + 0.001
        fields = {spec.field for spec in chart_specs(()) if spec.field}
        now = self.viewport.now
        return _Found(
            wanted,
            history.series(wanted.names, start, end, POINTS) if wanted.names else {},
            {field: history.request_series(field, start, end, REQUEST_POINTS) for field in sorted(fields)},
            tuple(history.marks(start, end)),
            self._figures(now - TOTALS_S, now + 1) if wanted.totals else None,
        )

    def _take(self, found: _Found) -> None:
        self._told = False
        if found.totals is not None:
            self._totals = found.totals
            self._show_models()
        self._requests, self._marks = found.requests, found.marks
        if found.wanted.names and not self._in_memory():
            self._kept = self._sensors = found.sensors
            self._seen.update(name for name, series in found.sensors.items() if any(v == v for v in series.mean))
        self._show_charts()

    # Showing

    def _show_models(self) -> None:
        timed = [(item.first_token_ms, item.model_label) for item in self._totals if item.first_token_ms is not None]
        failed = [item for item in self._totals if item.errors]
        self.cards.slowest = max(timed, default=None)
        failing = max(failed, key=lambda item: item.errors / max(1, item.requests), default=None)
        self.cards.failing = (failing.model_label, failing.errors, failing.requests) if failing else None
        self.places.meet(sorted(item.model_label for item in self._totals))
        self._view.show_models(model_states(self._totals, self._watch, self.places))

    def _show_charts(self) -> None:
        charts: list[ChartState] = []
        missing: list[str] = []
        for spec in self._specs():
            if spec.field:
                charts.append(request_chart(spec, self._requests.get(spec.field, {}), self.places))
                continue
            chart = sensor_chart(spec, self._sensors, self._seen)
            if chart.curves or self._could_be_told(spec):
                charts.append(chart)
            else:
                missing.append(spec.title)
        self._drawn_at = self.viewport.now
        self._view.show_charts(ChartsState(self.period, tuple(charts), self._marks, tuple(missing)))

    def _could_be_told(self, spec: ChartSpec) -> bool:
        """Whether there is a thing that might tell it: a graphics device without a sensor is worth a word."""
        return not spec.none or any(curve.name.source.startswith("gpu:") for curve in spec.curves)

    async def aclose(self) -> None:
        """Read nothing any more."""
        self._unsubscribe()
        self._wanted = None
        await self.tasks.aclose()


def _value(sample: Sample, name: SeriesName) -> float | None:
    parts: dict[str, object] = {"host": sample.host, "engine": sample.engine}
    parts.update({device.device: device for device in sample.devices})
    return getattr(parts.get(name.source), name.field, None)

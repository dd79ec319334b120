"""Watching: sensors, history, health and alerts behind one face, for the window, the API and reports."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from codette_desktop.domain.alerts import Alert, AlertEvent, HealthScore, Rule
from codette_desktop.domain.errors import StoreError, type_in_words
from codette_desktop.domain.events import (
    AlertChanged,
    EventBus,
    ModelLoaded,
    ModelUnloaded,
    RequestEnded,
    ServerChecked,
    StoreFailed,
)
from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.domain.telemetry import DeviceInfo, EngineSample, Mark, MarkKind, Sample
from codette_desktop.hardware.sensors.available import sensors
from codette_desktop.hardware.sensors.sampler import Sampler
from codette_desktop.inference.activity import Activity
from codette_desktop.monitoring.energy import EnergyMeter
from codette_desktop.monitoring.history import History
from codette_desktop.monitoring.judging import Judge
from codette_desktop.monitoring.observation import Observation
from codette_desktop.monitoring.recent import LATELY_S, RecentFigures, recent_figures
from codette_desktop.monitoring.recording import SampleRecorder, log_failure
from codette_desktop.monitoring.ring import SampleRing
from codette_desktop.monitoring.rules import RULES
from codette_desktop.monitoring.stored import rules_in_force
from codette_desktop.monitoring.windows import LONGEST_S, Totals
from codette_desktop.store import Store

log = logging.getLogger(__name__)

INTERVAL_SETTING = "sensor_interval_s"
STATE_EVERY_S = 60.0
MOST_REMEMBERED = 5_000  # requests of earlier runs
MOST_UNCOUNTED = 500


@dataclass(frozen=True, slots=True)
class WatchServices:
    """What is watched. `engine` is a sample of the engine, `cache` its counts since ever (reads the database)."""

    data_dir: Path
    store: Store
    bus: EventBus
    activity: Activity
    engine: Callable[[], EngineSample]
    cache: Callable[[], Totals | None]


class Watch:
    """Nothing is measured before `start`. Methods may be called from any thread and return at once, but `history`'s."""

    def __init__(self, services: WatchServices, clock: Callable[[], float] = time.time) -> None:
        self._services = services
        self._clock = clock
        self._store = services.store
        self.history = History(self._store, SampleRing())
        self.energy = EnergyMeter()
        self._recorder = SampleRecorder(self._store, clock)
        self._judge = Judge(RULES, clock)
        self._sampler: Sampler | None = None
        self._visible = False
        self._lock = threading.Lock()
        self._uncounted: list[RequestRecord] = []  # ended since the last sample: their energy is not known yet
        self._cache_at = self._kept_at = 0.0
        self._unsubscribe: list[Callable[[], None]] = []

    # The present

    @property
    def latest(self) -> Sample | None:
        """The last sample."""
        return self._sampler.latest if self._sampler else None

    @property
    def devices(self) -> tuple[DeviceInfo, ...]:
        """The graphics devices of this computer."""
        return self._sampler.devices if self._sampler else ()

    def now(self) -> RecentFigures:
        """The figures of the last moments."""
        sample = self.latest
        engine, interval_s = (sample.engine, sample.interval_s) if sample else (EngineSample(), 0.0)
        return recent_figures(self._judge.recent(LATELY_S), engine, interval_s)

    def health(self) -> HealthScore:
        """How well the computer and the engine do, as of some seconds ago."""
        return self._judge.health

    def model_health(self, model: str) -> HealthScore:
        """How well a model does, by its name."""
        return self._judge.model_health(model)

    def shifts(self) -> dict[tuple[str, str], float | None]:
        """By how much models differ from the usual, by (label, "first_token" or "speed"); None while it is learnt."""
        return self._judge.shifts()

    def observation(self) -> Observation | None:
        """What the rules look at now; None before the first sample."""
        return self._judge.observation()

    def acknowledge(self, model: str, metric: str) -> None:
        """What is now is the usual from now on; the model by its name."""
        self._judge.acknowledge(model, metric)

    # Alerts

    def alerts(self) -> tuple[Alert, ...]:
        """Those that are pending, firing or resolving now."""
        return self._judge.alerts()

    def snooze(self, key: str, seconds: float) -> None:
        """Tell nobody of an alert for so long. Raises KeyError for one that is over."""
        self._judge.snooze(key, self._clock() + seconds)

    def wake(self, key: str) -> None:
        """End a snooze."""
        self._judge.wake(key)

    def rules(self) -> tuple[Rule, ...]:
        """The rules in force: the person's, and ours where they have not changed them.

        From memory once the watch has started; before, it reads the database, and raises StoreError.
        """
        return self._judge.rules if self._sampler is not None else rules_in_force(self._store)

    @staticmethod
    def default_rule(name: str) -> Rule:
        """A rule as it was made here. Raises KeyError."""
        return {rule.name: rule for rule in RULES}[name]

    def change_rule(self, rule: Rule) -> "Future[None]":
        """Use the person's own from now on."""
        return self._with_rules(self._store.alerts.keep_rule(rule))

    def reset_rule(self, name: str) -> "Future[None]":
        """Use ours again."""
        return self._with_rules(self._store.alerts.reset_rule(name))

    def _with_rules(self, write: "Future[None]") -> "Future[None]":
        write.add_done_callback(lambda done: done.exception() or self._judge.use(rules_in_force(self._store)))
        return write

    # How often

    @property
    def interval_s(self) -> float:
        """Seconds between two samples while somebody looks."""
        chosen = self._store.settings.get(INTERVAL_SETTING, 1.0)
        return float(chosen) if isinstance(chosen, int | float) and 0.5 <= chosen <= 10 else 1.0

    def set_interval(self, seconds: float) -> None:
        """From 0.5 to 10 s between samples, also after a restart."""
        self._store.settings.set(INTERVAL_SETTING, seconds)
        if self._sampler:
            self._sampler.set_interval(seconds)

    def set_visible(self, visible: bool) -> None:
        """Whether somebody looks: if not, and nothing is being answered, a sample every five seconds is enough."""
        self._visible = visible
        self._pace()

    # Beginning and end

    def start(self) -> None:
        """Begin to measure. Twice is fine."""
        if self._sampler is not None:
            return
        bus, judge = self._services.bus, self._judge
        listeners = self._services.activity.listeners
        listeners.append(self._on_busy)
        self._unsubscribe = [
            lambda: listeners.remove(self._on_busy),
            bus.subscribe(RequestEnded, lambda event: self._on_request(event.request)),
            bus.subscribe(ModelLoaded, self._on_loaded),
            bus.subscribe(ModelUnloaded, lambda event: self._mark(MarkKind.UNLOADED, event.model, event.model)),
            bus.subscribe(
                ServerChecked,
                lambda event: judge.heard(lambda windows: windows.add_check(event.server, not event.problem)),
            ),
            bus.subscribe(StoreFailed, lambda _event: judge.heard(lambda windows: windows.add_store_error())),
        ]
        readers, host = sensors(self._services.data_dir)
        engine = self._services.engine
        self._sampler = Sampler(readers, host, lambda _interval_s: engine(), interval_s=self.interval_s)
        self._sampler.subscribe(_after(self._restore, self._take))
        self._pace()
        self._sampler.start()

    async def aclose(self) -> None:
        """End it and keep what there is. Before the store is closed. Twice is fine."""
        sampler, self._sampler = self._sampler, None
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        if sampler is not None:
            await asyncio.get_event_loop().run_in_executor(None, sampler.close)
            self._recorder.flush(last=True)
            self._keep_state()

    def _on_busy(self, busy: bool) -> None:
        """At the steady pace at once, so that short answers have samples too; slower again after the next sample."""
        if busy:
            self._pace()

    def _pace(self) -> None:
        if self._sampler is not None:
            self._sampler.set_hidden(not self._visible and not self._services.activity.busy)

    # What is heard

    def _restore(self) -> None:
        """On the sampler's thread, before the first sample: what earlier runs have learnt."""
        try:
            self._judge.use(rules_in_force(self._store))
            requests = self._store.requests.since(self._clock() - LONGEST_S, MOST_REMEMBERED, end=self._clock())
            state = self._store.alerts.state() or {}
        except StoreError as error:
            log.warning("what was learnt of the models before could not be read: %s", error)
            return
        try:
            self._judge.restore(state, requests)
        except ValueError as error:
            log.warning("what was learnt of the models before is damaged, and begins anew: %s", error)
            self._judge.restore({}, requests)

    def _take(self, sample: Sample) -> None:
        """On the sampler's thread."""
        self.history.samples.add(sample)
        self.energy.add(sample)
        self._recorder.add(sample, self.devices)
        self._count_energy(sample.at)
        self._pace()
        changes = self._judge.look(sample, self._cache_counts)
        for change in changes or ():
            self._tell(change)
        if changes and self._store.is_primary:  # two processes would tell of each twice
            self._store.alerts.add(changes).add_done_callback(log_failure)
        if changes or abs(self._clock() - self._kept_at) >= STATE_EVERY_S:
            self._keep_state()

    def _count_energy(self, at: float) -> None:
        """Of the requests that ended before the newest sample: only now is known what was drawn until their end."""
        with self._lock:
            ended = [one for one in self._uncounted if one.at + one.total_ms / 1000 <= at]
            self._uncounted = [one for one in self._uncounted if one not in ended]
        for request in ended:
            joules = self.energy.between(request.at, request.at + request.total_ms / 1000)
            if joules is not None:
                self._store.requests.add([replace(request, energy_j=joules)]).add_done_callback(log_failure)

    def _cache_counts(self) -> Totals | None:
        """Once a minute: it reads the database."""
        now = self._clock()
        if abs(now - self._cache_at) < STATE_EVERY_S:
            return None
        self._cache_at = now
        return self._services.cache()

    def _keep_state(self) -> None:
        self._kept_at = self._clock()
        if self._store.is_primary:
            self._store.alerts.keep_state(self._judge.to_dict()).add_done_callback(log_failure)

    def _tell(self, change: AlertEvent) -> None:
        if change.told:
            self._mark(MarkKind.ALERT, change.alert.text)
        self._services.bus.publish(AlertChanged(change))

    def _on_request(self, request: RequestRecord) -> None:
        self._judge.heard(lambda windows: windows.add_request(request))
        if self.energy.tells and not request.cached:
            with self._lock:
                self._uncounted = [*self._uncounted[-MOST_UNCOUNTED:], request]
        if "/" in request.id:  # somebody else stood in
            self._mark(
                MarkKind.FALLBACK, f"{request.model_label} failed: {type_in_words(request.error_type)}", request.model
            )

    def _on_loaded(self, event: ModelLoaded) -> None:
        self._judge.heard(lambda windows: windows.add_load(event.model, event.load_ms))
        self._mark(MarkKind.LOADED, event.label, event.model)

    def _mark(self, kind: MarkKind, text: str, model: str = "") -> None:
        self._recorder.mark(Mark(self._clock(), kind, text, model))


def _after(first: Callable[[], None], then: Callable[[Sample], None]) -> Callable[[Sample], None]:
    """A listener that does something else before its first sample."""
    done = False

    def listener(sample: Sample) -> None:
        nonlocal done
        if not done:
            done = True
            first()
        then(sample)

    return listener

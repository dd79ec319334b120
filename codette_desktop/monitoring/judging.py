"""What is to be thought of what is measured: alerts and the health score, looked at every few seconds."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from codette_desktop.domain.alerts import Alert, AlertEvent, HealthScore, Rule, is_critical
from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.domain.telemetry import Sample, SensorStatus
from codette_desktop.monitoring.alerts import AlertEngine
from codette_desktop.monitoring.health import Vitals, health_score
from codette_desktop.monitoring.metrics import ModelWatch
from codette_desktop.monitoring.observation import ModelWindow, Observation
from codette_desktop.monitoring.windows import Totals, Windows, first_token, outcomes

LOOK_EVERY_S = 5.0
WINDOWS_EVERY_S = 20.0  # where no request has ended meanwhile
TIMED = 20  # requests of the last half hour that tell how fast answers begin
TARGET = 1.5  # times what is usual


class Judge:
    """Hears samples, requests, loads and checks. Any thread."""

    def __init__(self, rules: Sequence[Rule], clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._windows = Windows(ModelWatch(), clock)
        self._engine = AlertEngine(rules, clock=clock)
        self._rules = tuple(rules)
        self._looked = 0.0
        self._models: tuple[float, tuple[ModelWindow, ...]] | None = None
        self._health = HealthScore(None, "unknown", (), "Nothing has been measured yet")
        self._sample: Sample | None = None

    @property
    def health(self) -> HealthScore:
        """As of the last look."""
        return self._health

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Those that are watched."""
        return self._rules

    def heard(self, hear: Callable[[Windows], object]) -> None:
        """Have the windows told of something."""
        with self._lock:
            hear(self._windows)
            self._models = None

    def look(self, sample: Sample, cache: Callable[[], Totals | None]) -> list[AlertEvent] | None:
        """Judge anew, where the last time was long enough ago; None where it was not. What has changed is returned."""
        now = self._clock()
        with self._lock:
            self._sample = sample
            if abs(now - self._looked) < LOOK_EVERY_S:
                return None
            self._looked = now
        totals = cache()  # reads the database
        with self._lock:
            if totals is not None:
                self._windows.add_cache(totals)
            events = self._engine.evaluate(self._observation(sample))
            self._health = health_score(self._vitals(sample, None))
        return events

    def model_health(self, model: str) -> HealthScore:
        """The score of one model, by its name."""
        with self._lock:
            return health_score(self._vitals(self._sample, model))

    def alerts(self) -> tuple[Alert, ...]:
        """All that are pending, firing or resolving."""
        with self._lock:
            return self._engine.active()

    def snooze(self, key: str, until: float) -> None:
        """Tell nobody before `until`. Raises KeyError for an alert that is not there."""
        with self._lock:
            self._engine.snooze(key, until)

    def wake(self, key: str) -> None:
        """End a snooze."""
        with self._lock:
            self._engine.wake(key)

    def use(self, rules: Sequence[Rule]) -> None:
        """Watch these rules from now on."""
        with self._lock:
            self._rules = tuple(rules)
            self._engine.use(rules)

    def shifts(self) -> dict[tuple[str, str], float | None]:
        """By how much each model differs from the usual, by (label, metric); None while it is learnt."""
        with self._lock:
            return self._windows.shifts()

    def observation(self) -> Observation | None:
        """What the rules look at, with the last sample; None before the first."""
        with self._lock:
            return None if self._sample is None else self._observation(self._sample)

    def acknowledge(self, model: str, metric: str) -> None:
        """What is now is the usual from now on."""
        self.heard(lambda windows: windows.watch.acknowledge(model, metric))

    def recent(self, seconds: float) -> list[RequestRecord]:
        """The requests that ended within so many seconds, the oldest first."""
        with self._lock:
            return self._windows.since(seconds)

    def to_dict(self) -> dict[str, Any]:
        """The state as JSON can hold it."""
        with self._lock:
            return {"alerts": self._engine.to_dict(), "usual": self._windows.watch.to_dict()}

    def restore(self, data: dict[str, Any], requests: Sequence[RequestRecord]) -> None:
        """Go on from where an earlier run ended. Raises ValueError for a state that is none."""
        with self._lock:
            if data:
                watch = ModelWatch.from_dict(data.get("usual", {}))
                self._engine.restore(data.get("alerts", {}))
                self._windows.watch = watch
            self._windows.restore(requests)

    def _observation(self, sample: Sample) -> Observation:
        windows = self._windows
        return Observation(
            sample.at, sample.host, sample.devices, sample.engine, self._model_windows(),
            windows.backends(), windows.queue(), windows.store(), windows.cache(),
        )  # fmt: skip

    def _model_windows(self) -> tuple[ModelWindow, ...]:
        """Made anew after a request, or when they are old: with many requests it takes some milliseconds."""
        now = self._clock()
        if self._models is None or abs(now - self._models[0]) > WINDOWS_EVERY_S:
            self._models = (now, self._windows.models())
        return self._models[1]

    def _vitals(self, sample: Sample | None, model: str | None) -> Vitals:
        hour = self._windows.since(3600) if model is None else self._windows.since_of(model, 3600)
        counted = outcomes(hour, self._clock() - 3600)
        backends = self._windows.backends() if model is None else ()
        uptimes = [backend.uptime for backend in backends if backend.uptime is not None]
        critical = tuple(alert.text for alert in self._engine.active() if model is None and is_critical(alert))
        return Vitals(
            first_token_ms=self._against_usual(hour),
            target_ms=TARGET,
            requests=counted.requests,
            errors=counted.errors,
            memory=_memory(sample) if model is None else None,
            gpu_memory=_gpu_memory(sample) if model is None else None,
            uptime=min(uptimes) if uptimes else None,
            critical=critical,
        )

    def _against_usual(self, requests: Sequence[RequestRecord]) -> tuple[float, ...]:
        """How late answers began, 1 for as usual, so that models of all speeds are counted together."""
        start = self._clock() - 1800
        warm = [
            one for one in requests if one.at >= start and not one.load_ms and one.reason is not FinishReason.FAILED
        ]
        usual: dict[str, float | None] = {}
        found: list[float] = []
        for request in warm[-TIMED:]:
            if request.model not in usual:
                usual[request.model] = self._windows.usual_first_token(request.model)
            value, normal = first_token(request), usual[request.model]
            if value is not None and normal:
                found.append(value / normal)
        return tuple(found)


def _memory(sample: Sample | None) -> float | None:
    if sample is None or sample.host.memory_used_bytes is None or not sample.host.memory_total_bytes:
        return None
    return sample.host.memory_used_bytes / sample.host.memory_total_bytes


def _gpu_memory(sample: Sample | None) -> float | None:
    shares = [
        device.memory_used_bytes / device.memory_total_bytes
        for device in (sample.devices if sample else ())
        if device.status is SensorStatus.OK and device.memory_used_bytes is not None and device.memory_total_bytes
    ]
    return max(shares) if shares else None


def usual_text(shift: float | None) -> str:
    """How a model does against what is usual of it, in words."""
    if shift is None:
        return "learning what is usual"
    if shift == 0:
        return "as usual"
    return f"{abs(shift):.0%} {'more' if shift > 0 else 'less'} than usual".replace("%", " %")

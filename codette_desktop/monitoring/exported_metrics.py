"""Everything that is exported, gathered when it is asked for."""

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from codette_desktop import __version__
from codette_desktop.domain.alerts import Alert, AlertState, HealthScore, Severity
from codette_desktop.domain.events import EventBus, StoreFailed
from codette_desktop.domain.request_log import LOCAL
from codette_desktop.domain.request_totals import Total, TotalKey
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.domain.telemetry import DeviceInfo, Sample
from codette_desktop.inference.cache.responses import CacheStatistics
from codette_desktop.inference.provider import LoadedModel
from codette_desktop.monitoring import semantic
from codette_desktop.monitoring.exported_requests import request_families
from codette_desktop.monitoring.exported_sensors import sensor_families
from codette_desktop.monitoring.exposition import Family, exposition
from codette_desktop.monitoring.observation import Observation
from codette_desktop.monitoring.semantic import Metric
from codette_desktop.store import Store

FIRING = (AlertState.FIRING, AlertState.RESOLVING)
USUAL_S = 30 * 86_400.0
_KINDS = {ServerKind.OLLAMA: "ollama", ServerKind.OPENAI: "openai_compatible", ServerKind.AUTO: "unknown"}


@dataclass(frozen=True, slots=True)
class Now:
    """What is known of this moment. None is "not known": nothing is exported of it."""

    sample: Sample | None = None
    devices: tuple[DeviceInfo, ...] = ()
    observation: Observation | None = None
    alerts: tuple[Alert, ...] | None = None
    health: HealthScore | None = None
    loaded: Sequence[LoadedModel] = ()


class ExportedMetrics:
    """Any thread; blocks for some milliseconds. `now` tells of this moment.

    `servers` are those that are known now: their kinds say which engine answers there.
    """

    def __init__(
        self,
        store: Store,
        bus: EventBus,
        cache: Callable[[], CacheStatistics],
        servers: Callable[[], Iterable[Server]] = tuple,
        *,
        now: Callable[[], Now],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._cache = cache
        self._told = now
        self._servers = servers
        self._clock = clock
        self._write_errors = 0
        bus.subscribe(StoreFailed, self._note_failure)

    def now(self) -> Now:
        """This moment, as far as it is known. Raises StoreError."""
        return self._told()

    def families(self, now: Now | None = None) -> list[Family]:
        """All metrics, also those without a value. Raises StoreError."""
        at, seen = self._clock(), now or self.now()
        totals = self._store.totals.all()
        found = request_families(totals, self._providers())
        found += sensor_families(seen.sample, seen.devices, at)
        found += _of_models(seen.loaded)
        if seen.observation is not None:
            found += _of_observation(seen.observation)
        if seen.alerts is not None:
            found += _of_alerts(seen.alerts)
        if seen.health is not None:
            found += _of_health(seen.health)
        found += _of_cache(self._cache())
        usual = self._usual_loads(totals, at)
        database = [
            _one(semantic.DATABASE, self._store.telemetry.size()),
            _one(semantic.DATABASE_ERRORS, self._write_errors),
        ]
        return [*found, usual, *database, _build()]

    def text(self, now: Now | None = None) -> str:
        """In Prometheus' text format. Raises StoreError."""
        return exposition(self.families(now))

    def _usual_loads(self, totals: Mapping[TotalKey, float], at: float) -> Family:
        """Under the labels of the last load, which it is divided by."""
        found = self._store.requests.figures(at - USUAL_S, at)
        medians = {item.model_label: item.load_ms for item in reversed(found) if item.load_ms}  # the most asked counts
        family = Family(semantic.LOAD_USUAL)
        for key in totals:
            if key.total is Total.LAST_LOAD and (usual_ms := medians.get(key.model)):
                family.set(usual_ms / 1000, backend=key.backend, model=key.model)
        return family

    def _providers(self) -> dict[str, str]:
        return {LOCAL: "llama_cpp", **{server.name: _KINDS[server.kind] for server in self._servers()}}

    def _note_failure(self, _event: StoreFailed) -> None:
        self._write_errors += 1


def _one(metric: Metric, value: float | None) -> Family:
    family = Family(metric)
    family.set(value)
    return family


def _of_models(loaded: Iterable[LoadedModel]) -> list[Family]:
    values: dict[Metric, Callable[[LoadedModel], float]] = {
        semantic.MODEL_MEMORY: lambda model: model.resident_bytes,
        semantic.MODEL_CONTEXT: lambda model: model.context_length,
        semantic.MODEL_CONTEXT_USED: lambda model: model.context_used,
        semantic.MODEL_BUSY: lambda model: model.busy,
    }
    families = {metric: Family(metric) for metric in values}
    for model in loaded:
        for metric, value in values.items():
            families[metric].add(value(model), model=model.label, device=model.device)
    return list(families.values())


def _of_observation(seen: Observation) -> list[Family]:
    first, speed = Family(semantic.FIRST_TOKEN_SHIFT), Family(semantic.SPEED_SHIFT)
    failed, uptime = Family(semantic.FAILED_CHECKS), Family(semantic.UPTIME)
    for model in seen.models:
        first.set(model.first_token_shift, backend=model.backend, model=model.model)
        speed.set(model.speed_shift, backend=model.backend, model=model.model)
    for backend in seen.backends:
        failed.set(backend.failed_in_a_row, backend=backend.backend)
        uptime.set(backend.uptime, backend=backend.backend)
    return [first, speed, failed, uptime]


def _of_alerts(alerts: Iterable[Alert]) -> list[Family]:
    counts, each = Family(semantic.ALERTS), Family(semantic.ALERT_FIRING)
    firing = [alert for alert in alerts if alert.state in FIRING]
    by_severity = Counter(alert.severity for alert in firing)
    for severity in Severity:
        counts.set(by_severity[severity], severity=severity.value)
    for alert in firing:
        labels = {name: text for name, text in alert.labels if name in semantic.ALERT_FIRING.labels}
        each.set(1.0, rule=alert.rule, severity=alert.severity.value, **labels)
    return [counts, each]


def _of_health(health: HealthScore) -> list[Family]:
    parts = Family(semantic.HEALTH_PART)
    for part in health.parts:
        parts.set(part.value, part=part.name)
    return [_one(semantic.HEALTH, health.score), parts]


def _of_cache(found: CacheStatistics) -> list[Family]:
    return [
        _one(semantic.CACHE_ENTRIES, found.entries),
        _one(semantic.CACHE_SIZE, found.size_bytes),
        _one(semantic.CACHE_HITS, found.hits),
        _one(semantic.CACHE_MISSES, found.misses),
        _one(semantic.CACHE_SHARED, found.shared),
        _one(semantic.CACHE_STORED, found.stores),
        _one(semantic.CACHE_EVICTIONS, found.evictions),
        _one(semantic.KV_FILES, found.kv_files),
        _one(semantic.KV_SIZE, found.kv_bytes),
    ]


def _build() -> Family:
    family = Family(semantic.BUILD)
    family.set(1.0, version=__version__, python=platform.python_version(), system=platform.system())
    return family

"""What a rule measures: named functions over an observation, and the same in PromQL for a Prometheus server."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from codette_desktop.domain.telemetry import DeviceSample, SensorStatus
from codette_desktop.monitoring.figures import wilson_lower
from codette_desktop.monitoring.observation import Labels, ModelWindow, Observation, Outcomes

SLO = 0.99  # the share of requests that is to succeed
FEWEST_REQUESTS = 5  # in the long window: one failure of two is no rate
HEAT_REASONS = ("thermal", "temperature", "heat")  # how drivers call throttling for heat
POWER_REASONS = ("power",)

Measured = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class Expression:
    """One thing that can be measured, in `unit`. `measure` gives a value for each label set of which one is known.

    `prometheus` is the same as a condition in PromQL, with {op} and {threshold} (in `unit` too) to be filled in.
    No value exceeds `highest`.
    """

    name: str
    unit: str
    help: str
    measure: Callable[[Observation], Iterable[Measured]]
    prometheus: str
    highest: float | None = None


def burn(outcomes: Outcomes, slo: float = SLO) -> float:
    """How many times faster than the budget allows requests fail: 1 uses it up exactly (Google's SRE workbook, 5).

    From the Wilson lower bound (z = 1) of the error rate, so that a single failure among few does not alert; 0 for
    no requests.
    """
    return wilson_lower(outcomes.errors, outcomes.requests) / (1 - slo)


def _burns(short: str, long: str) -> Callable[[Observation], Iterator[Measured]]:
    """The lesser burn of two windows: above a threshold where both are, and down as soon as the short one is."""

    def measure(seen: Observation) -> Iterator[Measured]:
        for model in seen.models:
            now, lately = getattr(model, short), getattr(model, long)
            enough = lately.requests >= FEWEST_REQUESTS
            yield _of_model(model), min(burn(now), burn(lately)) if enough else 0.0

    return measure


def _of_model(model: ModelWindow) -> Labels:
    return (("backend", model.backend), ("model", model.model))


def _of_device(device: DeviceSample) -> Labels:
    return (("device", device.device),)


def _devices(seen: Observation) -> Iterator[DeviceSample]:
    return (device for device in seen.devices if device.status is SensorStatus.OK)


def gpu_temperature(seen: Observation) -> Iterator[Measured]:
    for device in _devices(seen):
        if device.temperature_c is not None:
            yield _of_device(device), device.temperature_c


def _throttled(words: tuple[str, ...]) -> Callable[[Observation], Iterator[Measured]]:
    def measure(seen: Observation) -> Iterator[Measured]:
        for device in _devices(seen):
            if device.throttled is not None:
                reasons = " ".join(device.throttled).lower()
                yield _of_device(device), float(any(word in reasons for word in words))

    return measure


def cpu_temperature(seen: Observation) -> Iterator[Measured]:
    if seen.host.cpu_temperature_c is not None:
        yield (), seen.host.cpu_temperature_c


def gpu_memory(seen: Observation) -> Iterator[Measured]:
    for device in _devices(seen):
        if device.memory_used_bytes is not None and device.memory_total_bytes:
            yield _of_device(device), 100 * device.memory_used_bytes / device.memory_total_bytes


def memory(seen: Observation) -> Iterator[Measured]:
    if seen.host.memory_used_bytes is not None and seen.host.memory_total_bytes:
        yield (), 100 * seen.host.memory_used_bytes / seen.host.memory_total_bytes


def disk_free(seen: Observation) -> Iterator[Measured]:
    if seen.host.disk_free_bytes is not None:
        yield (), seen.host.disk_free_bytes / 1e9


def first_token_shift(seen: Observation) -> Iterator[Measured]:
    for model in seen.models:
        if model.first_token_shift is not None:
            yield _of_model(model), 100 * max(0.0, model.first_token_shift)


def speed_drop(seen: Observation) -> Iterator[Measured]:
    for model in seen.models:
        if model.speed_shift is not None:
            yield _of_model(model), 100 * max(0.0, -model.speed_shift)


def failed_checks(seen: Observation) -> Iterator[Measured]:
    """Failed checks in a row; it stays at 1 after the first good one, so that a second is needed to be well again."""
    for backend in seen.backends:
        doubtful = backend.failed_in_a_row == 0 and backend.good_in_a_row == 1
        yield (("backend", backend.backend),), 1.0 if doubtful else float(backend.failed_in_a_row)


def queue_wait(seen: Observation) -> Iterator[Measured]:
    if seen.queue.wait_p95_ms is not None:
        yield (), seen.queue.wait_p95_ms / 1000


def load_slowdown(seen: Observation) -> Iterator[Measured]:
    for model in seen.models:
        if model.load_ms is not None and model.usual_load_ms:
            yield _of_model(model), model.load_ms / model.usual_load_ms


def model_reloads(seen: Observation) -> Iterator[Measured]:
    for model in seen.models:
        yield _of_model(model), float(model.loads)


def truncated_prompts(seen: Observation) -> Iterator[Measured]:
    for model in seen.models:
        if model.prompts:
            yield _of_model(model), 100 * model.truncated / model.prompts


def database_errors(seen: Observation) -> Iterator[Measured]:
    yield (), float(seen.store.errors)


def cache_thrash(seen: Observation) -> Iterator[Measured]:
    """The share of stored answers that had to leave before their time."""
    if seen.cache.stored >= 20:
        yield (), 100 * min(1.0, seen.cache.evictions / seen.cache.stored)


_FAILING = (
    "sum by (backend, model) (rate(codette_requests_failed_total[{window}])) "
    "/ sum by (backend, model) (rate(codette_requests_total[{window}])) / 0.01 {{op}} {{threshold}}"
)


def _burning(short: str, long: str) -> str:
    parts = [_FAILING.format(window=window) for window in (short, long)]
    parts.append(f"sum by (backend, model) (increase(codette_requests_total[{long}])) >= {FEWEST_REQUESTS}")
    return " and ".join(f"({part})" for part in parts)


_ALL = (
    Expression(
        "gpu_temperature", "°C", "temperature of a graphics device",
        gpu_temperature, "codette_gpu_temperature_celsius {op} {threshold}",
    ),
    Expression(
        "gpu_heat_throttling", "", "whether a graphics device slows down because it is too hot (1) or not (0)",
        _throttled(HEAT_REASONS), 'max by (device) (codette_gpu_throttled{{reason="thermal"}}) {op} {threshold}',
        highest=1,
    ),
    Expression(
        "gpu_power_throttling", "", "whether a graphics device slows down at its power limit (1) or not (0)",
        _throttled(POWER_REASONS), 'max by (device) (codette_gpu_throttled{{reason="power"}}) {op} {threshold}',
        highest=1,
    ),
    Expression(
        "gpu_memory", "%", "memory of a graphics device in use, by all programs", gpu_memory,
        "100 * codette_gpu_memory_used_bytes / codette_gpu_memory_total_bytes {op} {threshold}", highest=100,
    ),
    Expression(
        "cpu_temperature", "°C", "temperature of the processor",
        cpu_temperature, "codette_cpu_temperature_celsius {op} {threshold}",
    ),
    Expression(
        "memory", "%", "memory of the computer in use, by all programs", memory,
        "100 * codette_memory_used_bytes / codette_memory_total_bytes {op} {threshold}", highest=100,
    ),
    Expression(
        "disk_free", "GB", "free space where the data folder lies",
        disk_free, "codette_disk_free_bytes / 1e9 {op} {threshold}",
    ),
    Expression(
        "error_burn_fast", "×", "how many times faster than allowed requests fail, in 5 minutes and in 1 hour",
        _burns("last_5m", "last_1h"), _burning("5m", "1h"), highest=100,
    ),
    Expression(
        "error_burn_slow", "×", "how many times faster than allowed requests fail, in 30 minutes and in 6 hours",
        _burns("last_30m", "last_6h"), _burning("30m", "6h"), highest=100,
    ),
    Expression(
        "first_token_shift", "%", "by how much the first token has come later than usual for a while",
        first_token_shift, "100 * codette_first_token_shift_ratio {op} {threshold}",
    ),
    Expression(
        "speed_drop", "%", "by how much a model has written more slowly than usual for a while",
        speed_drop, "-100 * codette_speed_shift_ratio {op} {threshold}", highest=100,
    ),
    Expression(
        "failed_checks", "", "failed checks of a server in a row",
        failed_checks, "codette_backend_failed_checks {op} {threshold}",
    ),
    Expression(
        "queue_wait", "s", "time requests wait before they are begun (95th percentile of 5 minutes)", queue_wait,
        "histogram_quantile(0.95, sum by (le) (rate(codette_queue_wait_seconds_bucket[5m]))) {op} {threshold}",
    ),
    Expression(
        "load_slowdown", "×", "the last load of a model against the usual time",
        load_slowdown, "codette_model_load_seconds / codette_model_load_usual_seconds {op} {threshold}",
    ),
    Expression(
        "model_reloads", "", "times a model was loaded within ten minutes",
        model_reloads, "increase(codette_model_loads_total[10m]) {op} {threshold}",
    ),
    Expression(
        "truncated_prompts", "%", "prompts of the last hour of which a part did not fit the context",
        truncated_prompts,
        "100 * increase(codette_prompts_truncated_total[1h]) / increase(codette_requests_total[1h]) {op} {threshold}",
        highest=100,
    ),
    Expression(
        "database_errors", "", "failed writes to the database in five minutes",
        database_errors, "increase(codette_database_errors_total[5m]) {op} {threshold}",
    ),
    Expression(
        "cache_thrash", "%", "stored answers of the last hour that were pushed out before their time", cache_thrash,
        "100 * increase(codette_cache_evictions_total[1h]) / increase(codette_cache_stored_total[1h]) {op} {threshold}",
        highest=100,
    ),
)  # fmt: skip

EXPRESSIONS = {expression.name: expression for expression in _ALL}

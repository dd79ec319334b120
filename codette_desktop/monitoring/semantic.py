"""All metrics that are exported: their names, units and labels, and what each is called in Prometheus.

Names are OpenTelemetry's where it has one (semantic conventions for generative AI, hardware, systems and processes as
of November 2026, all still in development there), else `codette.*`. Prometheus' name follows from it (dots become
underscores, then the unit, then `_total` for counters) unless it is given, as for what the rules of `expressions` read.
"""

from dataclasses import dataclass
from enum import StrEnum

from codette_desktop.domain.request_totals import BOUNDS, Total

CONVENTIONS = "2026-11"  # of OpenTelemetry

_UNITS = {
    "s": "seconds", "By": "bytes", "Cel": "celsius", "J": "joules", "W": "watts", "Hz": "hertz",
    "By/s": "bytes_per_second",
}  # fmt: skip


class MetricKind(StrEnum):
    """As Prometheus calls it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `unit` is UCUM, as OpenTelemetry writes it: "1" for shares, "{token}" for what is counted.

    `labels` may appear at its values; one that says nothing is left out. `total` says where a histogram's values come
    from.
    """

    name: str
    kind: MetricKind
    unit: str
    help: str
    labels: tuple[str, ...] = ()
    given: str = ""
    total: Total | None = None

    @property
    def prometheus(self) -> str:
        """What Prometheus calls it."""
        if self.given:
            return self.given
        unit = "ratio" if self.unit == "1" and self.kind is MetricKind.GAUGE else _UNITS.get(self.unit, "")
        name = self.name.replace(".", "_")
        parts = [name, unit if not name.endswith(f"_{unit}") else ""]
        return "_".join(part for part in (*parts, "total" if self.kind is MetricKind.COUNTER else "") if part)

    @property
    def buckets(self) -> tuple[float, ...]:
        """The upper bounds of a histogram's buckets, without infinity."""
        return BOUNDS[self.total] if self.total else ()


def _counter(name: str, unit: str, text: str, *labels: str, given: str = "") -> Metric:
    return Metric(name, MetricKind.COUNTER, unit, text, labels, given)


def _gauge(name: str, unit: str, text: str, *labels: str, given: str = "") -> Metric:
    return Metric(name, MetricKind.GAUGE, unit, text, labels, given)


def _histogram(total: Total, name: str, unit: str, text: str, *labels: str) -> Metric:
    return Metric(name, MetricKind.HISTOGRAM, unit, text, labels, total=total)


OPERATION, PROVIDER, GENAI_MODEL = "gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"
TOKEN_TYPE, ERROR_TYPE = "gen_ai_token_type", "error_type"
_GENAI = (OPERATION, PROVIDER, GENAI_MODEL)
_MODEL = ("backend", "model")

# What this application saw, of its own engine and of servers.
OPERATION_DURATION = _histogram(
    Total.DURATION, "gen_ai.client.operation.duration", "s",
    "Time of whole requests, answers from the cache left out.", *_GENAI, ERROR_TYPE,
)  # fmt: skip
TOKEN_USAGE = _histogram(
    Total.INPUT, "gen_ai.client.token.usage", "{token}",
    "Tokens of prompts (input) and of answers (output), a request.", *_GENAI, TOKEN_TYPE,
)  # fmt: skip
FIRST_CHUNK = _histogram(
    Total.FIRST_CHUNK, "gen_ai.client.operation.time_to_first_chunk", "s",
    "Time to the first piece of an answer, loading and waiting included.", *_GENAI,
)  # fmt: skip
# What the engine in this application did, which is then the server.
SERVER_DURATION = _histogram(
    Total.DURATION, "gen_ai.server.request.duration", "s",
    "Time of whole requests to the engine of this application.", *_GENAI, ERROR_TYPE,
)  # fmt: skip
SERVER_FIRST_TOKEN = _histogram(
    Total.FIRST_TOKEN, "gen_ai.server.time_to_first_token", "s",
    "Time to the first token of answers that ended well, loading left out.", *_GENAI,
)  # fmt: skip
SERVER_PER_TOKEN = _histogram(
    Total.PER_TOKEN, "gen_ai.server.time_per_output_token", "s",
    "Time of each token after the first, of answers that ended well.", *_GENAI,
)  # fmt: skip

PER_TOKEN = _histogram(
    Total.PER_TOKEN, "codette.time_per_output_token", "s",
    "Time of each token after the first as seen here, of servers too.", *_MODEL,
)  # fmt: skip
QUEUE_WAIT = _histogram(
    Total.QUEUE, "codette.queue.wait", "s", "Time requests waited before anything was done for them.", *_MODEL
)
PREFILL = _histogram(Total.PREFILL, "codette.prefill.duration", "s", "Time of reading prompts.", *_MODEL)

REQUESTS = _counter("codette.requests", "{request}", "Requests that ended or failed, stopped ones left out.", *_MODEL)
REQUESTS_FAILED = _counter("codette.requests.failed", "{request}", "Requests that failed.", *_MODEL)
REQUESTS_ENDED = _counter("codette.requests.ended", "{request}", "Requests by how they ended.", *_MODEL, "outcome")
REQUESTS_CACHED = _counter("codette.requests.cached", "{request}", "Requests answered from the cache.", *_MODEL)
REQUESTS_BY_PURPOSE = _counter("codette.requests.by_purpose", "{request}", "Requests by what they were for.", "purpose")
ERRORS = _counter("codette.errors", "{error}", "Failed requests by the class of the error.", *_MODEL, ERROR_TYPE)
FALLBACKS = _counter(
    "codette.fallbacks", "{request}", "Requests that failed and that another model answered instead.", *_MODEL
)
TRUNCATED = _counter("codette.prompts.truncated", "{request}", "Prompts of which a part did not fit.", *_MODEL)
REUSED = _counter("codette.tokens.reused", "{token}", "Tokens of prompts that were in the model's cache.", *_MODEL)
ENERGY = _counter("codette.request.energy", "J", "Energy all devices drew while answers were written.", *_MODEL)

LOADS = _counter("codette.model.loads", "{load}", "Loads of a model that a request had to wait for.", *_MODEL)
LOAD = _gauge("codette.model.load", "s", "Time of the last load.", *_MODEL)
LOAD_USUAL = _gauge("codette.model.load.usual", "s", "Usual time of a load: the median of 30 days.", *_MODEL)
FIRST_TOKEN_SHIFT = _gauge(
    "codette.first_token.shift", "1", "By how much the first token has come later than usual for a while.", *_MODEL
)
SPEED_SHIFT = _gauge("codette.speed.shift", "1", "By how much a model has written faster than usual.", *_MODEL)
FAILED_CHECKS = _gauge("codette.backend.failed_checks", "{check}", "Failed checks of a server in a row.", "backend")
UPTIME = _gauge("codette.backend.uptime", "1", "Share of good checks in the last ten minutes.", "backend")

RUNNING = _gauge("codette.requests.running", "{request}", "Requests that are being answered.")
QUEUE_DEPTH = _gauge("codette.queue.depth", "{request}", "Requests that wait.")
MODELS_LOADED = _gauge("codette.models.loaded", "{model}", "Models in memory.")
MODELS_MEMORY = _gauge("codette.models.memory", "By", "Memory that all models take.")
MODEL_MEMORY = _gauge("codette.model.memory", "By", "Memory that a model takes, weights and cache.", "model", "device")
MODEL_CONTEXT = _gauge("codette.model.context.length", "{token}", "Room of a model's context.", "model", "device")
MODEL_CONTEXT_USED = _gauge("codette.model.context.used", "{token}", "Tokens in its context.", "model", "device")
MODEL_BUSY = _gauge("codette.model.busy", "{model}", "1 while a model answers.", "model", "device")

CPU = _gauge("system.cpu.utilization", "1", "Share of all cores in use, by all programs.")
CPU_TEMPERATURE = _gauge(
    "hw.temperature", "Cel", "Temperature of the processor.", given="codette_cpu_temperature_celsius"
)
MEMORY = _gauge("system.memory.usage", "By", "Memory in use, by all programs.", given="codette_memory_used_bytes")
MEMORY_TOTAL = _gauge("system.memory.limit", "By", "Memory of the computer.", given="codette_memory_total_bytes")
SWAP = _gauge("system.paging.usage", "By", "Memory swapped out to the disk.")
DISK_FREE = _gauge(
    "system.filesystem.usage", "By", "Free space where the data folder lies.", given="codette_disk_free_bytes"
)
DISK_READ = _gauge("codette.disk.read", "By/s", "Read from that disk.")
DISK_WRITE = _gauge("codette.disk.write", "By/s", "Written to that disk.")
NET_RECEIVE = _gauge("codette.network.receive", "By/s", "Received from the network, by all programs.")
NET_TRANSMIT = _gauge("codette.network.transmit", "By/s", "Sent to the network, by all programs.")
OUR_CPU = _gauge("process.cpu.utilization", "1", "Cores this application uses, its child processes included.")
OUR_MEMORY = _gauge("process.memory.usage", "By", "Memory of this application, its child processes included.")
SAMPLE_AGE = _gauge("codette.sample.age", "s", "Time since the sensors were read.")

_D = "device"
GPU = _gauge("hw.gpu.utilization", "1", "Share of the time a graphics device computes.", _D)
GPU_BUS = _gauge("codette.gpu.memory.bus.utilization", "1", "Share of the time its memory is read or written.", _D)
GPU_MEMORY = _gauge(
    "hw.gpu.memory.usage", "By", "Memory of a graphics device in use.", _D, given="codette_gpu_memory_used_bytes"
)
GPU_MEMORY_TOTAL = _gauge(
    "hw.gpu.memory.limit", "By", "Memory of a graphics device.", _D, given="codette_gpu_memory_total_bytes"
)
GPU_MEMORY_OURS = _gauge("codette.gpu.memory.ours", "By", "Memory of it that this application uses.", _D)
GPU_TEMPERATURE = _gauge(
    "hw.temperature", "Cel", "Temperature of a graphics device.", _D, given="codette_gpu_temperature_celsius"
)
GPU_POWER = _gauge("hw.power", "W", "Power a graphics device draws.", _D)
GPU_POWER_LIMIT = _gauge("codette.gpu.power.limit", "W", "Power it may draw.", _D)
GPU_ENERGY = _counter("hw.energy", "J", "Energy a graphics device has drawn since its driver was loaded.", _D)
GPU_CLOCK = _gauge("codette.gpu.clock", "Hz", "Clock of a graphics device.", _D)
GPU_MEMORY_CLOCK = _gauge("codette.gpu.memory.clock", "Hz", "Clock of its memory.", _D)
GPU_FAN = _gauge("hw.fan.speed_ratio", "1", "Speed of its fan, as a share of the greatest.", _D)
GPU_RECEIVE = _gauge("codette.gpu.pcie.receive", "By/s", "Sent to a graphics device over its bus.", _D)
GPU_TRANSMIT = _gauge("codette.gpu.pcie.transmit", "By/s", "Sent by a graphics device over its bus.", _D)
GPU_THROTTLED = _gauge("codette.gpu.throttled", "{device}", "1 while it runs slower than it could.", _D, "reason")
GPU_OK = _gauge("codette.gpu.ok", "{device}", "1 while a graphics device can be read, else 0.", _D)
GPU_INFO = _gauge("codette.gpu.info", "{device}", "What a graphics device is.", _D, "name", "vendor", "driver")

ALERTS = _gauge("codette.alerts", "{alert}", "Alerts that fire.", "severity")
ALERT_FIRING = _gauge(
    "codette.alert.firing", "{alert}", "1 for each alert that fires.", "rule", "severity", _D, *_MODEL
)
HEALTH = _gauge("codette.health.score", "{point}", "Health, from 0 to 100.")
HEALTH_PART = _gauge("codette.health.part", "1", "A part of it: 1 is well, 0 is dead.", "part")

CACHE_ENTRIES = _gauge("codette.cache.entries", "{answer}", "Answers that are kept to be given again.")
CACHE_SIZE = _gauge("codette.cache.size", "By", "Space they take.")
CACHE_HITS = _counter("codette.cache.hits", "{request}", "Requests whose answer was kept.")
CACHE_MISSES = _counter("codette.cache.misses", "{request}", "Requests whose answer was not.")
CACHE_SHARED = _counter("codette.cache.shared", "{request}", "Requests that got the answer another was being given.")
CACHE_STORED = _counter("codette.cache.stored", "{answer}", "Answers that were kept.")
CACHE_EVICTIONS = _counter("codette.cache.evictions", "{answer}", "Kept answers that left for want of room or by age.")
KV_FILES = _gauge("codette.cache.prompt.files", "{file}", "Files of what models have read of prompts.")
KV_SIZE = _gauge("codette.cache.prompt.size", "By", "Space they take.")

DATABASE = _gauge("codette.database.size", "By", "Size of the database.")
DATABASE_ERRORS = _counter("codette.database.errors", "{error}", "Failed writes to the database since it was opened.")
BUILD = _gauge("codette.build.info", "{application}", "Which version runs where.", "version", "python", "system")

METRICS: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
BY_PROMETHEUS = {metric.prometheus: metric for metric in METRICS}

"""What sensors tell: the computer, its graphics devices and the engine at one moment. None is "not known", never 0."""

from dataclasses import dataclass
from enum import StrEnum


class SensorStatus(StrEnum):
    """Whether a reading can be relied on."""

    OK = "ok"
    STALE = "stale"  # the reader did not answer in time: what it said last is not repeated
    MISSING = "missing"  # there is no such device any more, or no reader for it


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A graphics device, as long as the application runs. `device` is "gpu:0", "gpu:1" in the readers' order.

    `vendor` is "nvidia", "amd", "intel" or "apple"; `uuid` what the driver calls it ("" where it does not).
    """

    device: str
    name: str
    vendor: str
    uuid: str = ""
    driver: str = ""
    memory_total_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceProcess:
    """A program that uses a device. `ours`: this application or one of its child processes."""

    pid: int
    name: str
    memory_bytes: int | None
    ours: bool


@dataclass(frozen=True, slots=True)
class DeviceSample:
    """One device at one moment.

    Shares (`utilisation`, `memory_utilisation`, `fan`) run from 0 to 1. `energy_j` is a counter in joules that only
    grows while the driver is loaded. `throttled` are the reasons why it runs slower than it could, () for none, None
    where it is not known. Rates are per second since the last sample.
    """

    device: str
    status: SensorStatus = SensorStatus.OK
    utilisation: float | None = None
    memory_utilisation: float | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    our_memory_bytes: int | None = None
    temperature_c: float | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    energy_j: float | None = None
    clock_mhz: float | None = None
    memory_clock_mhz: float | None = None
    fan: float | None = None
    pcie_rx_bytes_s: float | None = None
    pcie_tx_bytes_s: float | None = None
    throttled: tuple[str, ...] | None = None
    processes: tuple[DeviceProcess, ...] = ()


@dataclass(frozen=True, slots=True)
class HostSample:
    """The computer at one moment. `cpu` is the share of all cores (0 to 1); `our_cpu` counts cores (1.5 = one and a
    half), child processes included, as does `our_memory_bytes`. The disk is that of the data folder. Rates are per
    second since the last sample."""

    cpu: float | None = None
    cpu_temperature_c: float | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    swap_used_bytes: int | None = None
    disk_free_bytes: int | None = None
    disk_read_bytes_s: float | None = None
    disk_write_bytes_s: float | None = None
    net_rx_bytes_s: float | None = None
    net_tx_bytes_s: float | None = None
    our_cpu: float | None = None
    our_memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class EngineSample:
    """What the application itself did in the time since the last sample.

    `running` and `waiting` count requests now; `tokens` were written since the last sample, `requests` ended, `failed`
    of them failed; `cache_hits` of `cache_lookups` were answered from the cache. `models` are in memory now.
    """

    running: int = 0
    waiting: int = 0
    tokens: int = 0
    requests: int = 0
    failed: int = 0
    cache_hits: int = 0
    cache_lookups: int = 0
    models: int = 0
    model_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """All of it at one moment. `at` is in seconds since 1970 (UTC), `interval_s` the time since the last one."""

    at: float
    interval_s: float
    host: HostSample = HostSample()
    devices: tuple[DeviceSample, ...] = ()
    engine: EngineSample = EngineSample()


class MarkKind(StrEnum):
    """What happened at a moment, as a thin line across the charts."""

    LOADED = "loaded"  # a model came into memory
    UNLOADED = "unloaded"
    FALLBACK = "fallback"  # another model answered in the place of one that failed
    ALERT = "alert"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened. `at` in seconds since 1970 (UTC); `text` says it in a few words."""

    at: float
    kind: MarkKind
    text: str
    model: str = ""


@dataclass(frozen=True, slots=True)
class Flight:
    """The record of one answer, beside its `Generation`: when each piece came, and how the request went.

    `token_times_ms` are the times of the text chunks since the request's start, in order, and `token_counts` how many
    tokens each brought. `queue_ms` is the time before anything was done for it, `prefill_ms` that of reading the prompt
    (both None where they are not known). `route` are the reasons why this model was asked, `fallbacks` who failed
    before it and why, `settings` how the engine was set (names to values). `energy_j` was drawn by all devices that
    tell it, above nothing: the whole of what they drew while the answer was written.
    """

    generation_id: str
    started_at: float
    token_times_ms: tuple[float, ...] = ()
    token_counts: tuple[int, ...] = ()
    queue_ms: float | None = None
    prefill_ms: float | None = None
    route: tuple[str, ...] = ()
    fallbacks: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    energy_j: float | None = None


@dataclass(frozen=True, slots=True)
class TelemetrySums:
    """What a period adds up to, of what was sampled in it.

    `energy_j` is what each device drew: (device, joules) for all that tell it, in the order of their names. What the
    rest of the computer draws is not measured. `seconds` is for how long there are samples.
    """

    energy_j: tuple[tuple[str, float], ...] = ()
    seconds: float = 0.0
    tokens: int = 0
    requests: int = 0
    failed: int = 0
    cache_hits: int = 0
    cache_lookups: int = 0

    @property
    def total_energy_j(self) -> float | None:
        """Of all devices that tell it; None where none does."""
        return sum(joules for _device, joules in self.energy_j) if self.energy_j else None

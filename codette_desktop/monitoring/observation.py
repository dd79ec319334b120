"""What the rules look at: one moment of the computer and the engine, and what their models did of late."""

from dataclasses import dataclass, field

from codette_desktop.domain.request_log import LOCAL
from codette_desktop.domain.telemetry import DeviceSample, EngineSample, HostSample

Labels = tuple[tuple[str, str], ...]  # sorted by name: which device, which model, which backend


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Requests that ended within a window, and how many of them failed. What the person stopped counts as neither."""

    requests: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class ModelWindow:
    """What one model did of late. `backend` is "local" or the name of the server that holds it.

    The outcomes are those of the last 5 and 30 minutes, 1 and 6 hours. `first_token_shift` and `speed_shift` are the
    lasting changes a detector found (see `detectors`): 0.6 for 60 % more than usual, -0.3 for 30 % less, 0.0 for none,
    None while it is still learning. `load_ms` is the last load, `usual_load_ms` the median of those before it.
    `truncated` counts prompts of the last hour of which a part was left out or cut, `prompts` all of them. `loads` are
    those of the last ten minutes: many mean that models push one another out of memory.
    """

    model: str
    backend: str = LOCAL
    last_5m: Outcomes = Outcomes()
    last_30m: Outcomes = Outcomes()
    last_1h: Outcomes = Outcomes()
    last_6h: Outcomes = Outcomes()
    first_token_shift: float | None = None
    speed_shift: float | None = None
    load_ms: float | None = None
    usual_load_ms: float | None = None
    truncated: int = 0
    prompts: int = 0
    loads: int = 0


@dataclass(frozen=True, slots=True)
class BackendWindow:
    """What checks of a server, or of the own engine, found.

    `failed_in_a_row` are the failed ones since the last good one, 0 where the last was good; `good_in_a_row` the
    reverse. `uptime` is the share of good ones among those of the last ten minutes.
    """

    backend: str
    failed_in_a_row: int = 0
    good_in_a_row: int = 0
    uptime: float | None = None


@dataclass(frozen=True, slots=True)
class QueueWindow:
    """How long requests of the last five minutes waited before anything was done for them (95th percentile)."""

    wait_p95_ms: float | None = None
    requests: int = 0


@dataclass(frozen=True, slots=True)
class StoreWindow:
    """What the database did in the last five minutes. `queue_share` is how full its queue of writes is, 0 to 1."""

    errors: int = 0
    dropped: int = 0
    queue_share: float | None = None


@dataclass(frozen=True, slots=True)
class CacheWindow:
    """The answer cache in the last hour: `evictions` are answers pushed out to make room, before their time."""

    lookups: int = 0
    hits: int = 0
    stored: int = 0
    evictions: int = 0


@dataclass(frozen=True, slots=True)
class Observation:
    """All of it at one moment. `at` is in seconds since 1970 (UTC). What is not there is not known."""

    at: float
    host: HostSample = field(default_factory=HostSample)
    devices: tuple[DeviceSample, ...] = ()
    engine: EngineSample = field(default_factory=EngineSample)
    models: tuple[ModelWindow, ...] = ()
    backends: tuple[BackendWindow, ...] = ()
    queue: QueueWindow = QueueWindow()
    store: StoreWindow = StoreWindow()
    cache: CacheWindow = CacheWindow()

"""The flight record of one answer: all that was measured of it, and what follows from that. No Qt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.quantiles import percentile
from codette_desktop.domain.request_log import RequestPlace, RequestRecord
from codette_desktop.domain.series import HOST, Series, SeriesName
from codette_desktop.domain.telemetry import DeviceInfo, Flight
from codette_desktop.gui.tabs.watch.requests.requests_wording import answer_id

if TYPE_CHECKING:
    from codette_desktop.application import Application

AROUND_S = 5.0  # of the devices' curves before and after the answer
STALL_TIMES = 5.0  # a stall lasts so many times as long as a token usually does,
STALL_LEAST_MS = 50.0  # and at least so long
TRACED = ("utilisation", "memory_used_bytes", "power_w", "temperature_c")
TRACED_HOST = ("cpu", "memory_used_bytes", "cpu_temperature_c")


@dataclass(frozen=True, slots=True)
class Gaps:
    """The time each token took after the one before it. `at_ms` since the request's start; both equally long."""

    at_ms: tuple[float, ...]
    ms: tuple[float, ...]
    median_ms: float
    p95_ms: float
    longest_ms: float
    stalls: tuple[int, ...]  # places in `ms`


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of the request's time. `name` is "queue", "load", "prefill", "other", "writing" or "all"."""

    name: str
    start_ms: float
    ms: float


@dataclass(frozen=True, slots=True)
class FlightRecord:
    """What is known of one request; None for what is not. At least one of the first three is there."""

    id: str
    request: RequestRecord | None = None
    flight: Flight | None = None
    generation: Generation | None = None
    place: RequestPlace | None = None
    trace: Mapping[SeriesName, Series] = field(default_factory=dict)
    devices: tuple[DeviceInfo, ...] = ()

    @property
    def started_at(self) -> float:
        """In seconds since 1970 (UTC)."""
        if self.request is not None:
            return self.request.at
        if self.flight is not None:
            return self.flight.started_at
        return self.generation.started_at.timestamp() if self.generation is not None else 0.0

    @property
    def total_ms(self) -> float | None:
        """From asking to the end."""
        if self.request is not None:
            return self.request.total_ms
        if self.generation is not None and self.generation.figures is not None:
            return self.generation.figures.total_ms
        return self.flight.token_times_ms[-1] if self.flight is not None and self.flight.token_times_ms else None

    @property
    def first_token_ms(self) -> float | None:
        """From asking to the first token."""
        if self.request is not None:
            return self.request.time_to_first_token_ms
        figures = self.generation.figures if self.generation is not None else None
        return figures.time_to_first_token_ms if figures is not None and figures.completion_tokens else None

    @property
    def model(self) -> str:
        """What the model is called."""
        if self.request is not None:
            return self.request.model_label or self.request.model
        return (self.generation.model_label or self.generation.model) if self.generation is not None else ""

    @property
    def reason(self) -> FinishReason | None:
        """How it ended."""
        if self.request is not None:
            return self.request.reason
        return self.generation.reason if self.generation is not None else None

    @property
    def cached(self) -> bool:
        """Whether the answer was known already."""
        figures = self.generation.figures if self.generation is not None else None
        return self.request.cached if self.request is not None else bool(figures is not None and figures.cached)

    @property
    def energy_j(self) -> float | None:
        """What all devices that tell it drew meanwhile."""
        told = self.flight.energy_j if self.flight is not None else None
        return told if told is not None else (self.request.energy_j if self.request is not None else None)

    def measured(self, name: str) -> Any:
        """A field of the flight, else of the request, else of the answer's figures; None where none knows it."""
        figures = self.generation.figures if self.generation is not None else None
        for source in (self.flight, self.request, figures):
            if source is not None and (value := getattr(source, name, None)) is not None:
                return value
        return None


def gaps_of(flight: Flight | None) -> Gaps | None:
    """How the tokens came; None where that was not recorded, or for fewer than two.

    A chunk of several tokens counts as so many, each with its share of the time.
    """
    if flight is None:
        return None
    at: list[float] = []
    ms: list[float] = []
    before: float | None = None
    for moment, count in zip(flight.token_times_ms, flight.token_counts, strict=False):
        if count <= 0:
            continue
        if before is not None:
            each = max(0.0, moment - before) / count
            at += [before + each * (number + 1) for number in range(count)]
            ms += [each] * count
        before = moment
    if not ms:
        return None
    usual = median(ms)
    least = max(STALL_LEAST_MS, STALL_TIMES * usual)
    stalls = tuple(place for place, value in enumerate(ms) if value >= least)
    return Gaps(tuple(at), tuple(ms), usual, percentile(ms, 0.95), max(ms), stalls)


def stages_of(record: FlightRecord) -> tuple[Stage, ...]:
    """What the time went into, in order; the stages add up to the whole. () where nothing is known of it."""
    total, first = record.total_ms, record.first_token_ms
    if total is None or total <= 0:
        return ()
    if first is None or record.cached:
        return (Stage("all", 0.0, total),)
    found: list[Stage] = []
    at = 0.0
    for name, ms in (
        ("queue", record.measured("queue_ms")),
        ("load", record.measured("load_ms")),
        ("prefill", record.measured("prefill_ms")),
    ):
        length = max(0.0, min(ms or 0.0, first - at))
        if length > 0:
            found.append(Stage(name, at, length))
            at += length
    if first - at > 0.5:
        found.append(Stage("other" if record.measured("prefill_ms") is not None else "prefill", at, first - at))
        at = first
    if total - at > 0:
        found.append(Stage("writing", at, total - at))
    return tuple(found)


def read_record(application: "Application", request_id: str) -> FlightRecord | None:
    """All of it from the store. Blocks. None where nothing is known of such a request. Raises StoreError."""
    store, answer = application.store, answer_id(request_id)
    request = store.requests.get(request_id)
    own = request_id == answer
    flight = store.flights.get(answer) if own else None
    generation = store.generations.get(answer) if own else None
    if request is None and flight is None and generation is None:
        return None
    found = FlightRecord(request_id, request, flight, generation, store.requests.place(answer))
    trace, devices = _trace(application, found)
    return FlightRecord(request_id, request, flight, generation, found.place, trace, devices)


def _trace(
    application: "Application", record: FlightRecord
) -> tuple[Mapping[SeriesName, Series], tuple[DeviceInfo, ...]]:
    watch = application.watch
    devices = tuple(watch.devices)
    start = record.started_at
    names = [SeriesName(HOST, name) for name in TRACED_HOST]
    names += [SeriesName(info.device, name) for info in devices for name in TRACED]
    end = start + (record.total_ms or 0.0) / 1000
    series = watch.history.series(names, start - AROUND_S, end + AROUND_S)
    return {name: found for name, found in series.items() if any(value == value for value in found.mean)}, devices

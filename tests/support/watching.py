"""A watch without an application: a real ring fed with SIMULATED samples, simulated requests, and a made-up clock.

What it tells was measured nowhere; it serves tests, benchmarks and pictures of the Watch tab.
"""

import math
import random
from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from codette_desktop.domain.alerts import Alert, HealthPart, HealthScore
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.request_log import ModelTotals
from codette_desktop.domain.series import Series, SeriesName
from codette_desktop.domain.telemetry import (
    DeviceInfo,
    DeviceSample,
    EngineSample,
    HostSample,
    Mark,
    MarkKind,
    Sample,
)
from codette_desktop.monitoring.history import continued
from codette_desktop.monitoring.recent import RecentFigures
from codette_desktop.monitoring.ring import SampleRing

NOON = 1_764_414_000.0  # 29 November 2025, 11:00 UTC
GPUS = (
    DeviceInfo("gpu:0", "Simulated GPU A", "nvidia", memory_total_bytes=24_000_000_000),
    DeviceInfo("gpu:1", "Simulated GPU B", "nvidia", memory_total_bytes=80_000_000_000),
)
MODELS = ("Guide M · Q8_0", "Guide S · Q4_K_M", "office/llama-3.1-8b-instruct")


@dataclass
class SimulatedRequest:
    """One answer that was never given."""

    at: float
    label: str
    tokens_per_second: float | None
    time_to_first_token_ms: float | None
    failed: bool = False


class SimulatedHistory:
    """Memory as in the application; what lies before it is computed, in steps, as a store would give it."""

    def __init__(self, capacity: int = 3_600) -> None:
        self.samples = SampleRing(capacity)
        self.requests: list[SimulatedRequest] = []
        self.kept_marks: list[Mark] = []
        self.reads: list[tuple[float, float]] = []  # those that went beyond memory
        self.error: Exception | None = None

    def is_in_memory(self, start: float) -> bool:
        first = self.samples.start
        return first is not None and first <= start + 1.5

    def series(
        self, names: Collection[SeriesName], start: float, end: float, points: int = 720
    ) -> dict[SeriesName, Series]:
        if self.is_in_memory(start):
            return self.samples.series(names, start, end)
        if self.error is not None:
            raise self.error
        self.reads.append((start, end))
        known = self.samples.series(names, 0, math.inf)
        return {name: _computed(name, start, end, points) if known[name].at else Series() for name in names}

    def continued(self, kept: Mapping[SeriesName, Series], end: float) -> dict[SeriesName, Series]:
        return continued(self.samples, kept, end)

    def request_series(self, field: str, start: float, end: float, points: int = 240) -> dict[str, Series]:
        if self.error is not None:
            raise self.error
        found: dict[str, Series] = {}
        step = (end - start) / points
        for request in self.requests:
            value = getattr(request, field)
            if start <= request.at < end and value is not None:
                series = found.setdefault(request.label, Series(step_s=step))
                for row, number in ((series.at, request.at), (series.mean, value)):
                    row.append(number)
        return {label: Series(item.at, item.mean, item.mean, item.mean, step) for label, item in found.items()}

    def marks(self, start: float, end: float) -> list[Mark]:
        return [mark for mark in self.kept_marks if start <= mark.at <= end]


def _computed(name: SeriesName, start: float, end: float, points: int) -> Series:
    """A day's rhythm with a spread, none of it measured."""
    step = (end - start) / points
    rng = random.Random(f"{name}{points}")
    at = array("d", [start + place * step for place in range(points)])
    size = _SIZES.get(name.field, 1.0)
    mean = array("d", [size * (0.5 + 0.3 * math.sin(moment / 13_000) + 0.05 * rng.random()) for moment in at])
    low, high = (array("d", [value * factor for value in mean]) for factor in (0.8, 1.25))
    return Series(at, mean, low, high, step)


_SIZES = {
    "memory_used_bytes": 14e9, "our_memory_bytes": 2e9, "cpu_temperature_c": 70.0, "temperature_c": 75.0,
    "power_w": 280.0, "disk_read_bytes_s": 4e7, "disk_write_bytes_s": 2e7, "net_rx_bytes_s": 2e6,
    "net_tx_bytes_s": 1e6, "running": 2.0, "tokens": 150.0,
}  # fmt: skip


_WELL = HealthScore(88.0, "healthy", (HealthPart("memory", 0.8, 0.2, "memory 84 %"),), "88: memory 84 %")


@dataclass
class SimulatedWatch:
    """As `monitoring.watch.Watch`, driven by hand: `step` is one second of its clock."""

    devices: tuple[DeviceInfo, ...] = ()
    now_at: float = NOON
    temperatures: bool = True
    silent: bool = False  # its devices tell nothing
    memory_share: float | None = None
    device_memory_share: float | None = None
    latest: Sample | None = None
    recent: RecentFigures = field(default_factory=RecentFigures)
    score: HealthScore = _WELL
    model_scores: dict[str, HealthScore] = field(default_factory=dict)
    found_shifts: dict[tuple[str, str], float | None] = field(default_factory=dict)
    visible: list[bool] = field(default_factory=list)
    history: SimulatedHistory = field(default_factory=SimulatedHistory)

    def __post_init__(self) -> None:
        self._rng = random.Random(7)

    def clock(self) -> float:
        """What its clock says."""
        return self.now_at

    def step(self, seconds: float = 1.0) -> Sample:
        """Time goes on, and one more sample is there."""
        self.now_at += seconds
        self.latest = self._sample(seconds)
        self.history.samples.add(self.latest)
        return self.latest

    def run(self, seconds: int) -> None:
        """That many samples, a second each, and an answer now and then."""
        for number in range(seconds):
            self.step()
            if number % 9 == 0:
                self._answer(number // 9)

    def _answer(self, number: int) -> None:
        place = number % len(MODELS)
        speed = (212.0, 341.0, 58.0)[place] * self._rng.uniform(0.93, 1.05)
        first = (38.0, 18.0, 240.0)[place] * self._rng.uniform(0.9, 1.4)
        failed = number % 17 == 16
        self.history.requests.append(
            SimulatedRequest(
                self.now_at, MODELS[place], None if failed else speed, None if failed else first, failed=failed
            )
        )

    def _sample(self, seconds: float) -> Sample:
        wave, noise = math.sin(self.now_at / 40), self._rng.uniform(-1, 1)
        busy = max(0.02, 0.45 + 0.35 * wave + 0.06 * noise)
        host = HostSample(
            cpu=busy,
            cpu_temperature_c=52 + 12 * busy if self.temperatures else None,
            memory_used_bytes=round(21.4e9 + 1.5e9 * wave if self.memory_share is None else 32e9 * self.memory_share),
            memory_total_bytes=32_000_000_000,
            disk_read_bytes_s=max(0.0, 4e6 * noise + 1e6),
            disk_write_bytes_s=1.2e6 * abs(noise),
            net_rx_bytes_s=3e5 * abs(wave),
            net_tx_bytes_s=8e4,
            our_cpu=1.5 * busy,
            our_memory_bytes=round(2.1e9 + 2e8 * wave),
        )
        running = round(1.4 + 1.4 * wave)
        engine = EngineSample(
            running=running, waiting=max(0, running - 2), tokens=round(210 * max(0.0, wave)), requests=1,
            failed=int(self._rng.random() > 0.98), cache_hits=int(self._rng.random() > 0.9),
            cache_lookups=int(self._rng.random() > 0.7), models=2, model_bytes=1_800_000_000,
        )  # fmt: skip
        return Sample(self.now_at, seconds, host, tuple(self._device(info, busy) for info in self.devices), engine)

    def _device(self, info: DeviceInfo, busy: float) -> DeviceSample:
        if self.silent:
            return DeviceSample(info.device)
        total = info.memory_total_bytes or 0
        used = 0.55 + 0.1 * busy if self.device_memory_share is None else self.device_memory_share
        share = (0.3 + 0.65 * busy) * (1.0 if info.device == "gpu:0" else 0.4)
        return DeviceSample(
            info.device,
            utilisation=share,
            memory_used_bytes=round(total * used),
            memory_total_bytes=total,
            temperature_c=48 + 25 * share,
            power_w=60 + 260 * share,
        )

    # What the application's own has

    def now(self) -> RecentFigures:
        return self.recent

    def health(self) -> HealthScore:
        return self.score

    def model_health(self, model: str) -> HealthScore:
        return self.model_scores.get(model, HealthScore(None, "unknown", (), "Nothing has been measured yet"))

    def alerts(self) -> tuple[Alert, ...]:
        return ()

    def shifts(self) -> dict[tuple[str, str], float | None]:
        return self.found_shifts

    def set_visible(self, visible: bool) -> None:
        self.visible.append(visible)


class SimulatedRequests:
    """As `store.requests`, for the figures of models."""

    def __init__(self, history: SimulatedHistory) -> None:
        self._history = history

    def figures(self, start: float, end: float) -> list[ModelTotals]:
        found: dict[str, list[SimulatedRequest]] = {}
        for request in self._history.requests:
            if start <= request.at < end:
                found.setdefault(request.label, []).append(request)
        return [_totals(label, requests) for label, requests in found.items()]


def _totals(label: str, requests: Sequence[SimulatedRequest]) -> ModelTotals:
    speeds = sorted(item.tokens_per_second for item in requests if item.tokens_per_second is not None)
    firsts = sorted(item.time_to_first_token_ms for item in requests if item.time_to_first_token_ms is not None)
    return ModelTotals(
        label,
        label,
        requests=len(requests),
        errors=sum(item.failed for item in requests),
        tokens_per_second=speeds[len(speeds) // 2] if speeds else None,
        first_token_ms=firsts[len(firsts) // 2] if firsts else None,
    )


def simulated_application(watch: SimulatedWatch) -> Any:
    """As much of an application as the page "Now" needs."""
    store = SimpleNamespace(requests=SimulatedRequests(watch.history))
    return SimpleNamespace(watch=watch, store=store, bus=EventBus())


def busy_watch(seconds: int = 900, devices: tuple[DeviceInfo, ...] = GPUS) -> SimulatedWatch:
    """A quarter of an hour of a busy computer, simulated."""
    watch = SimulatedWatch(devices)
    watch.run(seconds)
    watch.recent = RecentFigures(196.4, 42.0, 33, 2, 2, 1, 9, 9 / 33, 180.0, "The disk is full.")
    watch.model_scores = {
        MODELS[0]: HealthScore(96.0, "healthy", (), "96: all is well"),
        MODELS[1]: HealthScore(91.0, "healthy", (), "91: all is well"),
        MODELS[2]: HealthScore(64.0, "degraded", (), "64: 2 of 11 requests failed"),
    }
    watch.found_shifts = {
        (MODELS[0], "speed"): 0.0, (MODELS[0], "first_token"): 0.0, (MODELS[1], "speed"): None,
        (MODELS[2], "speed"): -0.31, (MODELS[2], "first_token"): 0.1,
    }  # fmt: skip
    now = watch.now_at
    watch.history.kept_marks = [
        Mark(now - 250, MarkKind.LOADED, "Guide S is in memory", MODELS[1]),
        Mark(now - 190, MarkKind.UNLOADED, "Guide L left the memory"),
        Mark(now - 120, MarkKind.FALLBACK, "Guide M answered instead of office/llama", MODELS[2]),
        Mark(now - 75, MarkKind.ALERT, "Memory is nearly full"),
        Mark(now - 30, MarkKind.JOB, "Batch of 40 prompts done"),
    ]
    return watch

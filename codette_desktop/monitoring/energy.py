"""The energy that devices drew between two moments, from what their samples tell."""

import threading
from collections import deque
from collections.abc import Sequence
from itertools import pairwise

from codette_desktop.domain.telemetry import Sample, SensorStatus

KEPT_S = 3_600.0
_Point = tuple[float, float]  # seconds since 1970, and joules or watts

GAP_S = 15.0  # between two samples further apart nothing is known of the power


class EnergyMeter:
    """Hears the samples of the last hour. Any thread.

    A device's own counter is exact (its difference, interpolated at both ends); where there is none, its power is
    integrated over time (trapezia). Before the first sample the nearest power is taken for at most `GAP_S`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[str, deque[_Point]] = {}
        self._powers: dict[str, deque[_Point]] = {}

    def add(self, sample: Sample) -> None:
        """Take the newest sample."""
        with self._lock:
            for device in sample.devices:
                if device.status is not SensorStatus.OK:
                    continue
                if device.energy_j is not None:
                    self._append(self._counters, device.device, sample.at, device.energy_j)
                if device.power_w is not None:
                    self._append(self._powers, device.device, sample.at, device.power_w)

    @property
    def tells(self) -> bool:
        """Whether any device has told its energy or its power."""
        return bool(self._counters or self._powers)

    def between(self, start: float, end: float) -> float | None:
        """Joules of all devices that tell it; None where none does for the whole period, or not yet."""
        with self._lock:
            found = [_grown(points, start, end) for points in self._counters.values()]
            others = [points for name, points in self._powers.items() if name not in self._counters]
            found += [integrated(points, start, end) for points in others]
        told = [joules for joules in found if joules is not None]
        return sum(told) if told else None

    def _append(self, rows: dict[str, deque[_Point]], device: str, at: float, value: float) -> None:
        row = rows.setdefault(device, deque())
        if row and (at <= row[-1][0]):
            row.clear()  # the clock was set back
        row.append((at, value))
        while row[0][0] < at - KEPT_S:
            row.popleft()


def integrated(points: Sequence[_Point], start: float, end: float) -> float | None:
    """The integral of a power (W) over [start, end] in joules; None where a part of it is not known."""
    if not points or end < start or start < points[0][0] - GAP_S or end > points[-1][0]:
        return None
    inside = [point for point in points if start < point[0] < end]
    path = [(start, _power_at(points, start)), *inside, (end, _power_at(points, end))]
    if any(later - at > GAP_S for (at, _), (later, _) in pairwise(path)):
        return None
    return sum((later - at) * (one + other) / 2 for (at, one), (later, other) in pairwise(path))


def _power_at(points: Sequence[_Point], at: float) -> float:
    before = [point for point in points if point[0] <= at]
    after = [point for point in points if point[0] > at]
    if not before or not after:
        return (before[-1] if before else after[0])[1]
    return _between(before[-1], after[0], at)


def _grown(points: Sequence[_Point], start: float, end: float) -> float | None:
    """How much a counter (J) grew; before its first value it is taken to have grown as after it. None after it began
    anew within the period."""
    if len(points) < 2 or start < points[0][0] - GAP_S or end > points[-1][0]:
        return None
    first = max(0, next((place for place, point in enumerate(points) if point[0] > start), len(points) - 1) - 1)
    last = next((place for place, point in enumerate(points) if point[0] >= end), len(points) - 1)
    path = [points[place][1] for place in range(first, last + 1)]
    if any(later < value for value, later in pairwise(path)):
        return None
    return _counter_at(points, end) - _counter_at(points, start)


def _counter_at(points: Sequence[_Point], at: float) -> float:
    place = next((number for number, point in enumerate(points) if point[0] >= at), len(points) - 1)
    place = max(1, place)
    return _between(points[place - 1], points[place], at)


def _between(one: _Point, other: _Point, at: float) -> float:
    return one[1] + (other[1] - one[1]) * (at - one[0]) / (other[0] - one[0])

"""The last hour of samples in memory, one row of numbers for each figure, as charts want them."""

import threading
from array import array
from collections.abc import Collection

from codette_desktop.domain.series import (
    COUNTED_FIELDS,
    DEVICE_FIELDS,
    ENGINE,
    ENGINE_FIELDS,
    HOST,
    HOST_FIELDS,
    Series,
    SeriesName,
)
from codette_desktop.domain.telemetry import Sample

CAPACITY = 3_600
_NAN = float("nan")


class SampleRing:
    """The newest `capacity` samples. Any thread. What is counted is told per second, as the store tells it."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._at = array("d")
        self._rows: dict[SeriesName, array[float]] = {}
        self._version = 0

    @property
    def version(self) -> int:
        """Grows with every sample: whoever has drawn this one need not draw again."""
        return self._version

    @property
    def start(self) -> float | None:
        """The moment of the oldest sample (seconds since 1970), None for none."""
        with self._lock:
            return self._at[0] if self._at else None

    def add(self, sample: Sample) -> None:
        """Take the newest one. What a device that was not there before tells begins with gaps."""
        values = _values(sample)
        with self._lock:
            if self._at and sample.at <= self._at[-1]:
                self._forget_from(sample.at)  # the clock was set back
            for name in values.keys() - self._rows.keys():
                self._rows[name] = array("d", [_NAN]) * len(self._at)
            self._at.append(sample.at)
            for name, row in self._rows.items():
                row.append(values.get(name, _NAN))
            if len(self._at) > self._capacity + self._capacity // 10:  # in one go now and then, not with each sample
                self._cut(len(self._at) - self._capacity)
            self._version += 1

    def series(self, names: Collection[SeriesName], start: float, end: float) -> dict[SeriesName, Series]:
        """The curves of what lies within the period; an unknown one is empty."""
        with self._lock:
            first, last = self._place(start), self._place(end)
            at = self._at[first:last]
            found = {name: self._rows[name][first:last] for name in names if name in self._rows}
        step = (at[-1] - at[0]) / (len(at) - 1) if len(at) > 1 else 1.0
        return {
            name: Series(at, found[name], found[name], found[name], step) if name in found else Series()
            for name in names
        }

    def _place(self, moment: float) -> int:
        low, high = 0, len(self._at)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._at[middle] < moment else (low, middle)
        return low

    def _forget_from(self, moment: float) -> None:
        place = self._place(moment)
        del self._at[place:]
        for row in self._rows.values():
            del row[place:]

    def _cut(self, count: int) -> None:
        del self._at[:count]
        for row in self._rows.values():
            del row[:count]


def _values(sample: Sample) -> dict[SeriesName, float]:
    """Every figure of a sample that is known."""
    parts = [(HOST, HOST_FIELDS, sample.host), (ENGINE, ENGINE_FIELDS, sample.engine)]
    found: dict[SeriesName, float] = {}
    for source, names, part in parts:
        found.update({SeriesName(source, name): value for name in names if (value := getattr(part, name)) is not None})
    if sample.interval_s > 0:  # samples do not come equally often
        for name in COUNTED_FIELDS:
            found[SeriesName(ENGINE, name)] = getattr(sample.engine, name) / sample.interval_s
    for device in sample.devices:
        for name in DEVICE_FIELDS:
            if (value := getattr(device, name)) is not None:
                found[SeriesName(device.device, name)] = value
    return found

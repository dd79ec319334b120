"""Curves as numbers: read from what is kept, brought down to the pixels there are, asked for one moment. No Qt."""

from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from codette_desktop.domain.series import Series

Floats = NDArray[np.float64]
MINUTE_S = 60.0
LONGEST_PAUSE_S = 15.0  # between two samples of one stretch: a hidden window is sampled every five seconds


def _none() -> Floats:
    return np.empty(0)


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn: `x` in seconds since 1970, `y` in the chart's unit, NaN for a gap. `low` and `high` are the bounds
    of each step, empty where they say no more than `y`. `dots`: single events, each worth a dot."""

    label: str
    place: int
    x: Floats = field(default_factory=_none)
    y: Floats = field(default_factory=_none)
    low: Floats = field(default_factory=_none)
    high: Floats = field(default_factory=_none)
    step_s: float = 1.0
    dots: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing is known of it."""
        return not bool(np.isfinite(self.y).any())

    def bounds(self) -> tuple[float, float]:
        """The least and the greatest; (inf, -inf) for an empty one."""
        values = np.concatenate((self.y, self.low, self.high))
        known = values[np.isfinite(values)]
        return (float(known.min()), float(known.max())) if known.size else (float("inf"), float("-inf"))

    def bands(self, start: float, end: float) -> "list[tuple[Floats, Floats, Floats]]":
        """The stretches (x, low, high) without a gap within that time, where there are bounds."""
        if not self.low.size:
            return []
        first, last = np.searchsorted(self.x, (start, end))
        inside = slice(max(0, int(first) - 1), int(last) + 1)
        x, low, high = self.x[inside], self.low[inside], self.high[inside]
        known = np.isfinite(low) & np.isfinite(high)
        edges = np.flatnonzero(np.diff(known, prepend=False, append=False)).reshape(-1, 2)
        return [(x[a:b], low[a:b], high[a:b]) for a, b in edges if b - a > 1]

    def at(self, moment: float) -> float | None:
        """The value of the step nearest to that moment; None where there is none near."""
        if not self.x.size:
            return None
        place = int(np.searchsorted(self.x, moment))
        near = [index for index in (place - 1, place) if 0 <= index < self.x.size]
        best = min(near, key=lambda index: abs(float(self.x[index]) - moment))
        value = float(self.y[best])
        reach = max(LONGEST_PAUSE_S, 2 * self.step_s)
        return value if np.isfinite(value) and abs(float(self.x[best]) - moment) <= reach else None

    def last(self) -> float | None:
        """The newest known value."""
        known = np.flatnonzero(np.isfinite(self.y))
        return float(self.y[known[-1]]) if known.size else None


def floats(values: "array[float]") -> Floats:
    """The same memory as numbers of numpy."""
    return np.frombuffer(values, dtype=np.float64) if len(values) else _none()


def sampled(label: str, place: int, series: Series, scale: float = 1.0) -> Curve:
    """The curve of a sensor; where it was silent for long the line is broken."""
    x, y = floats(series.at), floats(series.mean)
    low, high = (_none(), _none()) if series.low is series.mean else (floats(series.low), floats(series.high))
    if scale != 1.0:
        y, low, high = y * scale, low * scale, high * scale
    x, y, low, high = broken(x, (y, low, high), max(LONGEST_PAUSE_S, 4 * series.step_s))
    return Curve(label, place, x, y, low, high, series.step_s)


def events(label: str, place: int, series: Series) -> Curve:
    """The curve of what happens now and then: its points, whatever lies between."""
    x, y = floats(series.at), floats(series.mean)
    known = np.isfinite(y)
    return Curve(label, place, x[known], y[known], step_s=series.step_s, dots=True)


def in_the_last_minute(series: Series) -> Series:
    """Counts a second as counts of the minute before each sample; of steps that are not much shorter, a minute of each.

    Single events are seen this way: one among samples a second apart would be a needle.
    """
    at, rate = floats(series.at), floats(series.mean)
    if series.step_s > LONGEST_PAUSE_S or at.size < 2:
        rows = (series.mean, series.low, series.high)
        mean, low, high = (array("d", (floats(row) * MINUTE_S).tobytes()) for row in rows)
        return Series(series.at, mean, low, high, series.step_s)
    lengths = np.minimum(np.diff(at, prepend=at[0] - series.step_s), LONGEST_PAUSE_S)
    sums = np.concatenate(([0.0], np.cumsum(np.nan_to_num(rate * lengths))))
    within = sums[1:] - sums[np.searchsorted(at, at - MINUTE_S, side="right")]
    mean = array("d", np.where(np.isfinite(rate), within, np.nan).tobytes())
    return Series(series.at, mean, mean, mean, series.step_s)


def broken(x: Floats, rows: tuple[Floats, ...], longest: float) -> tuple[Floats, ...]:
    """A gap (NaN) wherever two neighbours lie further apart than `longest`. Empty rows stay empty."""
    if x.size < 2:
        return (x, *rows)
    places = np.flatnonzero(np.diff(x) > longest) + 1
    if not places.size:
        return (x, *rows)
    between = np.insert(x, places, (x[places - 1] + x[places]) / 2)
    return (between, *(np.insert(row, places, np.nan) if row.size else row for row in rows))


def to_pixels(x: Floats, y: Floats, start: float, end: float, width: int) -> tuple[Floats, Floats]:
    """At most two points for each of `width` columns of pixels, its least and its greatest, so that no peak is lost.

    One column on either side is kept, so that lines run on to the edge. Curves with few points stay as they are.
    """
    first, last = np.searchsorted(x, (start, end))
    first, last = max(0, int(first) - 1), min(x.size, int(last) + 1)
    x, y = x[first:last], y[first:last]
    if x.size <= 2 * width or end <= start:
        return x, y
    columns = np.floor((x - start) * (width / (end - start))).astype(np.intp)
    begins = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1))
    least, most = np.fmin.reduceat(y, begins), np.fmax.reduceat(y, begins)
    rising = y[begins] <= (least + most) / 2
    found = np.empty(2 * begins.size)
    found[0::2], found[1::2] = np.where(rising, least, most), np.where(rising, most, least)
    return np.repeat(x[begins], 2), found

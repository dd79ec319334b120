"""The axis of an interval chart: its range, its ticks, and what they are called. No Qt."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from codette_desktop.gui.tabs.rate.wording import percent, signed
from codette_desktop.rating.intervals import Interval

_STEPS = (1, 2, 2.5, 5, 10)
_MOST_TICKS = 7


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on the axis and its words."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`. `reference` is a line that stands out, `band` a range that does (None: there is none)."""

    low: float
    high: float
    ticks: tuple[Tick, ...]
    reference: float | None = None
    band: tuple[float, float] | None = None

    def share(self, value: float) -> float:
        """Where a value lies, from 0 at the low end to 1 at the high one; what lies outside is brought to the end."""
        return max(0.0, min(1.0, (value - self.low) / (self.high - self.low)))


def share_axis(margin: float | None = None) -> Axis:
    """0 to 100 %, with one half marked, and the range in which two count as equally good."""
    ticks = tuple(Tick(at / 4, percent(at / 4)) for at in range(5))
    return Axis(0.0, 1.0, ticks, 0.5, None if margin is None else (0.5 - margin, 0.5 + margin))


def points_axis(shown: Iterable[Interval], reference: float = 1000.0) -> Axis:
    """As wide as the intervals need, ending on round numbers."""
    bounds = [bound for item in shown for bound in (item.low, item.high, item.value) if math.isfinite(bound)]
    low, high = min([*bounds, reference - 50]), max([*bounds, reference + 50])
    step = _round_step((high - low) / (_MOST_TICKS - 2))
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = tuple(Tick(at * step, signed(at * step)) for at in range(first, last + 1))
    return Axis(first * step, last * step, ticks, reference)


def _round_step(least: float) -> float:
    size = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    return next(step * size for step in _STEPS if step * size >= least * (1 - 1e-9))


def thinned(ticks: tuple[Tick, ...], room: int) -> tuple[Tick, ...]:
    """At most `room` of them, evenly."""
    every = max(1, math.ceil(len(ticks) / max(1, room)))
    return ticks[::every]

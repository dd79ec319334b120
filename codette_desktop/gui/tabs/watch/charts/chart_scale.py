"""Where the ticks of a small chart stand. No Qt."""

import math
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """From `low` to `high`, with the values that are written beside it."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Where a value lies, from 0 at the low end to 1 at the high one; what lies outside is brought to the end."""
        return max(0.0, min(1.0, (value - self.low) / (self.high - self.low)))


def round_scale(low: float, high: float, most: int = 4) -> Scale:
    """A scale that holds both, ends on round numbers and has at most `most` + 1 ticks."""
    if not high > low:
        high = low + max(1.0, abs(low) * 0.1)
    step = round_step((high - low) / max(1, most - 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Scale(first * step, last * step, tuple(at * step for at in range(first, last + 1)))


def ticks_inside(low: float, high: float, most: int = 6) -> tuple[float, ...]:
    """Round numbers between both."""
    if not high > low:
        return (low,)
    step = round_step((high - low) / max(1, most))
    return tuple(at * step for at in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1))


def round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `least`."""
    size = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    return next(step * size for step in _STEPS if step * size >= least * (1 - 1e-9))

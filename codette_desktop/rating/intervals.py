"""An estimate with its bounds, and the quantiles that make bounds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the bounds around it; in the unit of whoever gives it."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the distance between the bounds."""
        return (self.high - self.low) / 2

    def reversed(self, middle: float = 0.5) -> "Interval":
        """The same mirrored at `middle`: the share of B where this is that of A."""
        return Interval(2 * middle - self.value, 2 * middle - self.high, 2 * middle - self.low)

"""Counters that only grow, turned into rates."""

from collections.abc import Mapping


class Rate:
    """Growth per second. None at first, after a gap, and when the counter wrapped or began anew."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None

    def per_second(self, value: float | None, at: float) -> float | None:
        """The growth since the last call; `at` in seconds of a monotonic clock."""
        last, self._last = self._last, None if value is None else (value, at)
        if value is None or last is None or value < last[0] or at <= last[1]:
            return None
        return (value - last[0]) / (at - last[1])


class Rates:
    """The growth per second of several counters that belong together, such as those of all network cards."""

    def __init__(self) -> None:
        self._last: tuple[dict[str, float], float] | None = None

    def per_second(self, values: Mapping[str, float] | None, at: float) -> float | None:
        """The sum over those that were there at the last call too; None as for `Rate`, if it happens to one of them."""
        last, self._last = self._last, None if values is None else (dict(values), at)
        if values is None or last is None or at <= last[1]:
            return None
        grown = [value - last[0][name] for name, value in values.items() if name in last[0]]
        return None if not grown or min(grown) < 0 else sum(grown) / (at - last[1])

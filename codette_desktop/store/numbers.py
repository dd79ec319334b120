"""Figures as SQLite keeps them."""

import math

_INFINITE = (math.inf, -math.inf)


def finite(value: float | None) -> float | None:
    """`value`; None for what is no number or infinite."""
    return value if value is not None and math.isfinite(value) else None


def finite_all(values: tuple[float | None, ...]) -> tuple[float | None, ...]:
    """The same of many, quick for what is finite as a rule. SQLite keeps what is no number as NULL by itself."""
    if math.inf in values or -math.inf in values:
        return tuple(None if value in _INFINITE else value for value in values)
    return values


def moment_id(at: float) -> int:
    """A moment in seconds as a key in microseconds; raises ValueError or OverflowError for none."""
    return round(at * 1e6)

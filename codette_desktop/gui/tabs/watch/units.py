"""How figures of the Watch tab are written: the unit of a scale, its ticks, and a value to its unit. No Qt."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from codette_desktop.gui.i18n import number, tr

MISSING = "–"
_STEPS, _WHOLE_STEPS = (1, 2, 2.5, 5, 10), (1, 2, 5, 10)


class Kind(StrEnum):
    """What a figure counts, in which unit it comes."""

    SPEED = "speed"  # tokens a second
    TIME = "time"  # milliseconds
    SHARE = "share"  # percent, 0 to 100
    BYTES = "bytes"
    TEMPERATURE = "temperature"  # degrees Celsius
    POWER = "power"  # watts
    COUNT = "count"
    PER_MINUTE = "per_minute"
    RATE = "rate"  # bytes a second


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high` in the figure's own unit. What is shown is divided by `divisor` and is in `unit`."""

    low: float
    high: float
    step: float
    divisor: float
    unit: str
    whole: bool = False  # values between whole numbers are rounded

    def ticks(self) -> list[float]:
        """The values that are written, in the figure's own unit."""
        first, last = math.ceil(self.low / self.step - 1e-9), math.floor(self.high / self.step + 1e-9)
        return [place * self.step for place in range(first, last + 1)]

    def text(self, value: float) -> str:
        """A tick without its unit."""
        return number(value / self.divisor, decimals_of(self.step / self.divisor))

    def value_text(self, value: float | None) -> str:
        """A value without its unit, with as many decimals as all values on this axis."""
        if value is None or not math.isfinite(value):
            return MISSING
        top = self.high / self.divisor
        if self.whole:
            return number(value)
        whole = decimals_of(self.step / self.divisor) == 0 and top >= 100
        return number(value / self.divisor, 0 if whole else 1 if top >= 10 else 2)


@dataclass(frozen=True, slots=True)
class _Unit:
    divisor: float
    name: str


def unit_for(kind: Kind, top: float) -> _Unit:
    """The unit in which values up to `top` read best."""
    if kind is Kind.TIME:
        return _Unit(1000, tr("s")) if top >= 2000 else _Unit(1, tr("ms"))
    if kind in (Kind.BYTES, Kind.RATE):
        names = (tr("TB"), tr("GB"), tr("MB"), tr("KB")) if kind is Kind.BYTES else (
            tr("TB/s"), tr("GB/s"), tr("MB/s"), tr("KB/s"))  # fmt: skip
        for size, name in zip((1e12, 1e9, 1e6), names, strict=False):
            if top >= size:
                return _Unit(size, name)
        return _Unit(1e3, names[-1])
    name = {
        Kind.SPEED: tr("tokens/s"),
        Kind.SHARE: "%",
        Kind.TEMPERATURE: "°C",
        Kind.POWER: "W",
        Kind.PER_MINUTE: tr("a minute"),
    }.get(kind, "")
    return _Unit(1, name)


def scale_for(kind: Kind, low: float, high: float, most_ticks: int = 4) -> Scale:
    """An axis that holds all from `low` to `high` and ends on round numbers; all but temperatures begin at 0."""
    if kind is Kind.SHARE:
        return Scale(0, 100, 100 / max(1, min(4, most_ticks)) if most_ticks != 3 else 50, 1, "%")
    top = high if math.isfinite(high) and high > 0 else 1.0
    base = 0.0
    if kind is Kind.TEMPERATURE:
        top, base = max(top, 1.0), max(0.0, 10 * math.floor((low - 5) / 10)) if math.isfinite(low) else 0.0
    if kind in (Kind.COUNT, Kind.PER_MINUTE):
        top = max(top, 4.0)
    if kind in (Kind.BYTES, Kind.RATE):
        top = max(top, 1e3)
    unit, whole = unit_for(kind, top), kind in (Kind.COUNT, Kind.PER_MINUTE, Kind.TEMPERATURE)
    step = (
        round_step((top - base) / unit.divisor / max(1, most_ticks), _WHOLE_STEPS if whole else _STEPS) * unit.divisor
    )
    base = step * math.floor(base / step + 1e-9)
    high = base + step * max(1, math.ceil((top - base) / step - 1e-9))
    return Scale(base, high, step, unit.divisor, unit.name, whole)


def round_step(least: float, steps: Sequence[float] = _STEPS) -> float:
    """The next of `steps` times a power of ten at or above `least`."""
    size = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    return next(step * size for step in steps if step * size >= least * (1 - 1e-9))


def decimals_of(step: float) -> int:
    """How many decimals ticks this far apart need."""
    for decimals in range(4):
        if abs(step * 10**decimals - round(step * 10**decimals)) < 1e-6:
            return decimals
    return 3


def parts(kind: Kind, value: float | None) -> tuple[str, str]:
    """A value and its unit, three figures of it: ("212", "tokens/s"), ("1.24", "s"), ("–", "") where not known."""
    if value is None or not math.isfinite(value):
        return MISSING, ""
    unit = unit_for(kind, abs(value) if kind is not Kind.TIME else 2 * abs(value))
    shown = value / unit.divisor
    if kind in (Kind.COUNT, Kind.TEMPERATURE) or (kind in (Kind.SHARE, Kind.TIME) and unit.divisor == 1):
        return number(shown), unit.name
    return number(shown, 0 if abs(shown) >= 99.95 else 1 if abs(shown) >= 9.995 or kind is Kind.SPEED else 2), unit.name


def text(kind: Kind, value: float | None) -> str:
    """A value with its unit: "212 tokens/s", "340 ms", "1.24 s"."""
    shown, unit = parts(kind, value)
    return f"{shown} {unit}" if unit else shown


def listed(names: Sequence[str]) -> str:
    """Words in a row, as a sentence has them."""
    return ", ".join(names)

"""What the page "Now" shows, as its presenter hands it over."""

from dataclasses import dataclass, field
from enum import StrEnum

from codette_desktop.domain.telemetry import Mark
from codette_desktop.gui.tabs.watch.charts.curves import Curve, Floats
from codette_desktop.gui.tabs.watch.units import Kind

RANGES_S = {
    "1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "6h": 21_600, "24h": 86_400,
    "7d": 604_800, "30d": 2_592_000, "90d": 7_776_000,
}  # fmt: skip
SHORTEST_S, LONGEST_S = 10.0, float(RANGES_S["90d"])
KEPT_S = 2 * 365 * 86_400.0


class Mode(StrEnum):
    """Whether the charts follow the newest sample."""

    LIVE = "live"
    HELD = "held"  # by hand, at the newest there was
    PAST = "past"  # panned or zoomed away from now


class Tone(StrEnum):
    """How a figure is doing: the names of the states of the theme."""

    PLAIN = "info"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Period:
    """What is in view, in seconds since 1970."""

    start: float
    end: float
    mode: Mode = Mode.LIVE

    @property
    def span(self) -> float:
        """Its length in seconds."""
        return self.end - self.start

    @property
    def key(self) -> str:
        """The name of that range in the picker, "" for one in between."""
        return next((key for key, length in RANGES_S.items() if abs(self.span - length) < 0.01 * length), "")


@dataclass(frozen=True, slots=True)
class CardState:
    """One big number. `worst` says in words what pulls it down, or what it is made of; `spark` is its last minute."""

    key: str
    title: str
    value: str
    unit: str = ""
    worst: str = ""
    tone: Tone = Tone.PLAIN
    spark: tuple[float, ...] = ()
    tip: str = ""


@dataclass(frozen=True, slots=True)
class ModelState:
    """One model: its figures of the last 24 hours, each with its words, how healthy it is, and the trend in words."""

    label: str
    place: int
    figures: tuple[tuple[str, str], ...]
    health: str
    tone: Tone
    trend: str
    trend_tone: Tone
    tip: str = ""


@dataclass(frozen=True, slots=True)
class ChartState:
    """One chart; where `curves` hold nothing in view, `empty` says so in words."""

    key: str
    title: str
    kind: Kind
    curves: tuple[Curve, ...] = ()
    empty: str = ""

    @property
    def is_empty(self) -> bool:
        """There is nothing to draw."""
        return all(curve.is_empty for curve in self.curves)


@dataclass(frozen=True, slots=True)
class ChartsState:
    """All charts over one period. `missing` are the titles of those this computer has no sensors for."""

    period: Period
    charts: tuple[ChartState, ...] = ()
    marks: tuple[Mark, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(slots=True)
class Spark:
    """The last minute of one figure that is kept nowhere else."""

    length: int = 60
    values: list[float] = field(default_factory=list)

    def add(self, value: float | None) -> tuple[float, ...]:
        """One more; gives all there are."""
        self.values.append(float("nan") if value is None else value)
        del self.values[: -self.length]
        return tuple(self.values)


def as_spark(values: Floats) -> tuple[float, ...]:
    """A row of numbers as a spark line."""
    return tuple(float(value) for value in values)

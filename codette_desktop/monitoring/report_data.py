"""What a report is made of: plain figures that the application gathers; None is "not measured" everywhere."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from codette_desktop.domain.alerts import Alert, HealthScore
from codette_desktop.monitoring.charts import Line
from codette_desktop.monitoring.comparison import ComparedMetric
from codette_desktop.monitoring.recommendations import Recommendation
from codette_desktop.monitoring.trends import Trend


class Period(StrEnum):
    """How long a report looks back."""

    DAY = "daily"
    WEEK = "weekly"
    CHOSEN = "on demand"


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """One model in the period: medians (and the 95th percentile of the first token), counts, bytes, joules a token."""

    model: str
    requests: int = 0
    errors: int = 0
    tokens: int = 0
    first_token_ms: float | None = None
    first_token_p95_ms: float | None = None
    tokens_per_second: float | None = None
    load_ms: float | None = None
    memory_bytes: int | None = None
    energy_j_per_token: float | None = None


@dataclass(frozen=True, slots=True)
class RatingRow:
    """One place of a leaderboard made elsewhere: points with their interval, and from how many votes."""

    model: str
    rating: float
    low: float
    high: float
    votes: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """The answer cache in the period; `saved_ms` is the time that answers took when they were first written."""

    lookups: int = 0
    hits: int = 0
    entries: int | None = None
    saved_ms: float | None = None


@dataclass(frozen=True, slots=True)
class EnergyFigures:
    """What graphics devices and processors that tell it drew in the period, while answers were written and at all."""

    answering_j: float | None = None
    total_j: float | None = None


@dataclass(frozen=True, slots=True)
class ReportChart:
    """Curves over time; x in seconds since 1970 (UTC)."""

    title: str
    unit: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a report says. Times are shown in their own time zone.

    `newest_only` is of how many requests, the newest, comparison, trends and recommendations tell where there were
    more; None where they tell of all.
    """

    title: str
    start: datetime
    end: datetime
    made_at: datetime
    period: Period = Period.CHOSEN
    machine: str = ""
    version: str = ""
    health: HealthScore | None = None
    models: tuple[ModelFigures, ...] = ()
    compared: tuple[ComparedMetric, ...] = ()
    compared_models: tuple[str, ...] = ()
    newest_only: int | None = None
    ratings: tuple[RatingRow, ...] = ()
    incidents: tuple[Alert, ...] = ()
    cache: CacheFigures = field(default_factory=CacheFigures)
    energy: EnergyFigures = field(default_factory=EnergyFigures)
    trends: tuple[Trend, ...] = ()
    charts: tuple[ReportChart, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()

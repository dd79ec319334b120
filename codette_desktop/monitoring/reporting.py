"""Reports, gathered from what was kept, and written as files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from codette_desktop import __version__
from codette_desktop.domain.alerts import Alert, HealthScore, Rule
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.models import AnyModel
from codette_desktop.domain.request_log import ModelTotals
from codette_desktop.domain.telemetry import TelemetrySums
from codette_desktop.files import replacing
from codette_desktop.hardware.machine import processor_name
from codette_desktop.inference.cache.responses import CacheStatistics
from codette_desktop.monitoring import report_charts, report_models
from codette_desktop.monitoring.comparison import compare
from codette_desktop.monitoring.recommendations import recommend
from codette_desktop.monitoring.report import to_html, to_markdown
from codette_desktop.monitoring.report_data import (
    CacheFigures,
    EnergyFigures,
    Period,
    RatingRow,
    ReportChart,
    ReportData,
)
from codette_desktop.monitoring.rules import RULES
from codette_desktop.store import Store

WRITERS: dict[str, Callable[[ReportData], str]] = {".html": to_html, ".md": to_markdown}
LENGTHS = {Period.DAY: timedelta(days=1), Period.WEEK: timedelta(days=7)}
MOST_REQUESTS = 100_000  # that are looked at for comparisons and trends; 2 seconds
_POINTS = 240


@dataclass(frozen=True, slots=True)
class ReportSources:
    """What a report needs besides the store. `rules` are those in force; their help is what is advised."""

    ratings: Callable[[], Sequence[RatingRow]] = tuple
    cache: Callable[[], CacheStatistics | None] = lambda: None
    health: Callable[[], HealthScore | None] = lambda: None
    models: Callable[[], Sequence[AnyModel]] = tuple
    rules: Callable[[], Sequence[Rule]] = lambda: RULES
    now: Callable[[], datetime] = lambda: datetime.now().astimezone()


class Reports:
    """Gathers and writes. Everything blocks: not for the thread of a window. Raises StoreError."""

    def __init__(self, store: Store, sources: ReportSources) -> None:
        self._store = store
        self._sources = sources

    def write(
        self, path: Path, period: Period = Period.DAY, start: datetime | None = None, end: datetime | None = None
    ) -> ReportData:
        """Write a report into a file, HTML or Markdown by its suffix, and give what it says.

        Raises InvalidRequest for another suffix, a period that makes no sense, or a file that cannot be written.
        """
        writer = WRITERS.get(path.suffix.lower())
        if writer is None:
            raise InvalidRequest(f"“{path.name}” is no report.", "Name the file .html or .md.")
        data = self.data(period, start, end)
        with replacing(path) as part:
            part.write_text(writer(data), encoding="utf-8")
        return data

    def data(
        self, period: Period = Period.DAY, start: datetime | None = None, end: datetime | None = None
    ) -> ReportData:
        """What a report says of a period: of a day or a week that ends at `end` (now), or from `start` on.

        Raises InvalidRequest where the end is not after the start.
        """
        now = self._sources.now()
        start, end, period = _bounds(period, start, end, now)
        first, last = start.timestamp(), end.timestamp()
        models = tuple(self._sources.models())
        ratings = tuple(self._sources.ratings())
        rated = {row.model: row for row in ratings}
        sizes = {model.label: model.size_bytes for model in models if model.size_bytes}
        totals = self._store.requests.figures(first, last)
        known, cut = self._measured(first, last)
        here = {model: item.within(first, last) for model, item in known.items()}
        records = report_models.model_records(here, sizes, rated)
        trends = report_models.trends(known, last)
        incidents = tuple(_here(alert, start.tzinfo) for alert in self._store.alerts.incidents(start, end))
        sums = self._store.telemetry.sums(first, last)
        variants = report_models.variants(models, known, rated)
        helps = {rule.name: rule.help for rule in self._sources.rules()}
        return ReportData(
            title=_title(period, start, end),
            start=start,
            end=end,
            made_at=now,
            period=period,
            machine=self._machine(),
            version=__version__,
            health=self._sources.health() if now - end < timedelta(hours=1) else None,
            models=report_models.figures(totals, sizes),
            compared=compare(records) if records else (),
            compared_models=tuple(record.model for record in records),
            newest_only=cut,
            ratings=ratings,
            incidents=incidents,
            cache=self._cache(sums),
            energy=_energy(totals, sums),
            trends=trends,
            charts=self._charts(first, last),
            recommendations=recommend(variants, trends, incidents, helps),
        )

    def _measured(self, first: float, last: float) -> tuple[dict[str, report_models.Measured], int | None]:
        """Of the period, and of the weeks that trends look back; of a longer one the end of it.

        Also to how many requests that was cut, None for not at all.
        """
        since = max(min(first, last - report_models.LOOK_BACK_S), last - 2 * report_models.LOOK_BACK_S)
        records = self._store.requests.measured(since, last, MOST_REQUESTS + 1)
        is_cut = len(records) > MOST_REQUESTS
        return report_models.measured(records[is_cut:]), MOST_REQUESTS if is_cut else None

    def _cache(self, sums: TelemetrySums) -> CacheFigures:
        found = self._sources.cache()
        return CacheFigures(sums.cache_lookups, sums.cache_hits, found.entries if found else None)

    def _machine(self) -> str:
        names = [processor_name(), *(device.name for device in self._store.telemetry.devices())]
        return " · ".join(name for name in names if name)

    def _charts(self, first: float, last: float) -> tuple[ReportChart, ...]:
        requests, devices = self._store.requests, self._store.telemetry.devices()
        speed = requests.series("tokens_per_second", first, last, _POINTS)
        token = requests.series("time_to_first_token_ms", first, last, _POINTS)
        names = tuple(device.device for device in devices)
        curves = self._store.telemetry.series(report_charts.sensor_names(names), first, last, _POINTS)
        found = (
            report_charts.model_chart("Writing speed", "tokens/s", speed),
            report_charts.model_chart("Time to first token", "ms", token),
            *report_charts.sensor_charts(curves, names),
        )
        return tuple(chart for chart in found if chart.lines)


def _bounds(
    period: Period, start: datetime | None, end: datetime | None, now: datetime
) -> tuple[datetime, datetime, Period]:
    """Given moments count; what is left open follows from the period, or reaches to now."""
    last = end or now
    if start is not None:
        first, period = start, Period.CHOSEN
    elif period in LENGTHS:
        first = last - LENGTHS[period]
    else:
        raise InvalidRequest("It is not said from when on the report is to be.", "Give a first day.")
    if first >= last:
        raise InvalidRequest("The report would end before it begins.", "Choose a later end or an earlier start.")
    return first.astimezone(now.tzinfo), last.astimezone(now.tzinfo), period


def _here(alert: Alert, zone: tzinfo | None) -> Alert:
    """With its moments in the zone of the report, which shows them as they are."""
    end = alert.resolved_at.astimezone(zone) if alert.resolved_at else None
    return replace(alert, since=alert.since.astimezone(zone), resolved_at=end)


def _energy(totals: Sequence[ModelTotals], sums: TelemetrySums) -> EnergyFigures:
    answering = [item.energy_j for item in totals if item.energy_j is not None]
    return EnergyFigures(sum(answering) if answering else None, sums.total_energy_j)


def _title(period: Period, start: datetime, end: datetime) -> str:
    days = f"{start:%Y-%m-%d} to {end - timedelta(microseconds=1):%Y-%m-%d}"
    if start.date() == (end - timedelta(microseconds=1)).date():
        days = f"{start:%Y-%m-%d}"
    name = {Period.DAY: "Daily report", Period.WEEK: "Weekly report", Period.CHOSEN: "Report"}[period]
    return f"{name}, {days}"

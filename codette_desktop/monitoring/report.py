"""Reports: what was measured in a period, as Markdown and as one HTML file that needs nothing else.

Names of models and servers are whatever somebody called them: all text is escaped for the format it stands in.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from codette_desktop.domain.alerts import Alert
from codette_desktop.monitoring.charts import Bar, bar_chart, interval_chart, line_chart
from codette_desktop.monitoring.comparison import ComparedMetric
from codette_desktop.monitoring.report_data import ModelFigures, RatingRow, ReportChart, ReportData
from codette_desktop.paths import resource

if TYPE_CHECKING:
    from jinja2 import Environment

DASH = "–"  # not measured
# What means something anywhere in a line, what does at its beginning, and what some readers make links of.
_MARKUP = re.compile(r"([\\`*\[\]<>|~&]|(?<![^\W_])_|_(?![^\W_]))")
_AT_START = re.compile(r"^([#+=-])|^(\d+)([.)])(?=\s|$)")
_ADDRESS = re.compile(r"(?<=\bwww)(?=\.)|(?<=[a-z])(?=://)", re.IGNORECASE)


def to_markdown(data: ReportData) -> str:
    """The report as Markdown (CommonMark with tables), without charts."""
    text = _environment(escape=False).get_template("report.md.j2").render(_context(data))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def to_html(data: ReportData) -> str:
    """The report as one HTML file: light and dark, readable without scripts, nothing is fetched for it."""
    context = _context(data)
    context["speed_chart"] = bar_chart("Writing speed", [_speed_bar(model) for model in data.models])
    context["rating_chart"] = interval_chart("Rating", [_rating_bar(row) for row in data.ratings])
    context["charts"] = [(chart, _drawn(chart, data)) for chart in data.charts]
    return _environment(escape=True).get_template("report.html.j2").render(context)


def escape_markdown(value: object) -> str:
    """Text that means nothing in Markdown: no markup, no link, no HTML, no cell or line of its own."""
    text = _MARKUP.sub(r"\\\1", " ".join(str(value).split()))
    text = _AT_START.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", text)
    return re.sub(r"(?<=\w)@(?=\w)", "&#64;", _ADDRESS.sub(r"\\", text))


@lru_cache(maxsize=2)
def _environment(*, escape: bool) -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made: Any = Environment(
        loader=FileSystemLoader(resource("reports")),
        autoescape=escape,  # noqa: S701 - Markdown is escaped by `finalize`
        finalize=None if escape else _finalized,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    return made


def _finalized(value: object) -> str:
    return escape_markdown(value)


def _context(data: ReportData) -> dict[str, Any]:
    failed = sum(model.errors for model in data.models)
    return {
        "data": data,
        "requests": sum(model.requests for model in data.models),
        "failed": failed,
        "tokens": sum(model.tokens for model in data.models),
        "hit_rate": data.cache.hits / data.cache.lookups if data.cache.lookups else None,
        "compared": [(metric, _cells(metric)) for metric in data.compared],
        "incidents": [(alert, _lasted(alert)) for alert in data.incidents],
    }


def _speed_bar(model: ModelFigures) -> Bar:
    speed = model.tokens_per_second
    return Bar(model.model, speed, "not measured" if speed is None else f"{speed:.1f} tokens/s")


def _rating_bar(row: RatingRow) -> Bar:
    return Bar(row.model, row.rating, f"{row.rating:.0f} ({row.low:.0f} to {row.high:.0f})", row.low, row.high)


def _drawn(chart: ReportChart, data: ReportData) -> str:
    ends = (_moment(data.start), _moment(data.end))
    return line_chart(chart.title, chart.lines, chart.unit, ends, (data.start.timestamp(), data.end.timestamp()))


def _cells(metric: ComparedMetric) -> list[str]:
    return [_bytes(value) if metric.unit == "bytes" else _number(value) for value in metric.values]


def _lasted(alert: Alert) -> str:
    return "still lasts" if alert.resolved_at is None else _span(alert.resolved_at - alert.since)


def _span(span: timedelta) -> str:
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def _number(value: float | None) -> str:
    """Three figures, as a rule: 0.123, 1.23, 12.3, 1,234."""
    if value is None:
        return DASH
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _milliseconds(value: float | None) -> str:
    if value is None:
        return DASH
    return f"{value / 1000:,.1f} s" if value >= 10_000 else f"{value:,.0f} ms"


def _bytes(value: float | None) -> str:
    if value is None:
        return DASH
    return f"{value / 1e9:.1f} GB" if value >= 1e9 else f"{value / 1e6:.0f} MB"


def _joules(value: float | None) -> str:
    """In watt-hours from a tenth of one on."""
    if value is None:
        return DASH
    return f"{value / 3600:,.1f} Wh" if value >= 360 else f"{value:.3g} J"


def _share(value: float | None) -> str:
    return DASH if value is None else f"{100 * value:.3g} %"


FILTERS: dict[str, Callable[[Any], str]] = {
    "moment": _moment, "number": _number, "ms": _milliseconds, "size": _bytes, "energy": _joules, "share": _share,
}  # fmt: skip

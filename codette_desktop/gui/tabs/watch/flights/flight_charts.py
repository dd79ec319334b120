"""What the charts of a flight record show: the time of each token, and the devices around it. No widgets."""

from collections.abc import Sequence
from dataclasses import dataclass

from codette_desktop.domain.series import HOST, SeriesName
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tabs.watch.charts.small_chart import ChartData, Curve
from codette_desktop.gui.tabs.watch.figure_words import bytes_text, ms_text
from codette_desktop.gui.tabs.watch.flights.flight_record import AROUND_S, FlightRecord, Gaps

_HOST_OF = {"utilisation": "cpu", "memory_used_bytes": "memory_used_bytes", "temperature_c": "cpu_temperature_c"}


@dataclass(frozen=True, slots=True)
class TraceChart:
    """One figure of all that tell it."""

    field: str
    title: str
    data: ChartData


def top_of(gaps: Gaps) -> float:
    """How high the chart is: what is far above the rest would press it flat, and goes to the top only."""
    usual = 3 * max(gaps.p95_ms, 2 * gaps.median_ms)
    return min(gaps.longest_ms, usual)


def token_chart(gaps: Gaps, tokens: int | None = None, top: float | None = None) -> ChartData:
    """A stroke for each token, its time; median and 95th percentile as lines; stalls marked.

    `tokens` and `top` make it as large as another one beside it.
    """
    count = len(gaps.ms)
    curve = Curve("", tuple(range(2, count + 2)), gaps.ms, 0, gaps.stalls)  # the first token has none before it
    levels = [(gaps.median_ms, tr("median {time}", time=ms_text(gaps.median_ms)))]
    if gaps.p95_ms > gaps.median_ms * 1.05:
        levels.append((gaps.p95_ms, tr("95 % {time}", time=ms_text(gaps.p95_ms))))
    return ChartData(
        (curve,), lambda x: tr("token {n}", n=number(x)), ms_text, bars=True, levels=levels,
        x_range=(1, max(count + 1, tokens or 0) + 1), top=top_of(gaps) if top is None else top, mark_word=tr("stall"),
    )  # fmt: skip


def token_words(gaps: Gaps) -> str:
    """The same in a sentence."""
    parts = [
        tr("{n} tokens timed", n=number(len(gaps.ms))),
        tr("median {time}", time=ms_text(gaps.median_ms)),
        tr("95 % within {time}", time=ms_text(gaps.p95_ms)),
        tr("longest {time}", time=ms_text(gaps.longest_ms)),
    ]
    stalls = len(gaps.stalls)
    if stalls:
        parts.append(tr("1 stall") if stalls == 1 else tr("{n} stalls", n=number(stalls)))
    else:
        parts.append(tr("no stalls"))
    return " · ".join(parts)


def trace_charts(record: FlightRecord) -> list[TraceChart]:
    """One for each figure that any device or the computer told; times run from the request's start."""
    titles = {
        "utilisation": (tr("In use"), lambda value: tr("{n} %", n=number(100 * value))),
        "memory_used_bytes": (tr("Memory"), bytes_text),
        "power_w": (tr("Power"), lambda value: tr("{n} W", n=number(value))),
        "temperature_c": (tr("Temperature"), lambda value: tr("{n} °C", n=number(value))),
    }
    found: list[TraceChart] = []
    for field, (title, shown) in titles.items():
        curves = _curves(record, field)
        if curves:
            span = (0.0, (record.total_ms or 0.0) / 1000)
            reach = (-AROUND_S, span[1] + AROUND_S)
            data = ChartData(curves, _seconds, shown, span=span, x_range=reach, top=_top(curves, field))
            found.append(TraceChart(field, title, data))
    return found


def _curves(record: FlightRecord, field: str) -> Sequence[Curve]:
    sources = [(info.device, info.name, field) for info in record.devices]
    if field in _HOST_OF:
        sources.append((HOST, tr("Computer"), _HOST_OF[field]))
    curves: list[Curve] = []
    for place, (source, name, its_field) in enumerate(sources):
        series = record.trace.get(SeriesName(source, its_field))
        if series is not None and len(series.at):
            curves.append(Curve(name, [at - record.started_at for at in series.at], series.mean, place))
    return curves


def _top(curves: Sequence[Curve], field: str) -> float:
    """Shares go to the whole."""
    if field == "utilisation":
        return 1.0
    return max((value for curve in curves for value in curve.y if value == value), default=1.0)


def _seconds(at: float) -> str:
    return tr("{n} s", n=f"{at:+.1f}" if at % 1 else f"{at:+.0f}") if at else tr("start")

"""The data of a chart as CSV. No Qt."""

import csv
import io
from datetime import UTC, datetime

import numpy as np

from codette_desktop.gui.tabs.watch.now.now_state import ChartState, Period
from codette_desktop.gui.tabs.watch.units import unit_for


def to_csv(chart: ChartState, period: Period) -> str:
    """One row for each moment at which a curve has a value, in UTC; empty where another has none.

    Bounds of a step, where they are known, stand in columns of their own. Values are in base units: tokens/s, ms,
    percent, bytes, °C, W.
    """
    unit = unit_for(chart.kind, 1.0).name if chart.kind not in ("bytes", "rate") else {"bytes": "bytes"}.get(
        chart.kind, "bytes/s"
    )  # fmt: skip
    columns: list[tuple[str, dict[float, float]]] = []
    for curve in chart.curves:
        name = f"{curve.label} ({unit})" if unit else curve.label
        inside = (curve.x >= period.start) & (curve.x <= period.end)
        for suffix, row in (("", curve.y), (", least", curve.low), (", greatest", curve.high)):
            if row.size:
                known = inside & np.isfinite(row)
                columns.append((name + suffix, dict(zip(curve.x[known].tolist(), row[known].tolist(), strict=True))))
    moments = sorted({moment for _name, values in columns for moment in values})
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["time (UTC)", *(name for name, _values in columns)])
    for moment in moments:
        values = [f"{row[moment]:.10g}" if moment in row else "" for _name, row in columns]
        writer.writerow([datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds"), *values])
    return file.getvalue()


def file_name(chart: ChartState, period: Period, suffix: str) -> str:
    """ "writing-speed-20261129-1042.csv"."""
    words = "".join(letter if letter.isalnum() else "-" for letter in chart.title.lower())
    while "--" in words:
        words = words.replace("--", "-")
    return f"{words.strip('-')}-{datetime.fromtimestamp(period.end, UTC).astimezone():%Y%m%d-%H%M}{suffix}"

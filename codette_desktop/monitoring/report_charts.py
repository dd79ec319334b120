"""The charts of a report: curves of the store as lines."""

import math
from collections.abc import Mapping

from codette_desktop.domain.series import Series, SeriesName
from codette_desktop.monitoring.charts import Line
from codette_desktop.monitoring.report_data import ReportChart

HOST = "host"
_GB = 1e-9


def sensor_names(devices: tuple[str, ...]) -> list[SeriesName]:
    """The curves that `sensor_charts` draws."""
    host = [SeriesName(HOST, name) for name in ("cpu", "memory_used_bytes", "our_memory_bytes")]
    fields = ("utilisation", "memory_used_bytes", "power_w", "temperature_c")
    return [*host, *(SeriesName(device, name) for device in devices for name in fields)]


def model_chart(title: str, unit: str, curves: Mapping[str, Series], factor: float = 1.0) -> ReportChart:
    """One curve for each model."""
    return ReportChart(title, unit, tuple(line(name, curve, factor) for name, curve in sorted(curves.items())))


def sensor_charts(curves: Mapping[SeriesName, Series], devices: tuple[str, ...]) -> tuple[ReportChart, ...]:
    """Memory, utilisation, power and temperature; what was not measured has no line, and no chart without one."""

    def lines(host: str, host_name: str, field: str, factor: float) -> list[Line]:
        wanted = [(SeriesName(HOST, host), host_name)] if host else []
        wanted += [(SeriesName(device, field), device) for device in devices]
        return [line(label, curves[name], factor) for name, label in wanted if name in curves]

    memory = lines("memory_used_bytes", "memory", "memory_used_bytes", _GB)
    ours = SeriesName(HOST, "our_memory_bytes")
    memory += [line("this application", curves[ours], _GB)] if ours in curves else []
    found = (
        ReportChart("Memory in use", "GB", tuple(memory)),
        ReportChart("Processor and graphics devices in use", "%", tuple(lines("cpu", "processor", "utilisation", 100))),
        ReportChart("Power of graphics devices", "W", tuple(lines("", "", "power_w", 1))),
        ReportChart("Temperature of graphics devices", "°C", tuple(lines("", "", "temperature_c", 1))),
    )
    return tuple(kept for chart in found if (kept := _measured(chart)) is not None)


def line(name: str, curve: Series, factor: float = 1.0) -> Line:
    """The means of a curve; a gap where nothing is known."""
    points = zip(curve.at, curve.mean, strict=True)
    return Line(name, tuple((at, None if math.isnan(value) else value * factor) for at, value in points))


def _measured(chart: ReportChart) -> ReportChart | None:
    kept = tuple(item for item in chart.lines if any(y is not None for _x, y in item.points))
    return ReportChart(chart.title, chart.unit, kept) if kept else None

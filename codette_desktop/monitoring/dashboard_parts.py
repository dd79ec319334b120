"""What dashboards are built of: panels, their places, and queries in PromQL over the metrics that are exported."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from codette_desktop.monitoring.semantic import GENAI_MODEL, Metric

SCHEMA_VERSION = 39  # Grafana 11 reads it as it is, later ones take it over
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
MODELS = "$model"  # the variables of a dashboard
DEVICES = "$device"

_GRAFANA_UNITS = {
    "s": "s", "By": "bytes", "Cel": "celsius", "J": "joule", "W": "watt", "Hz": "hertz", "1": "percentunit",
    "By/s": "Bps",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """One curve or value; `legend` names it by its labels: "{{model}}"."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture. `unit` is Grafana's; `kind` "timeseries", "stat", "gauge", "bargauge" or "table"."""

    title: str
    unit: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    width: int = 12
    height: int = 8
    help: str = ""
    bad: tuple[float, ...] = ()  # from the first it is yellow, from the second red
    stacked: bool = False
    highest: float | None = None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page."""

    uid: str
    title: str
    help: str
    panels: tuple[Panel, ...]


def unit_of(metric: Metric) -> str:
    """Grafana's name for the unit of a metric; "short" for what is counted."""
    return _GRAFANA_UNITS.get(metric.unit, "short")


def chosen(metric: Metric, suffix: str = "") -> str:
    """The metric, of the models and devices that are chosen on the page, where it has such labels."""
    pairs = [f'{label}=~"{MODELS}"' for label in ("model", GENAI_MODEL) if label in metric.labels]
    if "device" in metric.labels and "model" not in metric.labels:
        pairs.append(f'device=~"{DEVICES}"')
    inside = f"{{{','.join(pairs)}}}" if pairs else ""
    return f"{metric.prometheus}{suffix}{inside}"


def per_second(metric: Metric, *by: str, suffix: str = "") -> str:
    """How much a counter grows a second, added up by labels."""
    return _sum(f"rate({chosen(metric, suffix)}[$__rate_interval])", by)


def grown(metric: Metric, *by: str, suffix: str = "") -> str:
    """How much a counter has grown in the time the page shows."""
    return _sum(f"increase({chosen(metric, suffix)}[$__range])", by)


def quantile(share: float, metric: Metric, *by: str) -> str:
    """Of a histogram: below this lies that share of the values."""
    buckets = f"rate({chosen(metric, '_bucket')}[$__rate_interval])"
    return f"histogram_quantile({share:g}, {_sum(buckets, ('le', *by))})"


def mean(metric: Metric, *by: str) -> str:
    """Of a histogram: the mean of the values."""
    return f"{per_second(metric, *by, suffix='_sum')} / {per_second(metric, *by, suffix='_count')}"


def _sum(inside: str, by: Sequence[str]) -> str:
    return f"sum by ({', '.join(by)}) ({inside})" if by else f"sum({inside})"


def percentiles(title: str, metric: Metric, by: str, **options: Any) -> Panel:
    """Median and 95th percentile of a histogram, by a label."""
    queries = [Query(quantile(share, metric, by), f"{{{{{by}}}}} p{100 * share:g}") for share in (0.5, 0.95)]
    return Panel(title, unit_of(metric), tuple(queries), help=metric.help, **options)


def plain(title: str, metric: Metric, legend: str = "", **options: Any) -> Panel:
    """A gauge as it is."""
    return Panel(title, unit_of(metric), (Query(chosen(metric), legend),), help=metric.help, **options)


def to_json(dashboard: Dashboard) -> dict[str, Any]:
    """The page as Grafana imports it. Panels are laid out in rows, in their order."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.help,
        "tags": ["codette"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [_link()],
        "templating": {"list": _variables()},
        "panels": _placed(dashboard.panels),
    }


def _link() -> dict[str, Any]:
    return {
        "type": "dashboards", "title": "Codette Desktop", "tags": ["codette"], "asDropdown": True, "includeVars": True,
        "keepTime": True, "icon": "external link", "targetBlank": False, "tooltip": "", "url": "",
    }  # fmt: skip


def _variables() -> list[dict[str, Any]]:
    source: dict[str, Any] = {
        "name": "datasource", "type": "datasource", "label": "Prometheus", "query": "prometheus", "hide": 0,
        "current": {}, "regex": "", "refresh": 1, "multi": False, "includeAll": False, "options": [],
    }  # fmt: skip
    return [
        source,
        _variable("model", "Model", "label_values(codette_requests_ended_total, model)"),
        _variable("device", "Device", "label_values(codette_gpu_ok, device)"),
    ]


def _variable(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "name": name, "type": "query", "label": label, "datasource": DATASOURCE, "definition": query,
        "query": {"query": query, "refId": name}, "hide": 0, "refresh": 2, "regex": "", "sort": 1, "multi": True,
        "includeAll": True, "allValue": ".*", "options": [],
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }  # fmt: skip


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    placed: list[dict[str, Any]] = []
    x = y = row = 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > COLUMNS:
            x, y, row = 0, y + row, 0
        place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        placed.append({"id": number, "gridPos": place, **_panel(panel)})
        x, row = x + panel.width, max(row, panel.height)
    return placed


def _panel(panel: Panel) -> dict[str, Any]:
    instant = panel.kind != "timeseries"
    targets = [
        {
            "refId": chr(ord("A") + number), "datasource": DATASOURCE, "expr": query.expression, "editorMode": "code",
            "legendFormat": query.legend or "__auto", "instant": instant, "range": not instant,
            "format": "table" if panel.kind == "table" else "time_series",
        }
        for number, query in enumerate(panel.queries)
    ]  # fmt: skip
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.help,
        "datasource": DATASOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _OPTIONS[panel.kind],
        **({"transformations": _TABLE} if panel.kind == "table" else {}),
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    colours = zip(("yellow", "red"), panel.bad, strict=False)
    steps = [{"color": "green", "value": None}, *({"color": name, "value": value} for name, value in colours)]
    found: dict[str, Any] = {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.highest is not None:
        found["max"] = panel.highest
    if panel.kind == "timeseries":
        found["color"] = {"mode": "palette-classic"}
        stacking = {"mode": "normal" if panel.stacked else "none", "group": "A"}
        found["custom"] = {
            "drawStyle": "line", "lineWidth": 1, "fillOpacity": 30 if panel.stacked else 8, "showPoints": "never",
            "spanNulls": False, "stacking": stacking,
        }  # fmt: skip
        del found["min"]
    else:
        found["color"] = {"mode": "thresholds"}
    return found


_REDUCED = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {"reduceOptions": _REDUCED, "colorMode": "value", "graphMode": "none", "textMode": "auto"},
    "gauge": {"reduceOptions": _REDUCED, "showThresholdLabels": False, "showThresholdMarkers": True},
    "bargauge": {"reduceOptions": _REDUCED, "orientation": "horizontal", "displayMode": "basic"},
    "table": {"showHeader": True},
}
_TABLE = [
    {"id": "organize", "options": {"excludeByName": {"Time": True, "__name__": True, "instance": True, "job": True}}}
]

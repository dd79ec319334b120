"""Dashboards: eight pages that Grafana can import."""

import json
from itertools import combinations
from typing import Any

import pytest

from codette_desktop.monitoring.dashboard_parts import COLUMNS, DATASOURCE
from codette_desktop.monitoring.dashboards import DASHBOARDS, dashboard_files

PAGES = {name: json.loads(text) for name, text in dashboard_files().items()}
UNITS = {
    "short", "none", "s", "bytes", "Bps", "celsius", "joule", "watt", "hertz", "percentunit", "reqps",
}  # fmt: skip
KINDS = {"timeseries", "stat", "gauge", "bargauge", "table"}


def test_there_are_eight_with_names_of_their_own() -> None:
    assert len(PAGES) == len(DASHBOARDS) == 8
    assert sorted(PAGES) == sorted(f"{page['uid']}.json" for page in PAGES.values())
    assert len({page["title"] for page in PAGES.values()}) == 8
    assert all(len(page["uid"]) <= 40 for page in PAGES.values())


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_a_page_is_what_grafana_reads(page: dict[str, Any]) -> None:
    assert page["schemaVersion"] >= 36
    assert "id" not in page or page["id"] is None  # Grafana gives it one
    variables = {item["name"]: item for item in page["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    for name in ("model", "device"):
        assert variables[name]["datasource"] == DATASOURCE
        assert variables[name]["query"]["query"] == variables[name]["definition"]
        assert (variables[name]["includeAll"], variables[name]["allValue"]) == (True, ".*")
    assert len(page["panels"]) >= 6
    assert [panel["id"] for panel in page["panels"]] == list(range(1, len(page["panels"]) + 1))
    for panel in page["panels"]:
        check_panel(panel)


def check_panel(panel: dict[str, Any]) -> None:
    assert panel["type"] in KINDS
    assert panel["title"]
    assert panel["datasource"] == DATASOURCE == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps[0] == {"color": "green", "value": None}
    assert [step["value"] for step in steps[1:]] == sorted(step["value"] for step in steps[1:])
    assert panel["targets"]
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    for target in panel["targets"]:
        assert target["datasource"] == DATASOURCE
        assert target["expr"]
        assert target["instant"] is not target["range"]
        assert target["range"] is (panel["type"] == "timeseries")


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_panels_lie_beside_one_another(page: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in page["panels"]]
    assert all(place["x"] + place["w"] <= COLUMNS for place in places)
    for one, other in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        )  # fmt: skip
        assert apart


def test_choosing_models_and_devices_changes_what_is_drawn() -> None:
    expressions = [target["expr"] for page in PAGES.values() for panel in page["panels"] for target in panel["targets"]]
    assert sum('=~"$model"' in item for item in expressions) > 20
    assert sum('=~"$device"' in item for item in expressions) > 10
    assert len(expressions) == len([item for item in expressions if item.count("(") == item.count(")")])

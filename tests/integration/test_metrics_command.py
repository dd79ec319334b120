"""`metrics` and `report`, in this process, on a real data folder."""

import asyncio
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from codette_desktop.application import Application
from codette_desktop.cli import main
from codette_desktop.monitoring.rules import RULES, with_changes
from codette_desktop.store import Store
from tests.support.measured_examples import RECORDS, SAMPLE
from tests.support.weeks_measured import LARGE, OTHER, SMALL, keep


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def run_json(*arguments: str) -> dict[str, Any]:
    ended, printed, told = run(*arguments, "--json")
    assert ended == 0, told
    return json.loads(printed)


def test_metrics_are_printed_for_prometheus_and_as_json(codette_home: Path) -> None:
    with Store.open(codette_home) as store:
        store.requests.add(RECORDS).result()
        store.telemetry.add([replace(SAMPLE, at=time.time())]).result()
    status, text, told = run("metrics")
    assert (status, told) == (0, "")
    assert len(re.findall(r"^# TYPE \w+ (?:counter|gauge|histogram)$", text, re.MULTILINE)) >= 50
    assert "\ncodette_cpu_temperature_celsius 55\n" in text  # what another process has just read
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    found = {item["name"]: item for item in run_json("metrics")["metrics"]}
    assert len(found) >= 50
    requests = found["codette_requests_total"]
    assert (requests["kind"], requests["otel"]) == ("counter", "codette.requests")
    assert {value["labels"]["backend"]: value["value"] for value in requests["values"]} == {"local": 3, "Workshop": 1}


def test_the_sensors_are_read_where_nobody_watches(codette_home: Path) -> None:
    with Store.open(codette_home) as store:
        store.telemetry.add([replace(SAMPLE, at=time.time() - 3600)]).result()
    found = {item["name"]: item["values"] for item in run_json("metrics")["metrics"]}
    assert found["codette_memory_total_bytes"][0]["value"] != SAMPLE.host.memory_total_bytes
    assert found["codette_sample_age_seconds"][0]["value"] < 60
    assert not [name for name in found if name.startswith("codette_alert")]  # nobody knows


def test_rules_and_dashboards_are_written_and_nothing_is_hidden(codette_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with Store.open(codette_home) as store:
        memory = next(rule for rule in RULES if rule.name == "memory")
        store.alerts.keep_rule(with_changes(memory, warning=50.0, clear=40.0, enabled=True)).result()
    first = run_json("metrics", "--rules", str(folder))
    assert [item["state"] for item in first["written"]] == ["written"] * 9
    assert first["rules_left_out"] == ["gpu-power-limit"]
    assert {Path(item["file"]) for item in first["written"]} == set(folder.iterdir())
    alerts = YAML(typ="safe").load(folder / "codette-rules.yml")["groups"][0]["rules"]
    expressions = [alert["expr"] for alert in alerts if alert["alert"] == "CodetteMemory"]
    assert expressions[0].endswith(">= 50")  # the person's own
    (folder / "codette-models.json").write_text("{}")
    status, told, _ = run("metrics", "--rules", str(folder))
    assert status == 0
    assert f"{folder / 'codette-models.json'}: replaced" in told
    assert told.count(": unchanged") == 8
    assert "“gpu-power-limit” is switched off" in told


def test_a_folder_that_cannot_be_written_is_said(codette_home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    status, _, told = run("metrics", "--rules", str(tmp_path / "file" / "folder"))
    assert (status, "cannot be written" in told) == (1, True)
    folder = tmp_path / "folder"
    (folder / "codette-models.json").mkdir(parents=True)
    status, _, told = run("metrics", "--rules", str(folder))
    assert (status, "codette-models.json cannot be written" in told, "Written before" in told) == (1, True, True)


@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_a_report_says_what_was_written(codette_home: Path, tmp_path: Path, suffix: str) -> None:
    with Store.open(codette_home) as store:
        keep(store, time.time())
    path = tmp_path / f"week{suffix}"
    found = run_json("report", "--out", str(path), "--period", "weekly")
    assert (found["file"], found["period"]) == (str(path), "weekly")
    assert (found["requests"], found["failed"], found["incidents"]) == (210, 21, 1)
    assert {item["model"] for item in found["models"]} == {SMALL, LARGE, OTHER}
    text = path.read_text(encoding="utf-8")
    assert found["title"] in text
    assert all(item["text"] in text for item in found["recommendations"][:1])
    status, told, _ = run("report", "--out", str(path))
    assert status == 0
    assert "Requests 30 (3 failed), models 3" in told


def test_days_are_whole_and_wrong_ones_are_refused(codette_home: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "days.md")
    found = run_json("report", "--out", path, "--from", "2026-01-01", "--to", "2026-01-02")
    assert (found["from"][:19], found["to"][:19]) == ("2026-01-01T00:00:00", "2026-01-03T00:00:00")
    assert (found["title"], found["period"]) == ("Report, 2026-01-01 to 2026-01-02", "on demand")
    found = run_json("report", "--out", path, "--from", "2026-01-01", "--to", "2026-01-02T00:00:00")
    assert (found["to"][:19], found["title"]) == ("2026-01-02T00:00:00", "Report, 2026-01-01")
    for arguments, status, says in (
        (("--out", path, "--from", "2026-02-01", "--to", "2026-01-01"), 1, "end before it begins"),
        (("--out", str(tmp_path / "a.pdf")), 1, "Name the file .html or .md"),
        (("--out", path, "--period", "yearly"), 2, "yearly"),
        (("--period", "daily"), 2, "--out"),
        (("--out", path, "--from", "0001-01-01"), 2, "year must be 1970 to 2199"),
        (("--out", path, "--to", "9999-12-31"), 2, "year must be 1970 to 2199"),
    ):
        ended, _, told = run("report", *arguments)
        assert (ended, says in told) == (status, True), told


async def test_a_window_that_watches_tells_what_it_sees_itself(codette_home: Path) -> None:
    application = Application.open(codette_home)
    try:
        assert application.metrics.now().sample is None
        application.watch.start()
        async with asyncio.timeout(30):
            while application.watch.latest is None or application.watch.observation() is None:
                await asyncio.sleep(0.02)
        now = application.metrics.now()
        assert now.sample is not None
        assert now.alerts == application.watch.alerts()
        text = application.metrics.text(now)
        assert f"codette_memory_total_bytes {now.sample.host.memory_total_bytes}" in text
        assert 'codette_alerts{severity="critical"} ' in text
        assert application.reports.data().health == application.watch.health()
    finally:
        await application.aclose()

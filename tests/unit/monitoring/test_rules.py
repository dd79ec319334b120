"""The rules: what they measure, what may be changed, and their form for Prometheus."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from ruamel.yaml import YAML

from codette_desktop.domain.alerts import Severity
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.telemetry import DeviceSample, HostSample, SensorStatus
from codette_desktop.monitoring.expressions import EXPRESSIONS, burn
from codette_desktop.monitoring.observation import (
    BackendWindow,
    CacheWindow,
    ModelWindow,
    Observation,
    Outcomes,
    QueueWindow,
    StoreWindow,
)
from codette_desktop.monitoring.prometheus_rules import prometheus_expression, prometheus_rules
from codette_desktop.monitoring.rules import RULES, from_dict, rule_problems, to_dict, with_changes
from tests.support.alert_watching import by_name

NAMES = [rule.name for rule in RULES]
KEYS = {"alert", "annotations", "expr", "for", "keep_firing_for", "labels"}
SOME = Outcomes(20, 10)
FULL = Observation(
    0.0,
    HostSample(cpu_temperature_c=71, memory_used_bytes=75, memory_total_bytes=100, disk_free_bytes=5_000_000_000),
    (
        DeviceSample(
            "gpu:0", temperature_c=80, memory_used_bytes=9, memory_total_bytes=10, throttled=("SW Power Cap",)
        ),
        DeviceSample("gpu:1", throttled=("HW Thermal Slowdown",)),
        DeviceSample("gpu:2", SensorStatus.STALE, temperature_c=99, throttled=("thermal",)),
        DeviceSample("gpu:3"),
    ),
    models=(
        ModelWindow("guide", "local", SOME, SOME, SOME, SOME, 0.6, -0.3, 3000, 1000, 5, 20, 4),
        ModelWindow("new"),
    ),
    backends=(BackendWindow("hall", 4), BackendWindow("dim", 0, 1), BackendWindow("local", 0, 7)),
    queue=QueueWindow(12_500, 9),
    store=StoreWindow(errors=2),
    cache=CacheWindow(100, 30, 40, 10),
)


def measured(name: str, seen: Observation = FULL) -> dict[str, float]:
    """By the last label: the device, the model or the backend."""
    return {(labels[-1][1] if labels else ""): value for labels, value in EXPRESSIONS[name].measure(seen)}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("gpu_temperature", {"gpu:0": 80}),
        ("gpu_heat_throttling", {"gpu:0": 0, "gpu:1": 1}),
        ("gpu_power_throttling", {"gpu:0": 1, "gpu:1": 0}),
        ("gpu_memory", {"gpu:0": 90}),
        ("cpu_temperature", {"": 71}),
        ("memory", {"": 75}),
        ("disk_free", {"": 5}),
        ("first_token_shift", {"guide": 60}),
        ("speed_drop", {"guide": 30}),
        ("failed_checks", {"hall": 4, "dim": 1, "local": 0}),
        ("queue_wait", {"": 12.5}),
        ("load_slowdown", {"guide": 3}),
        ("model_reloads", {"guide": 4, "new": 0}),
        ("truncated_prompts", {"guide": 25}),
        ("database_errors", {"": 2}),
        ("cache_thrash", {"": 25}),
    ],
)
def test_what_is_measured(name: str, values: dict[str, float]) -> None:
    assert measured(name) == values


def test_every_expression_is_measured_by_a_rule_and_none_of_nothing() -> None:
    assert {rule.expression for rule in RULES} == set(EXPRESSIONS)
    for name in set(EXPRESSIONS) - {"database_errors"}:
        assert measured(name, Observation(0.0)) == {}


def test_errors_burn_in_both_windows_or_not_at_all() -> None:
    bad, good, none = Outcomes(20, 10), Outcomes(200, 0), Outcomes()
    for now, lately, wanted in (
        (bad, bad, burn(bad)), (bad, good, 0), (good, bad, 0), (none, bad, 0), (bad, none, 0),
        (Outcomes(4, 4), Outcomes(4, 4), 0), (bad, Outcomes(200, 20), burn(Outcomes(200, 20))),
    ):  # fmt: skip
        seen = Observation(0.0, models=(ModelWindow("m", last_5m=now, last_1h=lately),))
        assert measured("error_burn_fast", seen) == {"m": pytest.approx(wanted)}
    assert burn(Outcomes(3, 1)) == pytest.approx(13.56, abs=0.01)  # one of three alerts nobody


def test_there_are_at_least_twelve_sound_rules() -> None:
    assert len(RULES) >= 12
    assert len(set(NAMES)) == len(NAMES)
    for rule in RULES:
        assert rule_problems(rule, NAMES) == ()
        assert rule.unit == EXPRESSIONS[rule.expression].unit
        assert rule.help


def test_rules_can_be_changed_and_kept() -> None:
    hot = with_changes(by_name("gpu-temperature"), warning=80, critical=None, clear=75.5, for_s=5, enabled=False)
    assert (hot.warning, hot.critical, hot.clear, hot.enabled) == (80, None, 75.5, False)
    for rule in (*RULES, hot):
        assert from_dict(json.loads(json.dumps(to_dict(rule)))) == rule
    assert from_dict({**to_dict(hot), "colour": "red"}) == hot  # written by a newer version


@pytest.mark.parametrize(
    ("name", "changes", "problem"),
    [
        ("memory", {"warning": 98}, r"critical \(97\) must be higher than warning \(98\)"),
        ("memory", {"clear": 95}, r"clear \(95\) must not be higher than 92"),
        ("memory", {"critical": 101}, "no value exceeds 100 %"),
        ("memory", {"warning": None, "critical": None}, "needs a threshold"),
        ("memory", {"warning": "92"}, "warning must be a number"),
        ("memory", {"warning": True}, "warning must be a number"),
        ("memory", {"critical": float("nan")}, "critical must be a number"),
        ("memory", {"clear": None}, "clear must be a number"),
        ("memory", {"warning": 0, "clear": 0}, "above 0"),
        ("memory", {"clear": -1}, "above 0"),
        ("memory", {"for_s": -1}, "for_s must lie between 0 and 604800 seconds"),
        ("memory", {"cooldown_s": 1e9}, "cooldown_s must lie"),
        ("memory", {"enabled": "no"}, "enabled must be yes or no"),
        ("memory", {"title": " "}, "needs a title"),
        ("memory", {"title": 3}, "title must be text"),
        ("memory", {"inhibited_by": ("memory",)}, "cannot keep itself silent"),
        ("memory", {"inhibited_by": "disk-free"}, "inhibited_by must be names"),
        ("disk-free", {"critical": 3}, r"critical \(3\) must be lower than warning \(2\)"),
        ("disk-free", {"clear": 1}, r"clear \(1\) must not be lower than 2"),
        ("memory", {"expression": "disk_free"}, "“expression” cannot be changed"),
    ],
)
def test_changes_that_make_no_sense_are_refused_in_words(name: str, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        with_changes(by_name(name), **changes)


def test_a_rule_from_a_file_is_checked() -> None:
    for damage in ({"expression": "mood"}, {"warning": "x"}, {"name": None, "inhibited_by": 3}):
        with pytest.raises(InvalidRequest):
            from_dict({**to_dict(by_name("memory")), **damage})
    with pytest.raises(InvalidRequest, match="no rule"):
        from_dict({"name": "x"})
    assert rule_problems(replace(by_name("memory"), inhibited_by=("gone",)), NAMES) != ()


def test_conditions_in_promql() -> None:
    hot = by_name("gpu-temperature")
    assert prometheus_expression(hot) == "codette_gpu_temperature_celsius >= 87"
    assert prometheus_expression(hot, Severity.CRITICAL) == "codette_gpu_temperature_celsius >= 93"
    assert prometheus_expression(by_name("disk-free")) == "codette_disk_free_bytes / 1e9 <= 2"
    assert '{reason="thermal"}' in prometheus_expression(by_name("gpu-heat-throttling"))
    fast = prometheus_expression(by_name("error-burn-fast"))
    assert fast.count(">= 14.4") == 2
    assert "[5m]" in fast
    assert "[1h]" in fast
    with pytest.raises(InvalidRequest, match="no threshold for warning"):
        prometheus_expression(by_name("backend-down"))
    with pytest.raises(InvalidRequest, match="Nothing called"):
        prometheus_expression(replace(hot, expression="mood"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_promql_is_balanced_and_complete(rule: Any) -> None:
    severity = Severity.CRITICAL if rule.warning is None else Severity.WARNING
    text = prometheus_expression(rule, severity)
    for opening, closing in ("()", "[]", "{}"):
        assert text.count(opening) == text.count(closing)
    assert "{op}" not in text
    assert "{threshold}" not in text
    metrics = re.findall(r"codette_\w+", text)
    assert metrics
    for metric in metrics:
        counted = re.search(rf"(rate|increase)\({metric}(?:\{{[^}}]*\}})?\[", text)
        assert metric.endswith(("_total", "_bucket")) == bool(counted) or metric == "codette_gpu_memory_total_bytes"


def test_the_rule_file_is_yaml_that_prometheus_reads() -> None:
    odd = replace(by_name("memory"), name="odd", title='{{ $labels }}: "x"\n- y', for_s=1.5)
    found = YAML(typ="safe").load(prometheus_rules([*RULES, odd]))
    alerts = found["groups"][0]["rules"]
    assert all({*alert, "keep_firing_for"} == KEYS for alert in alerts)
    assert all(re.fullmatch(r"\d+(ms|s)", alert["for"]) for alert in alerts)
    hot = [alert for alert in alerts if alert["alert"] == "CodetteGpuTemperature"]
    assert [alert["labels"]["severity"] for alert in hot] == ["warning", "critical"]
    assert (hot[0]["for"], hot[0]["keep_firing_for"]) == ("30s", "60s")
    assert not [alert for alert in alerts if alert["alert"] == "CodetteGpuPowerLimit"]
    last = alerts[-1]
    assert last["annotations"]["summary"] == '{ { $labels }}: "x"\n- y'
    assert last["for"] == "1500ms"
    assert YAML(typ="safe").load(prometheus_rules([])) == {"groups": []}

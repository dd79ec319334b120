"""What is exported, read by Prometheus' own tool: the text, the rules, the dashboards, and that each rule can fire.

Needs `promtool`, which comes with Prometheus.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.domain.alerts import Rule, Severity
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.inference.cache.responses import ResponseCache
from codette_desktop.monitoring.dashboards import DASHBOARDS
from codette_desktop.monitoring.exported_metrics import ExportedMetrics
from codette_desktop.monitoring.exposition import Family, exposition, number, samples
from codette_desktop.monitoring.prometheus_rules import prometheus_expression, prometheus_rules
from codette_desktop.monitoring.rules import RULES
from codette_desktop.monitoring.semantic import METRICS
from codette_desktop.store import Store
from tests.support.measured_examples import AT, RECORDS, everything

PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")

STEPS = 4 * 60 * 6  # a quarter of a minute each, six hours
GROWS, STAYS = f"0+1x{STEPS}", f"0x{STEPS}"
LATE = "all values above 80 seconds"
CALM = {
    "codette_queue_wait_seconds_bucket": GROWS,  # all below the first bound
    "codette_requests_total": GROWS, "codette_cache_stored_total": GROWS, "codette_backend_failed_checks": STAYS,
    "codette_gpu_throttled": STAYS, "codette_first_token_shift_ratio": STAYS, "codette_speed_shift_ratio": STAYS,
}  # fmt: skip
TROUBLE = {
    "codette_gpu_temperature_celsius": f"99x{STEPS}",
    "codette_gpu_throttled": f"1x{STEPS}",
    "codette_gpu_memory_used_bytes": f"7990000000x{STEPS}",
    "codette_cpu_temperature_celsius": f"101x{STEPS}",
    "codette_memory_used_bytes": f"15900000000x{STEPS}",
    "codette_disk_free_bytes": f"400000000x{STEPS}",
    "codette_first_token_shift_ratio": f"1.5x{STEPS}",
    "codette_speed_shift_ratio": f"-0.6x{STEPS}",
    "codette_backend_failed_checks": f"3x{STEPS}",
    "codette_model_load_seconds": f"30x{STEPS}",
    "codette_queue_wait_seconds_bucket": LATE,
}


@pytest.fixture
def families(tmp_path: Path) -> Iterator[list[Family]]:
    """Everything, from a real store."""
    with Store.open(tmp_path / "kept") as store:
        store.requests.add(RECORDS).result()
        server = Server("Workshop", "http://127.0.0.1:1", ServerKind.OLLAMA)
        cache = ResponseCache(store)
        metrics = ExportedMetrics(
            store, EventBus(), cache.statistics, lambda: [server], now=everything, clock=lambda: AT + 1
        )
        yield metrics.families()


def promtool(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROMTOOL or "", *arguments], input=text, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_text_has_nothing_to_complain_of(families: list[Family]) -> None:
    missing = {metric.prometheus for metric in METRICS} - {item.metric.prometheus for item in families if item.values}
    assert not missing
    checked = promtool("check", "metrics", text=exposition(families))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    broken = promtool("check", "metrics", text=exposition(families).replace("_total{", "_sum{"))
    assert broken.returncode != 0


def test_rules_and_queries_are_promql(tmp_path: Path) -> None:
    rules, queries = tmp_path / "rules.yml", tmp_path / "queries.yml"
    rules.write_text(prometheus_rules(RULES), encoding="utf-8")
    recorded = [{"record": f"query:{number}", "expr": expr} for number, expr in enumerate(_queries())]
    queries.write_text(json.dumps({"groups": [{"name": "queries", "rules": recorded}]}), encoding="utf-8")
    checked = promtool("check", "rules", str(rules), str(queries))
    assert checked.returncode == 0, checked.stderr
    assert "SUCCESS: 30 rules found" in checked.stdout
    assert f"SUCCESS: {len(recorded)} rules found" in checked.stdout


def test_every_rule_fires_in_trouble_and_none_while_all_is_calm(families: list[Family], tmp_path: Path) -> None:
    """On the lines that are exported, labels and all: two sides that do not match would never fire."""
    conditions = [prometheus_expression(rule, severity) for rule in RULES for severity in _severities(rule)]
    calm = [_test(expression, fires=False) for expression in conditions]
    trouble = [_test(expression, fires=True) for expression in conditions]
    _evaluated(tmp_path, _series(families, CALM), calm)
    _evaluated(tmp_path, _series(families, TROUBLE, others=GROWS), trouble)


def test_every_query_of_a_dashboard_finds_something(families: list[Family], tmp_path: Path) -> None:
    _evaluated(tmp_path, _series(families, TROUBLE, others=GROWS), [_test(query, fires=True) for query in _queries()])


def _queries() -> list[str]:
    chosen = {"$model": ".*", "$device": ".*", "$__rate_interval": "5m", "$__range": "6h"}
    found: list[str] = []
    for query in (query for page in DASHBOARDS for panel in page.panels for query in panel.queries):
        expression = query.expression
        for name, value in chosen.items():
            expression = expression.replace(name, value)
        assert "$" not in expression
        found.append(expression)
    return found


def _severities(rule: Rule) -> list[Severity]:
    given = {Severity.WARNING: rule.warning, Severity.CRITICAL: rule.critical}
    return [severity for severity, threshold in given.items() if threshold is not None]


def _series(families: list[Family], values: dict[str, str], others: str = "") -> list[dict[str, str]]:
    """Every line that is exported, over six hours: as `values` say, counters as `others`, all else as it was."""
    found: list[dict[str, str]] = []
    for family in families:
        for name, labels, value in samples(family):
            told = ",".join(f"{label}={json.dumps(text)}" for label, text in labels)
            counts = name.endswith(("_total", "_bucket", "_sum", "_count"))
            course = values.get(name) or (others if counts else "") or f"{number(value)}x{STEPS}"
            if course == LATE:
                course = GROWS if dict(labels)["le"] in ("160", "+Inf") else STAYS
            found.append({"series": f"{name}{{{told}}}", "values": course})
    return found


def _test(expression: str, *, fires: bool) -> dict[str, Any]:
    wanted = [{"labels": "{}", "value": 1}] if fires else []
    return {"expr": f"count({expression}) > bool 0", "eval_time": "5h59m", "exp_samples": wanted}


def _evaluated(folder: Path, series: list[dict[str, str]], tests: list[dict[str, Any]]) -> None:
    path = folder / "test.yml"
    group = {"interval": "15s", "input_series": series, "promql_expr_test": tests}
    path.write_text(json.dumps({"evaluation_interval": "1m", "tests": [group]}), encoding="utf-8")
    checked = promtool("test", "rules", str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr

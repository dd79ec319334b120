"""Names: OpenTelemetry's where there are such, Prometheus' made of them by its rules, and all that rules read."""

import re

import pytest

from codette_desktop.domain.alerts import Rule, Severity
from codette_desktop.monitoring.dashboard_parts import Dashboard
from codette_desktop.monitoring.dashboards import DASHBOARDS
from codette_desktop.monitoring.expressions import EXPRESSIONS
from codette_desktop.monitoring.prometheus_rules import prometheus_expression
from codette_desktop.monitoring.rules import RULES
from codette_desktop.monitoring.semantic import BY_PROMETHEUS, METRICS, Metric, MetricKind
from tests.support.promql import Named, named

OURS_OR_THEIRS = r"(gen_ai|hw|system|process|codette)(\.[a-z][a-z_]*)+"
STANDARD = {
    "gen_ai.client.operation.duration": ("s", "gen_ai_client_operation_duration_seconds"),
    "gen_ai.client.token.usage": ("{token}", "gen_ai_client_token_usage"),
    "gen_ai.client.operation.time_to_first_chunk": ("s", "gen_ai_client_operation_time_to_first_chunk_seconds"),
    "gen_ai.server.request.duration": ("s", "gen_ai_server_request_duration_seconds"),
    "gen_ai.server.time_to_first_token": ("s", "gen_ai_server_time_to_first_token_seconds"),
    "gen_ai.server.time_per_output_token": ("s", "gen_ai_server_time_per_output_token_seconds"),
    "hw.gpu.utilization": ("1", "hw_gpu_utilization_ratio"),
    "hw.energy": ("J", "hw_energy_joules_total"),
    "hw.power": ("W", "hw_power_watts"),
    "process.cpu.utilization": ("1", "process_cpu_utilization_ratio"),
    "process.memory.usage": ("By", "process_memory_usage_bytes"),
    "system.cpu.utilization": ("1", "system_cpu_utilization_ratio"),
}


def problems(expression: str) -> list[str]:
    """What an expression names that is not exported so."""
    return [problem for item in named(expression) if (problem := _problem(item))]


def _problem(item: Named) -> str:
    name, extra = item.metric, frozenset[str]()
    if name not in BY_PROMETHEUS:
        name = re.sub(r"_(bucket|sum|count)$", "", item.metric)
        known = BY_PROMETHEUS.get(name)
        if known is None or known.kind is not MetricKind.HISTOGRAM:
            return f"{item.metric} is not exported"
        extra = frozenset({"le"} if item.metric.endswith("_bucket") else ())
    elif BY_PROMETHEUS[name].kind is MetricKind.HISTOGRAM:
        return f"{item.metric} is a histogram and has no value of its own"
    unknown = item.labels - set(BY_PROMETHEUS[name].labels) - extra
    return f"{item.metric} has no label {', '.join(sorted(unknown))}" if unknown else ""


def test_the_check_itself_finds_what_is_wrong() -> None:
    assert problems('rate(codette_requests_total{model=~"$model"}[5m])') == []
    assert problems("rate(codette_request_total[5m])") == ["codette_request_total is not exported"]
    assert problems('codette_gpu_throttled{cause="x"} > 0') == ["codette_gpu_throttled has no label cause"]
    assert problems("sum by (le, task) (rate(codette_queue_wait_seconds_bucket[5m]))") == [
        "codette_queue_wait_seconds_bucket has no label task"
    ]
    assert problems("sum by (le) (codette_queue_wait_seconds_sum)") != []
    assert problems("codette_queue_wait_seconds > 1") != []
    assert named("1 / (sum by (a) (rate(x_total[5m])) and y)") == {
        Named("x_total", frozenset({"a"})), Named("y", frozenset()),
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(EXPRESSIONS))
def test_rules_read_what_is_exported(name: str) -> None:
    expression = EXPRESSIONS[name].prometheus.format(op=">=", threshold="1")
    assert named(expression)
    assert problems(expression) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_reads_what_is_exported(rule: Rule) -> None:
    for severity in Severity:
        if (rule.warning if severity is Severity.WARNING else rule.critical) is not None:
            assert problems(prometheus_expression(rule, severity)) == []


@pytest.mark.parametrize("page", DASHBOARDS, ids=lambda page: page.uid)
def test_dashboards_read_what_is_exported(page: Dashboard) -> None:
    expressions = [query.expression for panel in page.panels for query in panel.queries]
    assert expressions
    for expression in expressions:
        assert named(expression)
        assert problems(expression) == []


def test_there_are_enough_metrics_and_no_name_twice() -> None:
    assert len(METRICS) >= 40
    assert len(BY_PROMETHEUS) == len(METRICS)
    families = {*BY_PROMETHEUS}
    for metric in METRICS:
        if metric.kind is MetricKind.HISTOGRAM:
            assert not families & {f"{metric.prometheus}_{part}" for part in ("bucket", "sum", "count")}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.prometheus)
def test_names_follow_both_conventions(metric: Metric) -> None:
    assert re.fullmatch(OURS_OR_THEIRS, metric.name)
    assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.prometheus)
    assert metric.prometheus.endswith("_total") == (metric.kind is MetricKind.COUNTER)
    assert metric.help.endswith(".")
    assert bool(metric.buckets) == (metric.kind is MetricKind.HISTOGRAM)
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert all(re.fullmatch(r"[a-z][a-z_]*", label) and label not in ("le", "quantile") for label in metric.labels)


@pytest.mark.parametrize(("name", "wanted"), STANDARD.items())
def test_names_of_opentelemetry_are_kept(name: str, wanted: tuple[str, str]) -> None:
    assert [(metric.unit, metric.prometheus) for metric in METRICS if metric.name == name] == [wanted]

"""The rules for a Prometheus server that reads the metrics of this application."""

import json
from collections.abc import Iterable, Iterator

from codette_desktop.domain.alerts import Rule, Severity
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.monitoring.expressions import EXPRESSIONS
from codette_desktop.monitoring.rules import RULES


def prometheus_expression(rule: Rule, severity: Severity = Severity.WARNING) -> str:
    """The condition of a rule in PromQL. Raises InvalidRequest where the rule has no threshold of that severity.

    Prometheus knows no other threshold to clear than to raise: there, an alert ends as soon as the value is below that
    of the severity (and `keep_firing_for` is over). Errors are rates, without Wilson's bound for few requests.
    """
    threshold = rule.warning if severity is Severity.WARNING else rule.critical
    if threshold is None:
        raise InvalidRequest(f"The rule “{rule.name}” has no threshold for {severity}.")
    if rule.expression not in EXPRESSIONS:
        raise InvalidRequest(f"Nothing called “{rule.expression}” is measured.")
    operator = ">=" if rule.above else "<="
    return EXPRESSIONS[rule.expression].prometheus.format(op=operator, threshold=f"{threshold:g}")


def prometheus_rules(rules: Iterable[Rule] = RULES) -> str:
    """A rule file (YAML) for a Prometheus server: an alert for each threshold of the rules that are enabled."""
    lines = ["groups:", "  - name: codette", "    rules:"]
    for rule in rules:
        if rule.enabled:
            lines += [line for severity in Severity for line in _alert(rule, severity)]
    return "\n".join(lines if len(lines) > 3 else ["groups: []"]) + "\n"


def _alert(rule: Rule, severity: Severity) -> Iterator[str]:
    if (rule.warning if severity is Severity.WARNING else rule.critical) is None:
        return
    name = "".join(part.capitalize() for part in rule.name.split("-"))
    yield f"      - alert: {json.dumps(f'Codette{name}')}"
    yield f"        expr: {json.dumps(prometheus_expression(rule, severity))}"
    yield f"        for: {_duration(rule.for_s)}"
    if rule.keep_firing_s:
        yield f"        keep_firing_for: {_duration(rule.keep_firing_s)}"
    yield f"        labels: {{severity: {severity}}}"
    yield "        annotations:"
    yield f"          summary: {_text(rule.title)}"
    yield f"          description: {_text(rule.help)}"


def _text(text: str) -> str:
    """A YAML string that is no template of Prometheus either: "{{" would begin one."""
    return json.dumps(text.replace("{{", "{ {"))


def _duration(seconds: float) -> str:
    return f"{seconds:.0f}s" if seconds == int(seconds) else f"{1000 * seconds:.0f}ms"

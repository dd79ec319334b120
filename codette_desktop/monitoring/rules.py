"""The rules of alerts: which there are, changing them, keeping them."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields, replace
from typing import Any, cast

from codette_desktop.domain.alerts import Rule
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.monitoring.expressions import EXPRESSIONS

RULES: tuple[Rule, ...] = (
    Rule(
        "gpu-temperature", "Graphics device hot", "gpu_temperature", "°C", 87, 93, 82, for_s=30, keep_firing_s=60,
        help="Clean the fans, give the computer air, or lower the card's power limit.",
    ),
    Rule(
        "gpu-heat-throttling", "Graphics device slowed down by heat", "gpu_heat_throttling", "", 1, None, 1,
        for_s=30, keep_firing_s=60, inhibited_by=("gpu-temperature",),
        help="It protects itself: answers are slower until it is cooler.",
    ),
    Rule(
        "gpu-power-limit", "Graphics device at its power limit", "gpu_power_throttling", "", 1, None, 1,
        for_s=600, keep_firing_s=60, enabled=False,
        help="Usual at full load, so this rule is off: turn it on where the limit was set lower than the card allows.",
    ),
    Rule(
        "gpu-memory", "Graphics memory nearly full", "gpu_memory", "%", 95, 99, 90, for_s=15, keep_firing_s=60,
        help="Unload a model, take a smaller one or a shorter context, or close other programs that use the card.",
    ),
    Rule(
        "cpu-temperature", "Processor hot", "cpu_temperature", "°C", 95, 100, 88, for_s=60, keep_firing_s=60,
        help="Give the computer air, or let models use fewer threads.",
    ),
    Rule(
        "memory", "Memory nearly full", "memory", "%", 92, 97, 85, for_s=30, keep_firing_s=60,
        help="Unload a model or close other programs: once the computer swaps, everything is slow.",
    ),
    Rule(
        "disk-free", "Little disk space left", "disk_free", "GB", 2, 0.5, 4, above=False, for_s=60, keep_firing_s=300,
        help="Delete models you do not use, or move the data folder: without space no answer can be kept.",
    ),
    Rule(
        "error-burn-fast", "Many requests fail", "error_burn_fast", "×", 14.4, 50, 14.4, keep_firing_s=300,
        inhibited_by=("backend-down",), help="Look at the last errors of this model.",
    ),
    Rule(
        "error-burn-slow", "Requests keep failing", "error_burn_slow", "×", 6, None, 6, keep_firing_s=300,
        inhibited_by=("backend-down", "error-burn-fast"), help="Look at the errors of this model of the last hours.",
    ),
    Rule(
        "first-token-shift", "First token comes later than usual", "first_token_shift", "%", 20, 100, 10,
        keep_firing_s=300, inhibited_by=("backend-down",),
        help="Other work on the computer, a fuller context or less of the model on the graphics device do this.",
    ),
    Rule(
        "speed-drop", "Slower than usual", "speed_drop", "%", 20, 50, 10, keep_firing_s=300,
        inhibited_by=("backend-down",),
        help="Heat, other programs, or a model that no longer fits the graphics memory do this.",
    ),
    Rule(
        "backend-down", "Server does not answer", "failed_checks", "", None, 3, 1, for_s=45,
        help="Start it again, or look whether its address has changed. Other models answer meanwhile.",
    ),
    Rule(
        "queue-wait", "Requests wait long", "queue_wait", "s", 10, 60, 5, for_s=60, keep_firing_s=120,
        help="Ask fewer models at once, or take smaller ones that fit the memory together.",
    ),
    Rule(
        "load-slow", "Model loads slowly", "load_slowdown", "×", 3, 10, 2,
        help="The disk is busy, or the file is no longer in the system's memory.",
    ),
    Rule(
        "model-reloads", "Model is loaded again and again", "model_reloads", "", 6, 15, 3, keep_firing_s=300,
        help="Models push one another out of memory: take smaller ones, or a longer keep-alive.",
    ),
    Rule(
        "truncated-prompts", "Prompts do not fit the context", "truncated_prompts", "%", 10, 50, 5, keep_firing_s=300,
        help="The model does not see the oldest messages. Give it a longer context, or begin a new conversation.",
    ),
    Rule(
        "database-errors", "Writes to the database fail", "database_errors", "", 1, 5, 1, keep_firing_s=300,
        help="Most often the disk is full. What was saved before is safe.",
    ),
    Rule(
        "cache-thrash", "Answer cache too small", "cache_thrash", "%", 50, None, 25, for_s=600, keep_firing_s=600,
        help="Answers leave it before they can be asked for again: give it more room in the settings.",
    ),
)  # fmt: skip


CHANGEABLE = (
    "title", "warning", "critical", "clear", "for_s", "keep_firing_s", "cooldown_s", "inhibited_by", "enabled", "help",
)  # fmt: skip
_LONGEST_S = 7 * 86_400.0


def with_changes(rule: Rule, **changes: Any) -> Rule:
    """The rule with some of its `CHANGEABLE` fields changed.

    Raises InvalidRequest that says which change makes no sense, and why.
    """
    for name in changes:
        if name not in CHANGEABLE:
            raise InvalidRequest(f"“{name}” cannot be changed.", f"These can: {', '.join(CHANGEABLE)}.")
    changed = replace(rule, **changes)
    if problems := rule_problems(changed):
        raise InvalidRequest(f"The rule “{rule.name}” cannot be changed so: {problems[0]}", "\n".join(problems[1:]))
    return changed


def rule_problems(rule: Rule, names: Iterable[str] | None = None) -> tuple[str, ...]:
    """What is wrong with a rule, in words; () for a sound one. `names` are those it may be inhibited by (None: any)."""
    kinds = _kind_problems(rule)
    return tuple(kinds or [*_threshold_problems(rule), *_time_problems(rule), *_name_problems(rule, names)])


def _kind_problems(rule: Rule) -> list[str]:
    values = {name: getattr(rule, name) for name in ("warning", "critical", "clear", "for_s", "keep_firing_s")}
    values["cooldown_s"] = rule.cooldown_s
    wrong = [
        f"{name} must be a number"
        for name, value in values.items()
        if not (_is_number(value) or (value is None and name in ("warning", "critical")))
    ]
    wrong += [f"{name} must be text" for name in ("title", "help") if not isinstance(getattr(rule, name), str)]
    wrong += [f"{name} must be yes or no" for name in ("enabled", "above") if not isinstance(getattr(rule, name), bool)]
    others = cast("object", rule.inhibited_by)  # it may come from a file
    if not isinstance(others, tuple) or not all(isinstance(item, str) for item in cast("tuple[object, ...]", others)):
        wrong.append("inhibited_by must be names of rules")
    return wrong


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _threshold_problems(rule: Rule) -> Iterator[str]:
    thresholds = [value for value in (rule.warning, rule.critical) if value is not None]
    if not thresholds:
        yield "it needs a threshold for a warning, for critical, or for both"
        return
    if min(*thresholds, rule.clear) < 0 or (rule.above and min(thresholds) == 0):
        yield "thresholds must be above 0, or it would always hold"
    highest = EXPRESSIONS[rule.expression].highest if rule.expression in EXPRESSIONS else None
    if highest is not None and max(thresholds) > highest:
        yield f"no value exceeds {highest:g} {rule.unit}, so that it would never hold"
    worse = "higher" if rule.above else "lower"
    sign = 1 if rule.above else -1
    if rule.warning is not None and rule.critical is not None and sign * rule.critical <= sign * rule.warning:
        yield f"critical ({rule.critical:g}) must be {worse} than warning ({rule.warning:g})"
    first = thresholds[0]
    if sign * rule.clear > sign * first:
        yield f"clear ({rule.clear:g}) must not be {worse} than {first:g}, where it is raised"


def _time_problems(rule: Rule) -> Iterator[str]:
    for name in ("for_s", "keep_firing_s", "cooldown_s"):
        if not 0 <= getattr(rule, name) <= _LONGEST_S:
            yield f"{name} must lie between 0 and {_LONGEST_S:g} seconds (a week)"


def _name_problems(rule: Rule, names: Iterable[str] | None) -> Iterator[str]:
    if rule.expression not in EXPRESSIONS:
        yield f"nothing called “{rule.expression}” is measured"
    if not rule.title.strip():
        yield "it needs a title"
    if rule.name in rule.inhibited_by:
        yield "it cannot keep itself silent"
    known = None if names is None else set(names)
    for other in rule.inhibited_by:
        if known is not None and other not in known:
            yield f"there is no rule “{other}” that could keep it silent"


def to_dict(rule: Rule) -> dict[str, Any]:
    """The rule as JSON can hold it."""
    return {**asdict(rule), "inhibited_by": list(rule.inhibited_by)}


def from_dict(data: Mapping[str, Any]) -> Rule:
    """The rule `to_dict` was given. Raises InvalidRequest for what is no sound rule."""
    known = {field.name for field in fields(Rule)}
    kept = {name: value for name, value in data.items() if name in known}
    if isinstance(kept.get("inhibited_by"), list):
        kept["inhibited_by"] = tuple(kept["inhibited_by"])
    try:
        rule = Rule(**kept)
    except TypeError as error:
        raise InvalidRequest(f"This is no rule: {error}.") from error
    if problems := rule_problems(rule):
        raise InvalidRequest(f"The rule “{rule.name}” is not sound: {problems[0]}", "\n".join(problems[1:]))
    return rule

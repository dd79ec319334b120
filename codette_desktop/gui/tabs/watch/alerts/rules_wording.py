"""What is said of rules, and what is wrong with one that is being changed. No Qt."""

import math
from dataclasses import fields

from codette_desktop.domain.alerts import Rule
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.tabs.watch.figure_words import seconds_text, value_text
from codette_desktop.monitoring.expressions import EXPRESSIONS

LONGEST_S = 7 * 86_400.0
TITLE, MEASURES, WARNING, CRITICAL, CLEAR, FOR, KEEP, COOLDOWN, ENABLED = range(9)
SHORT = "–"


def titles() -> tuple[str, ...]:
    """The heads of the table."""
    return (
        tr("Rule"), tr("Measures"), tr("Warning"), tr("Critical"), tr("Clear"), tr("For"), tr("Keep"),
        tr("Cooldown"), tr("On"),
    )  # fmt: skip


def tips() -> dict[int, str]:
    """What the heads mean."""
    return {
        WARNING: tr("The value from which it is a warning"),
        CRITICAL: tr("The value from which it is critical"),
        CLEAR: tr("The value at which all is well again"),
        FOR: tr("How long the value must be so bad before the alert is raised"),
        KEEP: tr("How long the value must be well again before the alert is over"),
        COOLDOWN: tr("You are not told twice of the same within this time"),
        ENABLED: tr("Whether the rule is watched (Space)"),
    }


def measures_text(rule: Rule) -> str:
    """What is measured, in words."""
    found = EXPRESSIONS.get(rule.expression)
    text = found.help if found is not None else rule.expression
    return text[:1].upper() + text[1:]


def cell_text(rule: Rule, column: int) -> str:
    """What stands in a cell."""
    texts = {
        TITLE: lambda: rule.title,
        MEASURES: lambda: measures_text(rule),
        WARNING: lambda: threshold_text(rule, rule.warning),
        CRITICAL: lambda: threshold_text(rule, rule.critical),
        CLEAR: lambda: threshold_text(rule, rule.clear, clear=True),
        FOR: lambda: seconds_text(rule.for_s),
        KEEP: lambda: seconds_text(rule.keep_firing_s),
        COOLDOWN: lambda: seconds_text(rule.cooldown_s),
        ENABLED: lambda: "",
    }
    return texts[column]()


def threshold_text(rule: Rule, value: float | None, *, clear: bool = False) -> str:
    """ "≥ 87 °C", or "< 82 °C" where it is well again; "–" for no such level."""
    if value is None:
        return SHORT
    return f"{_sign(rule.above, clear=clear)} {value_text(value, rule.unit)}"


def _sign(above: bool, *, clear: bool) -> str:
    if clear:
        return "<" if above else ">"
    return "≥" if above else "≤"


def changed_fields(rule: Rule, default: Rule) -> tuple[str, ...]:
    """The names of the fields that are not as shipped."""
    return tuple(item.name for item in fields(Rule) if getattr(rule, item.name) != getattr(default, item.name))


def changed_text(rule: Rule, default: Rule) -> str:
    """What the person changed, in words; "" for nothing."""
    names = {
        "title": tr("title"), "warning": tr("warning"), "critical": tr("critical"), "clear": tr("clear"),
        "for_s": tr("for"), "keep_firing_s": tr("keep"), "cooldown_s": tr("cooldown"),
        "enabled": tr("on or off"), "help": tr("advice"), "inhibited_by": tr("silenced by"),
    }  # fmt: skip
    changed = [names.get(name, name) for name in changed_fields(rule, default)]
    return tr("Changed by you: {fields}", fields=", ".join(changed)) if changed else ""


def default_text(name: str, rule: Rule, default: Rule) -> str:
    """What a field was when it was shipped; "" where it still is."""
    before = getattr(default, name)
    if getattr(rule, name) == before:
        return ""
    if name in ("warning", "critical", "clear"):
        text = threshold_text(default, before, clear=name == "clear")
    elif name.endswith("_s"):
        text = seconds_text(before)
    else:
        text = str(before)
    return tr("Changed by you; it was {value}", value=text)


def problems_of(rule: Rule) -> dict[str, str]:
    """What is wrong, by the field it stands at; {} for a sound rule. As `monitoring.rules.rule_problems` sees it."""
    found: dict[str, str] = {}
    if not rule.title.strip():
        found["title"] = tr("It needs a title.")
    levels = {"warning": rule.warning, "critical": rule.critical}
    if rule.warning is None and rule.critical is None:
        found["warning"] = tr("It needs a threshold for a warning, for critical, or for both.")
    highest = EXPRESSIONS[rule.expression].highest if rule.expression in EXPRESSIONS else None
    for name, value in [*levels.items(), ("clear", rule.clear)]:
        if value is not None and name not in found and (text := _range_problem(rule, name, value, highest)):
            found[name] = text
    found.update({name: text for name, text in _order_problems(rule).items() if name not in found})
    for name in ("for_s", "keep_firing_s", "cooldown_s"):
        if not 0 <= getattr(rule, name) <= LONGEST_S:
            found[name] = tr("It must lie between 0 and a week.")
    return found


def _range_problem(rule: Rule, name: str, value: float, highest: float | None) -> str:
    if not math.isfinite(value):
        return tr("It must be a number.")
    if value < 0 or (value == 0 and rule.above and name != "clear"):
        return tr("It must be above 0, or it would always hold.")
    if highest is not None and value > highest and name != "clear":
        return tr("No value exceeds {value}: it would never hold.", value=value_text(highest, rule.unit))
    return ""


def _order_problems(rule: Rule) -> dict[str, str]:
    found: dict[str, str] = {}
    sign = 1 if rule.above else -1
    if rule.warning is not None and rule.critical is not None and sign * rule.critical <= sign * rule.warning:
        shown = value_text(rule.warning, rule.unit)
        higher = tr("It must be higher than the warning at {value}.", value=shown)
        found["critical"] = higher if rule.above else tr("It must be lower than the warning at {value}.", value=shown)
    first = rule.warning if rule.warning is not None else rule.critical
    if first is not None and sign * rule.clear > sign * first:
        shown = value_text(first, rule.unit)
        above = tr("It must not be higher than {value}, where the alert is raised.", value=shown)
        below = tr("It must not be lower than {value}, where the alert is raised.", value=shown)
        found["clear"] = above if rule.above else below
    return found

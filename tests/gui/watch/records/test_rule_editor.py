"""The editor of a rule: what is wrong is said where it is wrong, and what was not touched stays as it was."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from codette_desktop.domain.alerts import Rule
from codette_desktop.gui.tabs.watch.alerts.rule_editor import RuleEditor
from codette_desktop.gui.tabs.watch.alerts.rules_wording import problems_of
from codette_desktop.monitoring.rules import RULES, rule_problems

MEMORY = next(rule for rule in RULES if rule.name == "memory")
DISK = next(rule for rule in RULES if rule.name == "disk-free")


def editor(show: Callable[..., None], rule: Rule, default: Rule | None = None) -> RuleEditor:
    made = RuleEditor(rule, default or rule)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    show(made, 600, 640)
    return made


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_looking_at_a_rule_changes_nothing(show: Callable[..., None], rule: Rule) -> None:
    made = editor(show, rule)
    assert made.draft() == rule
    assert not made.save_button.isEnabled()
    assert not made.reset_button.isEnabled()
    assert made.changed_line.text() == "As shipped."


def test_the_order_of_thresholds(show: Callable[..., None]) -> None:
    made = editor(show, MEMORY)
    made.critical.box.setValue(90)
    assert made.critical.note.text() == "It must be higher than the warning at 92 %."
    assert made.critical.note.isVisible()
    assert not made.save_button.isEnabled()
    made.critical.box.setValue(101)
    assert made.critical.note.text() == "No value exceeds 100 %: it would never hold."
    made.critical.check.setChecked(False)
    assert not made.critical.box.isEnabled()
    assert made.critical.note.text() == "Changed by you; it was ≥ 97 %"
    assert made.save_button.isEnabled()
    made.clear.box.setValue(93)
    assert made.clear.note.text() == "It must not be higher than 92 %, where the alert is raised."
    made.clear.box.setValue(85)
    made.warning.check.setChecked(False)
    assert made.warning.note.text().startswith("It needs a threshold")
    made.warning.check.setChecked(True)
    made.warning.box.setValue(0)
    assert made.warning.note.text().startswith("It must be above 0")


def test_where_small_values_are_bad(show: Callable[..., None]) -> None:
    made = editor(show, DISK)
    assert (made.warning.sign.text(), made.clear.sign.text()) == ("≤", ">")
    made.critical.box.setValue(3)
    assert made.critical.note.text() == "It must be lower than the warning at 2 GB."
    made.critical.box.setValue(0.5)
    made.clear.box.setValue(1)
    assert made.clear.note.text() == "It must not be lower than 2 GB, where the alert is raised."


def test_what_is_saved(show: Callable[..., None], qtbot: QtBot) -> None:
    made = editor(show, MEMORY)
    made.for_s.unit.setCurrentIndex(made.for_s.unit.findData(60.0))
    made.for_s.box.setValue(2)
    made.title.setText("  Memory full  ")
    made.help.setPlainText("Close the browser.")
    made.enabled.setChecked(False)
    with qtbot.waitSignal(made.saved, timeout=1000) as told:
        made.save_button.click()
    expected = replace(MEMORY, for_s=120, title="Memory full", help="Close the browser.", enabled=False)
    assert told.args == [expected]


def test_back_to_what_was_shipped(show: Callable[..., None], qtbot: QtBot) -> None:
    made = editor(show, replace(MEMORY, warning=80.0, for_s=45), MEMORY)
    assert made.warning.note.text() == "Changed by you; it was ≥ 92 %"
    assert made.for_s.note.text() == "Changed by you; it was 30 s"
    assert made.changed_line.text() == "Changed by you: warning, for"
    made.reset_button.click()
    assert made.warning.value == 92
    with qtbot.waitSignal(made.reset_wanted, timeout=1000) as told, qtbot.assertNotEmitted(made.saved):
        made.save_button.click()
    assert told.args == ["memory"]


numbers = st.one_of(st.none(), st.sampled_from([0.0, 0.5, 2.0, 92.0, 97.0, 100.0, 101.0, 5e5]))


@given(
    rule=st.sampled_from(RULES), warning=numbers, critical=numbers,
    clear=st.sampled_from([0.0, 1.0, 85.0, 95.0, 150.0]), times=st.sampled_from([0.0, 30.0, 6e5, 7e5]),
    title=st.sampled_from(["A title", "  "]),
)  # fmt: skip
def test_it_finds_fault_where_the_rules_do(rule: Rule, title: str, times: float, **thresholds: Any) -> None:
    changed = replace(rule, title=title, for_s=times, **thresholds)
    assert bool(problems_of(changed)) == bool(rule_problems(changed))

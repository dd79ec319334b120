"""Alerts that hold now, their history, and the rules."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from codette_desktop.domain.alerts import AlertState, Severity
from codette_desktop.domain.errors import StoreError
from codette_desktop.gui.tabs.watch.alerts import rules_wording
from codette_desktop.gui.tabs.watch.alerts.alert_presenter import DESKTOP_SETTING
from codette_desktop.gui.tabs.watch.alerts.alerts_history import PAGE
from codette_desktop.gui.tabs.watch.alerts.alerts_page import AlertsPage
from codette_desktop.gui.tabs.watch.alerts.alerts_wording import snooze_seconds
from codette_desktop.gui.widgets import ToastHost
from tests.gui.conftest import settle, until
from tests.support import watch_records as made

pytestmark = pytest.mark.asyncio
HOT = (("device", "gpu:0"),)


@pytest_asyncio.fixture
async def page(kept: made.KeptApplication, toasts: ToastHost, show: Callable[..., None]) -> AsyncIterator[AlertsPage]:
    """The page, with a critical alert and a warning."""
    kept.watch.firing = [
        made.alert("gpu-temperature", Severity.CRITICAL, 94, HOT, text="It is <b>94</b> °C."),
        made.alert("memory", Severity.WARNING, 93.4, ago_s=9000),
        made.alert("disk-free", Severity.WARNING, 1.5, state=AlertState.PENDING),
    ]
    made_page = AlertsPage(kept, toasts)  # type: ignore[arg-type]
    show(made_page)
    yield made_page
    await made_page.aclose()
    toasts.dismiss_all()


async def ready(page: AlertsPage) -> None:
    await until(lambda: not len(page.tasks))
    await settle()


async def test_what_holds_now(page: AlertsPage) -> None:
    assert page.title.text() == "2 alerts, 1 critical"
    hot, memory = page.active.rows.values()
    assert hot.state.accessibleName() == "Critical"
    assert hot.title.text() == "Graphics device hot · gpu:0"
    assert hot.value.text() == "94 °C"
    assert hot.text.text() == "It is <b>94</b> °C."
    assert hot.text.textFormat() is Qt.TextFormat.PlainText
    assert "(7 min)" in hot.when.text()
    assert "(2 h 30 min)" in memory.when.text()
    assert not hot.wake_button.isVisible()


async def test_whatever_a_model_is_called_its_buttons_stay_in_view(
    kept: made.KeptApplication, page: AlertsPage
) -> None:
    labels = (("model", "W" * 200),)
    kept.watch.firing = [made.alert("error-budget", Severity.WARNING, 20, labels, text=f"Many fail ({'W' * 200})")]
    page.refresh()
    await settle()
    [row] = page.active.rows.values()
    assert row.snooze_button.mapTo(page, row.snooze_button.rect().topRight()).x() < page.width()


async def test_it_ends_while_one_looks(kept: made.KeptApplication, page: AlertsPage) -> None:
    hot = next(iter(page.active.rows.values()))
    kept.watch.firing = kept.watch.firing[:1]
    page.refresh()
    assert list(page.active.rows.values()) == [hot]  # the same row, with the keyboard on it perhaps
    kept.watch.firing = []
    page.refresh()
    await settle()
    assert page.active.empty.isVisible()
    assert page.title.text() == "Alerts"


async def test_snooze_and_wake(kept: made.KeptApplication, page: AlertsPage) -> None:
    hot = next(iter(page.active.rows.values()))
    words = [action.text() for action in hot.snooze_button.menu().actions()]
    assert words == ["15 minutes", "1 hour", "8 hours", "Until tomorrow (8:00)"]
    hot.snooze_button.menu().actions()[1].trigger()
    assert kept.watch.snoozed == [(hot.alert.key, 3600.0)]
    assert "snoozed until" in hot.when.text()
    assert hot.wake_button.isVisible()
    hot.wake_button.click()
    assert kept.watch.woken == [hot.alert.key]
    assert not hot.wake_button.isVisible()
    page.snooze("one that is over", "1h")  # between drawing and pressing


async def test_until_tomorrow_ends_in_the_morning() -> None:
    now = datetime(2026, 3, 28, 22, 0).astimezone()
    ends = (now.astimezone(UTC) + timedelta(seconds=snooze_seconds("tomorrow", now))).astimezone()
    assert (ends.day, ends.hour, ends.minute) == (29, 8, 0)


async def test_seen_is_told_only_while_it_is_on_view(page: AlertsPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.seen, timeout=1000):
        page.refresh()
    page.show_part("rules")
    with qtbot.assertNotEmitted(page.seen):
        page.refresh()


async def test_history_reads_on_and_loses_none(kept: made.KeptApplication, page: AlertsPage) -> None:
    events = made.past_alerts(2 * PAGE + 51, datetime.now(UTC))
    same = [  # many alerts at one moment, over a page's end
        replace(event, at=events[250].at, alert=replace(event.alert, key=f"key {number}"))
        for number, event in enumerate(events[200:260])
    ]
    events = [*events[:200], *same, *events[260:]]
    kept.store.alerts.add(events).result()
    page.show_part("history")
    await ready(page)
    assert len(page.history_model.events) >= PAGE
    for _ in range(5):
        page.history.scrollToBottom()
        await ready(page)
    assert len(page.history_model.events) == len(events)
    assert {(event.at, event.alert.key, event.alert.state) for event in page.history_model.events} == {
        (event.at, event.alert.key, event.alert.state) for event in events
    }
    page.rule_box.setCurrentIndex(page.rule_box.findData("memory"))
    await ready(page)
    assert {event.alert.rule for event in page.history_model.events} == {"memory"}


async def test_history_rows_in_words(kept: made.KeptApplication, page: AlertsPage) -> None:
    kept.store.alerts.add(made.past_alerts(4, datetime.now(UTC))).result()
    page.show_part("history")
    await ready(page)
    rows = [[page.history_model.index(row, column).data() for column in range(1, 6)] for row in range(4)]
    assert rows[0] == ["over", "Memory nearly full", "93 %", "10 min", "no"]
    assert rows[2] == ["critical", "Memory nearly full", "91 %", "", "yes"]
    assert rows[3] == ["warning", "Graphics device hot · gpu:0", "90 °C", "", "yes"]


async def test_no_history_says_so(page: AlertsPage) -> None:
    page.show_part("history")
    await ready(page)
    assert page.no_history.isVisible()
    page.rule_box.setCurrentIndex(1)
    await ready(page)
    assert page.no_history.accessibleName() == "This rule has raised no alert"


async def test_rules_in_words(page: AlertsPage) -> None:
    page.show_part("rules")
    row = [page.rules_model.index(0, column).data() for column in range(8)]
    assert row == [
        "Graphics device hot", "Temperature of a graphics device", "≥ 87 °C", "≥ 93 °C", "< 82 °C", "30 s", "1 min",
        "15 min",
    ]  # fmt: skip
    disk = next(at for at, rule in enumerate(page.rules_model.rules) if rule.name == "disk-free")
    cells = [page.rules_model.index(disk, column).data() for column in (2, 3, 4)]
    assert cells == ["≤ 2 GB", "≤ 0.5 GB", "> 4 GB"]


async def test_space_turns_a_rule_off_and_on(kept: made.KeptApplication, page: AlertsPage, qtbot: QtBot) -> None:
    page.show_part("rules")
    page.rules.go_to("memory")
    page.rules.setFocus()
    qtbot.keyClick(page.rules, Qt.Key.Key_Space)
    await ready(page)
    assert [rule.enabled for rule in kept.store.alerts.changed_rules()] == [False]
    assert page.changed_line.text() == "Changed by you: on or off"
    assert page.rules.current_rule() is not None
    assert page.rules.current_rule().name == "memory"  # type: ignore[union-attr]
    index = page.rules_model.index(page.rules.currentIndex().row(), rules_wording.ENABLED)
    assert page.rules_model.setData(index, Qt.CheckState.Checked.value, Qt.ItemDataRole.CheckStateRole)
    await ready(page)
    assert kept.store.alerts.changed_rules() == ()  # as shipped is no change


async def test_a_rule_is_changed_reset_and_that_taken_back(
    kept: made.KeptApplication, page: AlertsPage, toasts: ToastHost, qtbot: QtBot
) -> None:
    page.show_part("rules")
    page.rules.go_to("memory")
    page.rules.setFocus()
    qtbot.keyClick(page.rules, Qt.Key.Key_Return)
    editor = page.editor
    assert editor is not None
    editor.warning.box.setValue(80)
    editor.clear.box.setValue(70)
    editor.save_button.click()
    await ready(page)
    changed = kept.store.alerts.changed_rules()
    assert [(rule.name, rule.warning, rule.clear) for rule in changed] == [("memory", 80, 70)]
    assert page.rules_model.index(page.rules.currentIndex().row(), 0).data() == "Memory nearly full  (changed)"
    page.reset_button.click()
    await ready(page)
    assert kept.store.alerts.changed_rules() == ()
    toasts.toasts[-1].trigger_action()
    await ready(page)
    assert kept.store.alerts.changed_rules() == changed


async def test_a_rule_that_cannot_be_kept_is_told(kept: made.KeptApplication, page: AlertsPage) -> None:
    page.show_part("rules")
    kept.watch.error = StoreError("The disk is full.")
    page._toggle("memory", on=False)
    await ready(page)
    assert page.banner.text == "The disk is full."
    assert page.rules_model.rules == list(kept.watch.rules())


async def test_a_narrow_window_keeps_what_counts(page: AlertsPage) -> None:
    for part in ("active", "history", "rules"):
        page.show_part(part)
        page.resize(640, 400)
        await settle()
        assert page.minimumSizeHint().width() <= 640
    assert not page.rules.isColumnHidden(rules_wording.WARNING)
    assert page.rules.isColumnHidden(rules_wording.MEASURES)
    row = next(iter(page.active.rows.values()))
    assert row.snooze_button.accessibleName() == "Snooze: Graphics device hot · gpu:0"


async def test_the_desktop_can_be_left_alone(kept: made.KeptApplication, page: AlertsPage) -> None:
    page.show_part("rules")
    assert page.desktop_check.isChecked()
    page.desktop_check.click()
    await ready(page)
    assert kept.store.settings.get(DESKTOP_SETTING) is False
    page.show_part("history")
    page.show_part("rules")
    assert not page.desktop_check.isChecked()

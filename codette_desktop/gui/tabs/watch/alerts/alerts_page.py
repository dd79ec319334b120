"""Alerts: those that hold now, what became of others, and the rules by which they are raised."""

import asyncio
import contextlib
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.domain.alerts import Rule
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.events import AlertChanged
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.watch.alerts import alerts_wording as words
from codette_desktop.gui.tabs.watch.alerts.active_alerts import ActiveAlerts
from codette_desktop.gui.tabs.watch.alerts.alert_presenter import DESKTOP_SETTING
from codette_desktop.gui.tabs.watch.alerts.alerts_history import ALERT, LASTED, TOLD, VALUE, WHAT, WHEN, HistoryModel
from codette_desktop.gui.tabs.watch.alerts.rule_editor import RuleEditor
from codette_desktop.gui.tabs.watch.alerts.rules_table import RulesModel, RulesTable
from codette_desktop.gui.tabs.watch.alerts.rules_wording import changed_text
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_icon, set_role, theme
from codette_desktop.gui.widgets import Banner, EmptyState, SegmentedControl, ToastHost
from codette_desktop.gui.widgets.plain_rows import plain_rows

if TYPE_CHECKING:
    from codette_desktop.application import Application

REFRESH_MS = 2_000  # values and ages of what holds now, while it is on view
ACTIVE, HISTORY, RULES = "active", "history", "rules"


class AlertsPage(QWidget):
    """`seen` tells that the person has the alerts that hold now on view."""

    seen = Signal()

    def __init__(self, application: "Application", toasts: ToastHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._watch = application.watch
        self._settings = application.store.settings
        self._toasts = toasts
        self.tasks = Tasks(self._show_error)
        self.editor: RuleEditor | None = None
        self.title = QLabel(words.active_text(()))
        self.parts = SegmentedControl(
            [(ACTIVE, tr("Now")), (HISTORY, tr("History")), (RULES, tr("Rules"))], tr("Alerts")
        )
        self.banner = Banner()
        self.active = ActiveAlerts()
        self.history_model = HistoryModel(application.store.alerts, self.tasks, self)
        self.history, self.rule_box = QTableView(), QComboBox()
        self.no_history = EmptyState("clock", tr("No alert yet"))
        self.history_stack, self.stack = QStackedWidget(), QStackedWidget()
        self.rules_model = RulesModel(self)
        self.rules = RulesTable(self.rules_model)
        self.edit_button, self.reset_button = QPushButton(tr("Change …")), QPushButton(tr("Reset to default"))
        self.changed_line = QLabel()
        self.desktop_check = QCheckBox(tr("Tell me on the desktop while this window is not in front"))
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._lay_out()
        self._connect()

    # Layout

    def _lay_out(self) -> None:
        set_role(self.title, "title")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        head = QHBoxLayout()
        spaced(head, spacing=12)
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.parts)
        top = QVBoxLayout()
        spaced(top, (24, 16, 24, 10), 10)
        top.addLayout(head)
        top.addWidget(self.banner)
        for page in (self.active, self._make_history(), self._make_rules()):
            self.stack.addWidget(page)
        self.stack.setMinimumHeight(1)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addLayout(top)
        layout.addWidget(self.stack, 1)

    def _make_history(self) -> QWidget:
        table = self.history
        table.setModel(self.history_model)
        table.setAccessibleName(tr("History of alerts"))
        plain_rows(table)
        table.horizontalHeader().setSectionResizeMode(ALERT, QHeaderView.ResizeMode.Stretch)
        self.rule_box.setAccessibleName(tr("Rule"))
        self.rule_box.view().setAccessibleName(tr("Rule"))
        self.rule_box.addItem(tr("All rules"), "")
        sized(self.rule_box, minimum=(220, 0), maximum=(300, 0))
        self.history_stack.addWidget(table)
        self.history_stack.addWidget(self.no_history)
        page = QWidget()
        column = QVBoxLayout(page)
        spaced(column, (24, 0, 24, 16), 10)
        column.addWidget(self.rule_box, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.history_stack, 1)
        return page

    def _make_rules(self) -> QWidget:
        set_role(self.changed_line, "secondary")
        self.changed_line.setTextFormat(Qt.TextFormat.PlainText)
        self.changed_line.setWordWrap(True)
        self.edit_button.setToolTip(tr("Thresholds, times and advice of the chosen rule (Enter)"))
        set_icon(self.edit_button, "pencil", colour="secondary")
        set_icon(self.reset_button, "rotate-ccw", colour="secondary")
        for button in (self.edit_button, self.reset_button):
            button.setAccessibleName(button.text())
        foot = QHBoxLayout()
        spaced(foot, spacing=8)
        foot.addWidget(self.edit_button)
        foot.addWidget(self.reset_button)
        foot.addWidget(self.changed_line, 1)
        page = QWidget()
        column = QVBoxLayout(page)
        spaced(column, (24, 0, 24, 16), 10)
        column.addWidget(self.rules, 1)
        column.addLayout(foot)
        column.addWidget(self.desktop_check)
        return page

    def _connect(self) -> None:
        self.parts.changed.connect(self.show_part)
        self._timer.timeout.connect(self.refresh)
        self.desktop_check.clicked.connect(lambda on: self._keep(self._settings.set(DESKTOP_SETTING, on)))
        self.active.snooze_wanted.connect(self.snooze)
        self.active.wake_wanted.connect(self.wake)
        self.active.rule_wanted.connect(self.show_rule)
        self.rule_box.currentIndexChanged.connect(lambda _at: self._read_history())
        self.history_model.read.connect(self._on_history)
        self.history_model.failed.connect(self._show_error)
        self.rules_model.toggled.connect(self._toggle)
        self.rules.opened.connect(self.edit)
        self.rules.selectionModel().currentRowChanged.connect(lambda *_: self._on_rule())
        self.edit_button.clicked.connect(lambda: self._with_rule(lambda rule: self.edit(rule.name)))
        self.reset_button.clicked.connect(lambda: self._with_rule(lambda rule: self.reset(rule.name)))
        theme().changed.connect(self._fit_columns)

    # What is shown

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        self.show_part(self.parts.current)

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        super().hideEvent(event)

    def show_part(self, part: str) -> None:
        """ "active", "history" or "rules"."""
        if self.parts.current != part:
            self.parts.set_current(part)
            return
        self.stack.setCurrentIndex((ACTIVE, HISTORY, RULES).index(part))
        self.setFocusProxy({HISTORY: self.history, RULES: self.rules}.get(part, self.parts.button(ACTIVE)))
        self.refresh()
        if part == HISTORY:
            self._read_history()
        if part == RULES:
            self.desktop_check.setChecked(bool(self._settings.get(DESKTOP_SETTING, True)))
        if part == RULES and not self.rules.currentIndex().isValid() and self.rules_model.rules:
            self.rules.setCurrentIndex(self.rules_model.index(0, 0))

    def refresh(self) -> None:
        """What holds now, and the rules in force; from memory."""
        alerts, rules = self._watch.alerts(), self._watch.rules()
        by_name = {rule.name: rule for rule in rules}
        self.title.setText(words.active_text(alerts))
        self.active.show_alerts(alerts, by_name)
        self.history_model.rules = by_name
        if list(rules) != self.rules_model.rules:
            self.rules_model.show_rules(rules, {rule.name: self._watch.default_rule(rule.name) for rule in rules})
            self._show_rule_choices(rules)
            self._on_rule()
        if self.isVisible() and self.parts.current == ACTIVE:
            self.seen.emit()

    def alert_changed(self, _event: AlertChanged) -> None:
        """An alert is no longer what it was; connected to the bridge."""
        if self.isVisible():
            self.refresh()
            if self.parts.current == HISTORY:
                self._read_history()

    def _show_rule_choices(self, rules: "tuple[Rule, ...]") -> None:
        chosen = self.rule_box.currentData()
        self.rule_box.blockSignals(True)
        while self.rule_box.count() > 1:
            self.rule_box.removeItem(1)
        for rule in rules:
            self.rule_box.addItem(rule.title, rule.name)
        self.rule_box.setCurrentIndex(max(0, self.rule_box.findData(chosen)))
        self.rule_box.blockSignals(False)

    # The history

    def _read_history(self) -> None:
        self.history_model.show_rule(self.rule_box.currentData() or "")

    def _on_history(self) -> None:
        some = bool(self.history_model.events)
        one = bool(self.rule_box.currentData())
        self.no_history.set_text(
            tr("This rule has raised no alert") if one else tr("No alert yet"),
            tr(
                "Every alert will stand here, with what was measured and how long it lasted, for as long as it is kept."
            ),
        )
        self.history_stack.setCurrentIndex(0 if some else 1)
        self._fit_columns()

    # Snoozing

    def snooze(self, key: str, how_long: str) -> None:
        """Tell nobody of an alert for a while."""
        with contextlib.suppress(KeyError):  # it is over meanwhile
            self._watch.snooze(key, words.snooze_seconds(how_long, datetime.now(UTC)))
        self.refresh()

    def wake(self, key: str) -> None:
        """Tell of it again."""
        self._watch.wake(key)
        self.refresh()

    # Rules

    def show_rule(self, name: str) -> None:
        """Go to a rule."""
        self.show_part(RULES)
        self.rules.go_to(name)
        self.rules.setFocus()

    def edit(self, name: str) -> None:
        """Open a rule to change it."""
        rule = next((rule for rule in self.rules_model.rules if rule.name == name), None)
        if rule is None:
            return
        editor = self.editor = RuleEditor(rule, self.rules_model.default_of(rule), self)
        editor.saved.connect(self._change)
        editor.reset_wanted.connect(self.reset)
        editor.finished.connect(lambda _result: self.rules.setFocus())
        editor.open()

    def reset(self, name: str) -> None:
        """A rule as it was shipped; can be taken back."""
        before = next(rule for rule in self.rules_model.rules if rule.name == name)
        self._keep(self._watch.reset_rule(name))
        text = tr("“{title}” is as shipped again", title=self._watch.default_rule(name).title)
        self._toasts.show_toast(
            text, "good", action_text=tr("Undo"), on_action=lambda: self._change(before), timeout_ms=10_000
        )

    def _change(self, rule: Rule) -> None:
        try:
            self._keep(self._watch.change_rule(rule))
        except CodetteError as error:
            self._show_error(error)

    def _toggle(self, name: str, on: bool) -> None:
        rule = next((rule for rule in self.rules_model.rules if rule.name == name), None)
        if rule is None:
            return
        changed = replace(rule, enabled=on)
        if changed == self.rules_model.default_of(rule):
            self._keep(self._watch.reset_rule(name))
        else:
            self._change(changed)

    def _keep(self, done: "Future[Any]") -> None:
        self.tasks.start(self._kept(done), "keep a rule")

    async def _kept(self, done: "Future[Any]") -> None:
        try:
            await asyncio.wrap_future(done)
        finally:
            self.refresh()

    def _on_rule(self) -> None:
        rule = self.rules.current_rule()
        text = "" if rule is None else changed_text(rule, self.rules_model.default_of(rule))
        self.changed_line.setText(text)
        self.reset_button.setEnabled(bool(text))
        self.edit_button.setEnabled(rule is not None)

    def _with_rule(self, work: Any) -> None:
        rule = self.rules.current_rule()
        if rule is not None:
            work(rule)

    def _show_error(self, error: CodetteError) -> None:
        self.banner.show_message("bad", error_text(error), closable=True)

    # Sizes

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()

    def _fit_columns(self) -> None:
        px = theme().px
        self.history.verticalHeader().setDefaultSectionSize(px(28))
        plain, mono = QFontMetrics(theme().font(12)), QFontMetrics(theme().font(12, mono=True))
        widest = {
            WHEN: mono.horizontalAdvance("30 Sep 2000 00:00"),
            WHAT: max(plain.horizontalAdvance(text) for text in (tr("critical"), tr("warning"))) + px(36),
            VALUE: mono.horizontalAdvance("100,000 GB"),
            LASTED: mono.horizontalAdvance("23 h 59 min"),
            TOLD: plain.horizontalAdvance(tr("Told")),
        }
        for column, width in widest.items():
            self.history.horizontalHeader().resizeSection(column, width + px(20))
        self.history.setColumnHidden(TOLD, self.width() < px(640))
        self.history.setColumnHidden(LASTED, self.width() < px(560))

    def focus(self) -> None:
        """The keyboard goes to what is on view."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    async def aclose(self) -> None:
        """Stop what runs."""
        self._timer.stop()
        await self.tasks.aclose()

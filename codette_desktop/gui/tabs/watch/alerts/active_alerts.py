"""The alerts that hold now, a row each: how bad, since when, the value, and what can be done about being told."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from codette_desktop.domain.alerts import Alert, AlertState, Rule
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.rate.result_parts import wrapped
from codette_desktop.gui.tabs.watch.alerts import alerts_wording as words
from codette_desktop.gui.tabs.watch.figure_words import breakable
from codette_desktop.gui.theme import set_icon, set_role
from codette_desktop.gui.widgets import ElidedLabel, EmptyState, ScrollColumn, StatusDot

WORD_WIDTH = 96


class AlertRow(QFrame):
    """One alert. `snooze_wanted` carries its key and how long ("15min", "1h", "8h", "tomorrow")."""

    snooze_wanted = Signal(str, str)
    wake_wanted = Signal(str)
    rule_wanted = Signal(str)

    def __init__(self, alert: Alert, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.alert = alert
        set_role(self, "card")
        self.state = StatusDot("warning", "")
        sized(self.state, minimum=(WORD_WIDTH, 0))
        self.title = ElidedLabel(role="strong")
        self.value = QLabel()
        set_role(self.value, "mono")
        self.text, self.help = wrapped(), wrapped(role="secondary")
        self.when = wrapped(role="secondary")
        self.snooze_button = QPushButton(tr("Snooze"))
        self.snooze_button.setProperty("menu", "true")
        self.snooze_button.setToolTip(tr("Do not tell me of it for a while; it is kept in the history all the same"))
        self.snooze_button.setMenu(self._make_menu())
        self.wake_button = QPushButton(tr("Wake"))
        self.wake_button.setToolTip(tr("Tell me of it again"))
        self.wake_button.clicked.connect(lambda: self.wake_wanted.emit(self.alert.key))
        self.rule_button = QPushButton(tr("Rule"))
        self.rule_button.setToolTip(tr("When this alert is raised"))
        self.rule_button.clicked.connect(lambda: self.rule_wanted.emit(self.alert.rule))
        set_role(self.rule_button, "ghost")
        set_icon(self.snooze_button, "clock", colour="secondary")
        self._lay_out()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        spaced(head, spacing=12)
        head.addWidget(self.state)
        head.addWidget(self.title, 1)
        head.addWidget(self.value)
        foot = QHBoxLayout()
        spaced(foot, spacing=8)
        foot.addWidget(self.when, 1)
        for button in (self.rule_button, self.wake_button, self.snooze_button):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        spaced(column, (16, 12, 12, 12), 6)
        column.addLayout(head)
        column.addWidget(self.text)
        column.addWidget(self.help)
        column.addLayout(foot)

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        for key in [*(key for key, _seconds in words.SNOOZES), "tomorrow"]:
            action = menu.addAction(words.snooze_word(key))
            action.triggered.connect(lambda _on=False, key=key: self.snooze_wanted.emit(self.alert.key, key))
        return menu

    def show_alert(self, alert: Alert, rules: Mapping[str, Rule], now: datetime) -> None:
        """How it is now."""
        self.alert = alert
        rule = rules.get(alert.rule)
        snoozed = words.snoozed_text(alert, now)
        self.state.set_state(words.severity_kind(alert.severity), words.severity_word(alert.severity))
        self.title.setText(words.title_of(alert, rules))
        self.value.setText(words.value_words(alert, rules))
        told = alert.text.removeprefix(self.title.text()).removeprefix(": ")  # the value stands at the right
        self.text.setText(breakable(alert.text))
        self.text.setVisible(told not in ("", self.value.text()) and bool(alert.labels))
        self.help.setText(rule.help if rule is not None else "")
        self.help.setVisible(bool(self.help.text()))
        ending = words.state_word(alert.state) if alert.state is AlertState.RESOLVING else ""
        self.when.setText(" · ".join(part for part in (words.since_text(alert, now), ending, snoozed) if part))
        self.wake_button.setVisible(bool(snoozed))
        self.rule_button.setVisible(rule is not None)
        for button in (self.snooze_button, self.wake_button, self.rule_button):
            button.setAccessibleName(f"{button.text()}: {self.title.text()}")
        self.setAccessibleName(f"{self.state.accessibleName()}: {self.title.text()}, {self.value.text()}")


class ActiveAlerts(QWidget):
    """A row for each; those that stay keep theirs, so that the keyboard stays where it is."""

    snooze_wanted = Signal(str, str)
    wake_wanted = Signal(str)
    rule_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, AlertRow] = {}
        self.area = ScrollColumn()
        spaced(self.area.column, (24, 4, 14, 24), 10)
        self.area.column.addStretch(1)
        self.empty = EmptyState(
            "circle-check",
            tr("Nothing is wrong"),
            tr("Heat, memory, disk, errors, slow answers and silent servers are watched. What is wrong stands here."),
        )
        column = QVBoxLayout(self)
        spaced(column, spacing=0)
        column.addWidget(self.area, 1)
        column.addWidget(self.empty, 1)
        self.show_alerts((), {})

    def show_alerts(self, alerts: Sequence[Alert], rules: Mapping[str, Rule]) -> None:
        """The most severe first."""
        now = datetime.now(UTC)
        shown = [alert for alert in alerts if alert.state in words.SHOWN]
        for key in [key for key in self.rows if key not in {alert.key for alert in shown}]:
            row = self.rows.pop(key)
            self.area.column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for place, alert in enumerate(shown):
            row = self.rows.get(alert.key) or self._make(alert)
            if self.area.column.indexOf(row) != place:
                self.area.column.insertWidget(place, row)
            row.show_alert(alert, rules, now)
        self.area.setVisible(bool(shown))
        self.empty.setVisible(not shown)

    def _make(self, alert: Alert) -> AlertRow:
        row = self.rows[alert.key] = AlertRow(alert)
        row.snooze_wanted.connect(self.snooze_wanted)
        row.wake_wanted.connect(self.wake_wanted)
        row.rule_wanted.connect(self.rule_wanted)
        return row

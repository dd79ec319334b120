"""The editor of one rule: what is wrong is said at its field while one types."""

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.domain.alerts import Rule
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.rate.result_parts import wrapped
from codette_desktop.gui.tabs.watch.alerts import rules_wording as words
from codette_desktop.gui.tabs.watch.alerts.rule_fields import Field, SpanField, ThresholdField
from codette_desktop.gui.tabs.watch.flights.flight_dialog import fitting
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ScrollColumn
from codette_desktop.gui.widgets.quiet_wheel import QuietWheel

SIZE = (600, 640)


class RuleEditor(QDialog):
    """`saved` carries the changed rule, `reset_wanted` the name of one that is to be as shipped again."""

    saved = Signal(object)
    reset_wanted = Signal(str)

    def __init__(self, rule: Rule, default: Rule, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rule, self._default = rule, default
        self.setWindowTitle(tr("Rule"))
        self.setAccessibleName(tr("Rule: {title}", title=rule.title))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        above, unit = rule.above, rule.unit
        well = "<" if above else ">"
        bad = "≥" if above else "≤"
        self.title = QLineEdit()
        self.title_field = Field()
        self.title_field.row.addWidget(self.title)
        self.warning = ThresholdField(tr("Warning"), bad, unit, optional=True)
        self.critical = ThresholdField(tr("Critical"), bad, unit, optional=True)
        self.clear = ThresholdField(tr("Clear"), well, unit, optional=False)
        self.for_s, self.keep_s = SpanField(tr("For")), SpanField(tr("Keep"))
        self.cooldown_s = SpanField(tr("Cooldown"))
        self.help = QPlainTextEdit()
        self.help.setTabChangesFocus(True)
        sized(self.help, minimum=(0, 64), maximum=(0, 64))
        self.help_field = Field()
        self.help_field.row.addWidget(self.help)
        self.enabled = QCheckBox(tr("Watch this"))
        self.changed_line = wrapped(role="secondary")
        self.reset_button = QPushButton(tr("Reset to default"))
        self.cancel_button, self.save_button = QPushButton(tr("Cancel")), QPushButton(tr("Save"))
        self._lay_out()
        self._connect()
        self.show_rule(rule)
        self.resize(QSize(*fitting(SIZE, parent)))
        self.warning.box.setFocus()

    @property
    def _fields(self) -> dict[str, Field]:
        return {
            "title": self.title_field, "warning": self.warning, "critical": self.critical, "clear": self.clear,
            "for_s": self.for_s, "keep_firing_s": self.keep_s, "cooldown_s": self.cooldown_s,
            "help": self.help_field,
        }  # fmt: skip

    def _lay_out(self) -> None:
        head, about = QLabel(tr("Rule")), wrapped(words.measures_text(self._rule) + ".", "secondary")
        set_role(head, "heading")
        for widget, name in ((self.title, tr("Title")), (self.help, tr("Advice"))):
            widget.setAccessibleName(name)
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        spaced(form, spacing=12)
        tips = words.tips()
        for name, field, tip in (
            (tr("Title"), self.title_field, ""),
            (tr("Warning"), self.warning, tips[words.WARNING]),
            (tr("Critical"), self.critical, tips[words.CRITICAL]),
            (tr("Clear"), self.clear, tips[words.CLEAR]),
            (tr("For"), self.for_s, tips[words.FOR]),
            (tr("Keep"), self.keep_s, tips[words.KEEP]),
            (tr("Cooldown"), self.cooldown_s, tips[words.COOLDOWN]),
            (tr("Advice"), self.help_field, tr("What one can do: it stands with the alert")),
        ):
            label = QLabel(name)
            label.setToolTip(tip)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            label.setContentsMargins(0, 6, 0, 0)
            sized(label, minimum=(90, 30))
            field.setToolTip(tip)
            form.addRow(label, field)
        area = ScrollColumn()
        spaced(area.column, (24, 4, 14, 12), 12)
        area.column.addWidget(self.enabled)
        area.column.addLayout(form)
        if self._rule.inhibited_by:
            others = ", ".join(self._rule.inhibited_by)
            area.column.addWidget(wrapped(tr("Silent while this is told already: {rules}", rules=others), "secondary"))
        area.column.addWidget(self.changed_line)
        area.column.addStretch(1)
        top = QVBoxLayout()
        spaced(top, (24, 20, 24, 8), 4)
        top.addWidget(head)
        top.addWidget(about)
        column = QVBoxLayout(self)
        spaced(column, spacing=0)
        column.addLayout(top)
        column.addWidget(area, 1)
        column.addLayout(self._make_foot())
        QuietWheel(self)

    def _make_foot(self) -> QHBoxLayout:
        foot = QHBoxLayout()
        spaced(foot, (24, 10, 24, 16), 8)
        foot.addWidget(self.reset_button)
        foot.addStretch(1)
        foot.addWidget(self.cancel_button)
        foot.addWidget(self.save_button)
        set_role(self.save_button, "primary")
        self.reset_button.setToolTip(tr("Show the values it was shipped with; nothing is changed until you save"))
        for button in (self.reset_button, self.cancel_button, self.save_button):
            button.setAccessibleName(button.text())
            button.setAutoDefault(False)
        self.save_button.setDefault(True)
        return foot

    def _connect(self) -> None:
        for field in self._fields.values():
            field.changed.connect(self._check)
        self.title.textChanged.connect(lambda _text: self._check())
        self.help.textChanged.connect(self._check)
        self.enabled.toggled.connect(lambda _on: self._check())
        self.reset_button.clicked.connect(lambda: self.show_rule(self._default))
        self.cancel_button.clicked.connect(self.reject)
        self.save_button.clicked.connect(self.save)

    # What is shown

    def show_rule(self, rule: Rule) -> None:
        """Fill the fields."""
        self.title.setText(rule.title)
        for field, value in ((self.warning, rule.warning), (self.critical, rule.critical), (self.clear, rule.clear)):
            field.set_value(value)
        self.for_s.set_value(rule.for_s)
        self.keep_s.set_value(rule.keep_firing_s)
        self.cooldown_s.set_value(rule.cooldown_s)
        self.help.setPlainText(rule.help)
        self.enabled.setChecked(rule.enabled)
        self._check()

    def draft(self) -> Rule:
        """The rule as the fields say it. What was not touched stays as it was, to the last digit."""
        clear = self.clear.value
        made = replace(
            self._rule,
            title=self.title.text().strip(),
            warning=self.warning.value,
            critical=self.critical.value,
            clear=self._rule.clear if clear is None else clear,
            for_s=self.for_s.value,
            keep_firing_s=self.keep_s.value,
            cooldown_s=self.cooldown_s.value,
            help=self.help.toPlainText().strip(),
            enabled=self.enabled.isChecked(),
        )
        return self._default if made == replace(self._default, inhibited_by=made.inhibited_by) else made

    def _check(self) -> None:
        draft = self.draft()
        problems = words.problems_of(draft)
        for name, field in self._fields.items():
            before = words.default_text(name, draft, self._default) if name not in ("help", "title") else ""
            field.show_note(problems.get(name, ""), before)
        self.changed_line.setText(words.changed_text(draft, self._default) or tr("As shipped."))
        self.save_button.setEnabled(not problems and draft != self._rule)
        self.save_button.setToolTip(tr("Mend what is marked first") if problems else "")
        self.reset_button.setEnabled(draft != self._default)

    def save(self) -> None:
        """Tell what is wanted, and close."""
        draft = self.draft()
        if words.problems_of(draft):
            return
        if draft == self._default:
            self.reset_wanted.emit(draft.name)
        elif draft != self._rule:
            self.saved.emit(draft)
        self.accept()

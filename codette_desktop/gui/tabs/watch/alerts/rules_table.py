"""The rules of alerts as a table; one opens them to change them, Space turns one on or off."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from codette_desktop.domain.alerts import Rule
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.row_drawing import Index
from codette_desktop.gui.tabs.watch.alerts import rules_wording as words
from codette_desktop.gui.theme import theme
from codette_desktop.gui.titled_model import TitledModel
from codette_desktop.gui.widgets import plain_tip
from codette_desktop.gui.widgets.plain_rows import plain_rows

ROW = 30
NUMBERS = (words.WARNING, words.CRITICAL, words.CLEAR, words.FOR, words.KEEP, words.COOLDOWN)
_NARROW_WITHOUT = {words.MEASURES: 960, words.COOLDOWN: 800, words.KEEP: 720, words.FOR: 620, words.CLEAR: 540}


class RulesModel(TitledModel):
    """A row for each rule; `defaults` are the rules as shipped, by name. `toggled` carries a name and on or off."""

    toggled = Signal(str, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(words.titles(), words.tips(), NUMBERS, parent)
        self.rules: list[Rule] = []
        self._defaults: dict[str, Rule] = {}

    def show_rules(self, rules: Sequence[Rule], defaults: dict[str, Rule]) -> None:
        """Those in force. The same ones in the same order keep the rows."""
        same = [rule.name for rule in rules] == [rule.name for rule in self.rules]
        if not same:
            self.beginResetModel()
        self.rules, self._defaults = list(rules), defaults
        if same:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rules) - 1, len(self.titles) - 1))
        else:
            self.endResetModel()

    def default_of(self, rule: Rule) -> Rule:
        """The rule as shipped; itself for one that was not."""
        return self._defaults.get(rule.name, rule)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.rules)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == words.ENABLED else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        rule, column = self.rules[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(rule, column)
            case Qt.ItemDataRole.CheckStateRole if column == words.ENABLED:
                return Qt.CheckState.Checked if rule.enabled else Qt.CheckState.Unchecked
            case Qt.ItemDataRole.ToolTipRole:
                lines = (words.measures_text(rule), rule.help, words.changed_text(rule, self.default_of(rule)))
                return plain_tip("\n".join(line for line in lines if line))
            case Qt.ItemDataRole.TextAlignmentRole:
                return self.alignment(column)
            case Qt.ItemDataRole.FontRole:
                return self._font(rule, column)
            case Qt.ItemDataRole.ForegroundRole:
                quiet = not rule.enabled or column in (words.MEASURES, words.FOR, words.KEEP, words.COOLDOWN)
                return QColor(theme().tokens.secondary) if quiet else None
            case _:
                return None

    def _text(self, rule: Rule, column: int) -> str:
        text = words.cell_text(rule, column)
        if column == words.TITLE and words.changed_fields(rule, self.default_of(rule)):
            return tr("{title}  (changed)", title=text)
        return text

    def _font(self, rule: Rule, column: int) -> Any:
        font = theme().font(12, mono=column in NUMBERS)
        names = {
            words.TITLE: "title", words.WARNING: "warning", words.CRITICAL: "critical", words.CLEAR: "clear",
            words.FOR: "for_s", words.KEEP: "keep_firing_s", words.COOLDOWN: "cooldown_s",
        }  # fmt: skip
        font.setBold(names.get(column) in words.changed_fields(rule, self.default_of(rule)))
        return font

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        self.toggled.emit(self.rules[index.row()].name, Qt.CheckState(value) == Qt.CheckState.Checked)
        return True  # drawn when it has been kept


class RulesTable(QTableView):
    """`opened` carries the name of the rule that is to be changed."""

    opened = Signal(str)

    def __init__(self, model: RulesModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setModel(model)
        self.setAccessibleName(tr("Rules"))
        plain_rows(self)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)  # sentences: what they begin with says most
        self.doubleClicked.connect(self._on_double)
        theme().changed.connect(self.fit_columns)
        self.fit_columns()

    def current_rule(self) -> Rule | None:
        """The chosen one."""
        row = self.currentIndex().row()
        return self._model.rules[row] if 0 <= row < len(self._model.rules) else None

    def go_to(self, name: str) -> None:
        """Choose a rule by its name."""
        for row, rule in enumerate(self._model.rules):
            if rule.name == name:
                self.setCurrentIndex(self._model.index(row, 0))

    def _on_double(self, index: QModelIndex) -> None:
        if index.column() != words.ENABLED:
            self.opened.emit(self._model.rules[index.row()].name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        rule = self.current_rule()
        if rule is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(rule.name)
        elif rule is not None and event.key() == Qt.Key.Key_Space:
            self._model.toggled.emit(rule.name, not rule.enabled)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_columns()

    def fit_columns(self) -> None:
        """As wide as what stands in them; words share the rest."""
        px = theme().px
        self.verticalHeader().setDefaultSectionSize(px(ROW))
        plain, mono = QFontMetrics(theme().font(12)), QFontMetrics(theme().font(12, mono=True))
        for column in NUMBERS:
            widest = "≥ 99.5 °C" if column <= words.CLEAR else "10 min 30 s"
            width = max(mono.horizontalAdvance(widest), plain.horizontalAdvance(self._model.titles[column]))
            self.horizontalHeader().resizeSection(column, width + px(22))
        head = self.horizontalHeader()
        head.resizeSection(words.ENABLED, px(44))
        head.resizeSection(words.TITLE, px(250))
        wide = self.width() >= px(_NARROW_WITHOUT[words.MEASURES])
        for column, stretches in ((words.TITLE, not wide), (words.MEASURES, wide)):
            mode = QHeaderView.ResizeMode.Stretch if stretches else QHeaderView.ResizeMode.Fixed
            head.setSectionResizeMode(column, mode)
        for column in range(len(self._model.titles)):
            self.setColumnHidden(column, self.width() < px(_NARROW_WITHOUT.get(column, 0)))

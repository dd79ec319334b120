"""The list of keyboard ways over the window."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.theme.manager import set_role, theme
from codette_desktop.gui.widgets.buttons import IconButton

COLUMNS = 3

Group = tuple[str, Sequence[tuple[str, str]]]


class ShortcutHelp(QWidget):
    """Covers its parent with a sheet of groups of (keys, what they do). Esc or a click beside the sheet closes it."""

    def __init__(self, parent: QWidget, groups: Sequence[Group]) -> None:
        super().__init__(parent)
        self._groups = groups
        self.setAccessibleName(tr("Keyboard shortcuts"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._before: QWidget | None = None
        self._sheet: QFrame | None = None
        parent.installEventFilter(self)
        theme().changed.connect(self._build)
        self._build()
        self.hide()

    def toggle(self) -> None:
        """Opens or closes it."""
        if self.isVisible():
            self.close_over()
        else:
            self.open_over()

    def open_over(self) -> None:
        """Opens it over its parent."""
        self._before = self.window().focusWidget()
        self._cover()
        self.show()
        self.raise_()
        self.setFocus()

    def close_over(self) -> None:
        """Closes it and gives the focus back."""
        self.hide()
        if self._before is not None and self._before.isVisible():
            self._before.setFocus()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._cover()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_over()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._sheet is not None and not self._sheet.geometry().contains(event.position().toPoint()):
            self.close_over()

    def paintEvent(self, _event: QPaintEvent) -> None:
        veil = QColor(theme().tokens.window)
        veil.setAlphaF(0.8)
        QPainter(self).fillRect(self.rect(), veil)

    def _cover(self) -> None:
        parent, sheet = self.parentWidget(), self._sheet
        if parent is None or sheet is None:
            return
        self.setGeometry(parent.rect())
        margin = theme().px(24)
        hint = sheet.sizeHint()
        width = min(hint.width(), self.width() - 2 * margin)
        height = min(hint.height(), self.height() - 2 * margin)
        sheet.setGeometry((self.width() - width) // 2, (self.height() - height) // 2, width, height)

    def _build(self) -> None:
        if self._sheet is not None:
            self._sheet.hide()
            self._sheet.deleteLater()
        px = theme().px
        self._sheet = sheet = QFrame(self)
        set_role(sheet, "sheet")
        column = QVBoxLayout(sheet)
        column.setContentsMargins(px(24), px(16), px(16), px(24))
        head = QHBoxLayout()
        title = QLabel(tr("Keyboard shortcuts"), sheet)
        set_role(title, "title")
        close = IconButton("x", tr("Close"), "Esc", parent=sheet)
        close.clicked.connect(self.close_over)
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(close)
        column.addLayout(head)
        inside = QWidget()
        grid = QHBoxLayout(inside)
        grid.setContentsMargins(0, px(8), px(16), 0)
        grid.setSpacing(px(32))
        for column_of in _in_columns(self._groups):
            stacked = QVBoxLayout()
            stacked.setSpacing(px(16))
            for group in column_of:
                stacked.addLayout(self._group(group, inside))
            stacked.addStretch(1)
            grid.addLayout(stacked)
        area = QScrollArea(sheet)
        area.setWidgetResizable(True)
        area.setWidget(inside)
        inside.setAutoFillBackground(False)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside.adjustSize()
        area.setMinimumHeight(min(inside.sizeHint().height() + 4, px(480)))
        area.setMinimumWidth(min(inside.sizeHint().width() + px(12), px(1100)))
        column.addWidget(area)
        if self.isVisible():
            self._cover()
            sheet.show()

    def _group(self, group: Group, parent: QWidget) -> QVBoxLayout:
        px = theme().px
        name, entries = group
        column = QVBoxLayout()
        head = QLabel(name, parent)
        set_role(head, "heading")
        head.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        column.addWidget(head)
        grid = QGridLayout()
        grid.setVerticalSpacing(px(6))
        grid.setHorizontalSpacing(px(12))
        for row, (keys, text) in enumerate(entries):
            holder = QHBoxLayout()
            holder.setSpacing(px(4))
            for key in keys.split("  "):
                label = QLabel(key, parent)
                set_role(label, "key")
                holder.addWidget(label)
            holder.addStretch(1)
            grid.addLayout(holder, row, 0)
            grid.addWidget(QLabel(text, parent), row, 1)
        column.addLayout(grid)
        return column


def _in_columns(groups: Sequence[Group]) -> list[list[Group]]:
    """The first few side by side; each further one below the column that is shortest so far."""
    columns = [[group] for group in groups[:COLUMNS]]
    for group in groups[COLUMNS:]:
        min(columns, key=lambda column: sum(len(entries) for _name, entries in column)).append(group)
    return columns

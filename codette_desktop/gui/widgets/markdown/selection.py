"""Selecting and copying over several text boxes as if they were one text."""

from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QMenu, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.theme.manager import theme
from codette_desktop.gui.widgets.markdown.leaf_edit import LeafEdit


class SelectingWidget(QWidget):
    """Holds text boxes; a drag that leaves one goes on in the next, and copying takes all that is selected."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._origin: LeafEdit | None = None
        self._ring = False

    def leaves(self) -> list[Any]:
        """The text boxes from top to bottom."""
        raise NotImplementedError

    def text(self) -> str:
        """The whole text as it was written."""
        raise NotImplementedError

    def watch(self, leaf: LeafEdit) -> None:
        """Takes part in the selections of that box."""
        leaf.pressed.connect(self._on_pressed)
        leaf.dragged.connect(self._on_dragged)

    def unwatch(self, leaf: LeafEdit) -> None:
        """Forgets that box."""
        if self._origin is leaf:
            self._origin = None

    def has_selection(self) -> bool:
        """Whether anything is selected."""
        return any(leaf.textCursor().hasSelection() for leaf in self.leaves())

    def selected_text(self) -> str:
        """All that is selected, boxes parted by an empty line."""
        return "\n\n".join(leaf.selected_text() for leaf in self.leaves() if leaf.textCursor().hasSelection())

    def select_all(self) -> None:
        """Selects everything."""
        for leaf in self.leaves():
            leaf.select_between(0, -1)

    def clear_selection(self) -> None:
        """Selects nothing."""
        for leaf in self.leaves():
            leaf.clear_selection()

    def copy(self) -> None:
        """Puts the selected text on the clipboard; without a selection the whole text as it was written."""
        QGuiApplication.clipboard().setText(self.selected_text() if self.has_selection() else self.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chosen = menu.addAction(tr("Copy selection"), self.copy)
        chosen.setEnabled(self.has_selection())
        menu.addAction(tr("Copy all as Markdown"), lambda: QGuiApplication.clipboard().setText(self.text()))
        menu.addAction(tr("Select all"), self.select_all)
        if link := self._link_at(event.globalPos()):
            menu.addSeparator()
            menu.addAction(tr("Copy link address"), lambda: QGuiApplication.clipboard().setText(link))
        menu.popup(event.globalPos())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._ring = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._ring = False
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._ring:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(theme().tokens.accent), 2))
            painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 4, 4)

    def _link_at(self, position: QPoint) -> str:
        for leaf in self.leaves():
            local = leaf.viewport().mapFromGlobal(position)
            if leaf.viewport().rect().contains(local):
                return str(leaf.anchorAt(local))
        return ""

    def _on_pressed(self) -> None:
        sender = self.sender()
        self._origin = sender if isinstance(sender, LeafEdit) else None
        for leaf in self.leaves():
            if leaf is not self._origin:
                leaf.clear_selection()

    def _on_dragged(self, position: QPoint) -> None:
        leaves = self.leaves()
        if self._origin not in leaves:
            return
        start = leaves.index(self._origin)
        target = self._leaf_index_at(leaves, self.mapFromGlobal(position).y())
        for number, leaf in enumerate(leaves):
            if number == start:
                anchor = leaf.textCursor().anchor()
                if target != start:
                    leaf.select_between(anchor, -1 if target > start else 0)
            elif number == target:
                end = leaf.cursorForPosition(leaf.viewport().mapFromGlobal(position)).position()
                leaf.select_between(0 if target > start else -1, end)
            elif min(start, target) < number < max(start, target):
                leaf.select_between(0, -1)
            else:
                leaf.clear_selection()

    def _leaf_index_at(self, leaves: list[Any], y: int) -> int:
        for number, leaf in enumerate(leaves):
            if y < leaf.mapTo(self, leaf.rect().bottomLeft()).y():
                return number
        return len(leaves) - 1

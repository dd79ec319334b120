"""Find in the conversation on view (Ctrl+F)."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget

from codette_desktop.domain.conversations import Node
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import IconButton


class FindBar(QWidget):
    """Knows which messages hold the words; `moved` names the one to show, `words_changed` what to mark."""

    moved = Signal(str)
    words_changed = Signal(list)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(self, "bar")
        self._nodes: Sequence[Node] = ()
        self._found: list[str] = []
        self._at = -1
        self.field = QLineEdit()
        set_role(self.field, "search")
        self.field.setPlaceholderText(tr("Find in this conversation"))
        self.field.setAccessibleName(tr("Find in this conversation"))
        self.field.textChanged.connect(self._on_text)
        self.field.installEventFilter(self)
        sized(self.field, maximum=(320, 0))
        self.count = QLabel()
        set_role(self.count, "secondary")
        self.previous_button = IconButton("chevron-up", tr("Previous message found"), "Shift+Enter")
        self.next_button = IconButton("chevron-down", tr("Next message found"), "Enter")
        self.close_button = IconButton("x", tr("Close"), "Esc")
        self.previous_button.clicked.connect(lambda: self.step(-1))
        self.next_button.clicked.connect(lambda: self.step(1))
        self.close_button.clicked.connect(self.close_bar)
        layout = QHBoxLayout(self)
        spaced(layout, (24, 8, 16, 8), 6)
        layout.addWidget(self.field, 1)
        layout.addWidget(self.count)
        for button in (self.previous_button, self.next_button):
            layout.addWidget(button)
        layout.addStretch(1)
        layout.addWidget(self.close_button)
        self.hide()

    def open_bar(self, words: str = "") -> None:
        """Show it, with words to look for."""
        self.show()
        if words:
            self.field.setText(words)
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()
        self._search()

    def close_bar(self) -> None:
        """Hide it and unmark everything."""
        if self.isVisible():
            self.hide()
            self.words_changed.emit([])
            self.closed.emit()

    def set_nodes(self, nodes: Sequence[Node]) -> None:
        """The messages to look through."""
        self._nodes = nodes
        if self.isVisible():
            self._search(move=False)

    def step(self, by: int) -> None:
        """Go to the next (1) or previous (-1) message found, round the end."""
        if self._found:
            self._at = (self._at + by) % len(self._found)
            self._tell()
            self.moved.emit(self._found[self._at])

    def _on_text(self) -> None:
        self._search()

    def _search(self, *, move: bool = True) -> None:
        wanted = self.field.text().strip()
        folded = wanted.casefold()
        before = self._found[self._at] if 0 <= self._at < len(self._found) else ""
        self._found = [node.id for node in self._nodes if folded and folded in node.message.content.casefold()]
        self._at = self._found.index(before) if before in self._found else len(self._found) - 1
        self.words_changed.emit([wanted] if wanted else [])
        self._tell()
        if move and self._found:
            self.moved.emit(self._found[self._at])

    def _tell(self) -> None:
        if not self.field.text().strip():
            text = ""
        elif not self._found:
            text = tr("Nothing found")
        else:
            text = tr("Message {index} of {count}", index=self._at + 1, count=len(self._found))
        self.count.setText(text)
        for button in (self.previous_button, self.next_button):
            button.setEnabled(bool(self._found))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape and event.type() in (
                QEvent.Type.KeyPress,
                QEvent.Type.ShortcutOverride,
            ):
                event.accept()
                if event.type() == QEvent.Type.KeyPress:
                    self.close_bar()
                return True
            if event.type() == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.step(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
                return True
        return super().eventFilter(watched, event)

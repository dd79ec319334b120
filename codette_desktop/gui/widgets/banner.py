"""A strip that says in its place what holds now: the chat is not saved, the model is missing."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.theme.manager import set_role, theme
from codette_desktop.gui.widgets.buttons import IconButton
from codette_desktop.gui.widgets.labels import StateIcon
from codette_desktop.gui.widgets.toast import STATE_WORDS, Kind


class Banner(QFrame):
    """Hidden until `show_message`. Colour, icon and word tell the state; a button offers what can be done."""

    action_triggered = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "banner")
        self._on_action: Callable[[], object] | None = None
        self._icon = StateIcon("info", 20, self)
        self._word = QLabel(self)
        self._text = QLabel(self)
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self.action_button = QPushButton(self)
        self.action_button.clicked.connect(self._act)
        self._close = IconButton("x", tr("Dismiss"), parent=self)
        self._close.clicked.connect(self._on_close)
        self._row = row = QHBoxLayout(self)
        for widget, stretch in (
            (self._icon, 0),
            (self._word, 0),
            (self._text, 1),
            (self.action_button, 0),
            (self._close, 0),
        ):
            row.addWidget(widget, stretch)
        theme().changed.connect(self._apply)
        self._apply()
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()

    def show_message(
        self,
        kind: Kind,
        text: str,
        *,
        word: str = "",
        action_text: str = "",
        on_action: Callable[[], object] | None = None,
        closable: bool = False,
    ) -> None:
        """Shows a state until `clear`; `word` stands for the colour ("Error" and the like unless given)."""
        self.setProperty("kind", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self._icon.set_kind(kind)
        self._word.setText(word or STATE_WORDS[kind]())
        set_role(self._word, "strong")
        self._text.setText(text)
        self._on_action = on_action
        self.action_button.setText(action_text)
        self.action_button.setAccessibleName(action_text)
        self.action_button.setVisible(bool(action_text))
        self._close.setVisible(closable)
        self.setAccessibleName(f"{self._word.text()}: {text}")
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def clear(self) -> None:
        """Hides it."""
        self._on_action = None
        self.hide()

    def _act(self) -> None:
        self.action_triggered.emit()
        if self._on_action is not None:
            self._on_action()

    def _on_close(self) -> None:
        self.clear()
        self.closed.emit()

    def _apply(self) -> None:
        px, row = theme().px, self._row
        row.setContentsMargins(px(12), px(8), px(8), px(8))
        row.setSpacing(px(8))

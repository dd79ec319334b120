"""Where the prompt of a comparison is typed, with the button that sends it or stops what runs."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.styles import styled
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import GrowingTextEdit

_FRAME = "QFrame#prompt { background: @surface; border: 1px solid @line_strong; border-radius: @12; }"


class PromptBox(QFrame):
    """`submitted` carries the text, which stays in the box: it is the heading of what is on view."""

    submitted = Signal(str)
    stop_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("prompt")
        styled(self, _FRAME)
        self.edit = GrowingTextEdit(self, max_lines=6)
        self.edit.setAccessibleName(tr("One prompt for all of them"))
        self.edit.setPlaceholderText(tr("One prompt for all of them"))
        self.edit.setToolTip(tr("Enter compares, Shift+Enter starts a new line, Esc stops"))
        self.edit.submitted.connect(self._on_submit)
        self.edit.submitted_ensemble.connect(self._on_submit)
        self.edit.textChanged.connect(self._update)
        self.button = QPushButton(tr("Compare"))
        self.button.clicked.connect(self._on_button)
        row = QHBoxLayout(self)
        spaced(row, (14, 10, 10, 10), 8)
        row.addWidget(self.edit, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignBottom)
        self._running = False
        self.set_running(running=False)

    def text(self) -> str:
        """What stands in the box."""
        return self.edit.toPlainText()

    def set_text(self, text: str) -> None:
        """Replace it."""
        if text != self.text():
            self.edit.setPlainText(text)
            self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)

    def set_running(self, *, running: bool) -> None:
        """Whether something runs that can be stopped."""
        self._running = running
        self.button.setText(tr("Stop") if running else tr("Compare"))
        set_role(self.button, "" if running else "primary")
        self._update()

    def focus(self) -> None:
        """Type here."""
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _update(self) -> None:
        self.button.setEnabled(self._running or bool(self.text().strip()))

    def _on_submit(self) -> None:
        if self.text().strip() and not self._running:
            self.submitted.emit(self.text())

    def _on_button(self) -> None:
        if self._running:
            self.stop_wanted.emit()
        else:
            self._on_submit()

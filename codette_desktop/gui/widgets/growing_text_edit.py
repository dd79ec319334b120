"""The box a question is written in: grows with its text, sends on Enter."""

from PySide6.QtCore import QEvent, QMimeData, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QWidget

from codette_desktop.gui.theme.manager import set_role, theme

_WRAP = Qt.TextFlag.TextWordWrap.value


class GrowingTextEdit(QPlainTextEdit):
    """Enter tells `submitted`, Ctrl+Enter `submitted_ensemble`, Shift+Enter begins a line. Takes plain text only."""

    submitted = Signal()
    submitted_ensemble = Signal()
    height_changed = Signal()

    def __init__(self, parent: QWidget | None = None, *, max_lines: int = 10) -> None:
        super().__init__(parent)
        set_role(self, "composer")
        self._max_lines = max_lines
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(2)
        self.document().documentLayout().documentSizeChanged.connect(self._grow)
        theme().changed.connect(self._grow)
        self._grow()

    def sizeHint(self) -> QSize:
        return QSize(theme().px(320), self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._grow()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._grow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
            return
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if modifiers == Qt.KeyboardModifier.ControlModifier:
            self.submitted_ensemble.emit()
        elif modifiers == Qt.KeyboardModifier.NoModifier:
            self.submitted.emit()
        else:
            self.insertPlainText("\n")
            self.ensureCursorVisible()

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasText():
            self.insertPlainText(source.text())

    def _grow(self) -> None:
        # A plain text layout measures its height in lines.
        lines = max(1, min(self._max_lines, round(self.document().size().height())))
        text = lines * self.fontMetrics().lineSpacing()
        if self.document().isEmpty():  # the hint must be readable too
            room = QRect(0, 0, max(1, self.viewport().width() - 8), 10_000)
            text = max(text, self.fontMetrics().boundingRect(room, _WRAP, self.placeholderText()).height())
        wanted = text + 2 * round(self.document().documentMargin()) + 2
        full = self.document().size().height() > self._max_lines
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if full else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        if self.verticalScrollBarPolicy() != policy:
            self.setVerticalScrollBarPolicy(policy)
        if wanted != self.minimumHeight() or wanted != self.maximumHeight():
            self.setFixedHeight(wanted)
            self.height_changed.emit()

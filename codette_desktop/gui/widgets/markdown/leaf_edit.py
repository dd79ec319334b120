"""The read-only text box that all parts of an answer are shown in: as high as its text, never scrolling down."""

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QMimeData, QPoint, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QTextBlock,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QTextEdit, QWidget

from codette_desktop.gui.theme.manager import set_role, theme
from codette_desktop.gui.theme.tokens import TEXT_ANSWER
from codette_desktop.gui.widgets.markdown.painting import paint_behind
from codette_desktop.gui.widgets.markdown.style import PROPERTY_MARK, PROPERTY_SOURCE

_OBJECT = "\ufffc"


class LeafEdit(QTextBrowser):
    """Loads nothing, opens nothing, and tells the answer it belongs to about a selection that leaves it."""

    pressed = Signal()
    dragged = Signal(QPoint)  # global position, while the left button is down

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "document")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.document().setDocumentMargin(0)
        self.document().setUndoRedoEnabled(False)
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self._width = -1
        self.show_font()

    def show_font(self) -> None:
        """Takes the answer's font from the theme."""
        self._use_font(theme().font(TEXT_ANSWER))

    def _use_font(self, font: QFont) -> None:
        self.setFont(font)
        self.document().setDefaultFont(font)
        self._width = -1

    def height_for(self, width: int) -> int:
        """Lays the text out for that width and returns its height, both in pixels."""
        if width != self._width:
            self._width = width
            self.setLineWrapColumnOrWidth(max(1, width))
        return int(self.document().size().height() + 0.999)

    def loadResource(self, _kind: int, _name: QUrl | str) -> Any:
        """Gives nothing: formulas lie in the document itself, and an answer may not reach for files or the net."""
        return None

    def set_highlight(self, words: Iterable[str]) -> None:
        """Marks each place where one of the words stands, whatever its case."""
        marks: list[QTextEdit.ExtraSelection] = []
        colour = QColor(theme().tokens.highlight)
        for word in words:
            found = self.document().find(word) if word else QTextCursor()
            while not found.isNull() and len(marks) < 1_000:
                mark = QTextEdit.ExtraSelection()
                mark.cursor = found  # type: ignore[attr-defined]
                mark.format.setBackground(colour)  # type: ignore[attr-defined]
                marks.append(mark)
                found = self.document().find(word, found)
        self.setExtraSelections(marks)

    def set_marks(self, ranges: Iterable[tuple[int, int]], colour: QColor) -> None:
        """Marks these ranges of positions in `plain`, softly and in place of what was marked."""
        marks: list[QTextEdit.ExtraSelection] = []
        last = self.document().characterCount() - 1
        for start, end in ranges:
            cursor = QTextCursor(self.document())
            cursor.setPosition(min(start, last))
            cursor.setPosition(min(end, last), QTextCursor.MoveMode.KeepAnchor)
            mark = QTextEdit.ExtraSelection()
            mark.cursor = cursor  # type: ignore[attr-defined]
            mark.format.setBackground(colour)  # type: ignore[attr-defined]
            marks.append(mark)
        self.setExtraSelections(marks)

    def plain(self) -> str:
        """What stands there, a character for each position but that some characters take two."""
        return self.document().toPlainText()

    # Selection

    def selected_text(self) -> str:
        """The selected text, formulas as their LaTeX."""
        return cursor_text(self.textCursor())

    def clear_selection(self) -> None:
        cursor = self.textCursor()
        if cursor.hasSelection():
            cursor.clearSelection()
            self.setTextCursor(cursor)

    def select_between(self, anchor: int, end: int) -> None:
        """Selects from one position to another; -1 is the end of the text."""
        last = max(0, self.document().characterCount() - 1)
        cursor = self.textCursor()
        cursor.setPosition(last if anchor < 0 else min(anchor, last))
        cursor.setPosition(last if end < 0 else min(end, last), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(self.selected_text())
        return data

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.dragged.emit(event.globalPosition().toPoint())

    def wheelEvent(self, event: QWheelEvent) -> None:
        across = event.angleDelta().x() or event.pixelDelta().x()
        if across and self.horizontalScrollBar().maximum() > 0 and not event.angleDelta().y():
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # The answer as a whole copies and selects: a selection may reach over several boxes.
        if event.matches(QKeySequence.StandardKey.Copy) or event.matches(QKeySequence.StandardKey.SelectAll):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shift = self.horizontalScrollBar().value()
        painter.translate(-shift, 0)
        paint_behind(painter, self.document(), QRectF(event.rect()).translated(shift, 0))
        painter.end()
        super().paintEvent(event)


def cursor_text(cursor: QTextCursor) -> str:
    """The selection of a cursor as plain text: formulas as their LaTeX, list items with their marks."""
    if not cursor.hasSelection():
        return ""
    start, end = cursor.selectionStart(), cursor.selectionEnd()
    document = cursor.document()
    block, last = document.findBlock(start), document.findBlock(end)
    lines: list[str] = []
    while block.isValid():
        lines.append(_block_text(block, start, end))
        if block == last:
            break
        block = block.next()
    return "\n".join(lines).replace("\u2028", "\n").replace("\u00a0", " ")


def _block_text(block: QTextBlock, start: int, end: int) -> str:
    first = block.position()
    text = block.text()[max(0, start - first) : max(0, end - first)]
    if _OBJECT in text:
        text = _with_sources(block, max(start, first), text)
    mark = block.blockFormat().property(PROPERTY_MARK)
    if mark and start <= first:
        return "  " * (block.blockFormat().indent() - 1) + f"{mark} {text}"
    return text


def _with_sources(block: QTextBlock, start: int, text: str) -> str:
    probe = QTextCursor(block)
    parts: list[str] = []
    for offset, character in enumerate(text):
        if character == _OBJECT:
            probe.setPosition(start + offset + 1)
            parts.append(str(probe.charFormat().property(PROPERTY_SOURCE) or ""))
        else:
            parts.append(character)
    return "".join(parts)

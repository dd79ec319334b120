"""A code block: language, copy button, colours, and a scroll bar sideways where lines are long."""

from typing import cast

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QTextEdit, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.theme.icons import set_icon
from codette_desktop.gui.theme.manager import set_role, theme
from codette_desktop.gui.widgets.code_highlighter import CodeHighlighter
from codette_desktop.gui.widgets.frame_flusher import frame_flusher
from codette_desktop.gui.widgets.lexers import canonical, language_name, lexers
from codette_desktop.gui.widgets.markdown.leaf_edit import LeafEdit
from codette_desktop.gui.widgets.markdown.pieces import Block, CodePiece, Piece

COPIED_MS = 1_600
_LIVE_LINES = 400  # up to here the colours follow while code streams in
_SIDE, _TOP = 12, 8


class CodeText(LeafEdit):
    """The code itself."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setAccessibleName(tr("Code"))

    def show_font(self) -> None:
        self._use_font(theme().font(13, mono=True))
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))

    def height_for(self, width: int) -> int:
        size = self.document().size()
        bar = self.horizontalScrollBar().sizeHint().height() if size.width() > width else 0
        return int(size.height() + 0.999) + bar


class CodeBlock(QFrame):
    """Shows code; `append_code` streams into it, `close_code` says that it is complete."""

    def __init__(self, language: str = "", code: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.indent = 0
        set_role(self, "code")
        self._language, self._code, self._closed = "", "", False
        self._head = QFrame(self)
        set_role(self._head, "code-head")
        self._label = QLabel(self._head)
        set_role(self._label, "secondary")
        self._copy = QPushButton(self._head)
        set_role(self._copy, "ghost")
        self._copy.clicked.connect(self._on_copy)
        self._copied = QTimer(self)
        self._copied.setSingleShot(True)
        self._copied.setInterval(COPIED_MS)
        self._copied.timeout.connect(self._show_copy)
        self._head_row = row = QHBoxLayout(self._head)
        row.addWidget(self._label)
        row.addStretch(1)
        row.addWidget(self._copy)
        self._text = CodeText(self)
        self._highlighter = CodeHighlighter(self._text.document())
        self._coloured_lines = -1
        lexers().loaded.connect(self._on_lexer, Qt.ConnectionType.QueuedConnection)
        self._show_copy()
        self.restyle()
        if code or language:
            self.set_code(language, code)

    @property
    def leaf(self) -> LeafEdit:
        return self._text

    @property
    def first_block(self) -> Block:
        return Block("p")

    last_block = first_block

    @property
    def waiting(self) -> bool:
        return False

    @property
    def copy_button(self) -> QPushButton:
        """The button that puts the code on the clipboard."""
        return self._copy

    @property
    def language(self) -> str:
        """The word after the fence."""
        return self._language

    def widget(self) -> QWidget:
        return self

    def code(self) -> str:
        """The whole code."""
        return self._code

    def set_code(self, language: str, code: str) -> None:
        """Shows complete code in that language."""
        self._show(language, code)
        self.close_code()

    def append_code(self, text: str) -> None:
        """Adds text at the end."""
        if text:
            self._closed = False
            self._code += text
            cursor = self._text.textCursor()
            cursor.movePosition(cursor.MoveOperation.End)
            cursor.insertText(text)
            self._colour(live=True)

    def close_code(self) -> None:
        """The code is complete: colour all of it."""
        if not self._closed:
            self._closed = True
            self._colour(live=False)

    def finish_colours(self) -> None:
        """Colours what is left now, instead of in the next frames."""
        if not lexers().is_ready(self._language):
            lexers().load_now(self._language)
            self._colour(live=False)
        while self._highlighter.work(1_000):
            pass

    def show_piece(self, piece: Piece, *, final: bool) -> bool:
        """Shows that code; False where nothing had to change."""
        piece = cast(CodePiece, piece)
        changed = piece.code != self._code or piece.language != self._language
        if changed:
            self._show(piece.language, piece.code)
        if final:
            self.close_code()
        return changed

    def height_for(self, width: int) -> int:
        """The height of head, code and edges for that width, in pixels."""
        px = theme().px
        inside = width - 2 - 2 * px(_SIDE)
        return self._head_height() + self._text.height_for(inside) + 2 * px(_TOP) + 2

    def restyle(self) -> None:
        """Takes sizes and colours of the theme in force."""
        px = theme().px
        self._head_row.setContentsMargins(px(12), px(2), px(4), px(2))
        self._text.show_font()
        self._highlighter.restyle()
        self._show_copy()
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _head_height(self) -> int:
        return theme().px(34)

    def _place(self) -> None:
        px, head = theme().px, self._head_height()
        self._head.setGeometry(1, 1, max(0, self.width() - 2), head)
        self._text.setGeometry(
            1 + px(_SIDE), 1 + head + px(_TOP), max(0, self.width() - 2 - 2 * px(_SIDE)),
            max(0, self.height() - head - 2 * px(_TOP) - 2),
        )  # fmt: skip

    def _show(self, language: str, code: str) -> None:
        if language != self._language or not self._label.text():
            self._language = language
            self._label.setText(language_name(language) or tr("Code"))
            self._coloured_lines = -1
        if self._code and code.startswith(self._code):
            self.append_code(code[len(self._code) :])
            return
        self._closed = False
        self._code = code
        self._text.setPlainText(code)
        self._coloured_lines = -1
        self._colour(live=True)

    def _colour(self, *, live: bool) -> None:
        lines = self._code.count("\n")
        if live and (lines == self._coloured_lines or lines > _LIVE_LINES):
            return
        self._coloured_lines = lines
        if self._highlighter.start(self._language, self._code) and self._highlighter.work():
            frame_flusher().request(self._highlighter.work)

    def _on_lexer(self, name: str) -> None:
        if name == canonical(self._language):
            self._colour(live=False)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._code)
        self._copy.setText(tr("Copied"))
        set_icon(self._copy, "check", 16, "good")
        self._copied.start()

    def _show_copy(self) -> None:
        self._copy.setText(tr("Copy"))
        self._copy.setToolTip(tr("Copy this code"))
        self._copy.setAccessibleName(tr("Copy code"))
        set_icon(self._copy, "copy", 16, "secondary")

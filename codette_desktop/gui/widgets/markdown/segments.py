"""The text and table parts of an answer on the screen."""

from typing import Protocol, cast

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QTextEdit, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.theme.manager import theme
from codette_desktop.gui.widgets.markdown.leaf_edit import LeafEdit
from codette_desktop.gui.widgets.markdown.pieces import Block, Piece, TablePiece, TextPiece
from codette_desktop.gui.widgets.markdown.style import DocumentStyle
from codette_desktop.gui.widgets.markdown.writer import DocumentWriter

MAX_BLOCKS = 200  # of one text box; a longer text continues in the next box
_COLUMN_WIDTH = 120  # design pixels a column may take before a table scrolls sideways


class Segment(Protocol):
    """What the answer's layout needs of its parts."""

    indent: int

    @property
    def leaf(self) -> LeafEdit: ...
    @property
    def first_block(self) -> Block: ...
    @property
    def last_block(self) -> Block: ...
    @property
    def waiting(self) -> bool: ...
    def widget(self) -> QWidget: ...
    def show_piece(self, piece: Piece, *, final: bool) -> bool: ...
    def height_for(self, width: int) -> int: ...
    def restyle(self) -> None: ...


class TextSegment(LeafEdit):
    """A run of paragraphs, headings, lists, quotes and rules in one document."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.indent = 0
        self.setAccessibleName(tr("Text"))
        self._blocks: list[Block] = []
        self._writer = self._new_writer()
        self._plain = ""

    @property
    def leaf(self) -> LeafEdit:
        return self

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What is shown."""
        return tuple(self._blocks)

    @property
    def first_block(self) -> Block:
        return self._blocks[0] if self._blocks else Block("p")

    @property
    def last_block(self) -> Block:
        return self._blocks[-1] if self._blocks else Block("p")

    @property
    def waiting(self) -> bool:
        return self._writer.waiting

    def widget(self) -> QWidget:
        return self

    def has_room(self) -> bool:
        """Whether more blocks may be added to this box."""
        return not self._plain and len(self._blocks) < MAX_BLOCKS

    def show_piece(self, piece: Piece, *, final: bool) -> bool:
        """Shows these blocks instead of the present ones; False where nothing had to change."""
        del final  # only code waits for its end
        piece = cast(TextPiece, piece)
        if tuple(self._blocks) == piece.blocks and not self._plain:
            return False
        self._reset()
        self.add(piece.blocks)
        return True

    def add(self, blocks: tuple[Block, ...]) -> None:
        """Appends blocks."""
        self._blocks += blocks
        self._writer.write(blocks)
        if any(span.href for block in blocks for span in block.spans):
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_plain(self, text: str) -> None:
        """Shows text as it was written; text that only grows is appended to."""
        if not self._plain or not text.startswith(self._plain):
            self._reset()
            self._writer.write((Block("p"),))
        cursor = self.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        cursor.insertText(text[len(self._plain) :])
        self._plain = text

    def restyle(self) -> None:
        """Writes everything anew in the theme and zoom in force."""
        blocks, plain = tuple(self._blocks), self._plain
        self.show_font()
        self._reset()
        if plain:
            self.show_plain(plain)
        else:
            self.add(blocks)

    def _reset(self) -> None:
        self.document().clear()
        self._blocks = []
        self._plain = ""
        self._writer = self._new_writer()

    def _new_writer(self) -> DocumentWriter:
        return DocumentWriter(self.document(), DocumentStyle.current(self.devicePixelRatioF()))


class TableSegment(LeafEdit):
    """A table, which scrolls sideways where it is wider than the answer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.indent = 0
        self.setAccessibleName(tr("Table"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self._table: TablePiece | None = None
        self._waiting = False
        self.horizontalScrollBar().installEventFilter(self)

    @property
    def leaf(self) -> LeafEdit:
        return self

    @property
    def first_block(self) -> Block:
        return Block("p")

    @property
    def last_block(self) -> Block:
        return Block("p")

    @property
    def waiting(self) -> bool:
        return self._waiting

    @property
    def table(self) -> TablePiece | None:
        """What is shown."""
        return self._table

    def widget(self) -> QWidget:
        return self

    def show_piece(self, piece: Piece, *, final: bool) -> bool:
        """Shows that table; False where nothing had to change."""
        del final
        piece = cast(TablePiece, piece)
        if piece == self._table:
            return False
        self._table = piece
        self._write()
        return True

    def restyle(self) -> None:
        """Writes the table anew in the theme and zoom in force."""
        self.show_font()
        self._write()

    def height_for(self, width: int) -> int:
        if width != self._width:
            self._width = width
            self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
            self.setLineWrapColumnOrWidth(self._wanted_width(width))
        size = self.document().size()
        bar = self.horizontalScrollBar().sizeHint().height() if size.width() > width + 1 else 0
        return int(size.height() + 0.999) + bar

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        # Hidden bars still eat the wheel; a table that fits has nothing to scroll.
        return event.type() == QEvent.Type.Wheel and self.horizontalScrollBar().maximum() == 0

    def _wanted_width(self, width: int) -> int:
        columns = len(self._table.aligns) if self._table else 1
        self.document().setTextWidth(-1)
        ideal = self.document().idealWidth() + 2
        return int(min(ideal, max(width, columns * theme().px(_COLUMN_WIDTH))))

    def _write(self) -> None:
        if self._table is None:
            return
        self.document().clear()
        writer = DocumentWriter(self.document(), DocumentStyle.current(self.devicePixelRatioF()))
        writer.write_table(self._table)
        # Qt brings the cursor into view when it is first shown: a wide table would be seen from its end.
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self._waiting = writer.waiting
        self._width = -1

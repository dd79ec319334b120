"""Writes blocks and tables into a QTextDocument."""

import unicodedata
from collections.abc import Sequence

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextImageFormat,
    QTextLength,
    QTextTableFormat,
)

from codette_desktop.gui.theme.tokens import UI_FAMILY
from codette_desktop.gui.widgets.markdown.math_images import MathImage, math_images
from codette_desktop.gui.widgets.markdown.pieces import Block, Span, Style, TablePiece
from codette_desktop.gui.widgets.markdown.style import PROPERTY_CODE, PROPERTY_SOURCE, DocumentStyle, has_code

_ALIGNS = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}


class DocumentWriter:
    """Appends to one document; remembers the last block, on which the space above the next one depends.

    `waiting` says that a formula is shown as its source because the library that draws it is still loading.
    """

    def __init__(self, document: QTextDocument, style: DocumentStyle) -> None:
        self._document = document
        self._style = style
        self.last: Block | None = None
        self.first: Block | None = None
        self.waiting = False
        document.setIndentWidth(style.indent)

    def write(self, blocks: Sequence[Block]) -> None:
        """Appends blocks at the end."""
        cursor = QTextCursor(self._document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for block in blocks:
            self._block(cursor, block)
        cursor.endEditBlock()

    def _block(self, cursor: QTextCursor, block: Block) -> None:
        block_format = self._style.block_format(block)
        block_format.setTopMargin(self._style.gap(self.last, block))
        block_format.setLayoutDirection(direction_of(block.spans))
        base = self._style.base_format(block)
        if self.last is None:
            cursor.setBlockFormat(block_format)
            cursor.setBlockCharFormat(base)
            self.first = block
        else:
            cursor.insertBlock(block_format, base)
        self._spans(cursor, block)
        self.last = block

    def _spans(self, cursor: QTextCursor, block: Block) -> None:
        for span in block.spans:
            if Style.MATH in span.style:
                self._math(cursor, span, block)
            else:
                cursor.insertText(span.text, self._style.char_format(span, block))

    def _math(self, cursor: QTextCursor, span: Span, block: Block) -> None:
        style, images = self._style, math_images()
        if not images.ready:
            self.waiting = True
            images.load_later()
        else:
            base = style.base_format(block)
            # The formula font's letters are smaller than Inter's at the same size.
            pixels = round(int(base.property(int(QTextCharFormat.Property.FontPixelSize))) * 1.15)
            colour = base.foreground().color().name()
            display = Style.DISPLAY in span.style
            image = images.image(span.text, pixels, colour, display, style.ratio)
            if image is not None:
                self._picture(cursor, span, image)
                return
        cursor.insertText(span.source or span.text, style.char_format(span, block))

    def _picture(self, cursor: QTextCursor, span: Span, math: MathImage) -> None:
        """Puts a formula on the base line: Qt sets its foot on its font's descent, so the font is chosen by that."""
        font = QFont(UI_FAMILY)
        pixels = 1
        for pixels in range(1, 400):
            font.setPixelSize(pixels)
            if QFontMetricsF(font).descent() >= math.depth:
                break
        room = QFontMetricsF(font).descent() - math.depth
        name = f"math:{hash((span.text, math.image.cacheKey(), room)) & 0xFFFFFFFF:x}"
        self._document.addResource(
            QTextDocument.ResourceType.ImageResource.value, QUrl(name), _padded(math.image, max(0.0, room))
        )
        made = QTextImageFormat()
        made.setName(name)
        made.setWidth(math.width)
        made.setHeight(math.height + max(0.0, room))
        made.setProperty(int(QTextCharFormat.Property.FontPixelSize), pixels)
        made.setFontFamilies([UI_FAMILY])
        made.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignBaseline)
        made.setProperty(PROPERTY_SOURCE, span.source or span.text)
        cursor.insertImage(made)

    def write_table(self, table: TablePiece) -> None:
        """Fills an empty document with one table."""
        style = self._style
        columns, rows = max(1, len(table.aligns)), max(1, len(table.rows))
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        made = cursor.insertTable(rows, columns, _table_format(style))
        for row, cells in enumerate(table.rows):
            for column, spans in enumerate(cells[:columns]):
                inside = made.cellAt(row, column).firstCursorPosition()
                self._cell(inside, spans, table.aligns[column], head=row == 0)
        for column in range(columns):
            cell = made.cellAt(0, column)
            head = cell.format().toTableCellFormat()
            head.setBackground(QBrush(QColor(style.tokens.code_head)))
            cell.setFormat(head)
        cursor.endEditBlock()
        # Qt keeps an empty paragraph below a table; it must not add to the height.
        _shrink_last_block(self._document)

    def _cell(self, cursor: QTextCursor, spans: tuple[Span, ...], align: str, head: bool) -> None:
        block = Block("p", spans)
        block_format = QTextBlockFormat()
        block_format.setLineHeight(115, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        block_format.setLayoutDirection(direction_of(spans))
        if has_code(spans):
            block_format.setProperty(PROPERTY_CODE, True)
        if align in _ALIGNS:
            block_format.setAlignment(_ALIGNS[align])
        cursor.setBlockFormat(block_format)
        for span in spans:
            if Style.MATH in span.style:
                self._math(cursor, span, block)
                continue
            made = self._style.char_format(span, block)
            if head and not made.hasProperty(PROPERTY_CODE):
                made.setFontWeight(QFont.Weight.DemiBold)
            cursor.insertText(span.text, made)


def direction_of(spans: Sequence[Span]) -> Qt.LayoutDirection:
    """The direction of the first letter that has one."""
    for span in spans:
        for character in span.text[:200] if Style.CODE not in span.style else "":
            kind = unicodedata.bidirectional(character)
            if kind in ("R", "AL"):
                return Qt.LayoutDirection.RightToLeft
            if kind == "L":
                return Qt.LayoutDirection.LeftToRight
    return Qt.LayoutDirection.LeftToRight


def _table_format(style: DocumentStyle) -> QTextTableFormat:
    made = QTextTableFormat()
    made.setBorder(1)
    made.setBorderCollapse(True)
    made.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
    made.setBorderBrush(QBrush(QColor(style.tokens.line)))
    made.setCellPadding(style.px(7))
    made.setCellSpacing(0)
    made.setHeaderRowCount(1)
    made.setWidth(QTextLength())
    return made


def _shrink_last_block(document: QTextDocument) -> None:
    cursor = QTextCursor(document)
    cursor.movePosition(QTextCursor.MoveOperation.End)
    block_format = QTextBlockFormat()
    block_format.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
    cursor.setBlockFormat(block_format)
    tiny = QTextCharFormat()
    tiny.setProperty(int(QTextCharFormat.Property.FontPixelSize), 1)
    cursor.setBlockCharFormat(tiny)


def _padded(image: QImage, below: float) -> QImage:
    ratio = image.devicePixelRatio()
    extra = round(below * ratio)
    if extra <= 0:
        return image
    made = QImage(image.width(), image.height() + extra, image.format())
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.drawImage(0, 0, image)
    painter.end()
    return made

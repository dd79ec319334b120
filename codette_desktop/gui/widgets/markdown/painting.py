"""What is painted under the text of an answer: list marks, quote bars, rules, the ground of inline code."""

from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPen,
    QPolygonF,
    QTextBlock,
    QTextCursor,
    QTextDocument,
)

from codette_desktop.gui.theme.manager import theme
from codette_desktop.gui.theme.tokens import UI_FAMILY
from codette_desktop.gui.widgets.markdown.style import (
    CHECKED,
    PROPERTY_CODE,
    PROPERTY_MARK,
    PROPERTY_QUOTE,
    PROPERTY_RULE,
    UNCHECKED,
)


def paint_behind(painter: QPainter, document: QTextDocument, clip: QRectF) -> None:
    """Paints for the blocks that reach into `clip` (document coordinates)."""
    layout = document.documentLayout()
    block = _first_block(document, clip)
    while block.isValid():
        box = layout.blockBoundingRect(block)
        if box.top() > clip.bottom() + theme().px(40):
            break
        _paint_block(painter, block, box)
        block = block.next()


def _first_block(document: QTextDocument, clip: QRectF) -> QTextBlock:
    position = document.documentLayout().hitTest(clip.topLeft(), Qt.HitTestAccuracy.FuzzyHit)
    block = document.findBlock(max(0, position))
    # What is painted may reach out of its block, and a table row holds several: start somewhat earlier.
    for _ in range(12):
        if not block.previous().isValid():
            break
        block = block.previous()
    return block


def _paint_block(painter: QPainter, block: QTextBlock, box: QRectF) -> None:
    tokens, block_format = theme().tokens, block.blockFormat()
    # In a table a layout's own position counts from the cell; the bounding box counts from the document.
    in_table = QTextCursor(block).currentTable() is not None
    origin = box.topLeft() - block.layout().boundingRect().topLeft() if in_table else block.layout().position()
    if block_format.property(PROPERTY_RULE):
        painter.fillRect(QRectF(box.left(), round(box.center().y()), box.width(), 1), QColor(tokens.line_strong))
    if depth := int(block_format.property(PROPERTY_QUOTE) or 0):
        _paint_quote(painter, block, box, depth)
    if mark := block_format.property(PROPERTY_MARK):
        _paint_mark(painter, block, origin, str(mark))
    if not block_format.property(PROPERTY_CODE):
        return
    for run in block.textFormats():
        part: Any = run  # PySide does not declare the members of a format range
        if part.format.property(PROPERTY_CODE):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.code_inline))
            for rect in _line_rects(block, origin, part.start, part.start + part.length, part.format.font()):
                painter.drawRoundedRect(rect, theme().px(4), theme().px(4))


def _paint_quote(painter: QPainter, block: QTextBlock, box: QRectF, depth: int) -> None:
    px, tokens = theme().px, theme().tokens
    before, layout = block.previous(), block.document().documentLayout()
    before_depth = int(before.blockFormat().property(PROPERTY_QUOTE) or 0) if before.isValid() else 0
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(tokens.line_strong))
    for level in range(depth):
        # A bar that goes on from the block above fills the space between the two.
        top = layout.blockBoundingRect(before).bottom() if before_depth > level else box.top()
        painter.drawRect(QRectF(level * px(18), top, px(3), box.bottom() - top))


def _paint_mark(painter: QPainter, block: QTextBlock, origin: QPointF, mark: str) -> None:
    """The mark stands before the first line, on the side the text starts from."""
    layout = block.layout()
    if layout.lineCount() == 0:
        return
    px, tokens = theme().px, theme().tokens
    line = layout.lineAt(0)
    baseline = origin.y() + line.y() + line.ascent()
    font = QFont(UI_FAMILY)
    font.setPixelSize(block.charFormat().font().pixelSize() if block.charFormat().font().pixelSize() > 0 else px(15))
    metrics = QFontMetricsF(font)
    middle = baseline - metrics.xHeight() / 2
    right_to_left = block.textDirection() == Qt.LayoutDirection.RightToLeft
    edge = origin.x() + line.x() + (line.width() if right_to_left else 0)
    away = 1 if right_to_left else -1
    if mark in (CHECKED, UNCHECKED):
        side = px(14)
        box = QRectF(0, 0, side, side)
        box.moveCenter(QPointF(edge + away * (px(8) + side / 2), middle - px(1)))
        _paint_task(painter, box, done=mark == CHECKED)
        return
    painter.setPen(QColor(tokens.secondary))
    if mark[0].isdigit():
        painter.setFont(font)
        width = metrics.horizontalAdvance(mark)
        painter.drawText(QPointF(edge + (px(8) if right_to_left else -px(8) - width), baseline), mark)
        return
    _paint_bullet(painter, QPointF(edge + away * px(12), middle), "•◦▪".find(mark))


def _paint_bullet(painter: QPainter, centre: QPointF, kind: int) -> None:
    px, colour = theme().px, QColor(theme().tokens.secondary)
    painter.setPen(QPen(colour, 1.2) if kind == 1 else Qt.PenStyle.NoPen)
    painter.setBrush(Qt.BrushStyle.NoBrush if kind == 1 else colour)
    radius = px(5) / 2
    if kind == 2:
        painter.drawRect(QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius))
    else:
        painter.drawEllipse(centre, radius, radius)


def _paint_task(painter: QPainter, box: QRectF, *, done: bool) -> None:
    px, tokens = theme().px, theme().tokens
    painter.setPen(QPen(QColor(tokens.accent_fill if done else tokens.line_strong), 1.2))
    painter.setBrush(QColor(tokens.accent_fill if done else tokens.surface))
    painter.drawRoundedRect(box, px(3), px(3))
    if done:
        painter.setPen(QPen(QColor(tokens.accent_text), px(2), Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        points = [(0.25, 0.52), (0.43, 0.7), (0.76, 0.32)]
        painter.drawPolyline(
            QPolygonF([QPointF(box.x() + x * box.width(), box.y() + y * box.height()) for x, y in points])
        )


def _line_rects(block: QTextBlock, origin: QPointF, start: int, end: int, font: QFont) -> list[QRectF]:
    """One rectangle a line, of the height of the letters and not of the line."""
    layout, metrics = block.layout(), QFontMetricsF(font)
    rects: list[QRectF] = []
    for number in range(layout.lineCount()):
        line = layout.lineAt(number)
        first, last = max(start, line.textStart()), min(end, line.textStart() + line.textLength())
        if first >= last:
            continue
        left, right = _x_of(line, first), _x_of(line, last)
        baseline = origin.y() + line.y() + line.ascent()
        top = baseline - metrics.capHeight() - theme().px(5)
        height = metrics.capHeight() + theme().px(10)
        rects.append(QRectF(origin.x() + min(left, right) - 2, top, abs(right - left) + 4, height))
    return rects


def _x_of(line: Any, position: int) -> float:
    value = line.cursorToX(position)
    return float(value[0] if isinstance(value, tuple) else value)

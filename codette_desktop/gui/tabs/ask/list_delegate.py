"""How rows of the side list are drawn: headings, titles, found words."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from codette_desktop.domain.conversations import SearchHit
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.row_drawing import Index, draw_row
from codette_desktop.gui.tabs.ask.conversation_model import AnsweringRole, HeadingRole, shown_title
from codette_desktop.gui.theme import theme

HitRole = Qt.ItemDataRole.UserRole + 10
MARK_START, MARK_END = "\x02", "\x03"


class ConversationDelegate(QStyledItemDelegate):
    """Headings and conversations, one height for all rows so that a hundred thousand of them need no measuring."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 - Qt's own signature
        return QSize(theme().px(120), theme().px(32))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        if index.data(HeadingRole):
            self._paint_heading(painter, option.rect, str(index.data()))
        else:
            draw_row(painter, option)
            self._paint_title(painter, option, index)
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRect, text: str) -> None:
        px = theme().px
        painter.setFont(theme().font(11, QFont.Weight.DemiBold))
        painter.setPen(QColor(theme().tokens.secondary))
        area = rect.adjusted(px(10), 0, -px(10), -px(5))
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, text)

    def _paint_title(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        px, tokens = theme().px, theme().tokens
        area = option.rect.adjusted(px(10), 0, -px(10), 0)
        if index.data(AnsweringRole):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.accent))
            painter.drawEllipse(QPoint(area.right() - px(3), area.center().y() + 1), px(3), px(3))
            area.adjust(0, 0, -px(14), 0)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        font = theme().font(13, QFont.Weight.DemiBold if selected else QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text))
        text = QFontMetrics(font).elidedText(str(index.data() or ""), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:  # noqa: ARG002 - Qt's own signature
        editor = QLineEdit(parent)
        editor.setAccessibleName(tr("Title of the conversation"))
        editor.setMaxLength(200)
        return editor


class HitDelegate(QStyledItemDelegate):
    """A search hit: title above, and the words around the found ones below."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 - Qt's own signature
        return QSize(theme().px(120), theme().px(54))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        hit: SearchHit | None = index.data(HitRole)
        if hit is None:
            return
        painter.save()
        draw_row(painter, option)
        px, tokens = theme().px, theme().tokens
        area = option.rect.adjusted(px(10), px(7), -px(10), -px(6))
        font = theme().font(13, QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text))
        title = QFontMetrics(font).elidedText(shown_title(hit.conversation), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, title)
        self._paint_snippet(painter, area.adjusted(0, px(20), 0, 0), hit.snippet)
        painter.restore()

    def _paint_snippet(self, painter: QPainter, area: QRect, snippet: str) -> None:
        """One line, the found words on the highlight colour; it begins near the first of them."""
        px, tokens = theme().px, theme().tokens
        font, strong = theme().font(12), theme().font(12, QFont.Weight.DemiBold)
        painter.setClipRect(area)
        left = area.left()
        for text, marked in runs(snippet):
            metrics = QFontMetrics(strong if marked else font)
            width = metrics.horizontalAdvance(text)
            place = QRect(left, area.top(), width, metrics.height())
            if marked:
                painter.fillRect(place, QColor(tokens.highlight))
            painter.setFont(strong if marked else font)
            painter.setPen(QColor(tokens.text if marked else tokens.secondary))
            painter.drawText(QRect(left, area.top(), width + px(4), metrics.height()), Qt.AlignmentFlag.AlignLeft, text)
            left += width
            if left > area.right():
                break


def runs(snippet: str) -> list[tuple[str, bool]]:
    """The pieces of a snippet with whether they are found words; text long before the first one is cut."""
    text = " ".join(snippet.split())
    first = text.find(MARK_START)
    if first > 24:
        start = text.rfind(" ", 0, first - 12) + 1
        text = "… " + text[start:]
    found: list[tuple[str, bool]] = []
    for index, part in enumerate(text.split(MARK_START)):
        marked, end, rest = part.partition(MARK_END)
        if index and end:
            found.append((marked, True))
            part = rest
        if part:
            found.append((part, False))
    return found

"""Draws the cells of the table of requests by hand: through the style sheet one screenful of them takes far longer."""

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from codette_desktop.gui.tabs.watch.requests import requests_wording as words
from codette_desktop.gui.tabs.watch.requests.requests_model import PLACEHOLDER, RequestsModel
from codette_desktop.gui.theme import theme

_QUIET = (words.WHEN, words.PURPOSE, words.CACHED, words.QUEUE)
_MONO = (words.WHEN, *words.NUMBERS)
_MIDDLE = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine


class RequestsDelegate(QStyledItemDelegate):
    """Text, its colour, the ground of chosen rows, and a line below the cell that has the keyboard."""

    def __init__(self, model: RequestsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        theme().changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        """Fonts and colours are made once, not for each cell."""
        tokens, px = theme().tokens, theme().px
        self._fonts: tuple[QFont, QFont] = (theme().font(12), theme().font(12, mono=True))
        self._metrics = QFontMetrics(self._fonts[0])
        self._text, self._secondary = QColor(tokens.text), QColor(tokens.secondary)
        self._waiting, self._accent = QColor(tokens.line_strong), QColor(tokens.accent)
        self._chosen, self._hover = QColor(tokens.selection), QColor(tokens.hover)
        self._roles = {name: QColor(tokens.colour(name)) for name in ("bad_word", "warning_word")}
        self._side, self._line = px(9), px(2)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        state, rect = option.state, option.rect  # type: ignore[attr-defined]
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(rect, self._chosen)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, self._hover)
        column = index.column()
        record = self._model.record_at(index.row())
        if record is None:
            text, colour = (PLACEHOLDER if column in (words.WHEN, words.MODEL) else ""), self._waiting
        else:
            text = words.cell_text(record, column, self._model.today)
            role = words.outcome_role(record) if column == words.OUTCOME else ""
            colour = self._roles[role] if role else self._text
            if column in _QUIET and not chosen:
                colour = self._secondary
        painter.setFont(self._fonts[column in _MONO])
        painter.setPen(colour)
        box = rect.adjusted(self._side, 0, -self._side, 0)
        if column == words.MODEL:  # the only one that may have less room than it needs
            text = self._metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, box.width())
        side = Qt.AlignmentFlag.AlignRight if column in words.NUMBERS else Qt.AlignmentFlag.AlignLeft
        painter.drawText(box, int(side | _MIDDLE), text)
        if state & QStyle.StateFlag.State_HasFocus and not chosen:
            painter.fillRect(rect.x(), rect.bottom() - self._line + 1, rect.width(), self._line, self._accent)

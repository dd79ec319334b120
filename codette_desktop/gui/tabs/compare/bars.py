"""Small bars with their words: the tally of a vote, the weights of members."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from codette_desktop.gui.i18n import number
from codette_desktop.gui.tabs.compare.column import series_colour
from codette_desktop.gui.theme import theme

ROW, BAR, GAP = 34, 6, 4


@dataclass(frozen=True, slots=True)
class Bar:
    """`share` from 0 to 1, of the whole width; `places` are the members behind it, whose colours it has."""

    text: str
    share: float
    places: tuple[int, ...] = ()


class Bars(QWidget):
    """One row a bar: the words with the share at the right, and the bar below them."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars: tuple[Bar, ...] = ()
        self._name = name
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self._resize)

    def show_bars(self, bars: Sequence[Bar]) -> None:
        """These, in this order."""
        self._bars = tuple(bars)
        spoken = "; ".join(f"{bar.text} {number(100 * bar.share)} %" for bar in self._bars)
        self.setAccessibleName(f"{self._name}: {spoken}" if spoken else self._name)
        self.setToolTip(spoken.replace("; ", "\n"))
        self._resize()

    def sizeHint(self) -> QSize:
        return QSize(theme().px(200), theme().px(ROW) * len(self._bars))

    def _resize(self) -> None:
        self.setFixedHeight(self.sizeHint().height())
        self.setVisible(bool(self._bars))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        px, tokens = theme().px, theme().tokens
        painter.setFont(theme().font(12))
        metrics = QFontMetrics(painter.font())
        for row, bar in enumerate(self._bars):
            top = row * px(ROW)
            share = f"{number(100 * bar.share)} %"
            line = metrics.height()
            painter.setPen(QColor(tokens.text))
            room = self.width() - metrics.horizontalAdvance(share) - px(8)
            text = metrics.elidedText(" ".join(bar.text.split()), Qt.TextElideMode.ElideRight, room)
            painter.drawText(0, top, room, line, Qt.AlignmentFlag.AlignLeft, text)
            painter.setPen(QColor(tokens.secondary))
            painter.drawText(0, top, self.width(), line, Qt.AlignmentFlag.AlignRight, share)
            self._paint_bar(painter, bar, top + line + px(GAP))

    def _paint_bar(self, painter: QPainter, bar: Bar, top: int) -> None:
        px, tokens = theme().px, theme().tokens
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.pressed))
        height, whole = px(BAR), float(self.width())
        painter.drawRoundedRect(QRectF(0, top, whole, height), height / 2, height / 2)
        places = bar.places or (0,)
        width = whole * max(0.0, min(1.0, bar.share)) / len(places)
        for number_, place in enumerate(places):
            painter.setBrush(QColor(series_colour(place)))
            painter.drawRoundedRect(QRectF(number_ * width, top, max(width, 1.0), height), height / 2, height / 2)

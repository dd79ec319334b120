"""The legend of a chart: colour, name and value of each curve, the values in line on the right."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from codette_desktop.gui.tabs.compare.column import series_colour
from codette_desktop.gui.theme import theme

_LEAST, _MOST, _ROW, _GAP = 132, 232, 18, 16  # design pixels


@dataclass(frozen=True, slots=True)
class Entry:
    """One curve: its name, the place of its colour, and its value in words."""

    label: str
    place: int
    value: str


def is_dashed(place: int) -> bool:
    """The colours have all been used once: from here on lines are dashed."""
    return place >= len(theme().tokens.series)


class ChartLegend(QWidget):
    """As many columns of one width as there is room for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entries: tuple[Entry, ...] = ()
        self._cut: dict[tuple[str, int], str] = {}
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self._on_theme)
        self._fit()

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """These, in this order."""
        if tuple(entries) == self.entries:
            return
        more = len(entries) != len(self.entries)
        self.entries = tuple(entries)
        self.setAccessibleDescription(", ".join(f"{entry.label} {entry.value}" for entry in entries))
        if more:
            self._cut.clear()
            self._fit()
        self.update()

    def cells(self) -> list[QRect]:
        """Where each entry stands."""
        px = theme().px
        count = max(1, len(self.entries))
        columns = max(1, min(count, (self.width() + px(_GAP)) // (px(_LEAST) + px(_GAP))))
        width = min(px(_MOST), (self.width() - (columns - 1) * px(_GAP)) // columns)
        return [
            QRect((at % columns) * (width + px(_GAP)), at // columns * px(_ROW), width, px(_ROW))
            for at in range(len(self.entries))
        ]

    def sizeHint(self) -> QSize:
        cells = self.cells()
        return QSize(theme().px(_LEAST), cells[-1].bottom() + 1 if cells else theme().px(_ROW))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for cell, entry in zip(self.cells(), self.entries, strict=True):
                if cell.contains(event.pos()):
                    QToolTip.showText(event.globalPos(), f"{entry.label}: {entry.value}", self, cell)
                    return True
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Kind by kind: changing fonts and pens for each entry would take longer than painting them."""
        px, tokens = theme().px, theme().tokens
        painter = QPainter(self)
        rows = list(zip(self.cells(), self.entries, strict=True))
        painter.setFont(theme().font(12, mono=True))
        painter.setPen(QColor(tokens.text))
        metrics = painter.fontMetrics()
        base = (px(_ROW) + metrics.ascent() - metrics.descent()) / 2
        rooms: list[int] = []
        for cell, entry in rows:
            width = metrics.horizontalAdvance(entry.value)
            painter.drawText(QPointF(cell.right() + 1 - width, cell.top() + base), entry.value)
            rooms.append(cell.width() - px(18) - width - px(8))
        painter.setFont(theme().font(12))
        painter.setPen(QColor(tokens.secondary))
        metrics = painter.fontMetrics()
        for (cell, entry), room in zip(rows, rooms, strict=True):
            label = self._elided(metrics, entry.label, max(0, room))
            painter.drawText(QPointF(cell.left() + px(18), cell.top() + base), label)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for cell, entry in rows:
            self._paint_key(painter, cell, entry)

    def _elided(self, metrics: QFontMetrics, label: str, room: int) -> str:
        if (label, room) not in self._cut:
            self._cut[label, room] = metrics.elidedText(label, Qt.TextElideMode.ElideRight, room)
        return self._cut[label, room]

    def _paint_key(self, painter: QPainter, cell: QRect, entry: Entry) -> None:
        """A stroke in the colour of the curve, two points for a dashed one."""
        px = theme().px
        y, x = cell.center().y() + 0.5, cell.left() + px(2)
        painter.setPen(QPen(QColor(series_colour(entry.place)), px(3), Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        if is_dashed(entry.place):
            painter.drawPoint(QPointF(x, y))
            painter.drawPoint(QPointF(x + px(8), y))
        else:
            painter.drawLine(QPointF(x, y), QPointF(x + px(8), y))

    def _on_theme(self) -> None:
        self._cut.clear()
        self._fit()

    def _fit(self) -> None:
        height = self.sizeHint().height()
        if height != self.height() or height != self.minimumHeight():
            self.setFixedHeight(height)
        self.update()

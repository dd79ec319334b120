"""The last minute of a figure as a small line without axes."""

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from codette_desktop.gui.theme import theme

LENGTH = 60


class SparkLine(QWidget):
    """Its newest value stands at the right; where nothing is known the line has a gap."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.values: tuple[float, ...] = ()
        self._colour = "accent"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self._on_theme)

    def show_values(self, values: Sequence[float], colour: str) -> None:
        """These, oldest first, in the colour of a token."""
        if tuple(values) != self.values or colour != self._colour:
            self.values, self._colour = tuple(values), colour
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme().px(64), theme().px(28))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, theme().px(28))  # the number beside it has the first right to the room

    def runs(self) -> list[list[QPointF]]:
        """The stretches of the line in the pixels of the widget."""
        known = [value for value in self.values if math.isfinite(value)]
        if not known:
            return []
        box = QRectF(self.rect()).adjusted(1, 3, -3, -3)
        low, high = min(0.0, *known), max(known)
        if high <= low:
            high = low + 1
        found: list[list[QPointF]] = [[]]
        step = box.width() / max(1, LENGTH - 1)
        first = LENGTH - len(self.values)
        for place, value in enumerate(self.values):
            if not math.isfinite(value):
                found.append([])
                continue
            y = box.bottom() - (value - low) / (high - low) * box.height()
            found[-1].append(QPointF(box.left() + (first + place) * step, y))
        return [run for run in found if run]

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.width() < theme().px(16):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        runs = self.runs()
        base = self.height() - 2.5
        painter.setPen(QPen(QColor(theme().tokens.line), 1))
        painter.drawLine(QPointF(1, base), QPointF(self.width() - 3, base))
        if not runs:
            return
        colour = QColor(theme().tokens.colour(self._colour))
        fill = QColor(colour)
        fill.setAlphaF(0.12)
        for run in runs:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawPolygon(QPolygonF([QPointF(run[0].x(), base), *run, QPointF(run[-1].x(), base)]))
            painter.setPen(QPen(colour, 1.25))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF(run))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        if math.isfinite(self.values[-1]):
            painter.drawEllipse(runs[-1][-1], 2, 2)

    def _on_theme(self) -> None:
        self.updateGeometry()
        self.update()

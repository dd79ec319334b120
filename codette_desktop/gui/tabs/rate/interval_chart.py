"""A chart of dots with their intervals, one row an item; rows can be walked with the keyboard and opened."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from codette_desktop.gui.tabs.compare.column import series_colour
from codette_desktop.gui.tabs.rate.chart_axis import Axis, share_axis, thinned
from codette_desktop.gui.theme import theme
from codette_desktop.rating.intervals import Interval

ROW, STACKED_ROW, AXIS = 34, 50, 26  # design heights
NARROW = 560  # design width below which the words stand above their line
LABEL_MOST = 0.34  # of the width
_DOT, _CAP = 4.5, 4.0


@dataclass(frozen=True, slots=True)
class ChartRow:
    """`text` stands at the right, `tip` has the exact figures. `place` gives the colour; `faded` says little."""

    label: str
    interval: Interval
    text: str
    tip: str = ""
    place: int = 0
    faded: bool = False


class IntervalChart(QWidget):
    """`activated` carries the number of the row: Enter, or a double click."""

    activated = Signal(int)
    current_changed = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._rows: tuple[ChartRow, ...] = ()
        self._axis = share_axis()
        self._current, self._hovered = 0, -1
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self._fit)
        self._fit()

    # What is shown

    @property
    def rows(self) -> tuple[ChartRow, ...]:
        """Those on view, from the top."""
        return self._rows

    @property
    def axis(self) -> Axis:
        """The axis under them."""
        return self._axis

    @property
    def current(self) -> int:
        """The row the keyboard stands on."""
        return self._current

    def show_rows(self, rows: Sequence[ChartRow], axis: Axis) -> None:
        """These, in this order."""
        self._rows, self._axis = tuple(rows), axis
        self._current = max(0, min(self._current, len(rows) - 1))
        self._hovered = -1
        self.setAccessibleDescription("; ".join(_spoken(row) for row in self._rows))
        self._fit()

    def set_current(self, row: int) -> None:
        """Stand on that row, and say what it holds."""
        row = max(0, min(row, len(self._rows) - 1))
        if row == self._current or not self._rows:
            return
        self._current = row
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, _spoken(self._rows[row])))
        self.current_changed.emit(row)
        self.update()

    def sizeHint(self) -> QSize:
        px = theme().px
        return QSize(px(480), len(self._rows) * px(self._row_height()) + px(AXIS))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(200), self.sizeHint().height())

    # Geometry

    def _stacked(self) -> bool:
        return self.width() < theme().px(NARROW)

    def _row_height(self) -> int:
        return STACKED_ROW if self._stacked() else ROW

    def _fit(self) -> None:
        height = self.sizeHint().height()
        if self.height() != height or self.minimumHeight() != height:
            self.setFixedHeight(height)
        self.update()

    def row_rect(self, row: int) -> QRect:
        """The whole of a row."""
        height = theme().px(self._row_height())
        return QRect(0, row * height, self.width(), height)

    def row_at(self, y: float) -> int:
        """The row at that height; -1 below the last."""
        row = int(y // theme().px(self._row_height()))
        return row if 0 <= row < len(self._rows) else -1

    def _columns(self) -> tuple[int, int, int]:
        """Where the plot begins, where it ends, and how wide the values at the right are."""
        px = theme().px
        words, mono = QFontMetrics(theme().font(13)), QFontMetrics(theme().font(12, mono=True))
        value = max((mono.horizontalAdvance(row.text) for row in self._rows), default=0)
        side = px(12)
        if self._stacked():
            return side, self.width() - side, value
        widest = max((words.horizontalAdvance(row.label) for row in self._rows), default=0)
        label = min(widest, round(LABEL_MOST * self.width()))
        return side + label + px(20) + 2, self.width() - side - value - px(20), value

    def _x(self, value: float) -> float:
        left, right, _value = self._columns()
        return left + self._axis.share(value) * max(1, right - left)

    # Drawing

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter)
        for at, row in enumerate(self._rows):
            self._paint_marker(painter, at)
            self._paint_words(painter, self.row_rect(at), row)
            self._paint_interval(painter, self.row_rect(at), row)

    def _paint_ground(self, painter: QPainter) -> None:
        px, tokens = theme().px, theme().tokens
        bottom = len(self._rows) * px(self._row_height())
        if self._axis.band is not None:
            low, high = (self._x(bound) for bound in self._axis.band)
            for row in range(len(self._rows)):
                box = QRectF(self.row_rect(row))
                top = box.top() + (0.54 * box.height() if self._stacked() else 0)
                painter.fillRect(QRectF(low, top, high - low, box.bottom() - top), QColor(tokens.accent_soft))
        painter.setFont(theme().font(11, mono=True))
        metrics = QFontMetrics(painter.font())
        left, right, _value = self._columns()
        widest = max((metrics.horizontalAdvance(tick.text) for tick in self._axis.ticks), default=1) + px(12)
        for tick in thinned(self._axis.ticks, max(2, (right - left) // max(1, widest))):
            x = round(self._x(tick.value)) + 0.5
            painter.setPen(QPen(QColor(tokens.line), 1))
            self._paint_upright(painter, x, bottom + px(4))
            painter.setPen(QColor(tokens.secondary))
            width = metrics.horizontalAdvance(tick.text)
            at = max(0.0, min(self.width() - width - 1.0, x - width / 2))
            painter.drawText(QPointF(at, bottom + px(8) + metrics.ascent()), tick.text)
        if self._axis.reference is not None:
            x = round(self._x(self._axis.reference)) + 0.5
            painter.setPen(QPen(QColor(tokens.secondary), 1, Qt.PenStyle.DashLine))
            self._paint_upright(painter, x, bottom + px(4))

    def _paint_upright(self, painter: QPainter, x: float, bottom: float) -> None:
        """A line through all rows; where words stand above their line, not through the words."""
        if not self._stacked():
            painter.drawLine(QPointF(x, 0), QPointF(x, bottom))
            return
        for row in range(len(self._rows)):
            box = self.row_rect(row)
            painter.drawLine(QPointF(x, box.top() + 0.54 * box.height()), QPointF(x, box.bottom() - 1))

    def _paint_marker(self, painter: QPainter, at: int) -> None:
        """What is under the pointer, and where the keyboard stands."""
        tokens, radius = theme().tokens, theme().px(6)
        box = QRectF(self.row_rect(at)).adjusted(1, 1, -1, -1)
        if at == self._hovered:
            colour = QColor(tokens.text)
            colour.setAlphaF(0.05)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(box, radius, radius)
        if at == self._current and self.hasFocus():
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, radius, radius)

    def _paint_words(self, painter: QPainter, box: QRect, row: ChartRow) -> None:
        px, tokens = theme().px, theme().tokens
        left, _right, value = self._columns()
        side = px(12)
        if self._stacked():
            box = QRect(box.left(), box.top() + px(4), box.width(), px(STACKED_ROW) // 2)
            room = box.width() - value - 2 * side - px(12)
        else:
            room = left - side - px(18)
        painter.setFont(theme().font(13))
        painter.setPen(QColor(tokens.secondary if row.faded else tokens.text))
        text = QFontMetrics(painter.font()).elidedText(row.label, Qt.TextElideMode.ElideMiddle, room)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRect(side, box.top(), room, box.height()), Qt.AlignmentFlag.AlignLeft | middle, text)
        painter.setFont(theme().font(12, mono=True))
        painter.setPen(QColor(tokens.secondary if row.faded else tokens.text))
        at = QRect(box.right() + 1 - side - value - 1, box.top(), value + 1, box.height())
        painter.drawText(at, Qt.AlignmentFlag.AlignRight | middle, row.text)

    def _paint_interval(self, painter: QPainter, box: QRect, row: ChartRow) -> None:
        px, tokens = theme().px, theme().tokens
        middle = box.center().y() + 0.5
        if self._stacked():
            middle = box.top() + px(STACKED_ROW) * 0.74
        colour = QColor(tokens.line_strong if row.faded else series_colour(row.place))
        low, high, dot = self._x(row.interval.low), self._x(row.interval.high), self._x(row.interval.value)
        width, cap, radius = max(1.0, px(2)), max(2.0, px(10 * _CAP) / 10), max(3.0, px(10 * _DOT) / 10)
        painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(QPointF(low, middle), QPointF(high, middle))
        for x in (low, high):
            painter.drawLine(QPointF(x, middle - cap), QPointF(x, middle + cap))
        painter.setPen(QPen(QColor(tokens.surface), max(1.0, px(3) / 2)))
        painter.setBrush(QColor(tokens.surface) if row.faded else colour)
        if row.faded:  # hollow, so that its shape tells it too
            painter.setPen(QPen(colour, width))
        painter.drawEllipse(QPointF(dot, middle), radius, radius)

    # Hands

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: self._current - 1, Qt.Key.Key_Down: self._current + 1,
                 Qt.Key.Key_Home: 0, Qt.Key.Key_End: len(self._rows) - 1}  # fmt: skip
        key = Qt.Key(event.key())
        if key in steps and self._rows:
            self.set_current(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._rows:
            self.activated.emit(self._current)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if (row := self.row_at(event.position().y())) >= 0:
            self.set_current(row)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if (row := self.row_at(event.position().y())) >= 0:
            self.activated.emit(row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.row_at(event.position().y()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)
        super().leaveEvent(event)

    def _hover(self, row: int) -> None:
        if row != self._hovered:
            self._hovered = row
            self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = self.row_at(event.pos().y())
            tip = self._rows[row].tip if row >= 0 else ""
            QToolTip.showText(event.globalPos(), tip, self, self.row_rect(max(0, row)))
            return True
        if event.type() in (QEvent.Type.Resize, QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._fit()
        return super().event(event)


def _spoken(row: ChartRow) -> str:
    return f"{row.label}: {row.text}"

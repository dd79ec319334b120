"""A small chart of lines or of thin bars, painted by hand: sharp at every zoom, read with the pointer or the arrows."""

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from codette_desktop.gui.layouts import sized
from codette_desktop.gui.tabs.watch.charts.chart_scale import Scale, round_scale, ticks_inside
from codette_desktop.gui.theme import theme
from codette_desktop.gui.widgets.labels import paint_focus, plain_tip

HEIGHT = 132


@dataclass(frozen=True, slots=True)
class Curve:
    """`x` and `y` equally long; NaN is a gap. `place` is its colour among the series, `marked` are places in it that
    stand out."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    place: int = 0
    marked: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class ChartData:
    """`bars`: each value stands on the axis. `levels` are horizontal lines with their words, `span` a stretch of x
    that is shaded. `x_range` widens the chart; `top` is how high it is, what exceeds it ends at its edge."""

    curves: Sequence[Curve]
    x_words: Callable[[float], str]
    y_words: Callable[[float], str]
    bars: bool = False
    levels: Sequence[tuple[float, str]] = ()
    span: tuple[float, float] | None = None
    x_range: tuple[float, float] | None = None
    top: float | None = None
    mark_word: str = ""


class SmallChart(QWidget):
    """Shows a `ChartData`. The value under the pointer, or under the arrow keys, is told in a tooltip."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._data: ChartData | None = None
        self._x_scale, self._y_scale = Scale(0, 1, ()), Scale(0, 1, ())
        self._at: float | None = None  # the x that is read
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        sized(self, minimum=(120, HEIGHT), maximum=(0, HEIGHT))
        theme().changed.connect(self.update)

    def show_data(self, data: ChartData, spoken: str = "") -> None:
        """Draw that; `spoken` says it in words for those who do not see it."""
        self._data, self._at = data, None
        values = [value for curve in data.curves for value in curve.y if math.isfinite(value)]
        xs = [value for curve in data.curves for value in curve.x]
        low, high = data.x_range or (min(xs, default=0.0), max(xs, default=1.0))
        self._x_scale = Scale(low, high if high > low else low + 1, ticks_inside(low, high, 5))
        most = data.top if data.top is not None else max(values, default=1.0)
        self._y_scale = round_scale(0.0, most)
        self.setAccessibleDescription(spoken)
        self.update()

    # Where things are

    def _plot(self) -> QRectF:
        px, metrics = theme().px, QFontMetrics(theme().font(11, mono=True))
        words = [self._data.y_words(tick) for tick in self._y_scale.ticks] if self._data else []
        left = max((metrics.horizontalAdvance(text) for text in words), default=0) + px(8)
        bottom = metrics.height() + px(6)
        top = px(10)
        return QRectF(left, top, max(1, self.width() - left - px(8)), max(1, self.height() - top - bottom))

    def _point(self, plot: QRectF, x: float, y: float) -> QPointF:
        return QPointF(
            plot.left() + self._x_scale.share(x) * plot.width(), plot.bottom() - self._y_scale.share(y) * plot.height()
        )

    # Painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._data is not None:
            plot = self._plot()
            self._paint_span(painter, plot, self._data)
            self._paint_grid(painter, plot, self._data)
            for curve in self._data.curves:
                self._paint_bars(painter, plot, curve) if self._data.bars else self._paint_line(painter, plot, curve)
            self._paint_levels(painter, plot, self._data)
            self._paint_reading(painter, plot)
        painter.end()
        if self.hasFocus():
            paint_focus(self)

    def _paint_span(self, painter: QPainter, plot: QRectF, data: ChartData) -> None:
        if data.span is None:
            return
        left = self._point(plot, data.span[0], 0).x()
        right = max(left + 1, self._point(plot, data.span[1], 0).x())
        painter.fillRect(QRectF(left, plot.top(), right - left, plot.height()), QColor(theme().tokens.accent_soft))

    def _paint_grid(self, painter: QPainter, plot: QRectF, data: ChartData) -> None:
        tokens, px = theme().tokens, theme().px
        painter.setFont(theme().font(11, mono=True))
        metrics = QFontMetrics(painter.font())
        for tick in self._y_scale.ticks:
            y = round(self._point(plot, 0, tick).y()) + 0.5
            painter.setPen(QPen(QColor(tokens.line), 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(QColor(tokens.secondary))
            box = QRectF(0, y - metrics.height() / 2, plot.left() - px(6), metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, data.y_words(tick))
        painter.setPen(QColor(tokens.secondary))
        free = -1.0
        for tick in self._x_scale.ticks:
            text = data.x_words(tick)
            width = metrics.horizontalAdvance(text) + 2
            left = min(self._point(plot, tick, 0).x() - width / 2, self.width() - width)
            left = max(plot.left() - px(4), left)
            if left > free:
                painter.drawText(QRectF(left, plot.bottom() + px(4), width, metrics.height()), 0, text)
                free = left + width + px(8)

    def _paint_line(self, painter: QPainter, plot: QRectF, curve: Curve) -> None:
        painter.setPen(QPen(_series(curve.place), 1.0 * max(1, theme().px(10)) / 10 + 0.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        part = QPolygonF()
        for x, y in zip(curve.x, curve.y, strict=True):
            if math.isfinite(y):
                part.append(self._point(plot, x, y))
                continue
            _draw(painter, part)
            part = QPolygonF()
        _draw(painter, part)

    def _paint_bars(self, painter: QPainter, plot: QRectF, curve: Curve) -> None:
        """One stroke a pixel at most: the highest of those that fall on it, so that no stall is lost."""
        marked = set(curve.marked)
        highest: dict[int, tuple[float, bool]] = {}
        for place, (x, y) in enumerate(zip(curve.x, curve.y, strict=True)):
            at = round(self._point(plot, x, 0).x())
            if y >= highest.get(at, (-1.0, False))[0]:
                highest[at] = (y, place in marked)
        colours = {False: _series(curve.place), True: QColor(theme().tokens.bad)}
        room = plot.width() / max(1, len(curve.x))
        painter.setPen(Qt.PenStyle.NoPen)
        width = max(1.0, min(theme().px(6), room - 1))
        for at, (y, stands_out) in highest.items():
            top = self._point(plot, 0, y).y()
            painter.fillRect(QRectF(at - width / 2, top, width, plot.bottom() - top), colours[stands_out])
            if stands_out:
                _triangle(painter, QPointF(at, max(plot.top(), top)), colours[True])
            if y > self._y_scale.high:
                self._paint_beyond(painter, plot, at, y)

    def _paint_beyond(self, painter: QPainter, plot: QRectF, at: float, y: float) -> None:
        """How much it is, beside a bar that goes beyond the chart."""
        painter.save()
        painter.setFont(theme().font(11, mono=True))
        painter.setPen(QColor(theme().tokens.text))
        text = self._data.y_words(y) if self._data is not None else ""
        metrics, gap = QFontMetrics(painter.font()), theme().px(8)
        width = metrics.horizontalAdvance(text) + 2
        left = at + gap if at + gap + width <= plot.right() else at - gap - width
        painter.drawText(QRectF(left, plot.top() + 1, width, metrics.height()), 0, text)
        painter.restore()

    def _paint_levels(self, painter: QPainter, plot: QRectF, data: ChartData) -> None:
        tokens, px = theme().tokens, theme().px
        painter.setFont(theme().font(11))
        metrics = QFontMetrics(painter.font())
        heights = [round(self._point(plot, 0, value).y()) + 0.5 for value, _text in data.levels]
        painter.setPen(QPen(QColor(tokens.text), 1, Qt.PenStyle.DashLine))
        for y in heights:
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
        if not heights:
            return
        # All words stand above all lines, for these are often close to each other.
        text = " · ".join(text for _value, text in data.levels)
        width, top = metrics.horizontalAdvance(text) + px(8), max(0.0, min(heights) - metrics.height() - 1)
        box = QRectF(plot.right() - width, top, width, metrics.height())
        painter.fillRect(box, QColor(tokens.surface))
        painter.setPen(QColor(tokens.secondary))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_reading(self, painter: QPainter, plot: QRectF) -> None:
        if self._at is None:
            return
        x = round(self._point(plot, self._at, 0).x()) + 0.5
        painter.setPen(QPen(QColor(theme().tokens.line_strong), 1))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))

    # Reading

    def reading(self, x: float) -> str:
        """What is drawn nearest to `x`, in words."""
        if self._data is None:
            return ""
        lines: list[str] = []
        for curve in self._data.curves:
            if not len(curve.x):
                continue
            at = _nearest(curve.x, x)
            if not lines:
                lines.append(self._data.x_words(curve.x[at]))
            value = self._data.y_words(curve.y[at]) if math.isfinite(curve.y[at]) else "–"
            mark = f" · {self._data.mark_word}" if at in curve.marked and self._data.mark_word else ""
            lines.append(f"{curve.name}: {value}{mark}" if curve.name else f"{value}{mark}")
        return "\n".join(lines)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        plot = self._plot()
        share = (event.position().x() - plot.left()) / plot.width()
        if self._data is None or not self._data.curves or not 0 <= share <= 1:
            return
        self._read(self._x_scale.low + share * (self._x_scale.high - self._x_scale.low), event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self._at = None
        self.update()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        xs = self._data.curves[0].x if self._data is not None and self._data.curves else ()
        if not step or not len(xs):
            super().keyPressEvent(event)
            return
        at = _nearest(xs, self._at) + step if self._at is not None else 0
        x = xs[max(0, min(len(xs) - 1, at))]
        self._read(x, self._point(self._plot(), x, self._y_scale.high))

    def _read(self, x: float, where: QPointF) -> None:
        self._at = x
        self.update()
        QToolTip.showText(self.mapToGlobal(where.toPoint()), plain_tip(self.reading(x)), self)


def _nearest(xs: Sequence[float], x: float) -> int:
    at = bisect.bisect_left(xs, x)
    return min((place for place in (at - 1, at) if 0 <= place < len(xs)), key=lambda place: abs(xs[place] - x))


def _series(place: int) -> QColor:
    series = theme().tokens.series
    return QColor(series[place % len(series)])


def _draw(painter: QPainter, part: QPolygonF) -> None:
    if part.size() == 1:
        painter.drawEllipse(part.first(), 1.5, 1.5)
    elif part.size() > 1:
        painter.drawPolyline(part)


def _triangle(painter: QPainter, tip: QPointF, colour: QColor) -> None:
    side = theme().px(4)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([tip, tip + QPointF(-side, -side * 1.5), tip + QPointF(side, -side * 1.5)]))
    painter.setBrush(Qt.BrushStyle.NoBrush)

"""The plot of one chart: curves by pyqtgraph, axes and marks painted here, brought down to the pixels there are."""

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QGraphicsView, QToolTip, QWidget

from codette_desktop.domain.telemetry import Mark
from codette_desktop.gui.tabs.compare.column import series_colour
from codette_desktop.gui.tabs.watch.charts.chart_legend import is_dashed
from codette_desktop.gui.tabs.watch.charts.curves import Curve, Floats, to_pixels
from codette_desktop.gui.tabs.watch.charts.mark_shapes import GRAVEST, SIZE, mark_colour, mark_text, paint_mark
from codette_desktop.gui.tabs.watch.charts.time_axis import TimeTick, time_ticks
from codette_desktop.gui.tabs.watch.now.now_state import ChartState, Period
from codette_desktop.gui.tabs.watch.units import Kind, Scale, scale_for
from codette_desktop.gui.theme import theme

LEFT, RIGHT, TOP, BOTTOM = 40, 10, 12, 20  # design pixels around the curves
HEIGHT = 168
_TICK, _LABEL_WIDTH = 11, 76
_SMOOTH_POINTS = 6_000  # in all curves of a chart: beyond them smooth lines take too long
_MOST_DOTS = 600
_NEAR = 5  # design pixels: so near the pointer stands on a mark


class _Line(pg.PlotCurveItem):
    """A curve that takes all of the plot: pyqtgraph would reckon from all its points how much it takes, each time."""

    def __init__(self) -> None:
        super().__init__()
        self.bounds = QRectF()

    def boundingRect(self) -> QRectF:
        return self.bounds


class ChartPlot(pg.GraphicsView):
    """`hovered` carries a moment or None, `dragged` seconds, `wheeled` (steps, moment)."""

    hovered = Signal(object)
    dragged = Signal(float)
    wheeled = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: ChartState | None = None
        self._period = Period(0, 1)
        self._marks: tuple[Mark, ...] = ()
        self._scale: Scale = scale_for(Kind.COUNT, 0, 1)
        self._times: list[TimeTick] = []
        self._dragged_from: QPoint | None = None
        self.lines: list[_Line] = []
        self._dots: dict[_Line, pg.ScatterPlotItem] = {}
        self.box = pg.ViewBox(enableMouse=False, enableMenu=False, defaultPadding=0)
        self.box.disableAutoRange()
        self.scene().addItem(self.box)
        self._crosshair = _Crosshair(self.viewport())
        self.enableMouse(False)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        for part in (self, self.viewport()):  # the chart around it has the keyboard
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        theme().changed.connect(self._on_theme)
        self._on_theme()

    # What is shown

    @property
    def scale_shown(self) -> Scale:
        """The axis at the left."""
        return self._scale

    @property
    def plot_rect(self) -> QRectF:
        """Where the curves are, in pixels."""
        px = theme().px
        width, height = max(1, self.width() - px(LEFT) - px(RIGHT)), max(1, self.height() - px(TOP) - px(BOTTOM))
        return QRectF(px(LEFT), px(TOP), width, height)

    def show_state(self, state: ChartState, period: Period, marks: Sequence[Mark]) -> None:
        """These curves over that period."""
        self._state, self._period = state, period
        inside = (mark for mark in marks if period.start <= mark.at <= period.end)
        self._marks = tuple(sorted(inside, key=lambda mark: mark.at))
        bounds = [curve.bounds() for curve in state.curves]
        low = min((bound[0] for bound in bounds), default=float("inf"))
        high = max((bound[1] for bound in bounds), default=float("-inf"))
        self._scale = scale_for(state.kind, low, high, 4 if self.plot_rect.height() >= theme().px(100) else 2)
        self._draw()

    def show_moment(self, moment: float | None) -> None:
        """The crosshair stands there; None: nowhere."""
        rect = self.plot_rect
        inside = moment is not None and self._period.start <= moment <= self._period.end
        self._crosshair.setVisible(inside)
        if inside and moment is not None:
            self._crosshair.setGeometry(round(self.x_of(moment)), round(rect.top()), 1, round(rect.height()))

    def x_of(self, moment: float) -> float:
        """The pixel of a moment."""
        rect = self.plot_rect
        return rect.left() + (moment - self._period.start) / self._period.span * rect.width()

    def moment_at(self, x: float) -> float:
        """The moment at a pixel, within what is in view."""
        rect = self.plot_rect
        share = min(1.0, max(0.0, (x - rect.left()) / rect.width()))
        return self._period.start + share * self._period.span

    def _draw(self) -> None:
        state, rect = self._state, self.plot_rect
        if state is None:
            return
        self._times = time_ticks(self._period.start, self._period.end, int(rect.width() // theme().px(_LABEL_WIDTH)))
        self.box.setRange(
            xRange=(0, self._period.span), yRange=(self._scale.low, self._scale.high), padding=0, update=True
        )
        width = max(1, round(rect.width() * self.devicePixelRatioF()))
        drawn = [to_pixels(curve.x, curve.y, self._period.start, self._period.end, width) for curve in state.curves]
        smooth = sum(x.size for x, _y in drawn) <= _SMOOTH_POINTS
        self._want_items(len(drawn))
        self.resetCachedContent()  # pyqtgraph keeps the background: the crosshair then moves without painting the axes
        for line, curve, (x, y) in zip(self.lines, state.curves, drawn, strict=False):
            self._draw_curve(line, curve, x - self._period.start, y, smooth)
        self.viewport().update()

    def _draw_curve(self, line: _Line, curve: Curve, x: Floats, y: Floats, smooth: bool) -> None:
        colour = QColor(series_colour(curve.place))
        if curve.dots and x.size <= _MOST_DOTS:
            dots = self._dots_of(line)
            dots.setData(x, y, brush=pg.mkBrush(colour), pen=None, size=theme().px(5))
            dots.show()
            colour.setAlphaF(0.45)  # what lies between two answers was not measured
        elif line in self._dots:
            self._dots[line].hide()
        style = Qt.PenStyle.DashLine if is_dashed(curve.place) else Qt.PenStyle.SolidLine
        line.bounds = QRectF(0, self._scale.low, self._period.span, self._scale.high - self._scale.low)
        line.setData(x, y, pen=pg.mkPen(colour, width=1, style=style), antialias=smooth, connect="finite")
        line.show()

    def _dots_of(self, line: _Line) -> pg.ScatterPlotItem:
        """The dots of that line, made when first needed: even an empty row of dots takes its time to paint."""
        if line not in self._dots:
            self._dots[line] = pg.ScatterPlotItem(pxMode=True)
            self.box.addItem(self._dots[line], ignoreBounds=True)
        return self._dots[line]

    def _want_items(self, count: int) -> None:
        while len(self.lines) < count:
            line = _Line()
            self.box.addItem(line, ignoreBounds=True)
            self.lines.append(line)
        for spare in self.lines[count:]:
            spare.hide()
            if spare in self._dots:
                self._dots[spare].hide()

    # Painting what is not a curve

    def drawBackground(self, painter: QPainter, around: QRectF | QRect) -> None:
        px, tokens, rect = theme().px, theme().tokens, self.plot_rect
        painter.fillRect(around, QColor(tokens.surface))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setFont(theme().font(_TICK, mono=True))
        height = painter.fontMetrics().height()
        told = self._state is not None and not self._state.is_empty
        for value in self._scale.ticks() if told else [self._scale.low]:
            share = (value - self._scale.low) / (self._scale.high - self._scale.low)
            y = round(rect.bottom() - share * rect.height())
            painter.setPen(QPen(QColor(tokens.line_strong if value == self._scale.low else tokens.line), 1))
            painter.drawLine(round(rect.left()), y, round(rect.right()), y)
            if not told:  # the words say why; figures beside them would seem measured
                break
            painter.setPen(QColor(tokens.secondary))
            box = QRectF(0, y - height / 2, rect.left() - px(6), height)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._scale.text(value))
        self._paint_times(painter, rect)
        painter.setClipRect(rect)
        self._paint_bands(painter)
        self._paint_mark_lines(painter, rect)

    def _paint_times(self, painter: QPainter, rect: QRectF) -> None:
        px, tokens = theme().px, theme().tokens
        metrics = painter.fontMetrics()
        for tick in self._times:
            x = round(self.x_of(tick.at))
            painter.setPen(QPen(QColor(tokens.line_strong), 1))
            painter.drawLine(x, round(rect.bottom()), x, round(rect.bottom()) + px(3))
            painter.setPen(QColor(tokens.secondary))
            width = metrics.horizontalAdvance(tick.text)
            left = min(max(0.0, x - width / 2), self.width() - width - 1.0)
            painter.drawText(QPointF(left, rect.bottom() + px(5) + metrics.ascent()), tick.text)

    def _paint_mark_lines(self, painter: QPainter, rect: QRectF) -> None:
        for x, mark in {round(self.x_of(mark.at)): mark for mark in self._marks}.items():
            colour = QColor(theme().tokens.colour(mark_colour(mark.kind)))
            colour.setAlphaF(0.4)
            painter.setPen(QPen(colour, 1))
            painter.drawLine(x, round(rect.top()), x, round(rect.bottom()))

    def _paint_bands(self, painter: QPainter) -> None:
        """From the least to the greatest of each step, where steps hold more than one sample."""
        painter.setPen(Qt.PenStyle.NoPen)
        period, rect, scale = self._period, self.plot_rect, self._scale
        for curve in self._state.curves if self._state is not None else ():
            colour = QColor(series_colour(curve.place))
            colour.setAlphaF(0.15)
            painter.setBrush(colour)
            for x, low, high in curve.bands(period.start, period.end):
                across = rect.left() + (x - period.start) * (rect.width() / period.span)
                up = rect.height() / (scale.high - scale.low)
                edges = [rect.bottom() - (np.clip(row, scale.low, scale.high) - scale.low) * up for row in (low, high)]
                polygon = pg.functions.create_qpolygonf(2 * x.size)
                corners = pg.functions.ndarray_from_qpolygonf(polygon)
                corners[:, 0] = np.concatenate((across, across[::-1]))
                corners[:, 1] = np.concatenate((edges[0], edges[1][::-1]))
                painter.drawPolygon(polygon)

    def drawForeground(self, painter: QPainter, _rect: QRectF | QRect) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side, rect = theme().px(SIZE), self.plot_rect
        for x, mark in self._shown_marks():
            paint_mark(painter, QRectF(x + 0.5 - side / 2, 1, side, side), mark.kind)
        if self._state is not None and self._state.is_empty:
            painter.setFont(theme().font(13))
            painter.setPen(QColor(theme().tokens.secondary))
            words = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(rect, words, self._state.empty)

    def marks_near(self, x: float) -> list[Mark]:
        """What happened at a pixel, or next to it."""
        near = theme().px(_NEAR)
        return [mark for mark in self._marks if abs(self.x_of(mark.at) - x) <= near]

    def _shown_marks(self) -> list[tuple[int, Mark]]:
        """Marks whose symbols do not hide one another; of those that would, the gravest."""
        shown: list[tuple[int, Mark]] = []
        for mark in self._marks:
            x = round(self.x_of(mark.at))
            if shown and x - shown[-1][0] < theme().px(SIZE):
                if GRAVEST.index(mark.kind) < GRAVEST.index(shown[-1][1].kind):
                    shown[-1] = (shown[-1][0], mark)
            else:
                shown.append((x, mark))
        return shown

    def _on_theme(self) -> None:
        self.setFixedHeight(theme().px(HEIGHT))
        self._place_box()
        self._draw()

    def _place_box(self) -> None:
        self.box.setGeometry(self.plot_rect)

    # Hands

    def resizeEvent(self, ev: QResizeEvent | None) -> None:
        super().resizeEvent(ev)
        if hasattr(self, "box"):
            self._place_box()
            self._draw()

    def mousePressEvent(self, ev: QMouseEvent) -> None:
        if ev.button() is Qt.MouseButton.LeftButton:
            self._dragged_from = ev.position().toPoint()
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        ev.ignore()  # the chart around it takes the keyboard

    def mouseMoveEvent(self, ev: QMouseEvent) -> None:
        at = ev.position().toPoint()
        if self._dragged_from is not None:
            moved, self._dragged_from = at.x() - self._dragged_from.x(), at
            if moved:
                self.dragged.emit(-moved / self.plot_rect.width() * self._period.span)
        inside = self.plot_rect.adjusted(-1, -theme().px(TOP), 1, 1).contains(QPointF(at))
        self.hovered.emit(self.moment_at(at.x()) if inside else None)

    def mouseReleaseEvent(self, ev: QMouseEvent) -> None:
        self._dragged_from = None
        self.viewport().unsetCursor()
        ev.ignore()

    def leaveEvent(self, ev: QEvent) -> None:
        self.hovered.emit(None)
        super().leaveEvent(ev)

    def wheelEvent(self, ev: QWheelEvent) -> None:
        """The page around it scrolls, unless Ctrl is held or this chart has the keyboard."""
        steps = ev.angleDelta().y() / 120
        around = self.parentWidget()
        wanted = ev.modifiers() & Qt.KeyboardModifier.ControlModifier or (around is not None and around.hasFocus())
        if not wanted or not steps:
            ev.ignore()
            return
        self.wheeled.emit(steps, self.moment_at(ev.position().x()))
        ev.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = [mark_text(mark) for mark in self.marks_near(event.pos().x())]
            QToolTip.showText(event.globalPos(), "\n".join(found), self)
            return True
        return super().viewportEvent(event)


class _Crosshair(QWidget):
    """A line one pixel wide, over the plot: moving it paints nothing but its own strip."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme().tokens.secondary))

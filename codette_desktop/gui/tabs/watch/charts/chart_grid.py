"""All charts, two to a row, over one axis of time: moving one moves all, and one crosshair runs through them."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.watch.charts.chart_view import ChartView
from codette_desktop.gui.tabs.watch.even_grid import EvenGrid
from codette_desktop.gui.tabs.watch.now.now_state import ChartsState
from codette_desktop.gui.tabs.watch.units import listed
from codette_desktop.gui.widgets import ElidedLabel

LEAST_WIDTH = 400
ZOOM = 1.5
_PAN, _STEP = 0.1, 0.01  # of what is in view
_FRAME_MS = 33  # hands move faster than charts need be drawn


class ChartGrid(QWidget):
    """`panned` carries seconds, `zoomed` a factor and the moment that stays in its place (None: the middle or now)."""

    panned = Signal(float)
    zoomed = Signal(float, object)
    hold_wanted = Signal()
    live_wanted = Signal()
    start_wanted = Signal()
    moment_shown = Signal(object)
    picture_wanted = Signal(object)
    copy_wanted = Signal(object)
    data_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state: ChartsState | None = None
        self.moment: float | None = None
        self._views: dict[str, ChartView] = {}
        self._drawn: ChartsState | None = None
        self._frame = QTimer(self)
        self._frame.setSingleShot(True)
        self._frame.setInterval(_FRAME_MS)
        self._frame.timeout.connect(self._draw)
        self.grid = EvenGrid(LEAST_WIDTH, 2, spacing=12)
        self.missing = ElidedLabel(role="secondary")
        self.missing.hide()
        column = QVBoxLayout(self)
        spaced(column, spacing=8)
        column.addWidget(self.grid)
        column.addWidget(self.missing)

    @property
    def charts(self) -> tuple[ChartView, ...]:
        """Those on view, in their order."""
        return tuple(item for item in self.grid.items if isinstance(item, ChartView))

    @property
    def is_drawn(self) -> bool:
        """Whether what was given last is what one sees."""
        return self._drawn is self.state

    def chart(self, key: str) -> ChartView:
        """The chart of that name; raises KeyError for one that is not there."""
        return self._views[key]

    def show_state(self, state: ChartsState) -> None:
        """These, at the next frame if one was drawn just now."""
        self.state = state
        if not self._frame.isActive():
            self._draw()

    def refresh(self) -> None:
        """What has come into view is drawn."""
        for chart in self.charts:
            chart.refresh()

    def _draw(self) -> None:
        state = self.state
        if state is None or state is self._drawn:
            return
        self._drawn = state
        self._frame.start()
        views = [self._view(chart.key) for chart in state.charts]
        if views != list(self.charts):
            self.grid.set_items(views)
        for view, chart in zip(views, state.charts, strict=True):
            view.show_state(chart, state.period, state.marks)
        self.missing.setText(tr("Not measured here: {names}", names=listed([name.lower() for name in state.missing])))
        self.missing.setVisible(bool(state.missing))

    def _view(self, key: str) -> ChartView:
        if key not in self._views:
            view = ChartView(self.grid)
            view.plot.hovered.connect(self.show_moment)
            view.plot.dragged.connect(self.panned)
            view.plot.wheeled.connect(lambda steps, moment: self.zoomed.emit(ZOOM**-steps, moment))
            view.picture_wanted.connect(lambda: self.picture_wanted.emit(view))
            view.copy_wanted.connect(lambda: self.copy_wanted.emit(view))
            view.data_wanted.connect(lambda: self.data_wanted.emit(view))
            self._views[key] = view
        return self._views[key]

    # The crosshair

    def show_moment(self, moment: float | None) -> None:
        """The crosshair runs through all charts there."""
        if moment == self.moment:
            return
        self.moment = moment
        for chart in self.charts:
            chart.show_moment(moment)
        self.moment_shown.emit(moment)

    def _step_moment(self, steps: int) -> None:
        if self.state is None:
            return
        period = self.state.period
        moment = period.end if self.moment is None else self.moment + steps * period.span * _STEP
        self.show_moment(min(period.end, max(period.start, moment)))

    # Hands

    def take_key(self, event: QKeyEvent) -> bool:
        """Do what a key means here; False where it means nothing."""
        if self.state is None or event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        ):
            return False
        key, span = Qt.Key(event.key()), self.state.period.span
        shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        match key:
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                way = 1 if key is Qt.Key.Key_Right else -1
                if shifted:
                    self._step_moment(way)
                else:
                    self.panned.emit(way * _PAN * span)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoomed.emit(1 / ZOOM, self.moment)
            case Qt.Key.Key_Minus | Qt.Key.Key_Underscore:
                self.zoomed.emit(ZOOM, self.moment)
            case Qt.Key.Key_Home:
                self.start_wanted.emit()
            case Qt.Key.Key_End:
                self.live_wanted.emit()
            case Qt.Key.Key_H | Qt.Key.Key_Space:
                self.hold_wanted.emit()
            case Qt.Key.Key_Escape if self.moment is not None:
                self.show_moment(None)
            case _:
                return False
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.take_key(event):
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        QTimer.singleShot(0, self, self.refresh)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, self.refresh)

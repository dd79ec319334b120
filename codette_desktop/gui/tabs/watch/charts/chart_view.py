"""One chart: title and unit, what can be saved of it, its legend, its plot."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QSizePolicy, QVBoxLayout, QWidget

from codette_desktop.domain.telemetry import Mark
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.watch.charts.chart_legend import ChartLegend, Entry
from codette_desktop.gui.tabs.watch.charts.chart_plot import ChartPlot
from codette_desktop.gui.tabs.watch.now.now_state import ChartState, Period
from codette_desktop.gui.tabs.watch.units import Kind
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import IconButton
from codette_desktop.gui.widgets.labels import paint_focus

PICTURE_RATIO = 2.0
NOTHING = ChartState("", "", Kind.COUNT)


class ChartView(QFrame):
    """`picture_wanted`, `data_wanted` and `copy_wanted` come from its menu or its keys P, D and C."""

    picture_wanted = Signal()
    data_wanted = Signal()
    copy_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.state = NOTHING
        self._period = Period(0, 1)
        self._marks: tuple[Mark, ...] = ()
        self._moment: float | None = None
        self._stale = self._pictured = False
        self.title, self.unit = QLabel(), QLabel()
        set_role(self.title, "strong")
        set_role(self.unit, "secondary")
        self.menu_button = IconButton("ellipsis", tr("Save this chart"))
        self.legend, self.plot = ChartLegend(), ChartPlot()
        self.menu_button.clicked.connect(lambda: self.open_menu())
        self._lay_out()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        spaced(head, (0, 0, 0, 0), 6)
        head.addWidget(self.title)
        head.addWidget(self.unit)
        head.addStretch(1)
        head.addWidget(self.menu_button)
        column = QVBoxLayout(self)
        spaced(column, (12, 8, 8, 8), 4)
        column.addLayout(head)
        column.addWidget(self.legend)
        column.addWidget(self.plot)

    # What is shown

    def show_state(self, state: ChartState, period: Period, marks: Sequence[Mark]) -> None:
        """These curves; drawn only where it is in view, else when it comes into view (`refresh`)."""
        self.state, self._period, self._marks = state, period, tuple(marks)
        self._stale = True
        self.setAccessibleName(tr("{chart}, chart", chart=state.title))
        self.refresh()

    def refresh(self) -> None:
        """Draw what has not been drawn yet, if it is in view."""
        if not self._stale or self.visibleRegion().isEmpty():
            return
        self._stale = False
        self.plot.show_state(self.state, self._period, self._marks)
        self.title.setText(self.state.title)
        self.unit.setText(self.plot.scale_shown.unit if not self.state.is_empty else "")
        self.show_moment(self._moment)

    def show_moment(self, moment: float | None) -> None:
        """The values of that moment in the legend, None: the newest ones."""
        self._moment = moment
        if self._stale or self.state is NOTHING:
            return
        self.plot.show_moment(moment)
        scale = self.plot.scale_shown
        entries = [
            Entry(curve.label, curve.place, scale.value_text(curve.last() if moment is None else curve.at(moment)))
            for curve in self.state.curves
        ]
        self.legend.show_entries(entries)
        self.setAccessibleDescription(self.state.empty if self.state.is_empty else self._spoken(entries))

    def _spoken(self, entries: Sequence[Entry]) -> str:
        unit = self.plot.scale_shown.unit
        return ", ".join(f"{entry.label} {entry.value} {unit}".strip() for entry in entries)

    # Saving

    def picture(self) -> QImage:
        """The chart as a picture, twice as sharp as on the screen, without its button and focus ring."""
        self._pictured = True
        self.menu_button.hide()
        moment, self._moment = self._moment, None
        self.show_moment(None)
        image = QImage(self.size() * PICTURE_RATIO, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(PICTURE_RATIO)
        image.fill(Qt.GlobalColor.transparent)
        self.render(image)
        self._pictured = False
        self.menu_button.show()
        self.show_moment(moment)
        return image

    def open_menu(self) -> None:
        """What can be done with it."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for words, key, signal in (
            (tr("Save the picture …"), "P", self.picture_wanted),
            (tr("Copy the picture"), "C", self.copy_wanted),
            (tr("Save the data …"), "D", self.data_wanted),
        ):
            action = menu.addAction(f"{words}\t{key}")
            action.triggered.connect(signal)
        self.menu = menu
        menu.popup(self.menu_button.mapToGlobal(QPoint(0, self.menu_button.height())))

    # Hands

    def keyPressEvent(self, event: QKeyEvent) -> None:
        wanted = {
            Qt.Key.Key_P: self.picture_wanted.emit,
            Qt.Key.Key_D: self.data_wanted.emit,
            Qt.Key.Key_C: self.copy_wanted.emit,
            Qt.Key.Key_Return: self.open_menu,
            Qt.Key.Key_Enter: self.open_menu,
            Qt.Key.Key_Menu: self.open_menu,
        }.get(Qt.Key(event.key()))
        if wanted is None or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        else:
            wanted()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus() and not self._pictured:
            paint_focus(self)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.FontChange and self.state is not NOTHING:
            self._stale = True

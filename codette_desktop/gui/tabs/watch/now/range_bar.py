"""The row above the charts: how long a time, hold, live, and which moment is looked at."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.watch.charts.time_axis import moment_text, period_text, span_text
from codette_desktop.gui.tabs.watch.now.now_state import RANGES_S, Mode, Period
from codette_desktop.gui.theme import theme
from codette_desktop.gui.widgets import ElidedLabel, SegmentedControl
from codette_desktop.gui.widgets.quiet_wheel import QuietWheel


class _Ranges(SegmentedControl):
    """A row of choices of which, after zooming, none may hold."""

    def show_current(self, key: str) -> None:
        """Choose without a signal; "" for none."""
        self.blockSignals(True)
        if key:
            self.set_current(key)
        elif checked := self._group.checkedButton():
            self._group.setExclusive(False)
            checked.setChecked(False)
            self._group.setExclusive(True)
        self.blockSignals(False)


class RangeBar(QWidget):
    """`range_chosen` carries the name of a range. Where the ranges have no room in a row, a list stands for them."""

    range_chosen = Signal(str)
    hold_wanted = Signal()
    live_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._period: Period | None = None
        self._moment: float | None = None
        self.ranges = _Ranges([(key, span_text(span)) for key, span in RANGES_S.items()], tr("Time in view"))
        self.ranges.setToolTip(tr("Drag a chart to look earlier or later; Ctrl and the wheel zoom"))
        self.list = QComboBox()
        self.list.setAccessibleName(tr("Time in view"))
        self.list.view().setAccessibleName(tr("Time in view"))
        self.list.setToolTip(self.ranges.toolTip())
        for key, span in RANGES_S.items():
            self.list.addItem(span_text(span), key)
        self.list.hide()
        self.hold = QPushButton(tr("Hold"))
        self.hold.setCheckable(True)
        self.hold.setToolTip(tr("Freeze the charts, or let them go on (H, Space)"))
        self.live = QPushButton(tr("Live"))
        self.live.setToolTip(tr("Back to now (End)"))
        self.words = ElidedLabel(role="secondary")
        for button in (self.hold, self.live):
            button.setAccessibleName(button.text())
        row = QHBoxLayout(self)
        spaced(row, spacing=8)
        row.addWidget(self.ranges)
        row.addWidget(self.list)
        row.addWidget(self.words, 1)
        row.addWidget(self.hold)
        row.addWidget(self.live)
        QuietWheel(self)
        self.ranges.changed.connect(self.range_chosen)
        self.list.activated.connect(lambda at: self.range_chosen.emit(self.list.itemData(at)))
        self.hold.clicked.connect(lambda _checked: self.hold_wanted.emit())
        self.live.clicked.connect(lambda _checked: self.live_wanted.emit())

    def show_period(self, period: Period) -> None:
        """What is in view; a time in between the ranges leaves none chosen."""
        self._period = period
        self.ranges.show_current(period.key)
        self.list.setCurrentIndex(self.list.findData(period.key) if period.key else -1)
        self.hold.setChecked(period.mode is Mode.HELD)
        self.live.setEnabled(period.mode is not Mode.LIVE)
        self._show_words()

    def show_moment(self, moment: float | None) -> None:
        """The moment under the crosshair."""
        self._moment = moment
        self._show_words()

    def _show_words(self) -> None:
        period = self._period
        if period is None:
            return
        if self._moment is not None:
            self._show_first_that_fits(moment_text(self._moment, period.span))
        elif period.mode is Mode.LIVE:
            self._show_first_that_fits(tr("live, the last {span}", span=span_text(period.span)), tr("live"))
        else:
            words = period_text(period.start, period.end)
            if period.mode is Mode.HELD:
                self._show_first_that_fits(tr("held: {period}", period=words), words, tr("held"))
            else:
                self._show_first_that_fits(words, moment_text(period.end, period.span))

    def _show_first_that_fits(self, *choices: str) -> None:
        metrics, room = self.words.fontMetrics(), self.words.width() - theme().px(8)
        fits = (words for words in choices if metrics.horizontalAdvance(words) <= room)
        self.words.setText(next(fits, choices[-1]))
        self.words.set_tip(choices[0])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        others = self.hold.sizeHint().width() + self.live.sizeHint().width() + 3 * theme().px(8)
        fits = self.ranges.sizeHint().width() + others <= self.width()
        self.ranges.setVisible(fits)
        self.list.setVisible(not fits)
        self._show_words()

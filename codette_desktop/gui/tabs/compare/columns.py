"""The columns beside each other, scrolling sideways below a least width, and the one answer, always in view."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from codette_desktop.domain.ensembles import Method
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.compare.column import CompareColumn
from codette_desktop.gui.tabs.compare.state import CompareState
from codette_desktop.gui.tabs.compare.together import TogetherColumn
from codette_desktop.gui.widgets.scroll_column import ScrollColumn


class Columns(QWidget):
    """Draws a comparison. `made` tells that there are other columns now.

    While `in_step`, scrolling one answer scrolls the others.
    """

    made = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.in_step = True
        self._moving = False
        self._state: CompareState | None = None
        self.columns: list[CompareColumn] = []
        self.together = TogetherColumn()
        inside = QWidget()
        self._row = QHBoxLayout(inside)
        spaced(self._row, (24, 0, 24, 16), 12)
        self.area.setWidget(inside)
        self.last = QWidget()
        last = QVBoxLayout(self.last)
        spaced(last, (8, 0, 24, 16), 0)
        last.addWidget(self.together)
        row = QHBoxLayout(self)
        spaced(row, spacing=0)
        row.addWidget(self.area, 2)
        row.addWidget(self.last, 1)
        self.together.area.verticalScrollBar().valueChanged.connect(lambda _value: self._scrolled(self.together.area))

    def show_state(self, state: CompareState) -> None:
        """What is drawn already stays where it is."""
        if state is not self._state or len(state.columns) != len(self.columns):
            self._make(state)
        self._state = state
        for column, told in zip(self.columns, state.columns, strict=True):
            column.show_state(told, chosen=state.chosen == column.place, busy=state.running)
        self.last.setVisible(state.method is not Method.NONE)
        if state.method is not Method.NONE:
            self.together.show_state(state)

    def _make(self, state: CompareState) -> None:
        for old in self.columns:
            self._row.removeWidget(old)
            old.discard()
            old.hide()
            old.deleteLater()
        self.together.discard()
        self.columns = [CompareColumn(place, told) for place, told in enumerate(state.columns)]
        for place, column in enumerate(self.columns):
            self._row.insertWidget(place, column, 1)
            area = column.area
            area.verticalScrollBar().valueChanged.connect(lambda _value, area=area: self._scrolled(area))
        self.area.horizontalScrollBar().setValue(0)
        self.made.emit()

    def _scrolled(self, area: ScrollColumn) -> None:
        """The others go to the same share of their length; not while answers are followed as they grow."""
        if self._moving or not self.in_step or (self._state is not None and self._state.running):
            return
        bar = area.verticalScrollBar()
        share = bar.value() / bar.maximum() if bar.maximum() else 0.0
        self._moving = True
        for column in self.columns:
            if column.area is not area:
                other = column.area.verticalScrollBar()
                other.setValue(round(share * other.maximum()))
        self._moving = False

    def discard(self) -> None:
        """Nothing may be drawn with the next frame."""
        for column in self.columns:
            column.discard()
        self.together.discard()

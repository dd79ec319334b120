"""Widgets in columns of one width, as many as there is room for."""

from collections.abc import Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.theme import theme


class EvenGrid(QWidget):
    """`least` is the least width of a column in design pixels, `most` the greatest count of columns. `fill`: few
    widgets share the whole width, else they are no wider than many would be."""

    def __init__(
        self, least: int, most: int = 99, *, spacing: int = 8, fill: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._least, self._most, self._spacing, self._fill = least, most, spacing, fill
        self._items: list[QWidget] = []
        self._columns = 0
        self._grid = QGridLayout(self)
        spaced(self._grid, spacing=spacing)
        self.setMinimumWidth(1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self._fit)

    @property
    def items(self) -> tuple[QWidget, ...]:
        """All of them, in their order."""
        return tuple(self._items)

    @property
    def columns(self) -> int:
        """How many there are now."""
        return self._columns

    def set_items(self, items: Sequence[QWidget]) -> None:
        """These from now on; those that are gone are hidden and belong to who made them."""
        for old in self._items:
            self._grid.removeWidget(old)
            if old not in items:
                old.hide()
        self._items = list(items)
        for widget in self._items:
            widget.setParent(self)
        self._columns = 0
        self._fit()
        for widget in self._items:
            widget.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        px = theme().px
        room = (self.width() + px(self._spacing)) // max(1, px(self._least) + px(self._spacing))
        columns = max(1, min(room, self._most))
        if self._fill:  # rows as long as one another: seven are four and three, not five and two
            rows = max(1, -(-len(self._items) // columns))
            columns = max(1, -(-len(self._items) // rows))
        if columns == self._columns:
            return
        for column in range(max(columns, self._grid.columnCount())):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        self._columns = columns
        for place, widget in enumerate(self._items):
            self._grid.addWidget(widget, place // columns, place % columns)
        self._grid.invalidate()
        self.updateGeometry()

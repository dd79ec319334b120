"""Margins and spacings in design pixels that follow the zoom."""

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLayout, QWidget

from codette_desktop.gui.theme import theme

Margins = tuple[int, int, int, int]


class _Spacing(QObject):
    """Belongs to its layout, so it ends with it."""

    def __init__(self, layout: QLayout, margins: Margins, spacing: int) -> None:
        super().__init__(layout)
        self._layout, self._margins, self._spacing = layout, margins, spacing
        theme().changed.connect(self.apply)
        self.apply()

    def apply(self) -> None:
        px = theme().px
        self._layout.setContentsMargins(*(px(margin) for margin in self._margins))
        self._layout.setSpacing(px(self._spacing))


def spaced(layout: QLayout, margins: Margins = (0, 0, 0, 0), spacing: int = 8) -> None:
    """Give `layout` margins (left, top, right, bottom) and spacing; they are zoomed for as long as it lives."""
    _Spacing(layout, margins, spacing)


class _Sizes(QObject):
    def __init__(self, widget: QWidget, minimum: tuple[int, int], maximum: tuple[int, int]) -> None:
        super().__init__(widget)
        self._widget, self._minimum, self._maximum = widget, minimum, maximum
        theme().changed.connect(self.apply)
        self.apply()

    def apply(self) -> None:
        px = theme().px
        if self._minimum[0]:
            self._widget.setMinimumWidth(px(self._minimum[0]))
        if self._minimum[1]:
            self._widget.setMinimumHeight(px(self._minimum[1]))
        if self._maximum[0]:
            self._widget.setMaximumWidth(px(self._maximum[0]))
        if self._maximum[1]:
            self._widget.setMaximumHeight(px(self._maximum[1]))


def sized(widget: QWidget, *, minimum: tuple[int, int] = (0, 0), maximum: tuple[int, int] = (0, 0)) -> None:
    """Bounds (width, height) in design pixels that follow the zoom; 0 leaves a bound as it is."""
    _Sizes(widget, minimum, maximum)


def show_what_fits(parts: Sequence[QWidget], room: int, spacing: int) -> None:
    """Hide the first of `parts` until the rest, each with `spacing`, takes at most `room` pixels; show the rest."""
    widths = [part.sizeHint().width() + spacing for part in parts]
    for at, part in enumerate(parts):
        part.setVisible(sum(widths[at:]) <= room)

"""A scrolling column that moves by copying pixels and can follow text that grows at its end."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from codette_desktop.gui.theme.manager import theme

_NEAR_END = 24  # design pixels from the end that still count as being there


class Paper(QWidget):
    """Paints all of its ground itself. Qt then scrolls and enlarges it without painting everything on it again."""

    def __init__(self, colour: str) -> None:
        super().__init__()
        self._colour = colour
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAttribute(Qt.WidgetAttribute.WA_StaticContents)
        theme().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(theme().tokens.colour(self._colour)))


class ScrollColumn(QScrollArea):
    """Put widgets into `column`. While `following`, the end stays in view; scrolling up by hand ends that.

    `colour` is the token of its ground.
    """

    following_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None, *, colour: str = "window", follow: bool = False) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._follow, self._following, self._moving = follow, follow, False
        paper = Paper(colour)
        self.column = QVBoxLayout(paper)
        self.setWidget(paper)
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._on_range)
        bar.valueChanged.connect(self._on_value)

    @property
    def following(self) -> bool:
        """Whether the end is kept in view."""
        return self._following

    def follow(self) -> None:
        """Goes to the end and stays there."""
        self._set_following(self._follow)
        self._to_end()

    def _to_end(self) -> None:
        bar = self.verticalScrollBar()
        self._moving = True
        bar.setValue(bar.maximum())
        self._moving = False

    def _on_range(self) -> None:
        if self._following:
            self._to_end()

    def _on_value(self, value: int) -> None:
        if not self._moving:
            end = self.verticalScrollBar().maximum() - theme().px(_NEAR_END)
            self._set_following(self._follow and value >= end)

    def _set_following(self, following: bool) -> None:
        if following != self._following:
            self._following = following
            self.following_changed.emit(following)

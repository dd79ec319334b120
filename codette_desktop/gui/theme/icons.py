"""Lucide line icons, tinted by the theme and drawn sharp at every device pixel ratio."""

from functools import lru_cache
from typing import Protocol, cast

from PySide6.QtCore import QByteArray, QObject, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QPushButton

from codette_desktop import paths
from codette_desktop.gui.theme.manager import theme

ICON_NAMES: tuple[str, ...] = tuple(sorted(path.stem for path in paths.resource("icons").glob("*.svg")))

_CUSTOM_STROKE = {16: "1.75", 20: "1.75"}  # Lucide's own width of 2 looks heavy beside Inter at these sizes


class _HasIcon(Protocol):
    def setIcon(self, icon: QIcon, /) -> None: ...


@lru_cache(maxsize=512)
def _renderer(name: str, colour: str, stroke: str) -> QSvgRenderer:
    path = paths.resource("icons", f"{name}.svg")
    if not path.is_file():
        raise KeyError(f"there is no icon {name!r} in {path.parent}")
    svg = path.read_text(encoding="utf-8").replace("currentColor", colour)
    return QSvgRenderer(QByteArray(svg.replace('stroke-width="2"', f'stroke-width="{stroke}"').encode()))


class _LucideEngine(QIconEngine):
    """Draws one icon in the colour its token has now, so that a theme change needs a repaint only."""

    def __init__(self, name: str, size: int, colour: str) -> None:
        super().__init__()
        self._name, self._size, self._colour = name, size, colour

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = theme().tokens
        colour = tokens.line_strong if mode == QIcon.Mode.Disabled else tokens.colour(self._colour)
        side = float(min(rect.width(), rect.height()))
        box = QRectF(0, 0, side, side)
        if rect.width() > rect.height():  # the room to the right parts it from a button's text
            box.moveTopLeft(QPointF(rect.topLeft()))
        else:
            box.moveCenter(QRectF(rect).center())
        # Half pixels blur a one-pixel line; the box starts on a whole one.
        box.moveTopLeft(QPointF(round(box.x()), round(box.y())))
        _renderer(self._name, colour, _CUSTOM_STROKE.get(self._size, "2")).render(painter, box)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, _scale: float) -> QPixmap:
        # `size` is in device pixels already; Qt sets the ratio of the result itself.
        if size.isEmpty():  # a button that has no room while its row is being laid out
            return QPixmap()
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _LucideEngine(self._name, self._size, self._colour)


def icon(name: str, size: int = 16, colour: str = "text") -> QIcon:
    """The Lucide icon of that name in the colour of a token.

    Raises KeyError where there is no such icon. It is drawn in the colour the token has when it is painted.
    """
    theme().tokens.colour(colour)
    _renderer(name, theme().tokens.text, "2")
    return QIcon(_LucideEngine(name, size, colour))


def icon_pixmap(name: str, size: int, colour: str = "text", ratio: float = 1.0) -> QPixmap:
    """That icon as a pixmap of `size` logical pixels (already zoomed) at the device pixel ratio `ratio`."""
    side = max(1, round(size * ratio))
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    _LucideEngine(name, size, colour).paint(painter, QRect(0, 0, side, side), QIcon.Mode.Normal, QIcon.State.Off)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def set_icon(target: QObject, name: str, size: int = 16, colour: str = "text") -> None:
    """Gives a button or an action that icon and keeps its tint and size right when theme or zoom change."""
    follower = target.findChild(_IconFollower, options=Qt.FindChildOption.FindDirectChildrenOnly)
    if follower is None:
        follower = _IconFollower(target)
    follower.show(name, size, colour)


class _IconFollower(QObject):
    """Lives under a button or action and gives it its icon anew after each theme change."""

    def __init__(self, target: QObject) -> None:
        super().__init__(target)
        self._now = ("", 16, "text")
        theme().changed.connect(self._apply)

    def show(self, name: str, size: int, colour: str) -> None:
        self._now = (name, size, colour)
        self._apply()

    def _apply(self) -> None:
        name, size, colour = self._now
        target = self.parent()
        cast(_HasIcon, target).setIcon(icon(name, size, colour))
        if isinstance(target, QAbstractButton):
            side = theme().px(size)
            spoken = isinstance(target, QPushButton) and bool(target.text())
            target.setIconSize(QSize(side + theme().px(6) if spoken else side, side))

"""LaTeX to pictures: ziamath makes SVG, QtSvg draws it. They are kept for the process by formula, size and colour."""

import contextlib
import importlib
import io
import logging
import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from types import ModuleType

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from codette_desktop.gui.widgets.background import load_in_background

MAX_KEPT = 512
MAX_SIDE = 4_000  # pixels; a formula drawn larger than that is shown as its source

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MathImage:
    """A drawn formula: `image` at the device pixel ratio asked for; size and depth below the base line in pixels."""

    image: QImage
    width: float
    height: float
    depth: float


class MathImages(QObject):
    """Draws formulas. The library takes most of a second to load, which happens in a thread at the first formula."""

    loaded = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[tuple[str, int, str, bool, float], MathImage | None] = OrderedDict()
        self._module: ModuleType | None = None
        self._loading: threading.Thread | None = None

    @property
    def ready(self) -> bool:
        """Whether a formula can be drawn at once."""
        return self._module is not None

    def load_later(self) -> None:
        """Loads the library in a thread; `loaded` tells when it is there."""
        if self._module is None and self._loading is None:
            self._loading = load_in_background(self._load, "codette-math")

    def load_now(self) -> None:
        """Waits until the library is there."""
        if self._loading is not None:
            self._loading.join()
        if self._module is None:
            self._load()

    def image(self, latex: str, pixels: int, colour: str, display: bool, ratio: float) -> MathImage | None:
        """The formula at that font size, or None for LaTeX that cannot be read."""
        key = (latex, pixels, colour, display, ratio)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        self.load_now()
        self._kept[key] = drawn = self._draw(*key)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return drawn

    def _load(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it reads its fonts in a way Python no longer likes
            ziamath = importlib.import_module("ziamath")  # slow: only who reads formulas pays

        ziamath.config.svg2 = False  # QtSvg draws no glyphs from SVG 2's shared symbols
        ziamath.Latex("x").svg()  # reads the font
        self._module = ziamath
        self.loaded.emit()

    def _draw(self, latex: str, pixels: int, colour: str, display: bool, ratio: float) -> MathImage | None:
        if self._module is None:
            return None
        try:
            # What the library prints about LaTeX it does not know is of no use to anybody here.
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                formula = self._module.Latex(latex, size=float(pixels), color=colour, inline=not display)
                svg = str(formula.svg())
                depth = -float(formula.getyofst())
        except Exception as error:  # noqa: BLE001 (the library has no error class of its own; models write anything)
            _log.debug("formula not drawn: %s (%s)", latex[:80], type(error).__name__)
            return None
        renderer = QSvgRenderer(QByteArray(svg.encode()))
        size = renderer.defaultSize()
        box = renderer.viewBoxF()
        if not renderer.isValid() or size.isEmpty() or max(box.width(), box.height()) * ratio > MAX_SIDE:
            return None
        width, height = box.width(), box.height()
        image = QImage(
            round(width * ratio + 0.5), round(height * ratio + 0.5), QImage.Format.Format_ARGB32_Premultiplied
        )
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        renderer.render(painter, QRectF(0, 0, width * ratio, height * ratio))
        painter.end()
        image.setDevicePixelRatio(ratio)
        return MathImage(image, width, height, max(0.0, depth))


_images: MathImages | None = None


def math_images() -> MathImages:
    """The formulas of the process."""
    global _images
    if _images is None:
        _images = MathImages()
    return _images

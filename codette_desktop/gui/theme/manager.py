"""The theme in force: light or dark, zoom, and what the rest of the window is told when they change."""

from typing import Literal, cast

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractItemView, QApplication, QStyleFactory, QWidget

from codette_desktop.gui.theme import tokens as design
from codette_desktop.gui.theme.fonts import load_fonts, make_font
from codette_desktop.gui.theme.palettes import make_palette
from codette_desktop.gui.theme.stylesheet import make_stylesheet

Mode = Literal["system", "light", "dark"]
ZOOM_STEPS = (50, 67, 75, 80, 90, 100, 110, 125, 150, 175, 200)

_manager: "ThemeManager | None" = None


class ThemeManager(QObject):
    """Gives the application its palette, style sheet and font, and says `changed` afterwards. GUI thread."""

    changed = Signal()

    def __init__(self, app: QApplication, *, mode: Mode = "system", zoom: int = 100) -> None:
        super().__init__(app)
        global _manager
        _manager = self
        self._app = app
        self._mode: Mode = mode
        self._zoom = _clamped(zoom)
        load_fonts()
        app.setStyle(QStyleFactory.create("Fusion"))
        app.styleHints().colorSchemeChanged.connect(self._on_system_scheme)
        self._tokens = self._wanted_tokens()
        self._apply()

    @property
    def mode(self) -> Mode:
        """What the person chose; "system" follows the desktop where it tells its scheme, else light."""
        return self._mode

    @property
    def dark(self) -> bool:
        return self._tokens is design.DARK

    @property
    def tokens(self) -> design.Tokens:
        """The colours in force."""
        return self._tokens

    @property
    def zoom(self) -> int:
        """Percent, 50..200."""
        return self._zoom

    def set_mode(self, mode: Mode) -> None:
        """Raises ValueError for anything but "system", "light" and "dark"."""
        if mode not in ("system", "light", "dark"):
            raise ValueError(mode)
        self._mode = mode
        self._refresh()

    def set_zoom(self, percent: int) -> None:
        """Sets the zoom; what lies outside 50..200 is brought to the nearer end."""
        percent = _clamped(percent)
        if percent != self._zoom:
            self._zoom = percent
            self._apply()

    def zoom_in(self) -> None:
        self.set_zoom(next((step for step in ZOOM_STEPS if step > self._zoom), ZOOM_STEPS[-1]))

    def zoom_out(self) -> None:
        self.set_zoom(next((step for step in reversed(ZOOM_STEPS) if step < self._zoom), ZOOM_STEPS[0]))

    def zoom_reset(self) -> None:
        self.set_zoom(100)

    def px(self, pixels: float) -> int:
        """A design size in pixels, zoomed; what is not 0 stays at least 1."""
        return max(1, round(pixels * self._zoom / 100)) if pixels > 0 else 0

    def font(
        self, size: int = design.TEXT_BASE, weight: QFont.Weight = QFont.Weight.Normal, *, mono: bool = False
    ) -> QFont:
        """Inter, or JetBrains Mono, of that design size in pixels, zoomed."""
        return make_font(self.px(size), weight, mono=mono)

    def _wanted_tokens(self) -> design.Tokens:
        if self._mode == "system":
            return design.DARK if self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark else design.LIGHT
        return design.DARK if self._mode == "dark" else design.LIGHT

    def _on_system_scheme(self) -> None:
        if self._mode == "system":
            self._refresh()

    def _refresh(self) -> None:
        wanted = self._wanted_tokens()
        if wanted is not self._tokens:
            self._tokens = wanted
            self._apply()

    def _apply(self) -> None:
        self._app.setFont(self.font())
        self._app.setPalette(make_palette(self._tokens))
        self._app.setStyleSheet(make_stylesheet(self._tokens, self.px))
        self.changed.emit()


def theme() -> ThemeManager:
    """The theme of the running application, made on first use. Raises RuntimeError without a QApplication."""
    app = QCoreApplication.instance()
    if not isinstance(app, QApplication):
        raise RuntimeError("the theme needs a QApplication")
    if _manager is None or cast(QObject, _manager._app) is not app:
        return ThemeManager(app)
    return _manager


def set_role(widget: QWidget, role: str) -> None:
    """Sets the style sheet's role of a widget and shows it at once."""
    if widget.property("role") == role:
        return
    widget.setProperty("role", role)
    # Before its first showing a widget has no style to renew, and renewing it would cost it a font set by hand.
    if isinstance(widget, QAbstractItemView):
        widget.ensurePolished()  # rows that are laid out before the style is there keep their unstyled height
    if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.update()


def _clamped(percent: int) -> int:
    return max(ZOOM_STEPS[0], min(ZOOM_STEPS[-1], percent))

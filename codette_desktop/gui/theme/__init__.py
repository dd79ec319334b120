"""Colours, sizes, fonts, icons and the style sheet of the window, in light and in dark."""

from codette_desktop.gui.theme.icons import ICON_NAMES, icon, icon_pixmap, set_icon
from codette_desktop.gui.theme.manager import ZOOM_STEPS, Mode, ThemeManager, set_role, theme
from codette_desktop.gui.theme.tokens import DARK, LIGHT, Tokens, contrast

__all__ = [
    "DARK",
    "ICON_NAMES",
    "LIGHT",
    "ZOOM_STEPS",
    "Mode",
    "ThemeManager",
    "Tokens",
    "contrast",
    "icon",
    "icon_pixmap",
    "set_icon",
    "set_role",
    "theme",
]

"""The bundled fonts: Inter for text, JetBrains Mono for code and for numbers in tables."""

import logging

from PySide6.QtGui import QFont, QFontDatabase

from codette_desktop import paths
from codette_desktop.gui.theme.tokens import MONO_FAMILY, UI_FAMILY

FONT_FILES = (
    "Inter-Regular.otf",
    "Inter-SemiBold.otf",
    "Inter-Bold.otf",
    "Inter-Italic.otf",
    "JetBrainsMono-Regular.ttf",
    "JetBrainsMono-Bold.ttf",
)

_log = logging.getLogger(__name__)


def load_fonts() -> tuple[str, ...]:
    """Makes the bundled fonts known to Qt, once a process; returns the files that could not be read.

    A missing font is no reason not to start: Qt then takes the system's, and the log says so.
    """
    if _loaded:
        return ()
    failed = tuple(
        name for name in FONT_FILES if QFontDatabase.addApplicationFont(str(paths.resource("fonts", name))) < 0
    )
    for name in failed:
        _log.warning("font %s could not be loaded", name)
    _loaded.append(True)
    return failed


def make_font(pixels: int, weight: QFont.Weight = QFont.Weight.Normal, *, mono: bool = False) -> QFont:
    """A font of that height in pixels (already zoomed)."""
    font = QFont(MONO_FAMILY if mono else UI_FAMILY)
    font.setPixelSize(max(1, pixels))
    font.setWeight(weight)
    font.setStyleHint(QFont.StyleHint.Monospace if mono else QFont.StyleHint.SansSerif)
    if mono:
        # No ligatures: "->" in code must show as the two characters it is.
        font.setFeature(QFont.Tag("calt"), 0)
        font.setFeature(QFont.Tag("liga"), 0)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


_loaded: list[bool] = []

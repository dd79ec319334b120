"""Style of single widgets from the theme's tokens, for looks that no role of the style sheet describes."""

import re

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from codette_desktop.gui.theme import theme

_PLACE = re.compile(r"@(\w+)")


class _Styled(QObject):
    def __init__(self, widget: QWidget, sheet: str) -> None:
        super().__init__(widget)
        self._widget, self._sheet = widget, sheet
        theme().changed.connect(self.apply)
        self.apply()

    def apply(self) -> None:
        self._widget.setStyleSheet(_PLACE.sub(_value, self._sheet))


def styled(widget: QWidget, sheet: str) -> None:
    """Give `widget` a style sheet in which @name is a colour token and @12 a design size; kept right by the theme."""
    _Styled(widget, sheet)


def _value(match: "re.Match[str]") -> str:
    name = match[1]
    return f"{theme().px(int(name))}px" if name.isdigit() else theme().tokens.colour(name)

"""Thumbs under an answer: good or bad, kept as a vote with names in sight."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from codette_desktop.domain.votes import Preference
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.widgets import IconButton


class Thumbs(QWidget):
    """`rated` carries UP, DOWN, or None where a thumb is taken back."""

    rated = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        spaced(row, spacing=2)
        self.up = IconButton("thumbs-up", tr("Good answer"), size=14)
        self.down = IconButton("thumbs-down", tr("Bad answer"), size=14)
        self._buttons = {Preference.UP: self.up, Preference.DOWN: self.down}
        for preference, button in self._buttons.items():
            button.setCheckable(True)
            button.clicked.connect(lambda checked, preference=preference: self._on_clicked(preference, checked))
            row.addWidget(button)

    def show_rating(self, preference: Preference | None) -> None:
        """What was said of the answer."""
        for key, button in self._buttons.items():
            button.setChecked(key is preference)
            button.set_icon_name(button.icon_name, "accent" if key is preference else "secondary")

    def _on_clicked(self, preference: Preference, checked: bool) -> None:
        chosen = preference if checked else None
        self.show_rating(chosen)
        self.rated.emit(chosen)

"""The settings' page on how the window looks."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.settings.parts import section
from codette_desktop.gui.theme import ZOOM_STEPS, theme
from codette_desktop.gui.widgets import SegmentedControl

THEME_SETTING = "theme"
ZOOM_SETTING = "zoom"


class AppearancePage(QWidget):
    """Says what was chosen; the window applies and keeps it."""

    theme_chosen = Signal(str)
    zoom_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme_control = SegmentedControl(
            [("system", tr("System")), ("light", tr("Light")), ("dark", tr("Dark"))], tr("Theme")
        )
        self.theme_control.set_current(theme().mode)
        self.theme_control.changed.connect(self.theme_chosen)
        self.zoom_box = QComboBox()
        self.zoom_box.setAccessibleName(tr("Zoom"))
        self.zoom_box.view().setAccessibleName(tr("Zoom"))
        for step in ZOOM_STEPS:
            self.zoom_box.addItem(f"{step} %", step)
        self.zoom_box.setCurrentIndex(self.zoom_box.findData(theme().zoom))
        self.zoom_box.activated.connect(lambda _at: self.zoom_chosen.emit(self.zoom_box.currentData()))
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(
            section(
                "",
                [(tr("Theme"), self.theme_control, ""), (tr("Zoom"), self.zoom_box, tr("Ctrl++ and Ctrl+- anywhere"))],
            )
        )

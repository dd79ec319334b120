"""The settings' page on where everything is kept."""

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.settings.parts import section
from codette_desktop.gui.theme import set_icon
from codette_desktop.gui.widgets import ElidedLabel


class DataPage(QWidget):
    """Shows the folder, and opens it."""

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        path = ElidedLabel(str(folder), Qt.TextElideMode.ElideMiddle)
        button = QPushButton(tr("Open the folder"))
        set_icon(button, "folder-open", 14)
        button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
        row = QWidget()
        inside = QHBoxLayout(row)
        spaced(inside)
        inside.addWidget(path, 1)
        inside.addWidget(button)
        note = tr(
            "All conversations and settings. Nothing leaves this computer, except what you ask a server outside it."
        )
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(section("", [(tr("Folder"), row, note)]))

"""The Compare tab: not built yet, and it says so."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.widgets import EmptyState


class CompareTab(QWidget):
    """Explains what will be here."""

    ask_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.empty = EmptyState(
            "columns-2",
            tr("Compare is not in this version"),
            tr(
                "It will send one prompt to several models at once and show their answers side by side, with "
                "their speed, what differs, and one answer they give together."
            ),
            [(tr("Ask a model instead"), self.ask_wanted.emit)],
        )
        QVBoxLayout(self).addWidget(self.empty)

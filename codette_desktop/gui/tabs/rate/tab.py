"""The Rate tab: not built yet, and it says so."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.widgets import EmptyState


class RateTab(QWidget):
    """Explains what will be here."""

    ask_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.empty = EmptyState(
            "scale",
            tr("Rate is not in this version"),
            tr(
                "It will show two answers without names and ask which is better, and tell after enough votes "
                "which model is preferred, and how sure that is."
            ),
            [(tr("Ask a model instead"), self.ask_wanted.emit)],
        )
        QVBoxLayout(self).addWidget(self.empty)

"""The Watch tab: not built yet, and it says so."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.widgets import EmptyState


class WatchTab(QWidget):
    """Explains what will be here."""

    ask_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.empty = EmptyState(
            "activity",
            tr("Watch is not in this version"),
            tr(
                "It will show speed, memory, temperature and errors of the models over time, and tell when "
                "something is wrong. The status line below has the latest figures already."
            ),
            [(tr("Ask a model instead"), self.ask_wanted.emit)],
        )
        QVBoxLayout(self).addWidget(self.empty)

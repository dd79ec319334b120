"""The Tune tab: not built yet, and it says so."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.widgets import EmptyState


class TuneTab(QWidget):
    """Explains what will be here."""

    ask_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.empty = EmptyState(
            "sliders-horizontal",
            tr("Tune is not in this version"),
            tr(
                "It will teach a model from your own examples, make it smaller, and measure before and after "
                "whether it got better."
            ),
            [(tr("Ask a model instead"), self.ask_wanted.emit)],
        )
        QVBoxLayout(self).addWidget(self.empty)

"""The row under the list of models that puts a LoRA adapter on the chosen one."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QPushButton, QWidget

from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets.parameter_field import inset_spin_box
from codette_desktop.models.adapters import AdapterInfo

_STRONGEST = 10.0  # as `ModelLibrary.find` accepts


class AdapterRow(QWidget):
    """Hidden where no adapter fits. `use_wanted` carries what follows the model's name: "+tone" or "+tone@0.5"."""

    use_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        label = QLabel(tr("Adapter"))
        self.box = QComboBox()
        self.box.setAccessibleName(tr("Adapter"))
        self.box.view().setAccessibleName(tr("Adapter"))
        self.box.setToolTip(tr("A LoRA adapter changes how a model answers; the model's own file stays as it is."))
        label.setBuddy(self.box)
        self.scale = QDoubleSpinBox()
        self.scale.setAccessibleName(tr("Strength of the adapter"))
        self.scale.setToolTip(tr("1 is as it was trained, 0.5 half as strong, 0 without effect."))
        self.scale.setRange(-_STRONGEST, _STRONGEST)
        self.scale.setSingleStep(0.1)
        self.scale.setPrefix(tr("strength "))
        self.scale.setValue(1.0)
        inset_spin_box(self.scale)
        self.button = QPushButton(tr("Use with it"))
        self.button.clicked.connect(self._on_use)
        self.about = QLabel()
        set_role(self.about, "secondary")
        self.box.currentIndexChanged.connect(self._show_about)
        layout = QHBoxLayout(self)
        spaced(layout, spacing=8)
        for widget in (label, self.box, self.scale, self.button):
            layout.addWidget(widget)
        layout.addWidget(self.about, 1)
        self._adapters: Sequence[AdapterInfo] = ()
        self.hide()

    def show_adapters(self, adapters: Sequence[AdapterInfo]) -> None:
        """Those that fit the chosen model."""
        self._adapters = adapters
        self.box.clear()
        for adapter in adapters:
            self.box.addItem(adapter.display_name, adapter.name)
        self._show_about()
        self.setVisible(bool(adapters))

    def _show_about(self) -> None:
        at = self.box.currentIndex()
        if 0 <= at < len(self._adapters):
            adapter = self._adapters[at]
            size = number(adapter.size_bytes / 1e6, 1)
            self.about.setText(tr("LoRA of rank {rank}, {size} MB", rank=adapter.rank, size=size))

    def _on_use(self) -> None:
        scale = "" if self.scale.value() == 1.0 else f"@{self.scale.value():g}"
        self.use_wanted.emit(f"+{self.box.currentData()}{scale}")

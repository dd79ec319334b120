"""The settings on what models have read of conversations: whether it is kept on the disk, and how much."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from codette_desktop.application import KV_DISK_SETTING
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.settings.parts import section
from codette_desktop.inference.llama.kv_folder import DEFAULT_MB

if TYPE_CHECKING:
    from codette_desktop.application import Application


class KeptPromptsSection(QWidget):
    """A card of the settings dialog. Counts at once; less room takes what was used longest ago away."""

    def __init__(self, application: "Application", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        chosen = application.store.settings.get(KV_DISK_SETTING, DEFAULT_MB)
        self.size_box = QComboBox()
        self.size_box.setAccessibleName(tr("Room for conversations already read"))
        self.size_box.view().setAccessibleName(tr("Room for conversations already read"))
        sizes = {0: tr("Keep nothing"), 250: "250 MB", 1_000: "1 GB", 4_000: "4 GB", 16_000: "16 GB"}
        sizes.setdefault(chosen, f"{chosen} MB")
        for megabytes, text in sorted(sizes.items()):
            self.size_box.addItem(text, megabytes)
        self.size_box.setCurrentIndex(self.size_box.findData(chosen))
        self.size_box.activated.connect(
            lambda _at: application.store.settings.set(KV_DISK_SETTING, self.size_box.currentData())
        )
        note = tr(
            "A long conversation goes on at once, also after a restart, because the model need not read it again. What "
            "it has read lies in the folder kv of your data, for 7 days at most; Clear above removes it."
        )
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(section(tr("Conversations"), [(tr("Already read"), self.size_box, note)]))

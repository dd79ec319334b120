"""The settings' page on who answers: the model of new chats, who may stand in, and whom Auto may ask."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QCheckBox, QComboBox, QVBoxLayout, QWidget

from codette_desktop.application import AUTO_REMOTE_SETTING, FALLBACK_SETTING
from codette_desktop.domain.models import AUTO
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.model_choice import ModelChoice
from codette_desktop.gui.settings.parts import section

if TYPE_CHECKING:
    from codette_desktop.application import Application


class ModelsPage(QWidget):
    """Counts at once."""

    def __init__(self, application: "Application", choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application, self._choice = application, choice
        self.model_box = QComboBox()
        self.model_box.setAccessibleName(tr("Model of new chats"))
        self.model_box.view().setAccessibleName(tr("Model of new chats"))
        self.fill()
        self.model_box.activated.connect(lambda _at: choice.set_default(self.model_box.currentData()))
        self.fallback_box = self._switch(tr("Let another model answer"), FALLBACK_SETTING, True)
        self.remote_box = self._switch(tr("Also models outside this computer"), AUTO_REMOTE_SETTING, False)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(
            section(
                "",
                [
                    (tr("New chats use"), self.model_box, ""),
                    (
                        tr("If a model fails"),
                        self.fallback_box,
                        tr("The next best model on this computer answers; the answer says which one failed, and why."),
                    ),
                    (
                        tr("Auto may ask"),
                        self.remote_box,
                        tr("What you ask is then sent there. Otherwise nothing leaves this computer by itself."),
                    ),
                ],
            )
        )

    def fill(self) -> None:
        """List what can be chosen now."""
        self.model_box.clear()
        self.model_box.addItem(tr("Auto: whoever suits the question"), AUTO)
        for entry in self._choice.entries:
            if entry.model is not None:
                self.model_box.addItem(entry.model.label, entry.name)
        self.model_box.setCurrentIndex(self.model_box.findData(self._choice.default_name()))

    def _switch(self, text: str, key: str, default: bool) -> QCheckBox:
        box = QCheckBox(text)
        box.setAccessibleName(text)
        box.setChecked(bool(self._application.store.settings.get(key, default)))
        box.toggled.connect(lambda on: self._application.store.settings.set(key, on))
        return box

"""The settings' page on how models are loaded."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.model_choice import ModelChoice
from codette_desktop.gui.settings.parts import number_box, section
from codette_desktop.inference.engine_settings import ENGINE_SETTING

if TYPE_CHECKING:
    from codette_desktop.application import Application

_MOST_CONTEXT = 1_048_576
_MOST_THREADS = 256


class EnginePage(QWidget):
    """`changed` follows a change that needs models to be loaded anew."""

    changed = Signal()

    def __init__(self, application: "Application", choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application, self._choice = application, choice
        settings = application.engine_settings()
        self.context_box = number_box(tr("Context length in tokens"), _MOST_CONTEXT, 512, settings.context_length)
        self.context_box.setSuffix(tr(" tokens"))
        self.threads_box = number_box(tr("Threads"), _MOST_THREADS, 1, settings.threads)
        for box, key in ((self.context_box, "context_length"), (self.threads_box, "threads")):
            box.valueChanged.connect(lambda value, key=key: self._set(key, value))
        explanation = tr("More context remembers more of a long chat and takes more memory.")
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(
            section(
                "",
                [
                    (tr("Context length"), self.context_box, explanation),
                    (tr("CPU threads"), self.threads_box, tr("Automatic leaves one core to the rest of the computer.")),
                ],
            )
        )

    def _set(self, key: str, value: int) -> None:
        kept = self._application.store.settings.get(ENGINE_SETTING, {})
        self._application.store.settings.set(ENGINE_SETTING, {**kept, key: value}).result()
        self.changed.emit()

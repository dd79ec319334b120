"""The settings' page on who answers: the model of new chats, who may stand in, and whom Auto may ask."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QVBoxLayout, QWidget

from codette_desktop.application import AUTO_REMOTE_SETTING, FALLBACK_SETTING
from codette_desktop.configuration.file import Configuration
from codette_desktop.domain.models import AUTO
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.model_choice import ModelChoice
from codette_desktop.gui.settings.file_edits import FileEdits, Problem
from codette_desktop.gui.settings.parts import section
from codette_desktop.gui.theme import set_role

if TYPE_CHECKING:
    from codette_desktop.application import Application

_FALLBACK, _LOCAL_ONLY, _REMOTE = ("routing", "fallback"), ("routing", "local_only"), ("routing", "remote")


class ModelsPage(QWidget):
    """Counts at once. What the configuration file decides is shown as it decides it, and is changed there."""

    def __init__(self, application: "Application", choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application, self._choice = application, choice
        self._file = application.configuration
        self.edits = FileEdits(self._file, self)
        self.edits.refused.connect(self.show_switches)
        self.model_box = QComboBox()
        self.model_box.setAccessibleName(tr("Model of new chats"))
        self.model_box.view().setAccessibleName(tr("Model of new chats"))
        self.model_box.activated.connect(lambda _at: choice.set_default(self.model_box.currentData()))
        self.fallback_box = _switch(tr("Let another model answer"))
        self.fallback_box.toggled.connect(self._on_fallback)
        self.remote_box = _switch(tr("Also models outside this computer"))
        self.remote_box.toggled.connect(self._on_remote)
        self.fallback_note, self.remote_note, self.problem = _note(), _note(), Problem()
        fallback = tr("The next best model on this computer answers; the answer says which one failed, and why.")
        remote = tr("What you ask is then sent there. Otherwise nothing leaves this computer by itself.")
        frame = section(
            "",
            [
                (tr("New chats use"), self.model_box, ""),
                (tr("If a model fails"), _with(self.fallback_box, self.fallback_note), fallback),
                (tr("Auto may ask"), _with(self.remote_box, self.remote_note), remote),
            ],
        )
        inside = frame.layout()
        assert isinstance(inside, QVBoxLayout)  # noqa: S101 - as `section` makes it
        inside.addWidget(self.problem)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(frame)
        self.fill()
        self.show_switches()

    def fill(self) -> None:
        """List what can be chosen now."""
        self.model_box.clear()
        self.model_box.addItem(tr("Auto: whoever suits the question"), AUTO)
        for entry in self._choice.entries:
            if entry.model is not None:
                self.model_box.addItem(entry.label, entry.name)
        self.model_box.setCurrentIndex(self.model_box.findData(self._choice.default_name()))

    def show_switches(self) -> None:
        """What counts now, and where the file decides it."""
        policy, said = self._application.policy(), self._file.settings
        for box, on in ((self.fallback_box, policy.fallback), (self.remote_box, policy.remote)):
            box.blockSignals(True)
            box.setChecked(on)
            box.blockSignals(False)
        self._show_origin(self.fallback_note, _FALLBACK, said.fallback)
        if said.local_only:  # goes above all
            self._show_origin(self.remote_note, _LOCAL_ONLY, True)
        else:
            self._show_origin(self.remote_note, _REMOTE, said.remote)

    def _show_origin(self, note: QLabel, path: tuple[str, ...], said: bool | None) -> None:
        line, name = self._file.line(*path), self._file.path.name
        note.setText(tr("{name} says so in line {line}; a change here is written there.", name=name, line=line))
        note.setVisible(said is not None)

    def _on_fallback(self, on: bool) -> None:
        if self._file.settings.fallback is None:
            self._application.store.settings.set(FALLBACK_SETTING, on)
        else:
            self.edits.set(_FALLBACK, on, self.problem)

    def _on_remote(self, on: bool) -> None:
        self._application.store.settings.set(AUTO_REMOTE_SETTING, on)
        if self._file.local_only or self._file.settings.remote is not None:
            self.edits.change(lambda file: _let_leave(file, on), self.problem)


def _let_leave(file: Configuration, on: bool) -> None:
    if on and file.local_only:
        file.edit(_LOCAL_ONLY, False)
    if file.settings.remote is not None:
        file.edit(_REMOTE, on)


def _switch(text: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setAccessibleName(text)
    return box


def _note() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    set_role(label, "secondary")
    label.hide()
    return label


def _with(box: QCheckBox, note: QLabel) -> QWidget:
    row = QWidget()
    row.setFocusProxy(box)
    column = QVBoxLayout(row)
    spaced(column, spacing=4)
    column.addWidget(box)
    column.addWidget(note)
    return row

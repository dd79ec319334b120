"""The settings' page on how models are loaded: presets for this computer, and every setting with what it does."""

import asyncio
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.models import ModelInfo
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.model_choice import ModelChoice
from codette_desktop.gui.settings.engine_field import EngineField
from codette_desktop.gui.settings.parts import section
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_role
from codette_desktop.hardware.machine import inspect
from codette_desktop.inference.engine_fields import MEMORY_LIMIT, engine_setting_fields
from codette_desktop.inference.engine_presets import EnginePreset, preset_values, presets
from codette_desktop.inference.engine_settings import Source
from codette_desktop.models.fit import Fit

if TYPE_CHECKING:
    from codette_desktop.application import Application

OWN_MIX = ""


class EnginePage(QWidget):
    """For all models, or for one of them. `changed` follows a change that needs models to be loaded anew."""

    changed = Signal()

    def __init__(self, application: "Application", choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._service = application.load_settings
        self._tasks = Tasks(lambda error: self._say(f"{error.message} {error.hint}".strip()))
        self._model: ModelInfo | None = None
        self._presets: list[EnginePreset] = []
        self.fields = {field.name: EngineField(field) for field in engine_setting_fields()}
        layout = QVBoxLayout(self)
        spaced(layout, spacing=20)
        layout.addWidget(self._make_head(choice))
        layout.addWidget(self._make_fields())
        self._show_values()
        self._tasks.start(self._look_at_machine(), "look at the computer")

    def stop(self) -> None:
        """The settings are closed."""
        self._tasks.cancel()

    def _make_head(self, choice: ModelChoice) -> QFrame:
        self.scope_box = QComboBox()
        self.scope_box.setAccessibleName(tr("These settings are for"))
        self.scope_box.view().setAccessibleName(tr("These settings are for"))
        self.scope_box.addItem(tr("All models"), "")
        for entry in choice.models:
            if isinstance(entry.model, ModelInfo):
                self.scope_box.addItem(entry.model.label, entry.name)
        self.scope_box.activated.connect(lambda _at: self.choose(self.scope_box.currentData()))
        self.preset_box = QComboBox()
        self.preset_box.setAccessibleName(tr("Preset"))
        self.preset_box.view().setAccessibleName(tr("Preset"))
        self.preset_box.activated.connect(lambda _at: self.use_preset(self.preset_box.currentData()))
        self.preset_note, self.fit_note = _note(), _note()
        self.preload_box = QCheckBox(tr("Load it when the application starts"))
        self.preload_box.clicked.connect(self._on_preload)
        self.reset_button = QPushButton(tr("Use the settings of all models"))
        self.reset_button.clicked.connect(self._on_reset_all)
        frame = section("", [(tr("For"), self.scope_box, ""), (tr("Preset"), self.preset_box, "")])
        column = frame.layout()
        assert isinstance(column, QVBoxLayout)  # noqa: S101 - as `section` makes it
        for widget in (self.preset_note, self.fit_note, self.preload_box, self.reset_button):
            column.addWidget(widget)
        return frame

    def _make_fields(self) -> QFrame:
        frame = QFrame()
        set_role(frame, "card")
        column = QVBoxLayout(frame)
        spaced(column, (16, 14, 16, 14), 18)
        for field in self.fields.values():
            field.changed.connect(self._on_changed)
            field.reset.connect(lambda name: self._keep({}, reset=name))
            column.addWidget(field)
        return frame

    # What is chosen

    def choose(self, name: str) -> None:
        """Show the settings of a model by its name; "" for those of all."""
        self._tasks.start(self._choose(name), "show the settings of a model")

    async def _choose(self, name: str) -> None:
        if not name:
            self._model = None
        else:
            find = self._application.catalogue.find_file
            self._model = await asyncio.get_event_loop().run_in_executor(None, find, name)
        if shiboken6.isValid(self):
            self.scope_box.setCurrentIndex(max(0, self.scope_box.findData(name)))
            self._show_values()

    async def _look_at_machine(self) -> None:
        machine = await asyncio.get_event_loop().run_in_executor(None, inspect, self._application.data_dir)
        if shiboken6.isValid(self):
            self._presets = presets(machine)
            self._show_values()

    def use_preset(self, key: str) -> None:
        """Set every setting as the preset has it."""
        preset = next((item for item in self._presets if item.key == key), None)
        if preset is not None:
            model = self._model
            trained = model.context_length if model else 0
            self._keep(preset_values(preset, for_one_model=model is not None, trained_tokens=trained))

    def _on_changed(self, name: str, value: object) -> None:
        if name == MEMORY_LIMIT:
            self._service.set_memory_limit(float(value)).result()  # type: ignore[arg-type]
            self._show_values()
            return
        try:
            self._keep({name: value})
        except CodetteError as error:
            self.fields[name].show_problem(f"{error.message} {error.hint}".strip())

    def _keep(self, values: Any, reset: str = "") -> None:
        """Waited for: what is shown is read from the store again. Raises InvalidRequest."""
        allowed = {
            name: value
            for name, value in values.items()
            if self._model is None or self.fields[name].field.for_one_model
        }
        if reset:
            self._service.reset(reset, self._model).result()
        else:
            self._service.change(allowed, self._model).result()
        self._show_values()
        self.changed.emit()

    def _on_reset_all(self) -> None:
        self._service.reset(None, self._model).result()
        self._show_values()
        self.changed.emit()

    def _on_preload(self, wanted: bool) -> None:
        if self._model is not None:
            self._application.preloader.want(self._model, wanted).result()

    # What is shown

    def _show_values(self) -> None:
        model, found = self._model, self._service.effective(self._model)
        for name, field in self.fields.items():
            field.setVisible(model is None or field.field.for_one_model)
            if name == MEMORY_LIMIT:
                field.show_value(self._service.memory_limit_bytes() / 1e9, "", own=False)
                continue
            source = found.sources[name]
            own = source is Source.MODEL or (model is None and source is Source.GLOBAL)
            field.reset_button.setToolTip(tr("As for all models") if model else tr("As the application chooses"))
            field.show_value(getattr(found.settings, name), _origin(source, model), own=own)
        self._show_presets()
        self.preload_box.setVisible(model is not None)
        self.reset_button.setVisible(bool(self._service.changes(model)))
        self.reset_button.setText(
            tr("Use the settings of all models") if model else tr("Back to what was set at first")
        )
        self.fit_note.setVisible(model is not None)
        if model is not None:
            self.preload_box.setChecked(self._application.preloader.is_wanted(model))
            self._tasks.start(self._show_fit(model), "look whether a model fits")

    def _show_presets(self) -> None:
        settings = self._service.settings(self._model)
        current = next((item for item in self._presets if item.settings == settings), None)
        self.preset_box.clear()
        for item in self._presets:
            self.preset_box.addItem(tr(item.label), item.key)
        if current is None:
            self.preset_box.addItem(tr("Your own mix"), OWN_MIX)
        self.preset_box.setCurrentIndex(self.preset_box.findData(current.key if current else OWN_MIX))
        self.preset_note.setText(tr(current.explanation) if current else "")
        self.preset_note.setVisible(current is not None)

    async def _show_fit(self, model: ModelInfo) -> None:
        fit: Fit = await asyncio.get_event_loop().run_in_executor(None, self._application.fit, model)
        if shiboken6.isValid(self) and model is self._model:
            self._say(tr("{model} {fit}.", model=model.label, fit=fit.sentence))

    def _say(self, text: str) -> None:
        if shiboken6.isValid(self):
            self.fit_note.setText(text)
            self.fit_note.setVisible(bool(text))


def _origin(source: Source, model: ModelInfo | None) -> str:
    if source is Source.FILE:
        return tr("Set in the configuration file.")
    if source is Source.MODEL:
        return tr("Set for this model.")
    return tr("As for all models.") if model is not None and source is Source.GLOBAL else ""


def _note() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    set_role(label, "secondary")
    return label

"""Settings (Ctrl+,): what is changed counts at once; there is nothing to save."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.application import AUTO_REMOTE_SETTING, FALLBACK_SETTING
from codette_desktop.domain.models import AUTO
from codette_desktop.gui.cache_settings import CacheSection
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.model_choice import ModelChoice
from codette_desktop.gui.servers_page import ServersSection
from codette_desktop.gui.settings_parts import number_box, section
from codette_desktop.gui.theme import ZOOM_STEPS, set_icon, set_role, theme
from codette_desktop.gui.widgets import ElidedLabel, SegmentedControl

if TYPE_CHECKING:
    from codette_desktop.application import Application

THEME_SETTING = "theme"
ZOOM_SETTING = "zoom"
ENGINE_SETTING = "engine"
_MOST_CONTEXT = 1_048_576
_MOST_THREADS = 256


class SettingsDialog(QDialog):
    """Opened with open(), never exec(). `engine_changed` follows a change that needs the model to be loaded anew."""

    theme_chosen = Signal(str)
    zoom_chosen = Signal(int)
    engine_changed = Signal()

    def __init__(self, application: "Application", choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application, self._choice = application, choice
        self.setWindowTitle(tr("Settings"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sized(self, minimum=(560, 400))
        self.resize(theme().px(600), theme().px(780))
        page = QWidget()
        column = QVBoxLayout(page)
        spaced(column, (24, 20, 24, 20), 20)
        title = QLabel(tr("Settings"))
        set_role(title, "title")
        column.addWidget(title)
        column.addWidget(self._appearance())
        column.addWidget(self._models())
        column.addWidget(self._make_servers())
        column.addWidget(self._engine())
        self.cache = CacheSection(application.cache)
        column.addWidget(self.cache)
        column.addWidget(self._data())
        column.addStretch(1)
        area = QScrollArea()
        area.setAccessibleName(tr("Settings"))
        area.setWidgetResizable(True)
        area.setWidget(page)
        close = QPushButton(tr("Close"))
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        spaced(foot, (24, 12, 24, 16), 8)
        note = QLabel(tr("Changes count at once."))
        set_role(note, "secondary")
        foot.addWidget(note, 1)
        foot.addWidget(close)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(area, 1)
        layout.addLayout(foot)

    def _appearance(self) -> QFrame:
        self.theme_control = SegmentedControl(
            [("system", tr("System")), ("light", tr("Light")), ("dark", tr("Dark"))], tr("Theme")
        )
        self.theme_control.set_current(theme().mode)
        self.theme_control.changed.connect(self.theme_chosen)
        self.zoom_box = QComboBox()
        self.zoom_box.setAccessibleName(tr("Zoom"))
        self.zoom_box.view().setAccessibleName(tr("Zoom"))
        for step in ZOOM_STEPS:
            self.zoom_box.addItem(f"{step} %", step)
        self.zoom_box.setCurrentIndex(self.zoom_box.findData(theme().zoom))
        self.zoom_box.activated.connect(lambda _at: self.zoom_chosen.emit(self.zoom_box.currentData()))
        return section(
            tr("Appearance"),
            [(tr("Theme"), self.theme_control, ""), (tr("Zoom"), self.zoom_box, tr("Ctrl++ and Ctrl+- anywhere"))],
        )

    def _models(self) -> QFrame:
        self.model_box = QComboBox()
        self.model_box.setAccessibleName(tr("Model of new chats"))
        self.model_box.view().setAccessibleName(tr("Model of new chats"))
        self._fill_models()
        self.model_box.activated.connect(lambda _at: self._choice.set_default(self.model_box.currentData()))
        self.fallback_box = self._switch(tr("Let another model answer"), FALLBACK_SETTING, True)
        self.remote_box = self._switch(tr("Also models outside this computer"), AUTO_REMOTE_SETTING, False)
        return section(
            tr("Models"),
            [
                (tr("New chats use"), self.model_box, ""),
                (tr("If a model fails"), self.fallback_box, tr("The answer says which one failed, and who answered.")),
                (tr("Auto may ask"), self.remote_box, tr("What you ask is then sent there. Otherwise nothing leaves.")),
            ],
        )

    def _switch(self, text: str, key: str, default: bool) -> QCheckBox:
        box = QCheckBox(text)
        box.setAccessibleName(text)
        box.setChecked(bool(self._application.store.settings.get(key, default)))
        box.toggled.connect(lambda on: self._application.store.settings.set(key, on))
        return box

    def _fill_models(self) -> None:
        self.model_box.clear()
        self.model_box.addItem(tr("Auto: whoever suits the question"), AUTO)
        for entry in self._choice.entries:
            if entry.model is not None:
                self.model_box.addItem(entry.model.label, entry.name)
        self.model_box.setCurrentIndex(self.model_box.findData(self._choice.default_name()))

    def _make_servers(self) -> QFrame:
        self.servers = ServersSection(self._application)
        self.servers.changed.connect(self._on_servers)
        self.finished.connect(self.servers.stop)
        return self.servers

    def _on_servers(self) -> None:
        self._choice.refresh()
        self._fill_models()

    def _engine(self) -> QFrame:
        settings = self._application.engine_settings()
        self.context_box = number_box(tr("Context length in tokens"), _MOST_CONTEXT, 512, settings.context_length)
        self.context_box.setSuffix(tr(" tokens"))
        self.threads_box = number_box(tr("Threads"), _MOST_THREADS, 1, settings.threads)
        for box, key in ((self.context_box, "context_length"), (self.threads_box, "threads")):
            box.valueChanged.connect(lambda value, key=key: self._set_engine(key, value))
        explanation = tr("More context remembers more of a long chat and takes more memory.")
        return section(
            tr("Engine"),
            [
                (tr("Context length"), self.context_box, explanation),
                (tr("CPU threads"), self.threads_box, tr("Automatic leaves one core to the rest of the computer.")),
            ],
        )

    def _set_engine(self, key: str, value: int) -> None:
        kept = self._application.store.settings.get(ENGINE_SETTING, {})
        self._application.store.settings.set(ENGINE_SETTING, {**kept, key: value}).result()
        self.engine_changed.emit()

    def _data(self) -> QFrame:
        folder: Path = self._application.data_dir
        path = ElidedLabel(str(folder), Qt.TextElideMode.ElideMiddle)
        button = QPushButton(tr("Open the folder"))
        set_icon(button, "folder-open", 14)
        button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
        row = QWidget()
        layout = QHBoxLayout(row)
        spaced(layout)
        layout.addWidget(path, 1)
        layout.addWidget(button)
        note = tr(
            "All conversations and settings. Nothing leaves this computer, except what you ask a server outside it."
        )
        return section(tr("Data"), [(tr("Folder"), row, note)])

"""Settings (Ctrl+,): a list of subjects and a page for each. Changes count at once; there is nothing to save."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.model_choice import ModelChoice
from codette_desktop.gui.settings.appearance import AppearancePage
from codette_desktop.gui.settings.cache import CacheSection
from codette_desktop.gui.settings.configuration import ConfigurationPage
from codette_desktop.gui.settings.data import DataPage
from codette_desktop.gui.settings.engine import EnginePage
from codette_desktop.gui.settings.kept_prompts import KeptPromptsSection
from codette_desktop.gui.settings.models import ModelsPage
from codette_desktop.gui.settings.servers import ServersSection
from codette_desktop.gui.styles import styled
from codette_desktop.gui.theme import icon, set_role, theme
from codette_desktop.gui.widgets.quiet_wheel import QuietWheel

if TYPE_CHECKING:
    from codette_desktop.application import Application

PAGE_SETTING = "settings_page"

_LIST = """
QListWidget, QListWidget:focus { border: none; border-right: 1px solid @line; background: @surface; padding: @16 @8; }
QListWidget::item { border-radius: @6; padding: @6 @8; color: @text; }
QListWidget::item:hover { background: @hover; }
QListWidget::item:selected { background: @selection; color: @text; }
QListWidget::item:selected:focus { border: 2px solid @accent; padding: @4 @6; }
"""


class SettingsDialog(QDialog):
    """Opened with open(), never exec(). `engine_changed` follows a change that needs models to be loaded anew."""

    theme_chosen = Signal(str)
    zoom_chosen = Signal(int)
    engine_changed = Signal()

    def __init__(self, application: "Application", choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application, self._choice = application, choice
        self.setWindowTitle(tr("Settings"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sized(self, minimum=(640, 420))
        self.resize(theme().px(860), theme().px(640))
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Subjects"))
        styled(self.list, _LIST)
        self.list.setIconSize(QSize(theme().px(16), theme().px(16)))
        self.list.setFixedWidth(theme().px(184))
        self.stack = QStackedWidget()
        self._make_pages()
        self.list.currentRowChanged.connect(self._on_row)
        close = QPushButton(tr("Close"))
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        spaced(foot, (24, 12, 24, 16), 8)
        note = QLabel(tr("Changes count at once."))
        set_role(note, "secondary")
        foot.addWidget(note, 1)
        foot.addWidget(close)
        pages = QVBoxLayout()
        spaced(pages, spacing=0)
        pages.addWidget(self.stack, 1)
        pages.addLayout(foot)
        layout = QHBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(self.list)
        layout.addLayout(pages, 1)
        self.show_page(application.store.settings.get(PAGE_SETTING, ""))

    def _make_pages(self) -> None:
        application, choice = self._application, self._choice
        self.appearance = AppearancePage()
        self.appearance.theme_chosen.connect(self.theme_chosen)
        self.appearance.zoom_chosen.connect(self.zoom_chosen)
        self.models = ModelsPage(application, choice)
        self.servers = ServersSection(application)
        self.servers.changed.connect(self._on_servers)
        self.finished.connect(self.servers.stop)
        self.engine = EnginePage(application, choice)
        self.engine.changed.connect(self.engine_changed)
        self.finished.connect(self.engine.stop)
        self.configuration = ConfigurationPage(application, choice)
        self.finished.connect(self.configuration.stop)
        self.cache = CacheSection(application.cache)
        self.kept_prompts = KeptPromptsSection(application)
        self._keys: list[str] = []
        self._add("appearance", "sun", tr("Appearance"), self.appearance)
        self._add("models", "box", tr("Models"), self.models)
        self._add("servers", "layers", tr("Servers"), self.servers)
        self._add("engine", "cpu", tr("Engine"), self.engine)
        self._add("configuration", "file-text", tr("Configuration"), self.configuration)
        self._add("cache", "clock", tr("Cache"), self.cache, self.kept_prompts)
        self._add("data", "database", tr("Data"), DataPage(application.data_dir))

    def _add(self, key: str, icon_name: str, name: str, *cards: QWidget) -> None:
        """`key` names the page in the settings and for `show_page`."""
        item = QListWidgetItem(icon(icon_name, 16, "secondary"), name)
        item.setSizeHint(QSize(0, theme().px(34)))
        self.list.addItem(item)
        inside = QWidget()
        column = QVBoxLayout(inside)
        spaced(column, (24, 20, 24, 20), 20)
        title = QLabel(name)
        set_role(title, "title")
        column.addWidget(title)
        for card in cards:
            column.addWidget(card)
        column.addStretch(1)
        area = QScrollArea()
        area.setAccessibleName(name)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        QuietWheel(inside)
        self.stack.addWidget(area)
        self._keys.append(key)

    def show_page(self, key: object) -> None:
        """Go to a page by its key, such as "models" or "engine"; the first for anything else."""
        self.list.setCurrentRow(self._keys.index(key) if isinstance(key, str) and key in self._keys else 0)

    def _on_row(self, row: int) -> None:
        self.stack.setCurrentIndex(row)
        self._application.store.settings.set(PAGE_SETTING, self._keys[row])

    def show_configuration(self, _event: object = None) -> None:
        """The configuration file has been read anew."""
        self.configuration.show_file()
        self.models.fill()
        self.models.show_switches()

    def _on_servers(self) -> None:
        self._choice.refresh()
        self.models.fill()

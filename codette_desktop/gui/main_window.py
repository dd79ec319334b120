"""The main window: tabs on top, the status line below, and what every tab may use."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from codette_desktop.domain.comparisons import Origin
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.events import HealthChanged
from codette_desktop.gui import shortcuts
from codette_desktop.gui.answer_places import show_answer
from codette_desktop.gui.bridge import Bridge
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.model_choice import ModelChoice
from codette_desktop.gui.model_picker import ModelPicker
from codette_desktop.gui.settings.appearance import THEME_SETTING, ZOOM_SETTING
from codette_desktop.gui.status import StatusPresenter
from codette_desktop.gui.status_line import StatusLine
from codette_desktop.gui.tabs.ask.state import ChatState
from codette_desktop.gui.tabs.ask.tab import AskTab
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.compare.tab import CompareTab
from codette_desktop.gui.tabs.models.tab import GGUF_FILTER, ModelsTab
from codette_desktop.gui.tabs.rate.tab import RateTab
from codette_desktop.gui.tabs.tune.tab import TuneTab
from codette_desktop.gui.tabs.watch.alerts.alert_presenter import AlertPresenter
from codette_desktop.gui.tabs.watch.tab import WatchTab
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets import Banner, IconButton, ShortcutHelp, ToastHost, file_dialogs, separator
from codette_desktop.gui.window_notices import WindowNotices
from codette_desktop.gui.window_shortcuts import TAB_NAMES, make_shortcuts

if TYPE_CHECKING:
    from codette_desktop.application import Application

GEOMETRY_SETTING = "window"
SIDEBAR_SETTING = "sidebar"
SPLITTER_SETTING = "ask_splitter"


class MainWindow(QMainWindow):
    """Owns the tabs. Closing it emits `closed`: gui/app.py then ends the application in order."""

    closed = Signal()

    def __init__(self, application: "Application") -> None:
        super().__init__()
        self.application = application
        self._settings = application.store.settings
        self.setWindowTitle("Codette Desktop")
        self.tasks = Tasks(self.show_error)
        self.bridge = Bridge(application.bus, self)
        self.choice = ModelChoice(application, self.tasks)
        self.banner = Banner()
        self.status = StatusLine()
        centre = QWidget()
        self.setCentralWidget(centre)
        self.toasts = ToastHost(self, bottom=150)  # above the composer: a message must not cover what one types
        self.notices = WindowNotices(application, self.toasts, self.banner, self.open_configuration)
        self.ask = AskTab(application, self.toasts)
        self.models = ModelsTab(self.choice, self.tasks, self.toasts)
        self.compare = CompareTab(application, self.choice, self.toasts)
        self.rate = RateTab(application, self.choice, self.toasts)
        self.tune, self.watch = TuneTab(), WatchTab(application, self.toasts)
        self.alerts = AlertPresenter(application, self.toasts, self)
        self.picker = ModelPicker(self.choice)
        self._help: ShortcutHelp | None = None
        self._lay_out(centre)
        self._connect()
        make_shortcuts(self)
        self.status_presenter = StatusPresenter(application, self.bridge, self.status, self.banner)
        self._restore()

    def _lay_out(self, centre: QWidget) -> None:
        self.tabs = QTabBar()
        self.tabs.setAccessibleName(tr("Tabs"))
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideRight)  # where there is no room, all stay within reach
        self.tabs.setMinimumWidth(1)
        self.pages = QStackedWidget()
        pages = (self.ask, self.compare, self.rate, self.tune, self.models, self.watch)
        titles = (tr("Ask"), tr("Compare"), tr("Rate"), tr("Tune"), tr("Models"), tr("Watch"))
        for number, (title, page) in enumerate(zip(titles, pages, strict=True), start=1):
            self.tabs.addTab(title)
            self.tabs.setTabToolTip(number - 1, f"{title} (Ctrl+{number})")
            self.pages.addWidget(page)
        self.side_button = IconButton("panel-left", tr("Show or hide the list"), shortcuts.SIDE_LIST.shown)
        self.gear = IconButton("settings", tr("Settings"), shortcuts.SETTINGS.shown)
        bar = QWidget()
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(bar, "bar")
        row = QHBoxLayout(bar)
        spaced(row, (10, 4, 10, 4), 6)
        for widget in (self.side_button, self.tabs):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.picker)
        row.addWidget(self.gear)
        column = QVBoxLayout(centre)
        spaced(column, spacing=0)
        for widget in (bar, separator(), self.banner, self.alerts.banner):
            column.addWidget(widget)
        column.addWidget(self.pages, 1)
        column.addWidget(separator())
        column.addWidget(self.status)

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(self._on_tab)
        self.side_button.clicked.connect(self.toggle_side)
        self.gear.clicked.connect(self.open_settings)
        self.picker.chosen.connect(self.use_model)
        self.picker.add_file_wanted.connect(lambda: self.tasks.start(self._add_model(), "add a model file"))
        self.picker.models_wanted.connect(lambda: self.show_tab("models"))
        self.ask.models_wanted.connect(lambda: self.show_tab("models"))
        self.ask.state_shown.connect(self._on_state)
        self.ask.context_shown.connect(self.status.show_context)
        self.ask.compare_wanted.connect(self._compare)
        self.compare.chat_wanted.connect(self._show_chat)
        self.compare.blind_wanted.connect(self._let_meet)
        self.models.use_wanted.connect(self._on_use)
        self.choice.listeners.append(self._show_model)
        for page in (self.tune, self.watch):
            page.ask_wanted.connect(lambda: self.show_tab("ask"))
        for page in (self.ask, self.compare):
            page.record_wanted.connect(lambda answer_id: self.watch.show_record((answer_id,)))
        self.watch.answer_wanted.connect(lambda place: self.tasks.start(show_answer(self, place), "go to an answer"))
        self.watch.alerts_seen.connect(self.alerts.on_seen)
        self.alerts.wanted.connect(self._show_alerts)
        self.status.opened.connect(self._on_status)
        self.status.cancel_wanted.connect(self._cancel_load)
        self.bridge.conversations_changed.connect(lambda _event: self._on_conversations())
        self.bridge.comparisons_changed.connect(lambda _event: self.compare.list_changed())
        self.bridge.votes_changed.connect(lambda _event: self.rate.list_changed())
        self.bridge.health_changed.connect(self._on_health)
        self.bridge.request_ended.connect(self.watch.request_ended)
        for hear in (self.watch.alert_changed, self.alerts.alert_changed):
            self.bridge.alert_changed.connect(hear)
        self.bridge.configuration_changed.connect(lambda _event: self._on_configuration())
        for signal in (self.bridge.model_loaded, self.bridge.model_unloaded):
            signal.connect(lambda _event: self.models.show_entries())

    @property
    def _with_list(self) -> tuple[AskTab, CompareTab, RateTab]:
        """The tabs with a side list."""
        return self.ask, self.compare, self.rate

    @property
    def help(self) -> ShortcutHelp:
        """The list of shortcuts, made when it is first asked for."""
        if self._help is None:
            self._help = ShortcutHelp(self, shortcuts.help_groups())
        return self._help

    # What is kept between two starts

    def _restore(self) -> None:
        geometry = self._settings.get(GEOMETRY_SETTING, "")
        if not (
            isinstance(geometry, str) and geometry and self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        ):
            self.resize(1280, 800)
        self.setMinimumSize(720, 480)
        splitter = self._settings.get(SPLITTER_SETTING, "")
        if isinstance(splitter, str) and splitter:
            self.ask.splitter.restoreState(QByteArray.fromBase64(splitter.encode()))
        for tab in self._with_list:
            tab.side.setVisible(bool(self._settings.get(SIDEBAR_SETTING, True)))

    def keep(self) -> None:
        """Remember size, place, and the side list."""
        self._settings.set(GEOMETRY_SETTING, bytes(self.saveGeometry().toBase64().data()).decode())
        self._settings.set(SPLITTER_SETTING, bytes(self.ask.splitter.saveState().toBase64().data()).decode())
        self._settings.set(SIDEBAR_SETTING, not self.ask.side.isHidden())

    def start(self) -> None:
        """Fill the window; called once the loop runs."""
        self.choice.refresh()
        self.ask.start()
        self.compare.start()
        self.rate.start()
        self.watch.start()
        self.notices.tell_start()
        self.ask.composer.focus()
        self._warm_up()

    def _warm_up(self) -> None:
        """A starter model is small enough to be read at once, so that the first answer does not wait for it."""
        entry = self.choice.find(self.ask.presenter.conversation.model)
        if entry is not None and entry.model is not None and entry.model.starter:
            self.choice.load(entry.name)

    # What the person does

    def show_tab(self, name: str) -> None:
        """Go to a tab by its name."""
        self.tabs.setCurrentIndex(TAB_NAMES.index(name))

    def _on_tab(self, index: int) -> None:
        self.pages.setCurrentIndex(index)
        self.tabs.updateGeometry()  # the chosen tab is bold, so wider
        self.side_button.setEnabled(self.pages.currentWidget() in self._with_list)
        if TAB_NAMES[index] == "models":
            self.choice.refresh()
        if TAB_NAMES[index] == "ask":
            self.ask.composer.focus()
        if TAB_NAMES[index] == "compare":
            self.compare.show_setup(self.compare.presenter.setup)  # models may have come or gone
            self.compare.prompt.focus()
        if TAB_NAMES[index] == "rate":
            self.rate.show_setup(self.rate.presenter.setup)
            self.rate.focus()

    def new_chat(self) -> None:
        """Ctrl+N: another comparison or experiment in their tabs, from any other tab a new chat."""
        for tab in (self.compare, self.rate):
            if self.pages.currentWidget() is tab:
                tab.new()
                return
        self.show_tab("ask")
        self.ask.new_chat()

    def search(self) -> None:
        """Ctrl+K from any tab."""
        self.show_tab("ask")
        self.ask.side.show()
        self.ask.side.focus_search()

    def toggle_side(self) -> None:
        """Ctrl+B: the list of every tab that has one."""
        page = self.pages.currentWidget()
        shown = (page if page in self._with_list else self.ask).toggle_side()  # type: ignore[attr-defined]
        for tab in self._with_list:
            tab.side.setVisible(shown)
        self._settings.set(SIDEBAR_SETTING, shown)

    def _compare(self, text: str, origin: Origin | None) -> None:
        """Ctrl+Enter in a chat: the members chosen in Compare answer, with the chat before them."""
        self.show_tab("compare")
        self.compare.compare(text, origin)

    def _let_meet(self, specs: tuple[str, ...]) -> None:
        """Two members of a comparison are to meet in blind duels."""
        self.rate.presenter.compare_experiment(specs)
        self.show_tab("rate")
        self.rate.new()

    def _show_chat(self, conversation_id: str) -> None:
        self.show_tab("ask")
        self.ask.show_chat(conversation_id)

    def _show_alerts(self) -> None:
        self.show_tab("watch")
        self.watch.show_page("alerts")

    def use_model(self, name: str) -> None:
        """This conversation, and new ones from now on, are answered by that model."""
        self.choice.set_default(name)
        self.ask.presenter.set_settings(model=name)
        self.choice.load(name)
        if self.pages.currentWidget() is self.ask:
            self.ask.composer.focus()

    def _on_use(self, name: str) -> None:
        self.show_tab("ask")
        if self.ask.presenter.nodes:
            self.ask.new_chat()
        self.use_model(name)

    async def _add_model(self) -> None:
        paths = await file_dialogs.pick_open_files(self, tr("Add a model file"), GGUF_FILTER)
        for path in paths:
            entry = self.choice.add_file(path)
            if entry.error is not None:
                self.show_error(CodetteError(f"{path.name}: {entry.error.message}", entry.error.hint))
            elif path is paths[-1]:
                self.use_model(entry.name)

    def _cancel_load(self) -> None:
        if not self.choice.cancel_load():
            self.ask.presenter.stop_all()

    def zoom(self, change: "object") -> None:
        change()  # type: ignore[operator]
        self._settings.set(ZOOM_SETTING, theme().zoom)
        self.toasts.show_toast(tr("Zoom {n} %", n=theme().zoom), "info", timeout_ms=1200)

    def open_settings(self) -> None:
        """Ctrl+,"""
        from codette_desktop.gui.settings.dialog import SettingsDialog  # the window need not wait for it at start

        dialog = SettingsDialog(self.application, self.choice, self)
        dialog.theme_chosen.connect(self._on_theme)
        dialog.zoom_chosen.connect(self._on_zoom_chosen)
        dialog.engine_changed.connect(self.ask.presenter.measure)
        dialog.finished.connect(self.activateWindow)  # not every window manager gives the keyboard back by itself
        self.bridge.configuration_changed.connect(dialog.show_configuration)  # ends with the dialog
        self.settings_dialog = dialog
        dialog.open()

    def _on_theme(self, mode: str) -> None:
        theme().set_mode(mode)  # type: ignore[arg-type]
        self._settings.set(THEME_SETTING, mode)

    def _on_zoom_chosen(self, percent: int) -> None:
        theme().set_zoom(percent)
        self._settings.set(ZOOM_SETTING, percent)

    def _on_status(self, part: str) -> None:
        match part:
            case "model":
                self.picker.open()
            case "engine":
                self.open_settings()
            case "context":
                self.show_tab("ask")
                self.ask.open_panel("system")
            case _:
                self.show_tab("watch")

    # What is shown

    def _on_state(self, _state: ChatState) -> None:
        self._show_title()
        self._show_model()

    def _on_conversations(self) -> None:
        self.ask.list_changed()
        self._show_title()

    def _on_configuration(self) -> None:
        """Names of models and roles may have come, gone, or mean something else."""
        self.choice.refresh()
        self.ask.show_roles()
        self.ask.presenter.measure()
        self.notices.tell_configuration()

    def open_configuration(self) -> None:
        """The settings' page on the configuration file."""
        self.open_settings()
        self.settings_dialog.show_page("configuration")

    def _on_health(self, event: HealthChanged) -> None:
        self.models.show_entries()
        self.notices.tell_health(event)

    def _show_title(self) -> None:
        key = self.ask.presenter.conversation.id
        found = self.application.store.conversations.get(key) if key else None  # its title comes after its question
        self.setWindowTitle(f"{found.title} – Codette Desktop" if found and found.title else "Codette Desktop")

    def _show_model(self) -> None:
        name = self.ask.presenter.conversation.model
        self.picker.show_current(name)
        entry = self.choice.find(name)
        self.status.show_model(self.picker.text())
        self.status_presenter.show_loaded(entry.model.name if entry and entry.model else "")

    def show_error(self, error: CodetteError) -> None:
        """A failure that has no place of its own."""
        self.toasts.show_toast(error_text(error), "bad", timeout_ms=10_000)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.keep()
        event.accept()
        QTimer.singleShot(0, self, self.closed.emit)

    async def aclose(self) -> None:
        """End everything the window started; the services stay open."""
        self.choice.cancel_load()
        await self.ask.aclose()
        await self.compare.aclose()
        await self.rate.aclose()
        await self.watch.aclose()
        self.alerts.close()
        await self.tasks.aclose()
        self.bridge.close()

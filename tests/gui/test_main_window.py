"""The window: tabs, shortcuts, theme and zoom, status, banner, names for a screen reader."""

import itertools

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAccessible, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from codette_desktop.application import Application
from codette_desktop.domain.answers import AnswerEnd, AnswerFigures, ContextUse, FinishReason
from codette_desktop.domain.errors import StoreFull
from codette_desktop.domain.events import AnswerFinished, ModelLoading, StoreFailed, StoreRecovered
from codette_desktop.domain.votes import VoteFilter
from codette_desktop.gui import shortcuts
from codette_desktop.gui.app import build
from codette_desktop.gui.main_window import TAB_NAMES, MainWindow
from codette_desktop.gui.tabs.watch.tab import PAGES
from codette_desktop.gui.theme import theme
from tests.gui.conftest import close_window, settle, until
from tests.support.scripted_provider import ScriptedProvider

CTRL = Qt.KeyboardModifier.ControlModifier
# Popups and dialogs ask the window system for what the offscreen one does not have.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)


@pytest.fixture(autouse=True)
def _theme_as_before(qapp: QApplication) -> None:
    theme().set_mode("light")
    theme().set_zoom(100)


async def test_ctrl_digits_go_to_every_tab(scripted_window: MainWindow, qtbot: QtBot) -> None:
    for number, name in enumerate(TAB_NAMES, start=1):
        qtbot.keyClick(scripted_window, getattr(Qt.Key, f"Key_{number}"), CTRL)
        assert TAB_NAMES[scripted_window.pages.currentIndex()] == name


class _Opened(QObject):
    """Hears of every widget that is shown as a window of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See `QObject`."""
        if event.type() is QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.names.append(type(watched).__name__)
        return False


async def test_no_page_opens_a_window_for_a_moment_while_it_is_made(
    application: Application, scripted: ScriptedProvider, qapp: QApplication
) -> None:
    """A label that is shown before it has a parent does, and takes the keyboard with it."""
    opened = _Opened()
    qapp.installEventFilter(opened)
    try:
        window = build(application)
        window.show()
        window.start()
        for name in TAB_NAMES:
            window.show_tab(name)
        window.rate.show_leaderboard()
        window.rate.show_votes(VoteFilter())
        window.rate.show_page(window.rate.verdict_page)
        for page in PAGES:
            window.watch.show_page(page)
        await settle()
    finally:
        qapp.removeEventFilter(opened)
    assert opened.names == ["MainWindow"]
    await close_window(window)


async def test_no_two_shortcuts_claim_the_same_keys(scripted_window: MainWindow) -> None:
    owners: dict[str, list[QWidget]] = {}
    for made in scripted_window.findChildren(QShortcut):
        owner = made.parent()
        if made.key().count() > 0 and isinstance(owner, QWidget):
            owners.setdefault(made.key().toString(), []).append(owner)
    keys = set(owners)
    for claimed in owners.values():  # tabs may use the same keys: they never have the keyboard at the same time
        for one, other in itertools.combinations(claimed, 2):
            assert one is not other
            assert not one.isAncestorOf(other)
            assert not other.isAncestorOf(one)
    for wanted in ("Ctrl+N", "Ctrl+L", "Ctrl+K", "Ctrl+F", "Ctrl+,", "Esc", "Ctrl+R", "Ctrl+/", "Ctrl+B", "Ctrl+6"):
        assert QKeySequence(wanted).toString() in keys
    declared = [key for shortcut in (*shortcuts.WINDOW, *shortcuts.ASK) for key in shortcut.keys]
    assert len(declared) == len(set(declared))


async def test_everything_that_takes_the_keyboard_has_a_name(scripted_window: MainWindow) -> None:
    scripted_window.ask.open_panel("system")
    scripted_window.open_settings()
    scripted_window.ask.presenter.send("hello")
    await until(lambda: len(scripted_window.ask.presenter.nodes) == 2)
    unnamed = []
    for widget in scripted_window.findChildren(QWidget):
        if widget.focusPolicy() == Qt.FocusPolicy.NoFocus or widget.objectName().startswith("qt_"):
            continue
        if not widget.isVisibleTo(scripted_window):
            continue  # for example the button of a banner that offers nothing
        interface = QAccessible.queryAccessibleInterface(widget)
        if interface is None or interface.text(QAccessible.Text.Name).strip():
            continue
        unnamed.append(f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}")
    scripted_window.settings_dialog.accept()
    assert not unnamed, "\n".join(unnamed)


async def test_tab_walks_through_the_composer(scripted_window: MainWindow, qtbot: QtBot) -> None:
    composer = scripted_window.ask.composer
    composer.edit.setPlainText("words")
    composer.focus()
    order = []
    for _ in range(6):
        order.append(QApplication.focusWidget())
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert order[:4] == [composer.edit, composer.preset_button, composer.system_button, composer.sampling_button]
    assert composer.send_button in order


async def test_theme_and_zoom_change_at_once_and_are_remembered(
    scripted_window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    window = scripted_window
    light = window.grab().toImage().pixelColor(5, 400)
    window._on_theme("dark")
    await settle()
    assert window.grab().toImage().pixelColor(5, 400).lightness() < light.lightness() / 2
    before = window.tabs.sizeHint().height()
    qtbot.keyClick(window, Qt.Key.Key_Plus, CTRL)
    assert theme().zoom == 110
    assert window.tabs.sizeHint().height() > before
    qtbot.keyClick(window, Qt.Key.Key_Minus, CTRL)
    qtbot.keyClick(window, Qt.Key.Key_Minus, CTRL)
    assert theme().zoom == 90
    qtbot.keyClick(window, Qt.Key.Key_0, CTRL)
    assert theme().zoom == 100
    await until(lambda: application.store.settings.get("theme") == "dark")
    await until(lambda: application.store.settings.get("zoom") == 100)


async def test_ctrl_b_folds_the_list_and_the_next_window_remembers(
    scripted_window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    assert not scripted_window.ask.side.isHidden()
    qtbot.keyClick(scripted_window, Qt.Key.Key_B, CTRL)
    assert scripted_window.ask.side.isHidden()
    await until(lambda: application.store.settings.get("sidebar") is False)
    again = build(application)
    assert again.ask.side.isHidden()
    await close_window(again)


async def test_a_full_disk_is_told_by_a_banner_until_saving_works_again(
    scripted_window: MainWindow, application: Application
) -> None:
    window = scripted_window
    application.bus.publish(StoreFailed(StoreFull("The disk is full: this could not be saved.")))
    await until(lambda: not window.banner.isHidden())
    assert "not saving" in window.status.health.text()
    application.bus.publish(StoreRecovered())
    await until(lambda: "ok" in window.status.health.text())


async def test_loading_shows_progress_and_cancel(scripted_window: MainWindow, application: Application) -> None:
    line = scripted_window.status
    application.bus.publish(ModelLoading("tiny", 0.43))
    await until(lambda: not line.progress.isHidden())
    assert line.progress.value() == 43
    assert not line.cancel.isHidden()
    application.bus.publish(ModelLoading("tiny", 1.0))
    await until(lambda: line.progress.isHidden())


async def test_the_picker_chooses_by_keyboard(
    scripted_window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    window = scripted_window
    broken = application.data_dir / "broken.gguf"
    broken.write_bytes(b"no model")
    window.choice.add_file(broken)
    qtbot.keyClick(window, Qt.Key.Key_L, CTRL)
    popup = window.picker.popup
    await until(popup.isVisible)
    texts = [popup.list.model().index(row, 0) for row in range(popup.list.model().rowCount())]
    assert any("broken.gguf" in index.data() for index in texts)
    assert not popup.list.model().flags(texts[-1]) & Qt.ItemFlag.ItemIsEnabled
    qtbot.keyClicks(popup.filter, "guide s")
    qtbot.keyClick(popup.filter, Qt.Key.Key_Return)
    await until(lambda: not popup.isVisible())
    assert window.ask.presenter.conversation.model == "guide-s-q8_0"
    assert window.picker.text().startswith("Guide S")
    await until(lambda: application.store.settings.get("model") == "guide-s-q8_0")


async def test_the_models_tab_lists_adds_and_removes(
    scripted_window: MainWindow, application: Application, tiny_model
) -> None:
    window = scripted_window
    window.show_tab("models")
    outside = tiny_model.parent.parent / "elsewhere.gguf"
    outside.write_bytes(tiny_model.read_bytes())
    entry = window.choice.add_file(outside)
    assert entry.model is not None
    assert entry.name == str(outside)
    row = next(at for at, item in enumerate(window.choice.entries) if item.path == outside)
    window.models.table.selectRow(row)
    assert window.models.remove_button.isEnabled()
    window.models.remove_button.click()
    await until(lambda: all(item.path != outside for item in window.choice.entries))
    assert outside.exists()
    window.toasts.toasts[-1].trigger_action()
    await until(lambda: any(item.path == outside for item in window.choice.entries))


async def test_a_model_is_put_into_a_process_of_its_own_and_back(window: MainWindow, application: Application) -> None:
    window.show_tab("models")
    row = next(at for at, item in enumerate(window.choice.entries) if item.name == "guide-s-q8_0")
    window.models.table.selectRow(row)
    model = application.catalogue.find_file("guide-s-q8_0")
    await until(lambda: window.models.apart.isVisible() and not window.models.apart.isChecked())
    window.models.apart.click()
    await until(lambda: application.is_kept_apart(model))
    for _ in range(2):
        application.store.models.note_crash(model.file_hash).result()
    window.models.table.selectRow(0 if row else 1)
    window.models.table.selectRow(row)
    await until(lambda: "crashed 2 times" in window.models.apart.text())
    assert window.models.apart.isChecked()
    window.models.apart.click()
    await until(lambda: not window.models.apart.isChecked() and "crashed" not in window.models.apart.text())
    assert not application.is_kept_apart(model)
    assert application.store.models.trust(model.file_hash) == (False, 0)


async def test_the_help_shows_the_shortcuts(scripted_window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(scripted_window, Qt.Key.Key_Slash, CTRL)
    assert scripted_window.help.isVisible()
    qtbot.keyClick(scripted_window.help, Qt.Key.Key_Escape)
    assert not scripted_window.help.isVisible()


async def test_presets_show_when_they_were_changed(scripted_window: MainWindow) -> None:
    window = scripted_window
    commands = window.ask.commands
    assert window.ask.composer.preset_button.text() == "Balanced"
    commands.use_preset("Precise")
    assert window.ask.composer.preset_button.text() == "Precise"
    commands.change_sampling(window.ask.presenter.conversation.sampling.with_changes(temperature=0.3))
    assert window.ask.composer.preset_button.text() == "Precise, changed"
    await commands.save_preset_as("Mine")
    assert window.ask.composer.preset_button.text() == "Mine"
    assert "Mine" in [action.text() for action in window.ask.composer.presets_menu().actions()]


async def test_the_system_prompt_and_the_parameters_reach_the_model(
    scripted_window: MainWindow, scripted, qtbot: QtBot
) -> None:
    window = scripted_window
    window.ask.open_panel("system")
    qtbot.keyClicks(window.ask.panel.system_prompt, "Be brief.")
    window.ask.panel.form.set_sampling(window.ask.panel.form.sampling().with_changes(temperature=0.1))
    window.ask.panel.flush()
    window.ask.presenter.send("hello")
    await until(lambda: len(window.ask.presenter.nodes) == 2)
    request = scripted.requests[-1]
    assert request.messages[0].content == "Be brief."
    assert request.sampling.temperature == pytest.approx(0.1)
    assert window.ask.composer.system_button.text() == "System prompt: on"


async def test_closing_says_so_once_and_remembers_the_size(application: Application, scripted) -> None:
    window = build(application)
    window.resize(1000, 700)
    window.show()
    window.start()
    closed = []
    window.closed.connect(lambda: closed.append(True))
    window.close()
    await until(lambda: closed)
    await until(lambda: application.store.settings.get("window"))
    await close_window(window)


def _finished(model: str, speed: float, prompt: int) -> AnswerFinished:
    use = ContextUse(prompt, 0, prompt, 1024)
    figures = AnswerFigures(prompt, 20, 12.0, speed, 60.0)
    return AnswerFinished("g", AnswerEnd(FinishReason.STOP, figures, use, 1, model, model, "ab", "b"))


async def test_beside_the_models_name_stand_its_own_figures_and_its_own_chats_context(window: MainWindow) -> None:
    await until(lambda: window.status.context.text())
    bus, status = window.application.bus, window.status
    name, context = window.ask.presenter.conversation.model, status.context.text()
    bus.publish(_finished(name, 99.0, 300))
    await until(lambda: "99" in status.speed.text())
    bus.publish(_finished("guide-m-q8_0", 817.0, 21))  # a comparison's other member
    await settle()
    assert "99" in status.speed.text()
    assert status.context.text() == context  # a prompt that was asked elsewhere fills no chat
    window.use_model("guide-s-q8_0")
    assert status.speed.isHidden()

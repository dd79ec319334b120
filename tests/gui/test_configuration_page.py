"""The settings' page on the configuration file: a real file on the disk, read, changed, and changed from outside."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QComboBox, QWidget
from pytestqt.qtbot import QtBot

from codette_desktop.application import Application
from codette_desktop.configuration.watching import watch
from codette_desktop.domain.tasks import TaskType
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.settings.configuration import ConfigurationPage
from codette_desktop.gui.theme import theme
from tests.gui.conftest import settle, until

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one, once a dialog is open

COMMENTS = ("# what we use at home", "# the one for letters", "# nobody else", "# keep this last")
TEXT = """\
# what we use at home
models:
  # the one for letters
  writer:
    model: guide-m-q8_0
    priority: 10
  quick: {model: guide-s-q8_0}
fallbacks:
  default: [quick, writer]
tasks:
  coding:
    # nobody else
    models: [quick, writer]
# keep this last
"""


@pytest.fixture
def file(application: Application) -> Path:
    return application.configuration.path


def says(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def write(file: Path, text: str) -> None:
    """As an editor does; without a text the file goes."""
    if text:
        file.write_text(text, encoding="utf-8")
    else:
        file.unlink()


@pytest.fixture
def window(scripted_window: MainWindow) -> MainWindow:
    """No model need be tried in a process of its own only because the context is measured."""
    return scripted_window


async def page(window: MainWindow) -> ConfigurationPage:
    window.open_settings()
    window.settings_dialog.show_page("configuration")
    await settle()
    return window.settings_dialog.configuration


async def written(file: Path, application: Application, text: str = TEXT) -> None:
    """The file says this, and the window has heard of it."""
    write(file, text)
    application.configuration.reload()
    await settle()


def choose(box: QComboBox, value: object) -> None:
    """As a person chooses in a list."""
    at = box.findData(value)
    assert at >= 0
    box.setCurrentIndex(at)
    box.activated.emit(at)


async def test_without_a_file_the_page_explains_itself_and_creates_one(
    window: MainWindow, application: Application, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = await page(window)
    assert "none is needed" in shown.about.text()
    assert shown.path.text() == str(file)
    assert shown.open_button.isHidden()
    shown.create_button.click()
    await until(lambda: not shown.open_button.isHidden())
    assert says(file).startswith("# The configuration file of Codette Desktop.")
    assert shown.create_button.isHidden()
    assert "your comments stay" in shown.about.text()
    assert application.configuration.problems == ()
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    shown.open_button.click()
    assert [url.toLocalFile() for url in opened] == [str(file)]
    window.settings_dialog.accept()


async def test_a_first_model_makes_the_file(window: MainWindow, application: Application, file: Path) -> None:
    shown = await page(window)
    choose(shown.models.new_box, "guide-m-q8_0")
    shown.models.name_field.setText("writer")
    shown.models.name_field.returnPressed.emit()
    await until(lambda: shown.models.cards)
    await until(lambda: shown.models.name_field.text() == "")
    assert "writer" in says(file)
    assert application.catalogue.find_model("writer").name == "guide-m-q8_0"
    window.settings_dialog.accept()


async def test_comments_survive_every_change_made_here(
    window: MainWindow, application: Application, file: Path
) -> None:
    await written(file, application)
    shown = await page(window)
    writer, settings = shown.models.cards[0], lambda: application.configuration.settings

    choose(writer.model_box, "guide-s-q8_0")
    await until(lambda: settings().models["writer"].model == "guide-s-q8_0")
    writer.priority_box.setValue(3)
    await until(lambda: settings().models["writer"].priority == 3)
    choose(writer.fallback_box, False)
    await until(lambda: settings().models["writer"].fallback is False)
    writer.cache_box.click()
    await until(lambda: settings().models["writer"].cache is False)
    writer.apart_box.click()
    await until(lambda: settings().models["writer"].apart is True)
    writer.preload_box.click()
    await until(lambda: settings().models["writer"].preload)
    choose(shown.task_models.boxes[TaskType.CODING], "writer")
    await until(lambda: settings().tasks[TaskType.CODING].models == ("writer",))
    choose(shown.task_models.boxes[TaskType.TESTING], "tiny")
    await until(lambda: TaskType.TESTING in settings().tasks)
    assert settings().tasks[TaskType.TESTING].models == ("tiny",)
    shown.stand_ins.rows[0].down.click()
    await until(lambda: settings().fallbacks["default"] == ("writer", "quick"))
    await until(lambda: shown.stand_ins.rows[0].name.startswith("writer"))
    choose(shown.stand_ins.new_box, "tiny")
    shown.stand_ins.add_button.click()
    await until(lambda: len(shown.stand_ins.rows) == 3)
    shown.stand_ins.rows[1].remove_button.click()
    await until(lambda: settings().fallbacks["default"] == ("writer", "tiny"))
    shown.local_box.click()
    await until(lambda: settings().local_only is True)

    text = says(file)
    assert all(comment in text for comment in COMMENTS)
    choose(shown.task_models.boxes[TaskType.TESTING], "")
    await until(lambda: TaskType.TESTING not in settings().tasks)
    for box, usual in ((writer.cache_box, True), (writer.apart_box, False), (writer.preload_box, False)):
        box.click()
        assert box.isChecked() == usual
    shown.local_box.click()
    await until(lambda: settings().local_only is None)
    await until(lambda: "preload" not in says(file))
    assert all(comment in says(file) for comment in COMMENTS)
    window.settings_dialog.accept()


async def test_a_removed_name_comes_back_exactly_as_it_was(
    window: MainWindow, application: Application, file: Path
) -> None:
    await written(file, application)
    shown = await page(window)
    shown.models.cards[0].remove_button.click()
    await until(lambda: [card.name for card in shown.models.cards] == ["quick"])
    assert "writer:" not in says(file)
    await until(lambda: not shown.models.undo_button.isHidden())
    assert "# the one for letters" in says(file)
    await until(lambda: "'writer'" in shown.mistakes.text())  # tasks and fallbacks name it still
    shown.models.undo_button.click()
    await until(lambda: [card.name for card in shown.models.cards] == ["writer", "quick"])
    assert says(file) == TEXT
    assert shown.models.undo_button.isHidden()
    window.settings_dialog.accept()


async def test_a_name_put_back_into_a_file_changed_meanwhile_takes_nothing_from_it(
    window: MainWindow, application: Application, file: Path
) -> None:
    await written(file, application)
    shown = await page(window)
    shown.models.cards[0].remove_button.click()
    await until(lambda: len(shown.models.cards) == 1 and not shown.models.undo_button.isHidden())
    await written(file, application, says(file) + "# added by hand\n")
    shown.models.undo_button.click()
    await until(lambda: len(shown.models.cards) == 2)
    assert "# added by hand" in says(file)
    assert application.configuration.settings.models["writer"].priority == 10
    window.settings_dialog.accept()


async def test_a_refusal_is_told_in_place_and_the_control_goes_back(
    window: MainWindow, application: Application, file: Path
) -> None:
    await written(file, application)
    shown = await page(window)
    for name, words in (("Writer", "already"), ("auto", "cannot be the name"), ("a/b", "cannot be the name")):
        shown.models.name_field.setText(name)
        shown.models.add()
        await until(lambda words=words: words in shown.models.problem.text())
        assert shown.models.name_field.text() == name
    write(file, TEXT.replace("priority: 10", "priority: [10"))  # not read yet
    card = shown.models.cards[0]
    choose(card.model_box, "tiny")
    await until(lambda: card.problem.text())
    assert not card.problem.isHidden()
    assert card.model_box.currentData() == "guide-m-q8_0"
    window.settings_dialog.accept()


async def test_a_file_changed_outside_shows_without_a_restart_and_a_mistake_with_its_line(
    window: MainWindow, application: Application, file: Path
) -> None:
    shown = await page(window)
    looking = asyncio.create_task(watch(application.configuration, 0.02))
    await settle()  # it has looked once
    try:
        write(file, TEXT)
        await until(lambda: [card.name for card in shown.models.cards] == ["writer", "quick"])
        assert shown.models.cards[0].priority_box.value() == 10
        assert shown.task_models.boxes[TaskType.CODING].currentData() == "quick"
        assert "Then writer" in shown.task_models.notes[TaskType.CODING].text()
        assert shown.mistakes.isHidden()
        write(file, TEXT.replace("priority: 10", "priority: ten"))
        await until(lambda: shown.mistakes.text())
        assert shown.mistakes.text().startswith("line 6: models.writer.priority must be a whole number")
        assert "stays in force" in shown.mistakes.text()
        assert shown.models.cards[0].priority_box.value() == 10
        write(file, TEXT)
        await until(lambda: shown.mistakes.isHidden())
        write(file, "")
        await until(lambda: not shown.models.cards)
        assert "none is needed" in shown.about.text()
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
    window.settings_dialog.accept()


async def test_a_model_that_is_not_there_is_told_with_its_line(
    window: MainWindow, application: Application, file: Path
) -> None:
    await written(file, application, "models:\n  lost: {model: not-here}\n")
    shown = await page(window)
    await until(lambda: shown.mistakes.text())
    assert shown.mistakes.text().startswith("line 2: There is no model 'not-here'")
    assert "not found" in shown.models.cards[0].model_box.currentText()
    window.settings_dialog.accept()


async def test_switches_of_the_models_page_show_and_change_what_the_file_decides(
    window: MainWindow, application: Application, file: Path
) -> None:
    await written(file, application, "routing:\n  fallback: false # not here\n  local_only: true\n")
    await page(window)
    models = window.settings_dialog.models
    assert not models.fallback_box.isChecked()
    assert not models.remote_box.isChecked()
    assert "line 2" in models.fallback_note.text()
    assert not models.fallback_note.isHidden()
    models.fallback_box.click()
    await until(lambda: application.configuration.settings.fallback is True)
    models.remote_box.click()
    await until(lambda: not application.configuration.local_only)
    assert application.policy().remote
    assert models.remote_box.isChecked()
    models.remote_box.click()
    await until(lambda: not application.policy().remote)
    assert "# not here" in says(file)
    await written(file, application, "routing:\n  remote: true # as agreed\n")
    assert models.remote_box.isChecked()
    assert "line 2" in models.remote_note.text()
    models.remote_box.click()
    await until(lambda: application.configuration.settings.remote is False)
    assert "# as agreed" in says(file)
    await written(file, application, "# nothing\n")
    assert models.fallback_note.isHidden()
    assert models.fallback_box.isChecked()
    window.settings_dialog.accept()


async def test_every_control_has_a_name_and_the_keyboard_reaches_it(
    window: MainWindow, application: Application, file: Path, qtbot: QtBot
) -> None:
    await written(file, application)
    shown = await page(window)
    reachable = [
        widget
        for widget in shown.findChildren(QWidget)
        if widget.isVisibleTo(shown) and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert len(reachable) > 25
    unnamed = [type(widget).__name__ for widget in reachable if not _name(widget)]
    assert unnamed == []
    row = shown.stand_ins.rows[1]
    row.up.setFocus()
    qtbot.keyClick(row.up, Qt.Key.Key_Space)
    await until(lambda: application.configuration.settings.fallbacks["default"] == ("writer", "quick"))
    await until(lambda: shown.stand_ins.rows[0].down.hasFocus())  # it is first now, and can only go down
    window.settings_dialog.accept()


def _name(widget: QWidget) -> str:
    text = getattr(widget, "text", None)
    return widget.accessibleName() or (str(text()) if callable(text) else "")


@pytest.mark.parametrize("mode", ["light", "dark"])
async def test_nothing_is_cut_off(window: MainWindow, application: Application, file: Path, mode: str) -> None:
    theme().set_mode(mode)  # type: ignore[arg-type]
    await written(file, application)
    for width in (640, 860):
        shown = await page(window)
        window.settings_dialog.resize(width, 420)
        await settle(0.2)
        room = window.settings_dialog.stack.currentWidget().viewport().width()  # type: ignore[attr-defined]
        assert shown.minimumSizeHint().width() <= room
        assert not window.settings_dialog.grab().isNull()
        window.settings_dialog.accept()
        await settle()

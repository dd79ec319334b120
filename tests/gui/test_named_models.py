"""Names of the configuration file in the picker, in a conversation, and as the model of new chats."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from codette_desktop.application import Application
from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.model_picker import EntryRole
from tests.gui.ask.test_asking import answers, ask, node_of
from tests.gui.conftest import settle, until

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one, with popups and dialogs


@pytest.fixture
def file(application: Application) -> Path:
    path = application.configuration.path
    write(application, "models:\n  writer: {model: tiny}\n  lost: {model: not-here}\n  TINY: {priority: 1}\n")
    return path


def write(application: Application, text: str) -> None:
    application.configuration.path.write_text(text)
    application.configuration.reload()


def titles(window: MainWindow) -> list[str]:
    rows = window.picker.popup.list.model()
    return [rows.index(at, 0).data(EntryRole).title for at in range(rows.rowCount())]


async def test_a_name_is_picked_by_typing_it_and_answers(
    file: Path, window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    popup = window.picker.popup
    await until(popup.isVisible)
    assert titles(window)[:2] == ["Auto", "writer (Tiny Test · F32)"]
    assert "lost" in titles(window)
    assert not any(title.startswith("TINY") for title in titles(window))  # the model's own name, and nothing new
    qtbot.keyClicks(popup.filter, "writer")
    qtbot.keyClick(popup.filter, Qt.Key.Key_Return)
    assert window.ask.presenter.conversation.model == "writer"
    assert window.picker.text() == window.status.model.text() == "writer (Tiny Test · F32)"
    await until(lambda: "not loaded" not in window.status.device.text())
    window.ask.presenter.set_settings(sampling=Sampling(seed=7, max_tokens=8))
    await ask(window, qtbot, "hello model")
    generation = node_of(answers(window)[0]).generation
    assert generation is not None
    assert generation.model_label == "Tiny Test · F32"
    window.new_chat()
    assert window.ask.presenter.conversation.model == "writer"
    assert application.catalogue.default_name() == "writer"
    window.show_tab("models")
    about = [window.models.model.index(at, 0).data() for at in range(window.models.model.rowCount())]
    assert any("Tiny Test" in text and "in use" in text for text in about)
    assert len(about) == len({text.split("  ")[0] for text in about})  # every model once


async def test_a_name_without_a_model_says_why(file: Path, window: MainWindow) -> None:
    entry = window.choice.find("LOST")
    assert entry is not None
    assert entry.model is None
    window.ask.presenter.set_settings(model="lost")
    assert window.picker.text() == "lost (missing)"
    assert "There is no model 'not-here'" in window.picker.toolTip()


async def test_the_list_follows_the_file(file: Path, window: MainWindow, application: Application) -> None:
    window.ask.presenter.set_settings(model="writer")
    window.picker.open()
    write(application, "models:\n  writer: {model: guide-s-q8_0}\n  other: {model: tiny}\n")
    await until(lambda: "other (Tiny Test · F32)" in titles(window))
    assert "writer (Guide S · Q8_0)" in titles(window)
    assert "lost" not in titles(window)
    assert window.picker.text() == "writer (Guide S · Q8_0)"
    window.picker.popup.hide()


async def test_new_chats_may_begin_with_a_name_of_ones_own(
    file: Path, window: MainWindow, application: Application
) -> None:
    window.open_settings()
    box = window.settings_dialog.models.model_box
    at = box.findData("writer")
    assert box.itemText(at) == "writer (Tiny Test · F32)"
    box.setCurrentIndex(at)
    box.activated.emit(at)
    window.settings_dialog.accept()
    await until(lambda: application.store.settings.get("model", "") == "writer")
    window.new_chat()
    assert window.ask.presenter.conversation.model == "writer"
    await asyncio.sleep(0)
    await settle()

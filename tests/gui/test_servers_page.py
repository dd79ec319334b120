"""Servers in the settings and in the picker, with a real server behind them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from codette_desktop.application import Application
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.servers import Server
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.settings.servers import ServersSection
from codette_desktop.gui.tabs.ask.wording import figures_line
from codette_desktop.inference.http import discovery
from tests.gui.conftest import until
from tests.support.http_server import Served, serve
from tests.support.ollama_replay import OllamaReplay


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    async with serve(OllamaReplay()) as served:
        yield served


@pytest_asyncio.fixture
async def section(scripted_window: MainWindow) -> AsyncIterator[ServersSection]:
    scripted_window.open_settings()
    assert scripted_window.settings_dialog is not None
    yield scripted_window.settings_dialog.servers
    scripted_window.settings_dialog.accept()


def fill(section: ServersSection, name: str, url: str, token: str = "") -> None:
    section.name_field.setText(name)
    section.url_field.setText(url)
    section.token_field.setText(token)


async def test_a_server_is_added_tested_and_its_models_can_be_picked(
    scripted_window: MainWindow, section: ServersSection, served: Served
) -> None:
    assert section.rows == []
    fill(section, "House", served.url)
    section.add_button.click()
    await until(lambda: section.rows and section.rows[0].state.accessibleName() == "works")
    (row,) = section.rows
    assert row.detail.text() == "Ollama 0.0.0 · 1 model"
    assert section.name_field.text() == section.url_field.text() == ""
    entry = scripted_window.choice.find("House/tiny:latest")
    assert entry is not None
    assert entry.model is not None
    assert entry.model.label == "tiny:latest · House"
    scripted_window.picker.popup.show_entries(scripted_window.choice.entries, entry)
    popup = scripted_window.picker.popup
    rows = popup.list.model()
    texts = [rows.index(at, 0).data(Qt.ItemDataRole.AccessibleTextRole) for at in range(rows.rowCount())]
    assert any("tiny:latest · House" in text and "a server on this computer" in text for text in texts)
    box = scripted_window.settings_dialog.models.model_box  # type: ignore[union-attr]
    assert box.findData("House/tiny:latest") >= 0


async def test_a_server_that_is_not_there_says_why_in_place(section: ServersSection) -> None:
    fill(section, "Gone", "http://127.0.0.1:9")
    section.add()
    await until(lambda: section.rows and section.rows[0].state.accessibleName() == "does not work")
    assert "is not running" in section.rows[0].detail.text()
    assert section.rows[0].test_button.isEnabled()


@pytest.mark.parametrize(
    ("name", "url", "words"),
    [
        ("", "http://localhost", "has no name"),
        ("A", "", "no address"),
        ("a/b", "http://localhost", "cannot be the name"),
    ],
)
async def test_wrong_fields_are_told_and_keep_what_was_typed(
    section: ServersSection, name: str, url: str, words: str
) -> None:
    fill(section, name, url)
    section.add()
    assert words in section.message.text()
    assert not section.message.isHidden()
    assert section.url_field.text() == url
    assert section.rows == []


async def test_a_removed_server_can_be_put_back(
    application: Application, section: ServersSection, served: Served
) -> None:
    fill(section, "House", served.url)
    section.add()
    await until(lambda: section.rows and section.rows[0].state.accessibleName() == "works")
    section.rows[0].remove_button.click()
    await until(lambda: not section.rows)
    assert application.servers.servers() == []
    assert not section.undo_button.isHidden()
    section.undo_button.click()
    await until(lambda: section.rows)
    assert application.servers.servers() == [Server("House", served.url)]
    assert section.undo_button.isHidden()


async def test_servers_on_this_computer_are_found_and_offered(
    section: ServersSection, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "WELL_KNOWN", {"Ollama": int(served.url.rsplit(":", 1)[1])})
    section.find_button.click()
    await until(lambda: section.url_field.text() == served.url)
    assert section.name_field.text() == "Ollama"
    assert "Found Ollama at 127.0.0.1" in section.message.text()
    assert section.rows == []


async def test_closing_the_settings_stops_what_is_being_asked(scripted_window: MainWindow) -> None:
    async def silent(exchange: object) -> None:
        await asyncio.sleep(60)

    async with serve(silent) as served:
        scripted_window.open_settings()
        section = scripted_window.settings_dialog.servers  # type: ignore[union-attr]
        fill(section, "Slow", served.url)
        section.add()
        await until(lambda: served.requests)
        scripted_window.settings_dialog.accept()  # type: ignore[union-attr]
        await until(lambda: not len(section._tasks))


async def test_an_answer_from_elsewhere_says_so_below_it(application: Application) -> None:
    async with serve(OllamaReplay()) as served:
        await application.servers.add(Server("House", served.url))
        conversation = await asyncio.wrap_future(application.store.conversations.create(model="House/tiny"))
        *_parts, node = [part async for part in application.chat.send(conversation.id, "hello")]
    assert isinstance(node, Node)
    generation = node.generation
    assert generation is not None
    assert figures_line(generation).startswith("tiny · House · 12 tokens")
    away = replace(generation, device=Server("House", "http://10.0.0.5:1").place)
    assert figures_line(away).startswith("tiny · House · outside this computer · 12 tokens")


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one, once a dialog has been open
async def test_opening_the_picker_asks_the_servers_and_shows_what_came(
    scripted_window: MainWindow, application: Application, served: Served, qtbot: QtBot
) -> None:
    await application.servers.add(Server("House", served.url))
    assert served.connections == 0
    qtbot.keyClick(scripted_window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    popup = scripted_window.picker.popup
    await until(popup.isVisible)
    rows = popup.list.model()
    before = rows.rowCount()
    await until(lambda: rows.rowCount() == before + 1)
    qtbot.keyClicks(popup.filter, "house")
    qtbot.keyClick(popup.filter, Qt.Key.Key_Return)
    await until(lambda: not popup.isVisible())
    assert scripted_window.ask.presenter.conversation.model == "House/tiny:latest"
    assert "a server on this computer" in scripted_window.ask.empty.subtitle.text()

"""The side list: rename, delete and undo, search, files, drafts; what a crash left is shown."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from codette_desktop.application import Application
from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Conversation, Generation
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.app import build
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.tabs.ask.answer_card import AnswerCard
from codette_desktop.gui.tabs.ask.conversation_model import ConversationRole
from codette_desktop.gui.tabs.ask.list_delegate import HitRole, runs
from tests.gui.conftest import close_window, settle, until
from tests.support.scripted_provider import ScriptedProvider


async def talk(application: Application, title: str, question: str, answer: str) -> str:
    """A conversation of one question and one answer; gives its id."""
    store = application.store.conversations
    made = await asyncio.wrap_future(store.create(title))
    asked = await asyncio.wrap_future(store.add_message(made.id, None, Message(Role.USER, question)))
    await asyncio.wrap_future(store.add_message(made.id, asked.id, Message(Role.ASSISTANT, answer)))
    return made.id


def stored(application: Application, key: str) -> Conversation:
    found = application.store.conversations.get(key)
    assert found is not None
    return found


def titles(window: MainWindow) -> list[str]:
    model = window.ask.side.model
    found = [model.data(model.index(row), ConversationRole) for row in range(model.rowCount())]
    return [item.title for item in found if item is not None]


async def test_f2_renames_in_the_list(scripted_window: MainWindow, application: Application, qtbot: QtBot) -> None:
    window = scripted_window
    key = await talk(application, "Old title", "question", "answer")
    window.ask.list_changed()
    window.ask.presenter.open(key)
    window.ask.side.rename_current()
    editor = window.ask.side.list.findChild(QLineEdit)
    assert isinstance(editor, QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "New title")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    await until(lambda: titles(window) == ["New title"])
    assert stored(application, key).title == "New title"


async def test_deleting_goes_to_the_neighbour_and_can_be_undone(
    scripted_window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    window = scripted_window
    await talk(application, "Kept", "question", "answer")
    gone = await talk(application, "Gone", "question", "answer")
    window.ask.list_changed()
    window.ask.presenter.open(gone)
    qtbot.keyClick(window.ask.side.list, Qt.Key.Key_Delete)
    await until(lambda: titles(window) == ["Kept"])
    assert window.ask.presenter.conversation.title == "Kept"
    await until(lambda: window.toasts.toasts)
    window.toasts.toasts[-1].trigger_action()
    await until(lambda: titles(window) == ["Gone", "Kept"])
    assert window.ask.presenter.conversation.id == gone


async def test_search_finds_words_in_messages_and_opens_there(
    scripted_window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    window = scripted_window
    key = await talk(application, "Animals", "Which bird swims?", "The penguin swims very well.")
    await talk(application, "Plants", "Which tree is tallest?", "The redwood.")
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert window.ask.side.search.hasFocus()
    qtbot.keyClicks(window.ask.side.search, "pengu")
    await until(lambda: window.ask.side.stack.currentWidget() is window.ask.side.hits)
    hit = window.ask.side.hits.model().index(0, 0).data(HitRole)
    assert ("penguin", True) in runs(hit.snippet)
    qtbot.keyClick(window.ask.side.search, Qt.Key.Key_Return)
    await until(lambda: window.ask.presenter.conversation.id == key)
    qtbot.keyClick(window.ask.side.search, Qt.Key.Key_Escape)
    assert window.ask.side.search.text() == ""
    assert window.ask.side.stack.currentWidget() is not window.ask.side.hits


async def test_search_for_nothing_that_exists_says_so(scripted_window: MainWindow, qtbot: QtBot) -> None:
    side = scripted_window.ask.side
    qtbot.keyClicks(side.search, 'zzz" OR (')
    await until(lambda: side.stack.currentWidget() is side.nothing)


async def test_export_to_json_and_import_back_is_the_same_conversation(
    scripted_window: MainWindow, application: Application, tmp_path: Path
) -> None:
    window = scripted_window
    key = await talk(application, "Round trip", "What is 1+1?", "**Two**, of course.")
    path = tmp_path / "conversation.json"
    await window.ask.commands.export_to(key, path)
    assert json.loads(path.read_text(encoding="utf-8"))
    await window.ask.commands.import_from([path])
    assert titles(window) == ["Round trip", "Round trip"]
    assert window.ask.presenter.conversation.id != key
    copied = [node.message for node in window.ask.presenter.nodes]
    assert copied == [node.message for node in application.store.conversations.branch(key)]


async def test_export_to_markdown_can_be_read(
    scripted_window: MainWindow, application: Application, tmp_path: Path
) -> None:
    key = await talk(application, "To read", "What is 1+1?", "**Two**.")
    path = tmp_path / "to read.md"
    await scripted_window.ask.commands.export_to(key, path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# To read\n")
    assert "What is 1+1?" in text
    assert "**Two**." in text


async def test_a_file_that_is_no_conversation_is_refused_in_words(scripted_window: MainWindow, tmp_path: Path) -> None:
    for name, content in (("no.json", "not json"), ("list.json", "[]"), ("empty.json", "{}")):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        await scripted_window.ask.commands.import_from([path])
        assert scripted_window.toasts.toasts[-1].text.startswith(f"{name}: ")
    assert scripted_window.ask.side.model.count() == 0


async def test_a_draft_survives_closing_and_opening(
    application: Application, scripted: ScriptedProvider, qtbot: QtBot
) -> None:
    first = build(application)
    first.show()
    first.start()
    qtbot.keyClicks(first.ask.composer.edit, "half a thought")
    await close_window(first)
    second = build(application)
    second.show()
    second.start()
    assert second.ask.composer.text() == "half a thought"
    assert application.store.conversations.list()[0].draft == "half a thought"
    await close_window(second)


async def test_a_draft_is_on_disk_half_a_second_later_without_closing(
    scripted_window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    qtbot.keyClicks(scripted_window.ask.composer.edit, "typed")
    await until(lambda: [item.draft for item in application.store.conversations.list()] == ["typed"], seconds=5)


async def test_each_conversation_keeps_its_own_draft(
    scripted_window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    window = scripted_window
    one = await talk(application, "One", "q", "a")
    two = await talk(application, "Two", "q", "a")
    window.ask.presenter.open(one)
    qtbot.keyClicks(window.ask.composer.edit, "for one")
    window.ask.presenter.open(two)
    assert window.ask.composer.text() == ""
    await until(lambda: stored(application, one).draft == "for one")
    window.ask.presenter.open(one)
    assert window.ask.composer.text() == "for one"


async def test_an_answer_interrupted_by_a_crash_is_shown_with_its_reason(
    codette_home: Path, application: Application
) -> None:
    conversations, generations = application.store.conversations, application.store.generations
    made = await asyncio.wrap_future(conversations.create("Crashed"))
    asked = await asyncio.wrap_future(conversations.add_message(made.id, None, Message(Role.USER, "tell me")))
    generation = Generation("g1", "tiny", "Tiny · F32", "", "F32", Sampling(), 1, "", "CPU", datetime.now(UTC))
    await asyncio.wrap_future(generations.start(made.id, asked.id, generation))
    await asyncio.wrap_future(generations.checkpoint("g1", "Once upon"))
    # What recovery at the next start does with the row of a process that is gone.
    await asyncio.wrap_future(generations.finish("g1", "Once upon", FinishReason.INTERRUPTED, None, None))
    window = build(application)
    window.show()
    window.start()
    window.ask.presenter.open(made.id)
    await settle()
    card = window.ask.messages.cards[-1]
    assert isinstance(card, AnswerCard)
    assert card.markdown.text() == "Once upon"
    assert card.reason.text().startswith("Interrupted: the application was closed")
    assert not card.retry_button.isHidden()
    await close_window(window)


async def test_find_in_the_conversation_steps_through_messages(
    scripted_window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    window = scripted_window
    key = await talk(application, "Find me", "Where is the needle?", "The needle is here.")
    window.ask.presenter.open(key)
    window.ask.open_find()
    qtbot.keyClicks(window.ask.find_bar.field, "needle")
    assert window.ask.find_bar.count.text() == "Message 2 of 2"
    qtbot.keyClick(window.ask.find_bar.field, Qt.Key.Key_Return)
    assert window.ask.find_bar.count.text() == "Message 1 of 2"
    qtbot.keyClick(window.ask.find_bar.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert window.ask.find_bar.count.text() == "Message 2 of 2"
    qtbot.keyClick(window.ask.find_bar.field, Qt.Key.Key_Escape)
    assert window.ask.find_bar.isHidden()


async def test_a_long_conversation_shows_its_end_and_fetches_older_ones_on_demand(
    scripted_window: MainWindow, application: Application
) -> None:
    window, store = scripted_window, application.store.conversations
    made = await asyncio.wrap_future(store.create("Long"))
    parent = None
    for number in range(150):
        role = Role.USER if number % 2 == 0 else Role.ASSISTANT
        node = await asyncio.wrap_future(store.add_message(made.id, parent, Message(role, f"message {number}")))
        parent = node.id
    window.ask.presenter.open(made.id)
    view = window.ask.messages
    await settle(0.2)
    assert len(view.cards) == 60
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()
    assert view.jump.isHidden()
    before = view.cards[0]
    view.verticalScrollBar().setValue(0)
    await until(lambda: len(view.cards) > 60)
    await settle(0.2)
    assert view.cards[30] is before
    assert view.verticalScrollBar().value() > 0
    assert not view.jump.isHidden()
    view.jump.click()
    assert view.at_bottom

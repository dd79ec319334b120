"""Typing a question, stopping, asking again, editing, walking between versions."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.errors import EngineFailure
from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.tabs.ask.answer_card import AnswerCard
from codette_desktop.gui.tabs.ask.message_card import MessageCard
from codette_desktop.gui.tabs.ask.question_card import QuestionCard
from tests.gui.conftest import settle, until
from tests.support.scripted_provider import ScriptedProvider


async def ask(window: MainWindow, qtbot: QtBot, text: str) -> None:
    """Type and press Enter, then wait for the end of the answer."""
    before = len(window.ask.presenter.nodes)
    qtbot.keyClicks(window.ask.composer.edit, text)
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Return)
    await until(lambda: not window.ask.presenter.is_answering and len(window.ask.presenter.nodes) >= before + 2)


def answers(window: MainWindow) -> list[AnswerCard]:
    return [card for card in window.ask.messages.cards if isinstance(card, AnswerCard)]


def questions(window: MainWindow) -> list[QuestionCard]:
    return [card for card in window.ask.messages.cards if isinstance(card, QuestionCard)]


def node_of(card: MessageCard) -> Node:
    assert card.node is not None
    return card.node


async def test_a_real_model_answers_and_the_line_below_tells_how(window: MainWindow, qtbot: QtBot) -> None:
    window.ask.presenter.set_settings(sampling=Sampling(seed=7, max_tokens=12))
    await ask(window, qtbot, "hello model")
    card = answers(window)[0]
    generation = node_of(card).generation
    assert generation is not None
    assert generation.reason is FinishReason.LENGTH
    assert generation.seed == 7
    assert card.markdown.text() == node_of(card).message.content
    line = card.foot.accessibleName()
    assert line.startswith("Tiny Test · F32 · 12 tokens · ")
    assert "tok/s · first token" in line
    assert line.endswith("seed 7")
    assert "Temperature: 0.7" in card.foot.toolTip()
    assert "max tokens" in card.reason.text()
    assert not card.reason_row.isHidden()
    assert window.ask.composer.text() == ""
    assert window.ask.side.model.count() == 1
    assert window.windowTitle().startswith("hello model")
    assert "tok/s" in window.status.speed.text()
    await until(lambda: window.status.context.text().startswith("context "))


async def test_the_seed_is_copied_by_a_click(window: MainWindow, qtbot: QtBot) -> None:
    window.ask.presenter.set_settings(sampling=Sampling(seed=42, max_tokens=2))
    await ask(window, qtbot, "hello")
    answers(window)[0].foot.linkActivated.emit("seed")
    assert QApplication.clipboard().text() == "42"


async def test_esc_stops_a_long_answer_and_keeps_what_came(window: MainWindow, qtbot: QtBot) -> None:
    window.ask.presenter.set_settings(sampling=Sampling(grammar="root ::= [a-z ]*  [A]"))  # does not end by itself
    qtbot.keyClicks(window.ask.composer.edit, "go")
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Return)
    await until(lambda: window.ask.messages.live_card is not None and window.ask.messages.live_card.text())
    assert window.ask.composer.send_button.text() == "Stop"
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Escape)
    await until(lambda: not window.ask.presenter.is_answering)
    card = answers(window)[-1]
    assert card.reason.text() == "Stopped by you."
    assert node_of(card).message.content
    assert window.ask.composer.send_button.text() == "Send"


async def test_regenerating_adds_a_version_and_the_keys_walk_between_them(window: MainWindow, qtbot: QtBot) -> None:
    window.ask.presenter.set_settings(sampling=Sampling(max_tokens=8))
    await ask(window, qtbot, "hello")
    first = node_of(answers(window)[0]).id
    answers(window)[0].again_button.click()
    await until(lambda: not window.ask.presenter.is_answering)
    card = answers(window)[0]
    assert node_of(card).id != first
    assert card.branches.label.text() == "2/2"
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    await until(lambda: node_of(answers(window)[0]).id == first)
    assert answers(window)[0].branches.label.text() == "1/2"
    answers(window)[0].branches.next.click()
    await until(lambda: node_of(answers(window)[0]).id != first)


async def test_an_edited_question_is_a_new_branch_and_the_old_one_stays(
    scripted_window: MainWindow, qtbot: QtBot
) -> None:
    window = scripted_window
    await ask(window, qtbot, "first question")
    await ask(window, qtbot, "second question")
    questions(window)[0].edit_button.click()
    editor = questions(window)[0].editor
    assert editor is not None
    editor.selectAll()
    qtbot.keyClicks(editor, "changed question")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    await until(lambda: not window.ask.presenter.is_answering and len(window.ask.presenter.nodes) == 2)
    assert questions(window)[0].label.text() == "changed question"
    assert questions(window)[0].branches.label.text() == "2/2"
    questions(window)[0].branches.previous.click()
    await until(lambda: len(window.ask.presenter.nodes) == 4)
    assert [card.label.text() for card in questions(window)] == ["first question", "second question"]


async def test_esc_leaves_an_edit_without_a_change(scripted_window: MainWindow, qtbot: QtBot) -> None:
    window = scripted_window
    await ask(window, qtbot, "first question")
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    editor = questions(window)[0].editor
    assert editor is not None
    qtbot.keyClicks(editor, "xyz")
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert questions(window)[0].editor is None
    assert questions(window)[0].label.text() == "first question"
    assert len(window.ask.presenter.nodes) == 2


async def test_typing_while_it_answers_waits_for_the_end(
    scripted_window: MainWindow, scripted: ScriptedProvider, qtbot: QtBot
) -> None:
    window = scripted_window
    scripted.hold = True
    qtbot.keyClicks(window.ask.composer.edit, "one")
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Return)
    await until(lambda: window.ask.messages.live_card is not None and window.ask.messages.live_card.text())
    qtbot.keyClicks(window.ask.composer.edit, "two")
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Return)
    await settle()
    assert window.ask.composer.queue_box.count() == 1
    scripted.hold = False
    scripted.release()
    await until(lambda: len(window.ask.presenter.nodes) == 4 and not window.ask.presenter.is_answering)
    assert [card.label.text() for card in questions(window)] == ["one", "two"]
    assert window.ask.composer.queue_box.count() == 0


async def test_stopping_gives_waiting_questions_back(
    scripted_window: MainWindow, scripted: ScriptedProvider, qtbot: QtBot
) -> None:
    window = scripted_window
    scripted.hold = True
    window.ask.presenter.send("one")
    await until(lambda: window.ask.messages.live_card is not None and window.ask.messages.live_card.text())
    window.ask.presenter.send("two")
    window.ask.composer.send_button.click()
    await until(lambda: not window.ask.presenter.is_answering)
    assert window.ask.composer.text() == "two"
    assert scripted.closed_early == 1


async def test_a_failure_is_told_in_place_and_can_be_tried_again(
    scripted_window: MainWindow, scripted: ScriptedProvider, qtbot: QtBot
) -> None:
    window = scripted_window
    scripted.error = EngineFailure("The engine failed.", "Try a smaller model.")
    await ask(window, qtbot, "hello")
    card = answers(window)[0]
    assert card.reason.text() == "The engine failed. Try a smaller model."
    assert not card.retry_button.isHidden()
    await until(lambda: "failed" in window.status.health.text())
    scripted.error = None
    card.retry_button.click()
    await until(lambda: not window.ask.presenter.is_answering)
    assert answers(window)[0].markdown.text() == "One two three."
    await until(lambda: "ok" in window.status.health.text())


async def test_a_missing_model_loses_no_word(scripted_window: MainWindow, qtbot: QtBot) -> None:
    window = scripted_window
    window.ask.presenter.set_settings(model="no such model")
    qtbot.keyClicks(window.ask.composer.edit, "precious words")
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Return)
    await until(lambda: window.ask.composer.text() == "precious words")
    assert "no such model" in window.ask.messages.findChildren(AnswerCard)[-1].reason.text()


async def test_older_messages_that_were_left_out_are_told(
    scripted_window: MainWindow, scripted: ScriptedProvider, qtbot: QtBot
) -> None:
    scripted.left_out = 3
    await ask(scripted_window, qtbot, "hello")
    assert answers(scripted_window)[0].left_out.text().startswith("3 older messages were left out")


async def test_two_conversations_answer_while_a_third_is_on_view(
    scripted_window: MainWindow, scripted: ScriptedProvider
) -> None:
    window = scripted_window
    scripted.hold = True
    for text in ("one", "two"):
        window.ask.new_chat()
        window.ask.presenter.send(text)
        await until(lambda: window.ask.messages.live_card is not None and window.ask.messages.live_card.text())
    assert len(window.ask.presenter.answering) == 2
    window.ask.new_chat()
    assert window.ask.composer.send_button.text() == "Send"
    scripted.hold = False
    scripted.release()
    await until(lambda: not window.ask.presenter.answering)
    first = window.application.store.conversations.list()[-1]
    window.ask.presenter.open(first.id)
    assert answers(window)[0].markdown.text() == "One two three."


async def test_thinking_is_folded_away(scripted_window: MainWindow, scripted: ScriptedProvider, qtbot: QtBot) -> None:
    scripted.chunks = ["<thi", "nk>Let me ", "see.</th", "ink>\n\nFor", "ty-two"]
    await ask(scripted_window, qtbot, "hello")
    card = answers(scripted_window)[0]
    assert card.markdown.text() == "Forty-two"
    assert card.thought is not None
    assert card.thought.text() == "Let me see."
    assert card.thought.markdown.isHidden()
    card.thought.toggle.click()
    assert not card.thought.markdown.isHidden()
    card.copy_button.click()
    assert QApplication.clipboard().text() == "Forty-two"


async def test_a_suggestion_is_one_click(scripted_window: MainWindow) -> None:
    window = scripted_window
    assert window.ask.stack.currentWidget() is window.ask.empty
    text = "Explain how a bicycle stays upright, in five sentences."
    next(button for button in window.ask.empty.findChildren(QPushButton) if button.text() == text).click()
    await until(lambda: len(window.ask.presenter.nodes) == 2)
    assert window.ask.stack.currentWidget() is window.ask.messages


@pytest.mark.parametrize("text", ["", "   ", "\n"])
async def test_nothing_is_asked_without_words(
    scripted_window: MainWindow, scripted: ScriptedProvider, qtbot: QtBot, text: str
) -> None:
    scripted_window.ask.composer.edit.setPlainText(text)
    qtbot.keyClick(scripted_window.ask.composer.edit, Qt.Key.Key_Return)
    await settle()
    assert scripted.requests == []
    assert not scripted_window.ask.composer.send_button.isEnabled()


async def test_a_question_that_waited_and_was_asked_is_no_draft_any_more(
    scripted_window: MainWindow, scripted: ScriptedProvider, qtbot: QtBot
) -> None:
    window = scripted_window
    scripted.hold = True
    edit = window.ask.composer.edit
    for text in ("first one", "second queued"):
        qtbot.keyClicks(edit, text)
        qtbot.keyClick(edit, Qt.Key.Key_Return)
        await settle(0.2)
    await settle(0.6)  # the draft with the waiting question is on disk
    scripted.hold = False
    scripted.release()
    await until(lambda: len(window.ask.presenter.nodes) == 4 and not window.ask.presenter.is_answering)
    key = window.ask.presenter.conversation.id
    store = window.ask.presenter._store
    await until(lambda: (found := store.conversations.get(key)) is not None and found.draft == "")


async def test_an_answer_stopped_before_its_first_step_leaves_nothing_behind(
    scripted_window: MainWindow, scripted: ScriptedProvider, qtbot: QtBot
) -> None:
    window = scripted_window
    await ask(window, qtbot, "first")
    answers_of = window.ask.presenter._answers
    conversation = window.ask.presenter.conversation
    stream = window.ask.presenter._application.chat.send(conversation.id, "second")
    answers_of.begin(conversation, stream, window.ask.presenter.nodes[-1].id, typed="second")
    answers_of.stop(conversation.id)
    await until(lambda: not window.ask.presenter.is_answering)
    assert window.ask.composer.text() == "second"
    await ask(window, qtbot, " again")

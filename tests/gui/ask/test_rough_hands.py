"""What impatient people do: everything twice, at once, too long, or while something else still runs."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from codette_desktop.application import Application
from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.errors import StoreFull
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.tabs.ask.answer_card import AnswerCard
from codette_desktop.gui.tabs.ask.question_card import LABEL_CHARACTERS, QuestionCard
from tests.gui.conftest import settle, until
from tests.support.scripted_provider import ScriptedProvider


def type_and_send(window: MainWindow, text: str) -> None:
    window.ask.composer.edit.insertPlainText(text)
    window.ask.composer.edit.submitted.emit()


def question(window: MainWindow) -> QuestionCard:
    card = window.ask.messages.cards[0]
    assert isinstance(card, QuestionCard)
    return card


async def test_esc_right_after_enter_gives_the_question_back(scripted_window: MainWindow, qtbot: QtBot) -> None:
    window = scripted_window
    window.ask.composer.focus()
    type_and_send(window, "not yet")
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Escape)
    await settle(0.2)
    assert window.ask.composer.text() == "not yet"
    assert not window.ask.presenter.is_busy
    assert not window.ask.presenter.nodes


async def test_two_questions_at_once_are_answered_one_after_the_other(
    scripted_window: MainWindow, scripted: ScriptedProvider
) -> None:
    window = scripted_window
    type_and_send(window, "first")
    type_and_send(window, "second")
    await until(lambda: len(window.ask.presenter.nodes) == 4 and not window.ask.presenter.is_busy)
    assert [node.message.content for node in window.ask.presenter.nodes][::2] == ["first", "second"]
    assert len(scripted.requests) == 2


async def test_a_suggestion_clicked_many_times_is_asked_once(
    scripted_window: MainWindow, scripted: ScriptedProvider
) -> None:
    scripted.hold = True
    suggestion = next(b for b in scripted_window.ask.empty.findChildren(QPushButton) if b.text().endswith("?"))
    text = suggestion.text()
    for _ in range(20):
        suggestion.click()
    presenter = scripted_window.ask.presenter
    await until(lambda: presenter.is_answering)
    await settle()
    assert presenter._answers.queued(presenter.conversation.id) == ()
    await until(lambda: presenter.nodes and scripted_window.windowTitle().startswith(text[:30]))
    await until(lambda: (live := presenter._answers.live(presenter.conversation.id)) is not None and live.tokens)
    scripted.release()
    await until(lambda: len(presenter.nodes) == 2 and not presenter.is_busy)


async def test_a_question_that_cannot_be_kept_returns_to_the_composer(
    scripted_window: MainWindow, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_fields: object) -> None:
        raise StoreFull("The disk is full: this could not be saved.")

    monkeypatch.setattr(application.store.conversations, "create", refuse)
    type_and_send(scripted_window, "do not lose me")
    await settle(0.2)
    assert scripted_window.ask.composer.text() == "do not lose me"
    assert not scripted_window.ask.presenter.is_busy
    scripted_window.ask.composer.set_text("")
    scripted_window.ask.presenter.draft_changed("")


async def test_closing_during_an_answer_keeps_it_as_interrupted(
    scripted_window: MainWindow, scripted: ScriptedProvider, application: Application
) -> None:
    scripted.hold = True
    type_and_send(scripted_window, "go")
    presenter = scripted_window.ask.presenter
    await until(lambda: presenter.is_answering and presenter.nodes)
    await until(lambda: (live := presenter._answers.live(presenter.conversation.id)) is not None and live.tokens)
    await scripted_window.ask.aclose()
    answer = application.chat.branch(presenter.conversation.id)[-1]
    assert answer.generation is not None
    assert answer.generation.reason is FinishReason.INTERRUPTED
    assert answer.message.content == "One "
    assert not presenter._measurer.due
    assert not presenter._saver.due


async def test_a_very_long_question_shows_its_beginning_and_all_of_it_on_demand(scripted_window: MainWindow) -> None:
    window, text = scripted_window, "word " * 20_000
    type_and_send(window, text)
    await until(lambda: len(window.ask.presenter.nodes) == 2)
    card = question(window)
    assert len(card.label.text()) <= LABEL_CHARACTERS + 2
    assert card.text() == text
    assert card.cut_row.isVisible()
    card.whole_button.click()
    assert card.label.isHidden()
    assert card._whole is not None
    assert card._whole.toPlainText() == text
    card.begin_edit()
    assert card._whole is None
    assert card.editor is not None
    assert card.editor.toPlainText() == text
    card.end_edit()
    assert card.label.isVisible()
    card.set_highlight(["word"])
    assert len(card.label.text()) < 300_000


async def test_a_long_address_can_be_read_to_its_end(scripted_window: MainWindow) -> None:
    type_and_send(scripted_window, "see https://example.org/" + "a" * 300)
    await until(lambda: len(scripted_window.ask.presenter.nodes) == 2)
    assert question(scripted_window).cut_row.isVisible()


async def test_the_keyboard_stays_with_the_composer_after_an_edit_and_after_answer_again(
    scripted_window: MainWindow, qtbot: QtBot
) -> None:
    window = scripted_window
    type_and_send(window, "first")
    await until(lambda: len(window.ask.presenter.nodes) == 2 and not window.ask.presenter.is_busy)
    card = question(window)
    card.begin_edit()
    assert card.editor is not None
    qtbot.keyClicks(card.editor, " changed")
    qtbot.keyClick(card.editor, Qt.Key.Key_Return)
    await until(lambda: not window.ask.presenter.is_busy)
    await settle()
    assert QApplication.focusWidget() is window.ask.composer.edit
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    await until(lambda: window.ask.presenter.nodes[0].message.content == "first")
    last = window.ask.messages.cards[-1]
    assert isinstance(last, AnswerCard)
    last.again_button.setFocus()
    qtbot.keyClick(last.again_button, Qt.Key.Key_Space)
    await until(lambda: not window.ask.presenter.is_busy)
    assert QApplication.focusWidget() is window.ask.composer.edit

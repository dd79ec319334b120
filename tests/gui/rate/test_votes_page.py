"""The votes page: many votes, one in full, taking back."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.votes import Exclusion, Preference, Source, VoteFilter
from codette_desktop.gui.tabs.rate.votes_model import PAGE, PAGES_KEPT
from codette_desktop.gui.tabs.rate.votes_page import FilterChip, VotesPage
from codette_desktop.gui.theme import theme
from codette_desktop.gui.widgets.dialogs import MessageDialog
from tests.gui.conftest import settle, until
from tests.support import rated_votes as made

Show = Callable[..., None]


def page(show: Show, kept: made.KeptVotes, size: tuple[int, int] = (1000, 720)) -> VotesPage:
    shown = VotesPage(kept)
    shown.show_votes(VoteFilter())
    show(shown, *size)
    return shown


def row(shown: VotesPage, number: int) -> list[str]:
    return [shown.model.index(number, column).data() for column in range(shown.model.columnCount())]


def test_a_vote_is_one_row(show: Show) -> None:
    shown = page(show, made.KeptVotes(3))
    assert shown.title.text() == "3 votes"
    assert row(shown, 0)[1:] == [
        "Coding", "Guide 0 · Q8_0", "Guide 1 · Q8_0", "left better", "12.4 s", "duel", "counts",
    ]  # fmt: skip


def test_a_hundred_thousand_open_at_once_and_are_read_by_pages(show: Show, qtbot: QtBot) -> None:
    kept = made.KeptVotes(100_000)
    began = time.perf_counter()
    shown = page(show, kept)
    assert time.perf_counter() - began < 2
    assert shown.title.text() == "100,000 votes"
    assert set(kept.asked) == {(PAGE, 0)}
    shown.table.setFocus()
    qtbot.keyClick(shown.table, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    QApplication.processEvents()
    assert shown.detail.vote is not None
    assert shown.detail.vote.id == "vote-99999"
    assert kept.asked[-1][1] == 100_000 - PAGE
    for at in range(0, 100_000, 1000):
        shown.model.vote_at(at)
    assert len(shown.model._pages) <= PAGES_KEPT


def test_the_chosen_vote_is_shown_in_full(show: Show, qtbot: QtBot) -> None:
    kept = made.KeptVotes(5)
    kept.changed[1] = replace(made.vote(1, Preference.RIGHT), correction="Say it shorter.")
    shown = page(show, kept)
    detail = shown.detail
    assert detail.sentence.text() == "Guide 0 · Q8_0 is better than Guide 1 · Q8_0"
    assert detail.left.chosen.isVisible()
    assert not detail.right.chosen.isVisible()
    assert "quantised" in detail.left.markdown.text()
    assert "You: What is a quantised model?" in detail.prompt.text()
    assert not detail.correction_card.isVisible()
    shown.table.setFocus()
    qtbot.keyClick(shown.table, Qt.Key.Key_Down)
    assert detail.vote is not None
    assert detail.vote.id == "vote-1"
    assert detail.correction.text() == "Say it shorter."
    assert detail.correction_card.isVisible()
    detail.copy_button.click()
    copied = QGuiApplication.clipboard().text()
    assert "Say it shorter." in copied
    assert "A **quantised** model" in copied
    assert made.vote(1).prompt_hash in copied


def test_a_thumb_has_one_side_and_gone_texts_are_said_to_be_gone(show: Show) -> None:
    kept = made.KeptVotes(1, kept=False)
    kept.changed[0] = replace(made.vote(0, Preference.UP), right=None, exclusion=Exclusion.NOT_BLIND)
    shown = page(show, kept)
    assert not shown.detail.right.isVisible()
    assert shown.detail.left.gone.isVisible()
    assert shown.detail.prompt.text() == "This text is not kept any more."
    assert row(shown, 0)[3:] == ["–", "good", "12.4 s", "duel", "names were in sight"]


def test_a_vote_of_a_file_says_that_texts_never_were_there(show: Show) -> None:
    kept = made.KeptVotes(1, kept=False)
    kept.changed[0] = replace(made.vote(0), source=Source.IMPORTED)
    shown = page(show, kept)
    for said in (shown.detail.prompt.text(), shown.detail.left.gone.text(), shown.detail.right.gone.text()):
        assert said == "This vote was read from a file, which holds no texts."


def test_an_empty_answer_is_not_said_to_be_gone(show: Show) -> None:
    shown = page(show, made.KeptVotes(1))
    shown.detail.left.show_answer("Ada", "", "gone", chosen=False)
    assert shown.detail.left.gone.isVisible()
    assert shown.detail.left.gone.text() == "This answer is empty."


def test_what_is_filtered_is_said(show: Show) -> None:
    shown = VotesPage(made.KeptVotes(2))
    keys = (made.contestant(0).key, made.contestant(1).key)
    shown.show_votes(VoteFilter(pair=keys, experiment_id="e", blind=True), {"e": "Which is better?"})
    show(shown)
    assert [chip.text() for chip in shown.chips.findChildren(FilterChip) if chip.isVisible()] == [
        "Experiment: Which is better?", "Guide 0 · Q8_0 against Guide 1 · Q8_0", "Only those that count",
    ]  # fmt: skip
    shown.show_votes(VoteFilter())
    assert not shown.chips.isVisible()


def test_none_fit(show: Show, qtbot: QtBot) -> None:
    shown = page(show, made.KeptVotes(0))
    assert shown.stack.currentWidget() is shown.empty
    with qtbot.waitSignal(shown.back_wanted, timeout=1000):
        shown.back_button.click()


async def answer(shown: VotesPage, text: str) -> None:
    await until(lambda: shown.findChildren(MessageDialog))
    box = shown.findChildren(MessageDialog)[0].buttons
    next(button for button in box.buttons() if button.text() == text).click()
    await settle()


async def test_a_vote_is_taken_back_after_a_yes(show: Show, qtbot: QtBot) -> None:
    kept = made.KeptVotes(3)
    shown = page(show, kept)
    wanted: list[str] = []
    shown.take_back_wanted.connect(wanted.append)
    shown.detail.take_back_button.click()
    await answer(shown, "Cancel")
    assert not wanted
    shown.activateWindow()  # the closed question leaves none active
    await until(shown.isActiveWindow)
    shown.table.setFocus()
    qtbot.keyClick(shown.table, Qt.Key.Key_Down)
    qtbot.keyClick(shown.table, Qt.Key.Key_Delete)
    await answer(shown, "Take back")
    assert wanted == ["vote-1"]
    kept.changed[1] = replace(made.vote(1, Preference.RIGHT), taken_back_at=made.BEGAN)
    shown.reload()
    assert shown.table.currentIndex().row() == 1
    assert not shown.detail.take_back_button.isVisible()
    assert row(shown, 1)[-1] == "taken back"
    assert shown.model.index(1, 2).data(Qt.ItemDataRole.FontRole).strikeOut()
    await shown.aclose()


def test_the_chosen_vote_stays_chosen_when_others_come(show: Show, qtbot: QtBot) -> None:
    kept = made.KeptVotes(10)
    shown = page(show, kept)
    shown.table.setCurrentIndex(shown.model.index(4, 0))
    kept.total = 12
    kept.changed = {at: made.vote(at - 2 if at > 1 else at + 10) for at in range(12)}  # two newer ones
    shown.reload()
    assert shown.table.currentIndex().row() == 6
    assert shown.detail.vote is not None
    assert shown.detail.vote.id == "vote-4"


def test_a_failure_is_told_and_can_be_tried_again(show: Show) -> None:
    kept = made.KeptVotes(3, error=StoreError("The votes cannot be read."))
    shown = page(show, kept)
    assert shown.banner.isVisible()
    kept.error = None
    shown.banner.action_button.click()
    assert not shown.banner.isVisible()
    assert shown.model.rowCount() == 3


@pytest.mark.parametrize(("size", "zoom"), [((1000, 720), 150), ((480, 430), 100), ((1640, 900), 100)])
def test_it_fits_any_size(show: Show, size: tuple[int, int], zoom: int) -> None:
    theme().set_zoom(zoom)
    shown = page(show, made.KeptVotes(30), size)
    for mode in ("dark", "light"):
        theme().set_mode(mode)
        assert not shown.grab().isNull()
    table, detail = shown.table, shown.detail
    shown_width = sum(table.columnWidth(column) for column in range(8) if not table.isColumnHidden(column))
    assert shown_width <= table.viewport().width()
    assert table.height() > 60
    assert detail.height() > 60
    assert detail.facts_card.geometry().right() <= detail.area.viewport().width()

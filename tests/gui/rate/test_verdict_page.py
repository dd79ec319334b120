"""The verdict page: every state, what its buttons do, odd names, sizes."""

import asyncio
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from codette_desktop.domain.duels import Ending, StoppingRule
from codette_desktop.domain.votes import Exclusion, VoteFilter
from codette_desktop.gui.tabs.rate.verdict_page import KINDS, VerdictPage
from codette_desktop.gui.theme import theme
from codette_desktop.gui.widgets.dialogs import MessageDialog
from tests.gui.conftest import settle, until
from tests.support import rated_votes as made

Show = Callable[..., None]
USABLE = {"dpo": 42, "kto": 80, "sft": 3}


def page(votes: list[tuple[int, int, float]], count: int = 2, ending: Ending | None = None) -> VerdictPage:
    who = made.contestants(count, made.ODD_LABELS if count > 2 else ("Q8", "Q4"))
    tally = made.tally(who, votes, ((Exclusion.NAMED, 2),), taken_back=1)
    rule = StoppingRule(most_votes=400)
    made_page = VerdictPage()
    made_page.show_verdict(
        made.experiment(who, rule, ending), *made.found(tally, rule), usable=USABLE, identical=1
    )  # fmt: skip
    return made_page


def notes(shown: VerdictPage) -> dict[str, str]:
    return {name: text.replace("\N{NO-BREAK SPACE}", " ") for name, text in shown.notes.lines}


def test_a_settled_pair_is_one_sentence_with_its_figures(show: Show) -> None:
    shown = page(made.pair_votes(40, 14, 12, 3), ending=Ending.SETTLED)
    show(shown)
    assert shown.verdict.text().startswith("Q8 is preferred to Q4")
    assert shown.progress.text() == "68 votes and 1 equal pair."
    assert shown.ending.isVisible()
    assert not shown.go_on_button.isVisible()
    assert not shown.end_button.isVisible()
    assert not shown.matrix_card.isVisible()
    assert [row.label for row in shown.chart.rows] == ["Q8", "Q4", "Q8, ties half"]
    assert shown.chart.axis.reference == 0.5
    assert dict(shown.figures.shown)["Both bad"] == "3 apart"
    assert dict(shown.figures.shown)["Q8 better"].replace("\N{NO-BREAK SPACE}", " ") == "40 61 %"


def test_all_it_rests_on_is_said(show: Show) -> None:
    shown = page(made.pair_votes(12, 6))
    show(shown)
    said = notes(shown)
    assert "after 400 votes at the latest" in said["When it ends"]
    assert said["Left out"] == "2 votes count for nothing here: an answer named itself (2); 1 was taken back."
    assert said["Equal answers"].startswith("In 1 duel")
    assert said["Left or right"].startswith("The left answer won")
    assert said["For tuning"].startswith("42 preference pairs for DPO")


def test_without_prompts_there_is_no_going_on(show: Show) -> None:
    who = made.contestants(2, ("Q8", "Q4"))
    shown = VerdictPage()
    show(shown)
    found = made.found(made.tally(who, made.pair_votes(3, 2, 1)), StoppingRule())
    for used_up in (True, False):
        shown.show_verdict(made.experiment(who, StoppingRule()), *found, identical=1, used_up=used_up)
        assert shown.go_on_button.isVisible() is not used_up
        assert shown.progress.text().startswith("5 votes and 1 equal pair so far.")
        assert ("another experiment with more prompts" in shown.progress.text()) is used_up


def test_an_open_question_can_be_gone_on_with(show: Show, qtbot: QtBot) -> None:
    shown = page(made.pair_votes(3, 2, 1))
    show(shown)
    assert shown.verdict.text().startswith("Too early to say: 5 of at least 10")
    assert "more votes at this rate" in shown.progress.text()
    assert not shown.ending.isVisible()
    with qtbot.waitSignal(shown.go_on_wanted, timeout=1000):
        shown.go_on_button.click()
    with qtbot.waitSignal(shown.delete_wanted, timeout=1000):
        shown.delete_button.click()


def test_votes_and_files_are_asked_for(show: Show) -> None:
    shown = page(made.pair_votes(3, 2))
    show(shown)
    wanted: list[object] = []
    shown.votes_wanted.connect(wanted.append)
    shown.export_wanted.connect(wanted.append)
    shown.votes_button.click()
    for action in shown.export_button.menu().actions():
        action.trigger()
    assert wanted == [VoteFilter(experiment_id="experiment-1"), *KINDS]


def test_no_votes_at_all(show: Show) -> None:
    shown = page([])
    show(shown)
    assert shown.verdict.text() == "Too early to say: 0 of at least 10 deciding votes."
    assert [row.text for row in shown.chart.rows] == ["–", "–"]
    shown.grab()


async def dialog_of(shown: VerdictPage) -> MessageDialog:
    await until(lambda: shown.findChildren(MessageDialog))
    return shown.findChildren(MessageDialog)[0]


async def test_it_is_ended_only_after_a_yes(show: Show) -> None:
    shown = page(made.pair_votes(3, 2))
    show(shown)
    ended: list[bool] = []
    shown.end_wanted.connect(lambda: ended.append(True))
    shown.end_button.click()
    dialog = await dialog_of(shown)
    assert "what it is worth" in dialog.text_label.text()
    dialog.reject()
    await settle()
    assert not ended
    shown.end_button.click()
    dialog = await dialog_of(shown)
    next(button for button in dialog.buttons.buttons() if button.text() == "End it now").click()
    await until(lambda: ended)
    await shown.aclose()


async def test_closing_takes_the_question_along(show: Show) -> None:
    shown = page(made.pair_votes(3, 2))
    show(shown)
    shown.end_button.click()
    await dialog_of(shown)
    await asyncio.wait_for(shown.aclose(), 5)


@pytest.mark.parametrize("count", [3, 12])
@pytest.mark.parametrize(("size", "zoom"), [((1000, 720), 100), ((1000, 720), 150), ((480, 430), 100)])
def test_many_with_odd_names_are_shown_in_any_size(show: Show, count: int, size: tuple[int, int], zoom: int) -> None:
    theme().set_zoom(zoom)
    shown = page(made.many_votes(count, 6), count)
    show(shown, *size)
    for mode in ("dark", "light"):
        theme().set_mode(mode)
        assert not shown.grab().isNull()
    assert shown.matrix_card.isVisible()
    assert shown.table.isVisible()
    assert len(shown.chart.rows) == count
    inside = shown.area.viewport().width()
    for widget in (shown.chart_card, shown.matrix_card, shown.counts_card, shown.notes_card, shown.buttons):
        assert widget.geometry().right() <= inside
    for label in shown.findChildren(QLabel):
        if label.isVisible() and label.wordWrap():
            assert label.height() >= label.heightForWidth(label.width()) - 1, label.text()


def test_a_contestant_and_a_pair_lead_to_their_votes(show: Show, qtbot: QtBot) -> None:
    shown = page(made.many_votes(3, 12), 3)
    show(shown)
    wanted: list[VoteFilter] = []
    shown.votes_wanted.connect(wanted.append)
    keys = [item.key for item in made.contestants(3)]
    shown.chart.setFocus()
    qtbot.keyClick(shown.chart, Qt.Key.Key_Return)
    assert wanted[-1] == VoteFilter(experiment_id="experiment-1", contestant=keys[0])
    shown.matrix.activated.emit(2, 0)
    assert wanted[-1] == VoteFilter(experiment_id="experiment-1", pair=(keys[0], keys[2]))
    shown.table.setCurrentIndex(shown.table.model().index(0, 1))
    qtbot.keyClick(shown.table, Qt.Key.Key_Return)
    assert wanted[-1].contestant == keys[0]


def test_a_board_whose_places_are_others_keeps_names_and_colours(show: Show) -> None:
    """A leaderboard may count contestants in another order than the experiment."""
    who = made.contestants(3, ("A", "B", "C"))
    votes = made.many_votes(3, 20)
    turned = [(2 - left, 2 - right, outcome) for left, right, outcome in votes]
    conclusion, _board = made.found(made.tally(who, votes))
    _conclusion, board = made.found(made.tally(who[::-1], turned))
    shown = VerdictPage()
    shown.show_verdict(made.experiment(who), conclusion, board)
    show(shown)
    assert {row.label: row.place for row in shown.chart.rows} == {"A": 0, "B": 1, "C": 2}
    assert shown.matrix.view.matrix.order[0] == 0

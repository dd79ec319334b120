"""Keys pressed faster than votes are kept, pages looked at in between, and other ways of a person in a hurry."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from codette_desktop.application import Application
from codette_desktop.domain.duels import Ending
from codette_desktop.domain.errors import StoreFull
from codette_desktop.domain.votes import Exclusion, Preference, Source, Vote, VoteFilter
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.tabs.rate import presenter as rate_presenter
from codette_desktop.gui.tabs.rate.state import Phase, RateSetup, SittingState
from codette_desktop.gui.tabs.rate.tab import RateTab
from tests.gui.conftest import settle, until
from tests.gui.rate.test_rate_tab import PROMPTS, begin

KEYS = {
    "1": Qt.Key.Key_1,
    "2": Qt.Key.Key_2,
    "0": Qt.Key.Key_0,
    "U": Qt.Key.Key_U,
    " ": Qt.Key.Key_Space,
}


@pytest.fixture
def rate(window: MainWindow, application: Application) -> RateTab:
    name = application.store.settings.get("model", "")
    window.show_tab("rate")
    specs = (f"{name}?temperature=1&max_tokens=12", f"{name}?temperature=1.5&max_tokens=12")
    window.rate.presenter.set_setup(RateSetup(specs, rate_presenter.PromptSource.TYPED, PROMPTS, margin=None))
    return window.rate


def press(tab: RateTab, keys: str) -> None:
    """At once, without a turn of the loop in between."""
    for key in keys:
        QTest.keyClick(tab.duel_page, KEYS[key])


def votes(application: Application) -> list[Vote]:
    """The newest first."""
    return application.store.votes.list(VoteFilter(sources=(Source.DUEL,)))


async def second_duel(tab: RateTab, qtbot: QtBot, application: Application) -> SittingState:
    """One vote is cast and can still be taken back; the second duel is on view."""
    state = await begin(tab, qtbot)
    first = state.duel
    press(tab, "1")
    await until(lambda: state.undoable is not None)
    press(tab, " ")
    await until(lambda: state.phase is Phase.READING and state.duel != first)
    assert len(votes(application)) == 1
    return state


async def test_a_vote_and_undo_at_once_take_back_that_vote_and_no_other(
    rate: RateTab, qtbot: QtBot, application: Application
) -> None:
    state = await second_duel(rate, qtbot, application)
    second = state.duel
    press(rate, "2U")
    await until(lambda: len(votes(application)) == 2 and state.phase is Phase.READING)
    assert second is not None
    assert state.duel is not None
    assert state.duel.id == second.id
    newest, oldest = votes(application)
    assert (newest.duel_id, newest.taken_back_at is None) == (second.id, False)
    assert oldest.taken_back_at is None
    press(rate, "0")  # and the duel can be voted on
    await until(lambda: len(votes(application)) == 3)
    assert votes(application)[0].preference is Preference.TIE


async def test_a_vote_and_space_at_once_keep_the_vote(rate: RateTab, qtbot: QtBot, application: Application) -> None:
    state = await second_duel(rate, qtbot, application)
    second = state.duel
    press(rate, "2 ")
    await until(lambda: len(votes(application)) == 2)
    await until(lambda: state.undoable is not None and second is not None and state.undoable.duel.id == second.id)
    assert all(vote.taken_back_at is None for vote in votes(application))


async def test_many_keys_are_one_vote_a_duel(rate: RateTab, qtbot: QtBot, application: Application) -> None:
    state = await begin(rate, qtbot)
    press(rate, "1212012")
    await until(lambda: state.undoable is not None)
    assert [vote.preference for vote in votes(application)] == [Preference.LEFT]
    press(rate, "UUU")
    await until(lambda: state.phase is Phase.READING)
    await settle()
    assert [vote.taken_back_at is None for vote in votes(application)] == [False]


async def test_keys_while_nothing_is_on_view_do_nothing(rate: RateTab, qtbot: QtBot, application: Application) -> None:
    press(rate, "1 U0")
    rate.setup_page.start_button.click()
    press(rate, "1 U0")
    await until(lambda: rate.presenter.state is not None and rate.presenter.state.phase is Phase.READING)
    assert not votes(application)


async def test_a_vote_that_could_not_be_kept_is_told_and_can_be_cast_again(
    rate: RateTab, qtbot: QtBot, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = await second_duel(rate, qtbot, application)
    second = state.duel
    with monkeypatch.context() as patch:

        async def full(_vote: Vote) -> Vote:
            raise StoreFull("The disk is full.")

        patch.setattr(application.votes, "cast", full)
        press(rate, "2 ")
        await until(lambda: state.phase is Phase.READING)
    assert state.duel is second
    assert any("disk is full" in toast.text for toast in rate._toasts.toasts)
    press(rate, "2")
    await until(lambda: len(votes(application)) == 2)


async def test_a_duel_voted_on_elsewhere_makes_way(rate: RateTab, qtbot: QtBot, application: Application) -> None:
    from codette_desktop.rating.ballots import vote_on_duel

    state = await begin(rate, qtbot)
    first = state.duel
    assert first is not None
    await application.votes.cast(vote_on_duel(first, Preference.RIGHT))  # in a second window
    press(rate, "1")
    await until(lambda: state.phase is Phase.READING and state.duel is not None and state.duel.id != first.id)
    assert [vote.preference for vote in votes(application)] == [Preference.RIGHT]


async def test_an_experiment_that_ended_elsewhere_is_marked_so_in_the_list(
    rate: RateTab, qtbot: QtBot, application: Application
) -> None:
    state = await begin(rate, qtbot)
    before = rate.side.list.item(0).toolTip()
    await asyncio.wrap_future(application.store.experiments.end(state.experiment.id, Ending.STOPPED))  # another window
    press(rate, "1")
    await until(lambda: state.phase is Phase.OVER)
    assert rate.side.list.item(0).toolTip() != before


@pytest.mark.parametrize("page", ["votes", "verdict", "leaderboard"])
async def test_who_looks_at_names_before_undo_votes_blind_no_more(
    rate: RateTab, qtbot: QtBot, application: Application, page: str
) -> None:
    state = await begin(rate, qtbot)
    first = state.duel
    press(rate, "1")
    await until(lambda: state.undoable is not None)
    press(rate, " ")  # the names are not shown
    await until(lambda: state.phase is Phase.READING and state.duel != first)
    looks: dict[str, Callable[[], object]] = {
        "votes": lambda: rate.show_votes(VoteFilter()),
        "verdict": lambda: rate.show_page(rate.verdict_page),
        "leaderboard": rate.show_leaderboard,
    }
    looks[page]()
    rate.presenter.undo()
    await until(lambda: first is not None and state.duel is not None and state.duel.id == first.id)
    press(rate, "2")
    await until(lambda: len(votes(application)) == 2)
    assert votes(application)[0].exclusion is Exclusion.SEEN


async def test_what_was_said_of_a_vote_comes_back_with_it(
    rate: RateTab, qtbot: QtBot, application: Application
) -> None:
    state = await begin(rate, qtbot)
    QTest.keyClick(rate.duel_page, Qt.Key.Key_C)
    rate.duel_page.votes.correction.setPlainText("Better so.")
    press(rate, "1")
    await until(lambda: state.undoable is not None)
    press(rate, "U")
    await until(lambda: state.phase is Phase.READING)
    await until(lambda: state.tags == {"correct"})
    assert rate.duel_page.votes.correction.toPlainText() == "Better so."


async def test_an_experiment_opened_twice_has_one_sitting(
    rate: RateTab, qtbot: QtBot, application: Application
) -> None:
    await begin(rate, qtbot)
    rate.new()
    await until(lambda: rate.side.list.count() == 1)
    row = rate.side.list.visualItemRect(rate.side.list.item(0)).center()
    opened: list[str] = []
    rate.side.opened.connect(opened.append)
    QTest.mouseDClick(rate.side.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(row.x(), row.y()))
    QTest.mouseClick(rate.side.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(row.x(), row.y()))
    await until(lambda: rate.stack.currentWidget() is rate.duel_page)
    experiment = application.rating.experiments()[0]
    rate.presenter.state = None  # as where its sitting was left
    for _ in range(3):
        rate.presenter.go_on(experiment)
    await until(lambda: rate.presenter.state is not None and rate.presenter.state.phase is Phase.READING)
    preparing = [task for task in asyncio.all_tasks() if task.get_name() == "duels are prepared"]
    assert len(preparing) <= 1


async def test_a_window_that_closes_right_after_a_key_keeps_the_vote(
    rate: RateTab, qtbot: QtBot, application: Application
) -> None:
    await begin(rate, qtbot)
    press(rate, "1")
    closing: Awaitable[None] = rate.presenter.aclose()
    await closing
    assert len(votes(application)) == 1

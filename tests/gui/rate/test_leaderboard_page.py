"""The leaderboard page: reading off the loop, filters, what is empty, where it leads."""

import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.votes import Exclusion, Tally, VoteFilter
from codette_desktop.gui.tabs.rate.leaderboard_page import LeaderboardPage
from codette_desktop.gui.theme import theme
from codette_desktop.rating.leaderboard import Control, Leaderboard, leaderboard
from tests.gui.conftest import settle, until
from tests.support import rated_votes as made

Show = Callable[..., None]
WHO = made.contestants(4, ("A", "B", "C", "D"))


class Source:
    """What the page reads from; a held one does not answer before it is let go."""

    def __init__(self) -> None:
        self.tally: Tally = made.tally(WHO, made.many_votes(4, 20, step=0.9), ((Exclusion.NAMED, 2),), taken_back=1)
        self.asked: list[tuple[VoteFilter, frozenset[Control]]] = []
        self.threads: set[int] = set()
        self.error: StoreError | None = None
        self.gates: list[threading.Event] = []

    def load(self, votes: VoteFilter, controls: frozenset[Control]) -> Leaderboard:
        self.asked.append((votes, controls))
        self.threads.add(threading.get_ident())
        tally = self.tally
        if self.gates:
            self.gates.pop(0).wait(10)
        if self.error is not None:
            raise self.error
        return leaderboard(tally, controls=controls - {Control.STYLE})


@pytest_asyncio.fixture
async def source() -> Source:
    return Source()


@pytest_asyncio.fixture
async def page(source: Source, show: Show) -> AsyncIterator[LeaderboardPage]:
    made_page = LeaderboardPage(source.load)
    show(made_page)
    yield made_page
    await made_page.aclose()


async def read(page: LeaderboardPage) -> None:
    page.reload()
    await until(lambda: not len(page._tasks))


async def test_it_is_read_in_another_thread_and_shown(page: LeaderboardPage, source: Source) -> None:
    await read(page)
    assert source.threads.isdisjoint({threading.get_ident()})
    assert source.asked == [(VoteFilter(), frozenset())]  # of blind ones alone none could be left out
    assert page.stack.currentWidget() is page.area
    assert [row.label for row in page.chart.rows] == ["A", "B", "C", "D"]
    assert page.about.text() == "120 votes on 120 prompts. Only votes cast without names in sight count."
    assert page.notes.lines[0] == (
        "Left out", "2 votes count for nothing here: an answer named itself (2); 1 was taken back."
    )  # fmt: skip


@pytest.mark.parametrize("prompts", [20, 40])
async def test_votes_on_the_same_prompts_are_told_only_where_there_are_any(
    page: LeaderboardPage, source: Source, prompts: int
) -> None:
    found = made.tally(WHO[:2], made.pair_votes(20, 20))
    source.tally = replace(found, prompt=[number % prompts for number in range(40)])
    await read(page)
    assert page.board is not None
    assert page.board.clustered
    assert any("fall on the same prompts" in text for _name, text in page.notes.lines) is (prompts < 40)


async def test_filters_are_passed_on(page: LeaderboardPage, source: Source) -> None:
    await read(page)
    page.task.setCurrentIndex(page.task.findData("coding"))
    page.period.setCurrentIndex(page.period.findData(30))
    await until(lambda: not len(page._tasks))
    votes, _controls = source.asked[-1]
    assert votes.task == "coding"
    assert votes.since is not None
    assert abs(votes.since - (datetime.now(UTC) - timedelta(days=30))) < timedelta(minutes=1)
    assert page.task.count() == 9


async def test_of_two_requests_the_newer_one_is_shown(page: LeaderboardPage, source: Source) -> None:
    slow, fast = threading.Event(), threading.Event()
    fast.set()
    source.gates = [slow, fast]
    page.reload()
    await until(lambda: len(source.asked) == 1)
    source.tally = made.tally(WHO[:2], made.pair_votes(3, 2))
    page.reload()
    await until(lambda: len(page.chart.rows) == 2)
    slow.set()
    await until(lambda: not len(page._tasks))
    assert len(page.chart.rows) == 2


async def test_what_is_on_view_stays_until_the_new_is_there(page: LeaderboardPage, source: Source) -> None:
    await read(page)
    gate = threading.Event()
    source.gates = [gate]
    page.reload()
    await settle(0.5)
    assert len(page.chart.rows) == 4
    assert page.stack.currentWidget() is page.area
    assert page.busy.isVisible()
    gate.set()
    await until(lambda: not page.busy.isVisible())


async def test_what_cannot_be_told_apart_yet_says_how_much_is_missing(page: LeaderboardPage, source: Source) -> None:
    source.tally = made.tally(WHO[:2], made.pair_votes(12, 7))
    await read(page)
    box = page.controls[Control.POSITION]
    assert not box.isEnabled()
    assert box.toolTip() == "1 more vote is needed before this can be told apart."
    source.tally = made.tally(WHO[:2], made.pair_votes(20, 10))
    await read(page)
    assert box.isEnabled()
    box.setChecked(True)
    await until(lambda: not len(page._tasks))
    assert source.asked[-1][1] == {Control.POSITION}
    assert "the left side" in page.control_note.text()
    source.tally = made.tally(WHO[:2], made.pair_votes(2, 1))
    await read(page)
    assert box.isEnabled()  # or it could not be switched off again
    assert "Until then the ratings are plain" in page.control_note.text()


async def test_empty_it_says_what_to_do(page: LeaderboardPage, source: Source, qtbot: QtBot) -> None:
    source.tally = made.tally((), (), ((Exclusion.NOT_BLIND, 3),))
    await read(page)
    assert page.stack.currentWidget() is page.empty
    assert "names were in sight (3)" in page.empty.accessibleDescription()
    with qtbot.waitSignal(page.start_wanted, timeout=1000):
        page.empty.buttons[0].click()
    page.task.setCurrentIndex(3)
    await until(lambda: not len(page._tasks))
    assert page.empty.buttons[0].text() == "Show all votes"
    page.empty.buttons[0].click()
    await until(lambda: not len(page._tasks))
    assert page.task.currentData() == ""


async def test_a_failure_is_told_and_can_be_tried_again(page: LeaderboardPage, source: Source) -> None:
    await read(page)
    source.error = StoreError("The votes cannot be read.", "Try again.")
    await read(page)
    await until(page.banner.isVisible)
    assert "cannot be read" in page.banner.text
    assert len(page.chart.rows) == 4
    source.error = None
    page.banner.action_button.click()
    await until(lambda: not page.banner.isVisible())


async def test_contestants_and_pairs_lead_to_their_votes(page: LeaderboardPage, qtbot: QtBot) -> None:
    page.task.setCurrentIndex(page.task.findData("coding"))
    await read(page)
    wanted: list[VoteFilter] = []
    page.votes_wanted.connect(wanted.append)
    qtbot.keyClick(page.chart, Qt.Key.Key_Down)
    qtbot.keyClick(page.chart, Qt.Key.Key_Return)
    assert wanted[-1] == VoteFilter(task="coding", contestant=WHO[1].key, blind=True)
    page.matrix.activated.emit(0, 3)
    assert wanted[-1].pair == (WHO[0].key, WHO[3].key)
    page.table.setCurrentIndex(page.table.model().index(0, 1))
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert wanted[-1].contestant == WHO[0].key


async def test_closing_ends_what_is_being_read(page: LeaderboardPage, source: Source) -> None:
    gate = threading.Event()
    source.gates = [gate]
    page.reload()
    await until(lambda: source.asked)
    closing = page.aclose()
    gate.set()
    await closing
    assert page.board is None


async def test_ties_that_nobody_was_asked_for_are_told_apart(source: Source, show: Show) -> None:
    asked: list[VoteFilter] = []

    def equal(votes: VoteFilter) -> int:
        asked.append(votes)
        return 20

    shown = LeaderboardPage(source.load, equal)
    show(shown)
    shown.task.setCurrentIndex(shown.task.findData("coding"))
    await until(lambda: not len(shown._tasks))
    assert shown.about.text().startswith("100 votes and 20 equal pairs on 120 prompts.")
    assert "In 20 duels both answers were equal word for word" in dict(shown.notes.lines)["Equal answers"]
    assert [votes.task for votes in asked] == ["coding"]
    await shown.aclose()


async def test_in_a_low_window_nothing_lies_on_the_filters(page: LeaderboardPage) -> None:
    theme().set_zoom(150)
    page.resize(450, 372)
    await read(page)
    await settle()
    assert not any(box.isVisible() for box in page.controls.values())
    assert page.stack.geometry().top() >= page.filters.geometry().bottom()
    page.resize(900, 700)
    await settle()
    assert all(box.isVisible() for box in page.controls.values())

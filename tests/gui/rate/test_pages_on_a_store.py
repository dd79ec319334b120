"""The pages on a real store: what was voted there is what they show."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.domain.votes import Exclusion, Preference, VoteFilter
from codette_desktop.gui.tabs.rate.leaderboard_page import LeaderboardPage
from codette_desktop.gui.tabs.rate.votes_page import VotesPage
from codette_desktop.rating.concluding import conclusion, used_up
from codette_desktop.rating.leaderboard import Control, leaderboard
from codette_desktop.store import Store
from tests.gui.conftest import until
from tests.support.voting import ADA, BOB, CYD, duel, experiment, vote_on

Show = Callable[..., None]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def test_votes_of_a_contestant_with_their_texts(store: Store, show: Show) -> None:
    asked = duel(store, experiment(store), texts=("Left words", "Right words"))
    store.votes.cast(vote_on(asked, Preference.RIGHT)).result()
    page = VotesPage(store.votes)
    show(page)
    page.show_votes(VoteFilter(contestant=BOB.key))
    assert page.title.text() == "1 vote"
    assert page.detail.left.markdown.text() == "Left words"
    assert page.detail.right.markdown.text() == "Right words"
    assert page.detail.right.chosen.isVisible()
    assert "How much?" in page.detail.prompt.text()
    assert ADA.files[0] in page.detail.facts.toPlainText()
    page.show_votes(VoteFilter(contestant=CYD.key))
    assert page.stack.currentWidget() is page.empty


@pytest.mark.parametrize("votes", [0, 12])
async def test_a_leaderboard_of_what_is_stored(store: Store, show: Show, votes: int) -> None:
    asked = experiment(store)
    for number in range(votes):
        item = duel(store, asked, f"Prompt {number}")
        await asyncio.wrap_future(store.votes.cast(vote_on(item, leaks=())))
    page = LeaderboardPage(
        lambda wanted, controls: leaderboard(
            store.votes.tally(wanted, style=Control.STYLE in controls), controls=controls
        )
    )
    show(page)
    page.reload()
    await until(lambda: page.board is not None)
    assert page.stack.currentWidget() is (page.area if votes else page.empty)
    assert [row.label for row in page.chart.rows] == ([ADA.label, BOB.label] if votes else [])
    await page.aclose()


async def test_a_leaderboard_says_how_many_votes_were_left_out(store: Store, show: Show) -> None:
    asked = experiment(store)
    given: list[dict[str, Any]] = [{}, {}, {"exclusion": Exclusion.SEEN}]
    kept = [
        await asyncio.wrap_future(store.votes.cast(vote_on(duel(store, asked, f"Prompt {number}"), **more)))
        for number, more in enumerate(given)
    ]
    await asyncio.wrap_future(store.votes.take_back(kept[0].id))
    page = LeaderboardPage(lambda wanted, controls: leaderboard(store.votes.tally(wanted), controls=controls))
    show(page)
    page.reload()
    await until(lambda: page.board is not None)
    assert page.notes.lines[0] == (
        "Left out",
        "1 vote counts for nothing here: cast anew after the names were shown (1); 1 was taken back.",
    )
    await page.aclose()


async def test_a_verdict_says_how_many_votes_were_left_out(store: Store) -> None:
    asked = experiment(store)
    given: list[dict[str, Any]] = [{}, {"exclusion": Exclusion.SEEN}, {"exclusion": Exclusion.NAMED}]
    for number, more in enumerate(given):
        await asyncio.wrap_future(store.votes.cast(vote_on(duel(store, asked, f"Prompt {number}"), **more)))
    found = conclusion(store, asked)
    assert found.conclusion.votes == 1
    assert dict(found.tally.excluded) == {Exclusion.SEEN: 1, Exclusion.NAMED: 1}


def test_prompts_are_used_up_when_all_duels_on_them_are_voted_on(store: Store) -> None:
    asked = experiment(store)
    last = None
    for prompt in asked.prompts:
        assert not used_up(store, asked, conclusion(store, asked).conclusion)
        item = duel(store, asked, prompt)
        assert not used_up(store, asked, conclusion(store, asked).conclusion)  # one waits
        last = store.votes.cast(vote_on(item)).result()
    assert used_up(store, asked, conclusion(store, asked).conclusion)
    assert last is not None
    store.votes.take_back(last.id).result()
    assert not used_up(store, asked, conclusion(store, asked).conclusion)

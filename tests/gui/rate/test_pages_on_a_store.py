"""The pages on a real store: what was voted there is what they show."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codette_desktop.domain.votes import Preference, VoteFilter
from codette_desktop.gui.tabs.rate.leaderboard_page import LeaderboardPage
from codette_desktop.gui.tabs.rate.votes_page import VotesPage
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

"""Counting the votes of pairs, against counting them one by one."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.votes import Exclusion, Tally
from codette_desktop.rating.counts import PairCount, among, pair_counts
from tests.support.simulated_votes import contestants, tally_of

SIZE = 4
VOTE = st.tuples(st.integers(0, SIZE - 1), st.integers(1, SIZE - 1), st.sampled_from([1.0, 0.0, 0.5, -1.0]))
VOTES = st.lists(VOTE.map(lambda vote: (vote[0], (vote[0] + vote[1]) % SIZE, vote[2])), max_size=60)


def _one_by_one(votes: list[tuple[int, int, float]], first: int, second: int) -> PairCount:
    wins = losses = ties = bad = 0
    for left, right, outcome in votes:
        if {left, right} != {first, second}:
            continue
        won = outcome if left == first else 1 - outcome
        wins += outcome >= 0 and won == 1
        losses += outcome >= 0 and won == 0
        ties += outcome == 0.5
        bad += outcome == -1
    return PairCount(first, second, wins, losses, ties, bad)


@given(VOTES)
def test_every_pair_is_counted_from_either_side(votes: list[tuple[int, int, float]]) -> None:
    expected = [_one_by_one(votes, i, j) for i in range(SIZE) for j in range(i + 1, SIZE)]
    assert list(pair_counts(tally_of(votes, SIZE))) == expected
    assert sum(count.votes for count in expected) == len(votes)


@given(VOTES, st.permutations(range(SIZE)), st.integers(1, SIZE))
def test_among_some_contestants_their_votes_alone_are_counted(
    votes: list[tuple[int, int, float]], order: list[int], kept: int
) -> None:
    everyone = contestants(SIZE)
    chosen = [everyone[place] for place in order[:kept]]
    narrowed = among(tally_of(votes, SIZE), chosen)
    assert narrowed.contestants == tuple(chosen)
    for count in pair_counts(narrowed):
        one, other = order[count.first], order[count.second]
        whole = _one_by_one(votes, min(one, other), max(one, other))
        assert (count.ties, count.both_bad) == (whole.ties, whole.both_bad)
        assert count.wins == (whole.wins if one < other else whole.losses)


def test_among_keeps_prompts_style_and_what_was_left_out() -> None:
    votes = [(0, 1, 1.0), (1, 2, 0.5), (2, 0, 0.0)]
    style = tuple([float(10 * row + column) for column in range(3)] for row in range(4))
    tally = replace(tally_of(votes, 3, [2**59, 7, 8]), style=style, excluded=((Exclusion.NAMED, 2),), taken_back=1)
    narrowed = among(tally, [tally.contestants[2], tally.contestants[0]])
    assert (list(narrowed.left), list(narrowed.right), list(narrowed.prompt)) == ([0], [1], [8])
    assert [list(column) for column in narrowed.style] == [[2.0], [12.0], [22.0], [32.0]]
    assert narrowed.excluded == tally.excluded
    assert narrowed.taken_back == 1
    assert among(tally, tally.contestants) is tally


def test_among_makes_room_for_contestants_without_votes() -> None:
    tally = tally_of([(0, 1, 1.0)], 2)
    wider = among(tally, contestants(3))
    assert [count.votes for count in pair_counts(wider)] == [1, 0, 0]
    assert pair_counts(among(tally_of([], 0), contestants(2))) == (PairCount(0, 1),)


def test_numbers_may_come_as_any_sequence() -> None:
    chance = random.Random(1)
    votes = [(0, 1, chance.choice((1.0, 0.0, 0.5))) for _ in range(20)]
    tally = tally_of(votes, 2)
    as_tuples = Tally(tally.contestants, tuple(tally.left), tuple(tally.right), tuple(tally.outcome), range(20))
    assert pair_counts(as_tuples) == pair_counts(tally)


def test_an_outcome_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="outcome"):
        pair_counts(tally_of([(0, 1, 0.7)], 2))

"""What a rating rests on: against paths searched one by one."""

from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.rating.counts import pair_counts
from codette_desktop.rating.support import Support, one_sided, supports
from tests.support.simulated_votes import tally_of

SIZE = 5
VOTE = st.tuples(st.integers(0, SIZE - 1), st.integers(1, SIZE - 1), st.sampled_from([1.0, 0.0, 0.5, -1.0]))
VOTES = st.lists(VOTE.map(lambda vote: (vote[0], (vote[0] + vote[1]) % SIZE, vote[2])), max_size=12)


def _of(votes: list[tuple[int, int, float]], size: int) -> list[str]:
    return [found.value for found in supports(pair_counts(tally_of(votes, size)), size)]


def test_one_that_met_nobody_has_no_votes() -> None:
    votes = [(0, 1, 1.0), (1, 0, 1.0), (2, 1, -1.0)]  # of both being bad no rating follows
    assert _of(votes, 3) == ["rated", "rated", "no votes"]
    assert _of([], 2) == ["no votes", "no votes"]
    assert _of([], 0) == []


def test_the_group_with_fewer_votes_is_unconnected() -> None:
    votes = [(0, 1, 1.0), (0, 1, 0.0), (2, 3, 1.0), (2, 3, 0.0), (2, 3, 0.5)]
    assert _of(votes, 4) == ["unconnected", "unconnected", "rated", "rated"]


def test_the_rated_are_sought_among_those_who_met_most() -> None:
    most = [(0, 1, 0.5)] * 2 + [(2, 0, 1.0)] * 2 + [(3, 1, 1.0)] * 2
    found = _of([*most, *[(4, 5, 0.5)] * 5], 6)
    assert found == ["rated", "rated", "one-sided", "one-sided", "unconnected", "unconnected"]


def test_who_always_won_or_lost_against_the_others_is_one_sided() -> None:
    level = [(1, 2, 1.0), (1, 2, 0.0)]
    assert _of([*level, (0, 1, 1.0), (0, 2, 1.0)], 3) == ["one-sided", "rated", "rated"]
    assert _of([*level, (0, 1, 0.0)], 3) == ["one-sided", "rated", "rated"]
    assert _of([*level, (0, 1, 0.5)], 3) == ["rated", "rated", "rated"]
    assert _of([(0, 1, 1.0), (1, 0, 0.0)], 2) == ["one-sided", "one-sided"]
    assert _of([(0, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0)], 3) == ["rated"] * 3  # in a circle
    two_pairs = [(0, 1, 0.5), (2, 3, 0.5), (2, 3, 0.5), (0, 2, 1.0)]
    assert _of(two_pairs, 4) == ["one-sided", "one-sided", "rated", "rated"]
    assert one_sided([Support.RATED, Support.ONE_SIDED, Support.NO_VOTES, Support.ONE_SIDED]) == [1, 3]


def _reached(edges: set[tuple[int, int]], start: int) -> set[int]:
    found, open_ = {start}, [start]
    while open_:
        place = open_.pop()
        for one, other in edges:
            if one == place and other not in found:
                found.add(other)
                open_.append(other)
    return found


@given(VOTES)
def test_all_who_are_rated_reach_each_other(votes: list[tuple[int, int, float]]) -> None:
    found = _of(votes, SIZE)
    edges = {(left, right) for left, right, outcome in votes if outcome >= 0.5}
    edges |= {(right, left) for left, right, outcome in votes if 0 <= outcome <= 0.5}
    rated = {place for place in range(SIZE) if found[place] == "rated"}
    for place in rated:
        assert rated <= _reached(edges, place)
    either = edges | {(other, one) for one, other in edges}
    connected = {place for place in range(SIZE) if found[place] in ("rated", "one-sided")}
    assert len({frozenset(_reached(either, place)) for place in connected}) <= 1
    assert ("no votes" in found) == any(not any(place in edge for edge in edges) for place in range(SIZE))
    assert len(rated) != 1

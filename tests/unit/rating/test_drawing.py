"""Who meets next."""

import random
from collections import Counter

import numpy as np
import pytest

from codette_desktop.domain.duels import StoppingRule
from codette_desktop.domain.votes import Tally
from codette_desktop.rating.bradley_terry import fit, sigma
from codette_desktop.rating.drawing import Pair, next_pair
from codette_desktop.rating.verdict import State, verdicts
from tests.support.simulated_votes import World, contestants, tally_of

FOUR = contestants(4)
PAIRS = [(i, j) for i in range(4) for j in range(i + 1, 4)]


def _chance(seed: int = 0) -> random.Random:
    return random.Random(seed)


def test_each_pair_is_drawn_once_at_first_in_any_order() -> None:
    firsts: set[Pair] = set()
    for seed in range(40):
        chance, votes, drawn = _chance(seed), [], []
        for _ in PAIRS:
            pair = next_pair(FOUR, tally_of(votes, 4), chance=chance)
            assert pair is not None
            drawn.append(pair)
            votes.append((*pair, 1.0))
        assert sorted(drawn) == PAIRS
        firsts.add(drawn[0])
    assert firsts == set(PAIRS)


def test_pending_pairs_count_as_drawn() -> None:
    pending = [(1, 0), (0, 2), (3, 0), (1, 2), (1, 3)]
    assert next_pair(FOUR, tally_of([], 4), chance=_chance(), pending=pending) == (2, 3)
    votes = [(i, j, outcome) for i, j in PAIRS for outcome in (1.0, 0.0)]
    most = [pair for pair in PAIRS if pair != (1, 2)] * 2
    for seed in range(10):
        assert next_pair(FOUR, tally_of(votes, 4), chance=_chance(seed), pending=most) == (1, 2)


def test_contestants_need_not_be_in_the_tally_nor_in_its_order() -> None:
    tally = tally_of([(0, 1, 1.0)] * 3, 2)
    swapped = [FOUR[2], FOUR[1], FOUR[0]]
    assert {next_pair(swapped, tally, chance=_chance(seed)) for seed in range(20)} == {(0, 1), (0, 2)}
    assert next_pair(FOUR[:2], tally_of([(1, 2, 1.0)], 3), chance=_chance()) == (0, 1)


def test_only_pairs_with_a_prompt_left_are_drawn() -> None:
    for seed in range(20):
        assert next_pair(FOUR, tally_of([], 4), chance=_chance(seed), drawable={(2, 1)}) == (1, 2)
    assert next_pair(FOUR, tally_of([], 4), chance=_chance(), drawable=[]) is None
    assert next_pair(FOUR[:1], tally_of([], 1), chance=_chance()) is None
    assert next_pair([], tally_of([], 0), chance=_chance()) is None


def test_the_pair_with_fewest_votes_is_drawn_among_equals() -> None:
    votes = [(i, j, outcome) for i, j in PAIRS for outcome in (1.0, 0.0) for _ in range(1 if (i, j) == (0, 3) else 4)]
    for seed in range(10):
        assert next_pair(FOUR, tally_of(votes, 4), chance=_chance(seed)) == (0, 3)


def test_the_pair_whose_variance_falls_most_is_drawn() -> None:
    """By brute force: each pair's variance with and without one more expected vote."""
    tally = World((1.5, 0.0, -0.5, 0.2)).votes(40, np.random.default_rng(6))
    fitted = fit(tally)
    gains: dict[Pair, float] = {}
    for i, j in PAIRS:
        contrast = np.zeros(4)
        contrast[[i, j]] = 1, -1
        share = sigma(float(contrast @ fitted.values))
        after = fitted.curvature + share * (1 - share) * np.outer(contrast, contrast)
        before = contrast @ np.linalg.inv(fitted.curvature) @ contrast
        gains[i, j] = float(before - contrast @ np.linalg.inv(after) @ contrast)
    met = {(min(pair), max(pair)) for pair in zip(tally.left, tally.right, strict=True)}
    assert met == set(PAIRS)
    assert next_pair(FOUR, tally, chance=_chance()) == max(gains, key=gains.__getitem__)


def _draw_on(world: World, votes: int, seed: int) -> tuple[int, ...]:
    """How often each pair was drawn."""
    chance, dice = random.Random(seed), np.random.default_rng(seed)
    size, cast = len(world.strengths), []
    times: Counter[Pair] = Counter()
    for _ in range(votes):
        pair = next_pair(contestants(size), tally_of(cast, size), chance=chance)
        assert pair is not None
        times[pair] += 1
        logit = world.strengths[pair[0]] - world.strengths[pair[1]]
        cast.append((*pair, float(dice.random() < 1 / (1 + np.exp(-logit)))))
    return tuple(times[i, j] for i in range(size) for j in range(i + 1, size))


def test_no_pair_is_forgotten() -> None:
    assert min(_draw_on(World((1.0, 0.5, 0.0)), 90, 1)) >= 15


def test_answers_that_are_often_both_bad_do_not_take_all_draws() -> None:
    votes = [(0, 1, -1.0)] * 30 + [(i, j, outcome) for i, j in [(0, 2), (1, 2), (0, 1)] for outcome in (1.0, 0.0)]
    drawn = {next_pair(FOUR[:3], tally_of(votes, 3), chance=_chance(seed)) for seed in range(20)}
    assert drawn == {(0, 2), (1, 2)}


def test_settled_and_equal_pairs_are_not_drawn() -> None:
    votes = [(0, 1, 1.0)] * 30 + [(0, 2, 0.5)] * 120 + [(1, 2, 1.0), (1, 2, 0.0)] * 40
    tally, rule = tally_of(votes, 3), StoppingRule(most_votes=1000)
    states = [pair.state for pair in verdicts(tally, alpha=rule.alpha, margin=rule.margin)]
    assert states == [State.SETTLED, State.EQUALLY_GOOD, State.LEANING]
    assert next_pair(FOUR[:3], tally, chance=_chance(), rule=rule) == (1, 2)
    assert next_pair(FOUR[:3], tally, chance=_chance(), rule=rule, drawable=[(0, 1), (0, 2)]) is None
    assert next_pair(FOUR[:3], tally, chance=_chance()) != (1, 2)
    assert next_pair(FOUR[:2], tally, chance=_chance(), rule=rule) is None


def test_the_rule_looks_at_all_pairs_at_once() -> None:
    votes = [(0, 1, 1.0)] * 8 + [(0, 1, 0.0)] + [(0, 1, 1.0)]  # the evidence is 9.3: enough for one pair at 0.15
    rule = StoppingRule(alpha=0.15)
    assert next_pair(FOUR[:2], tally_of(votes, 2), chance=_chance(), rule=rule) is None
    wider = [*votes, (0, 2, 1.0), (1, 2, 1.0)]
    assert next_pair(FOUR[:3], tally_of(wider, 3), chance=_chance(), rule=rule, drawable=[(0, 1)]) == (0, 1)


@pytest.mark.parametrize("pending", [0, 3])
def test_no_more_are_drawn_than_the_rule_allows(pending: int) -> None:
    votes = [(0, 1, 1.0), (0, 1, 0.0)] * 5
    rule = StoppingRule(most_votes=11 + pending)
    waiting = [(0, 1)] * pending
    assert next_pair(FOUR[:2], tally_of(votes, 2), chance=_chance(), rule=rule, pending=waiting) == (0, 1)
    assert next_pair(FOUR[:2], tally_of([*votes, (0, 1, 0.5)], 2), chance=_chance(), rule=rule, pending=waiting) is None


def test_equals_are_told_apart_by_chance_alone() -> None:
    votes = [(i, j, outcome) for i, j in PAIRS for outcome in (1.0, 0.0) * 3]  # equal but for rounding
    tally = tally_of(votes, 4)
    drawn = Counter(next_pair(FOUR, tally, chance=_chance(seed)) for seed in range(600))
    assert set(drawn) == set(PAIRS)
    assert max(drawn.values()) < 2 * min(drawn.values())
    assert next_pair(FOUR, tally, chance=_chance(7)) == next_pair(FOUR, tally, chance=_chance(7))


def test_the_tally_is_left_as_it_was() -> None:
    tally = tally_of([(0, 1, 1.0)], 2)
    before = Tally(tally.contestants, [*tally.left], [*tally.right], [*tally.outcome], [*tally.prompt])
    next_pair(FOUR, tally, chance=_chance())
    assert tally == before

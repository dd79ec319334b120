"""How many votes are still needed: against votes that then come."""

import math

import numpy as np
import pytest

from codette_desktop.rating.counts import PairCount
from codette_desktop.rating.projection import FURTHEST, more_votes
from codette_desktop.rating.sequential import log_e_value


def _more(wins: int, losses: int, ties: int = 0, both_bad: int = 0, margin: float | None = None) -> int | None:
    count = PairCount(0, 1, wins, losses, ties, both_bad)
    return more_votes(count, alpha=0.05, margin=margin, fewest_decisive=10)


def _wait(wins: int, losses: int, ties: int, share: float, tied: float, chance: np.random.Generator) -> float:
    """After how many further votes the pair is settled; infinity for more than 3,000."""
    for vote in range(1, 3000):
        if chance.random() < tied:
            ties += 1
        elif chance.random() < share:
            wins += 1
        else:
            losses += 1
        if wins + losses >= 10 and log_e_value(wins, losses) >= math.log(20):
            return vote
    return math.inf


def test_the_median_of_what_then_happens_is_near_what_was_foretold() -> None:
    chance = np.random.default_rng(5)
    ratios: list[float] = []
    while len(ratios) < 120:
        share = 1 / (1 + math.exp(-chance.normal(0, 0.9)))
        tied = chance.random(20) < 0.25
        won = chance.random(20) < share
        wins, losses = int((won & ~tied).sum()), int((~won & ~tied).sum())
        if wins + losses >= 10 and log_e_value(wins, losses) >= math.log(20):
            continue
        further = _more(wins, losses, int(tied.sum()))
        ratios.append(_wait(wins, losses, int(tied.sum()), share, 0.25, chance) / (further or 1500))
    assert 0.6 < np.median(ratios) < 1.6


def test_the_clearer_the_lead_the_fewer() -> None:
    numbers = [_more(8 + lead, 8 - lead) for lead in range(5)]
    known = [FURTHEST + 1 if number is None else number for number in numbers]
    assert known == sorted(known, reverse=True)
    assert known[0] > 4 * known[-1]


def test_ties_and_bad_answers_are_votes_too() -> None:
    plain = _more(9, 3)
    assert plain is not None
    slower = _more(9, 3, both_bad=12)
    assert slower == pytest.approx(2 * plain, rel=0.5)
    assert _more(9, 3, ties=12) == pytest.approx(2 * plain, rel=0.5)


def test_it_is_hopeless_to_tell_two_alike_apart_but_not_to_call_them_alike() -> None:
    assert _more(100, 100) is None
    alike = _more(30, 30, 15, margin=0.1)
    assert alike is not None
    assert 50 < alike < 250
    looser = _more(30, 30, 15, margin=0.2)
    assert looser is not None
    assert looser < alike / 2


def test_both_sides_of_the_margin_must_be_refuted() -> None:
    ahead, behind = _more(30, 18, 8, margin=0.1), _more(18, 30, 8, margin=0.1)
    assert ahead is not None
    assert ahead > 30
    assert behind == pytest.approx(ahead, rel=0.25)


def test_a_stricter_level_takes_more() -> None:
    count = PairCount(0, 1, 9, 3)
    loose, strict = (more_votes(count, alpha=alpha, margin=None, fewest_decisive=10) for alpha in (0.05, 0.005))
    assert loose is not None
    assert strict is not None
    assert strict > 1.5 * loose


def test_there_is_always_one_more_and_never_a_spurious_digit() -> None:
    assert _more(8, 0) == 2  # evidence enough, two deciding votes short
    assert _more(14, 3) is not None
    for wins in range(12):
        number = _more(wins, 3)
        assert number is None or number < 100 or number % 10 == 0
        assert number == _more(wins, 3)

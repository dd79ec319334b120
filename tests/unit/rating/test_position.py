"""Whether the side matters."""

import numpy as np
import pytest

from codette_desktop.rating.position import check_position
from codette_desktop.rating.sequential import confidence_sequence, log_e_value
from codette_desktop.rating.words import position_words
from tests.support.simulated_votes import World, pair_tally, tally_of


def test_votes_for_the_left_are_counted_whoever_stands_there() -> None:
    votes = [(0, 1, 1.0), (1, 0, 1.0), (2, 0, 1.0), (0, 2, 0.0), (0, 1, 0.5), (1, 2, -1.0)]
    check = check_position(tally_of(votes, 3))
    assert (check.left, check.right) == (3, 1)
    assert check.share == confidence_sequence(3, 1, 0.05)
    assert check.e_value == pytest.approx(np.exp(log_e_value(3, 1)))
    assert not check.biased


def test_a_person_who_prefers_the_left_is_found_out_and_one_who_does_not_is_not() -> None:
    chance = np.random.default_rng(3)
    leaning = [check_position(World((1.0, 0.0), left=1.0).votes(200, chance)).biased for _ in range(50)]
    assert sum(leaning) > 45
    even = [check_position(World((3.0, 0.0)).votes(200, chance)).biased for _ in range(200)]
    assert sum(even) <= 10


def test_alpha_is_the_threshold() -> None:
    tally = pair_tally(12, 2)  # the evidence is 12
    assert not check_position(tally).biased
    assert check_position(tally, alpha=0.1).biased
    assert check_position(tally, alpha=0.1).share == confidence_sequence(12, 2, 0.1)


def test_much_evidence_is_no_overflow() -> None:
    assert check_position(pair_tally(5000, 0)).e_value > 1e300


def test_the_side_is_worded() -> None:
    assert position_words(check_position(pair_tally(4, 4))).startswith("Too few votes")
    assert position_words(check_position(pair_tally(20, 20))) == (
        "No sign that the side matters: the left answer won 50 % (27 to 73)."
    )
    assert position_words(check_position(pair_tally(30, 5))).startswith("The left answer wins more often whoever")
    assert position_words(check_position(pair_tally(5, 30))).startswith(
        "The right answer wins more often whoever wrote it: 86 % ("
    )

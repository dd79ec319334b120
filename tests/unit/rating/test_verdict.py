"""Verdicts on pairs and the end of experiments."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.duels import Ending, StoppingRule
from codette_desktop.domain.quantiles import student
from codette_desktop.rating.bradley_terry import difference, fit, sigma
from codette_desktop.rating.sequential import confidence_sequence, equivalence_bounds, log_e_value
from codette_desktop.rating.verdict import FEWEST_DECISIVE, PairVerdict, State, conclude, verdicts
from codette_desktop.rating.words import verdict_words
from tests.support.simulated_votes import World, pair_tally, tally_of

COUNT = st.integers(0, 60)


def _verdict(wins: int, losses: int, ties: int = 0, both_bad: int = 0, margin: float | None = 0.1) -> PairVerdict:
    (found,) = verdicts(pair_tally(wins, losses, ties, both_bad), margin=margin)
    return found


def test_before_ten_deciding_votes_it_is_too_early_whatever_they_say() -> None:
    for wins in range(FEWEST_DECISIVE):
        assert _verdict(wins, 0, ties=3).state is State.TOO_EARLY
    assert log_e_value(9, 0) > math.log(20)
    assert _verdict(10, 0).state is State.SETTLED


@given(COUNT, COUNT, st.integers(0, 40), st.integers(0, 5))
def test_a_winner_is_called_by_the_evidence_alone(wins: int, losses: int, ties: int, both_bad: int) -> None:
    found = _verdict(wins, losses, ties, both_bad)
    enough = log_e_value(wins, losses) >= math.log(20) and wins + losses >= 10
    assert (found.winner is not None) == enough == (found.state is State.SETTLED)
    if enough:
        assert found.winner == (0 if wins > losses else 1) == found.ahead
        assert not found.share.low <= 0.5 <= found.share.high
        assert found.e_value >= found.threshold == 20
    assert (found.more_votes == 0) == (found.state in (State.SETTLED, State.EQUALLY_GOOD))
    if found.state is State.EQUALLY_GOOD:
        assert found.mean.low >= 0.4 - 1e-5
        assert found.mean.high <= 0.6 + 1e-5
    elif found.state is not State.SETTLED:
        assert not (found.mean.low > 0.4 + 1e-5 and found.mean.high < 0.6 - 1e-5)


@given(COUNT, COUNT, st.integers(0, 40))
def test_the_other_way_round_it_is_the_same(wins: int, losses: int, ties: int) -> None:
    one, other = _verdict(wins, losses, ties), _verdict(losses, wins, ties)
    assert one.state is other.state
    assert one.e_value == pytest.approx(other.e_value)
    for ours, theirs in ((one.share, other.share), (one.mean, other.mean), (one.probability, other.probability)):
        mirrored = theirs.reversed()
        assert ours.value == pytest.approx(mirrored.value, abs=1e-6)
        assert ours.low == pytest.approx(mirrored.low, abs=1e-5)
        assert ours.high == pytest.approx(mirrored.high, abs=1e-5)


def test_many_ties_make_equals_though_few_votes_decide() -> None:
    found = _verdict(2, 2, ties=50)
    assert found.state is State.EQUALLY_GOOD
    assert found.winner is None
    assert _verdict(2, 2, ties=50, margin=None).state is State.TOO_EARLY
    assert _verdict(12, 12, ties=100, margin=None).state is State.LEANING
    assert _verdict(2, 2, both_bad=50).state is State.TOO_EARLY


def test_the_margin_is_what_was_asked_for_on_either_side() -> None:
    for wins, losses in ((24, 20), (20, 24)):
        assert _verdict(wins, losses, 16, margin=0.2).state is State.EQUALLY_GOOD
        assert _verdict(wins, losses, 16, margin=0.1).state is State.LEANING
        assert _verdict(wins + 8, losses - 8, 16, margin=0.2).state is State.LEANING


def test_a_small_preference_that_is_sure_goes_before_equality() -> None:
    assert _verdict(1080, 900).state is State.SETTLED
    assert _verdict(1000, 980).state is State.EQUALLY_GOOD


def test_all_figures_of_a_pair() -> None:
    tally = World((0.5, 0.0, -0.5), ties=0.2, both_bad=0.1).votes(150, np.random.default_rng(1))
    found = verdicts(tally, alpha=0.06, margin=0.1)
    fitted = fit(tally)
    assert [(pair.first, pair.second) for pair in found] == [(0, 1), (0, 2), (1, 2)]
    for pair in found:
        count = pair.count
        assert pair.threshold == pytest.approx(50)  # three pairs share the chance to be wrong
        assert pair.share == confidence_sequence(count.wins, count.losses, 0.02)
        assert pair.mean == equivalence_bounds(count.wins, count.losses, count.ties, 0.02)
        logit, error = difference(fitted, pair.first, pair.second)
        half = student(fitted.freedom) * error
        assert pair.probability.value == pytest.approx(sigma(logit))
        assert pair.probability.low == pytest.approx(sigma(logit - half))
        assert pair.probability.high == pytest.approx(sigma(logit + half))
        assert pair.win_share == count.wins / (count.wins + count.losses + count.ties)
        assert pair.tie_share == count.ties / (count.wins + count.losses + count.ties)


def test_no_votes_no_shares_and_nobody_ahead() -> None:
    found = _verdict(0, 0)
    assert (found.win_share, found.tie_share, found.ahead, found.winner) == (0.0, 0.0, None, None)
    assert (found.e_value, found.state) == (1.0, State.TOO_EARLY)
    assert verdicts(tally_of([], 1)) == ()


def test_who_won_all_has_no_certain_probability() -> None:
    assert _verdict(12, 0).probability.low < 0.8


def test_an_experiment_goes_on_until_every_pair_has_its_verdict() -> None:
    clear = [(0, 1, 1.0)] * 20 + [(0, 2, 1.0)] * 20
    unsure = conclude(tally_of([*clear, (1, 2, 1.0)], 3), StoppingRule())
    assert (unsure.ending, unsure.votes, unsure.settled) == (None, 41, 2)
    assert 0 < unsure.more_votes <= 200 - 41
    done = conclude(tally_of([*clear, *[(1, 2, 1.0)] * 20], 3), StoppingRule())
    assert (done.ending, done.settled, done.more_votes) == (Ending.SETTLED, 3, 0)
    alike = conclude(tally_of([*clear, *[(1, 2, 0.5)] * 80], 3), StoppingRule())
    assert alike.ending is Ending.SETTLED
    assert conclude(tally_of([*clear, *[(1, 2, 0.5)] * 80], 3), StoppingRule(margin=None)).ending is None


def test_an_experiment_ends_with_the_last_vote_it_may_have() -> None:
    votes = [(0, 1, 1.0), (0, 1, 0.0), (0, 1, -1.0)] * 10
    assert conclude(tally_of(votes, 2), StoppingRule(most_votes=31)).ending is None
    assert conclude(tally_of(votes, 2), StoppingRule(most_votes=31)).more_votes == 1
    over = conclude(tally_of(votes, 2), StoppingRule(most_votes=30))
    assert (over.ending, over.more_votes, over.settled) == (Ending.MOST_VOTES, 0, 0)
    settled = conclude(pair_tally(30, 0), StoppingRule(most_votes=30))
    assert settled.ending is Ending.SETTLED  # the better reason
    assert conclude(tally_of([], 1), StoppingRule()).ending is None


def test_the_votes_an_experiment_still_needs_are_those_of_its_open_pairs() -> None:
    votes = [(0, 1, 1.0)] * 20 + [(0, 2, 1.0)] * 9 + [(0, 2, 0.0)] + [(1, 2, 1.0)] * 8
    found = conclude(tally_of(votes, 3), StoppingRule(most_votes=5000))
    wanted = [pair.more_votes for pair in found.pairs]
    assert wanted[0] == 0
    assert found.more_votes == sum(number or 0 for number in wanted)


def test_an_experiment_is_judged_at_the_level_of_its_rule() -> None:
    votes = pair_tally(12, 3)  # the evidence is 4.5
    assert conclude(votes, StoppingRule()).ending is None
    assert conclude(votes, StoppingRule(alpha=0.25)).ending is Ending.SETTLED
    assert conclude(pair_tally(20, 20, 20), StoppingRule(margin=0.25)).ending is Ending.SETTLED
    assert conclude(pair_tally(20, 20, 20), StoppingRule()).ending is None


def test_a_hopeless_pair_takes_as_many_as_are_foreseen() -> None:
    votes = [(0, 1, outcome) for outcome in (1.0, 0.0) for _ in range(100)]
    assert conclude(tally_of(votes, 2), StoppingRule(most_votes=5000, margin=None)).more_votes == 1000
    assert conclude(tally_of(votes, 2), StoppingRule(most_votes=700, margin=None)).more_votes == 500


def test_states_are_worded() -> None:
    labels = ("Q4", "Q8")
    assert verdict_words(_verdict(4, 2), labels).startswith("Too early: 6 of at least 10 deciding votes, about ")
    assert verdict_words(_verdict(90, 160), labels) == "Q8 is preferred to Q4: 64 % (54 to 74), settled."
    assert verdict_words(_verdict(160, 90), labels) == "Q4 is preferred to Q8: 64 % (54 to 74), settled."
    assert verdict_words(_verdict(12, 8), labels).startswith(
        "Leaning to Q4 over Q8: 60 % (28 to 87), not settled, about"
    )
    assert verdict_words(_verdict(8, 8), labels).startswith("Q4 and Q8 are level: 50 % (")
    hopeless = verdict_words(_verdict(100, 100, margin=None), labels)
    assert hopeless.endswith("more than 1,000 more votes at this rate.")
    equal = verdict_words(_verdict(40, 40, 80), labels)
    assert equal == "Q4 and Q8 are equally good: 50 % (42 to 58), a tie being half a win."
    assert "about 1 more vote at" in verdict_words(_verdict(9, 0, margin=None), labels)

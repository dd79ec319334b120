"""Evidence that stays valid: against its integrals, and how rarely it misleads who looks after every vote."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from codette_desktop.rating.sequential import (
    BETS,
    confidence_sequence,
    equivalence_bounds,
    log_capital,
    log_e_value,
)

COUNT = st.integers(0, 60)


@given(COUNT, COUNT, st.floats(0.05, 0.95))
def test_the_evidence_is_a_likelihood_ratio_to_all_chances_alike(wins: int, losses: int, share: float) -> None:
    mixture, _ = integrate.quad(lambda p: p**wins * (1 - p) ** losses, 0, 1, points=[wins / max(1, wins + losses)])
    simple = share**wins * (1 - share) ** losses
    assert log_e_value(wins, losses, share) == pytest.approx(math.log(mixture / simple), abs=1e-5)


@given(st.integers(0, 30), st.integers(0, 30), st.floats(0.05, 0.95))
def test_under_the_hypothesis_no_vote_is_expected_to_raise_the_evidence(wins: int, losses: int, share: float) -> None:
    won = math.exp(log_e_value(wins + 1, losses, share))
    lost = math.exp(log_e_value(wins, losses + 1, share))
    assert share * won + (1 - share) * lost == pytest.approx(math.exp(log_e_value(wins, losses, share)))


def test_thirty_to_fifteen_is_not_enough() -> None:
    share = confidence_sequence(30, 15, 0.05)  # a sign test calls it significant
    assert (share.low, share.high) == (pytest.approx(0.44, abs=0.01), pytest.approx(0.85, abs=0.01))
    assert log_e_value(30, 15) < math.log(20)


@given(COUNT, COUNT, st.sampled_from([0.05, 0.01, 0.2]))
def test_the_bounds_are_where_the_evidence_reaches_its_threshold(wins: int, losses: int, alpha: float) -> None:
    share = confidence_sequence(wins, losses, alpha)
    limit = -math.log(alpha)
    assert 0 <= share.low <= share.value <= share.high <= 1
    for bound, outward, votes in ((share.low, -1e-6, wins), (share.high, 1e-6, losses)):
        if votes:
            assert log_e_value(wins, losses, bound + outward) > limit - 1e-3
            assert log_e_value(wins, losses, bound - outward) < limit + 1e-3
    assert (share.low == 0) == (not wins)
    assert (share.high == 1) == (not losses)


@given(COUNT, COUNT)
def test_one_half_is_excluded_just_where_the_evidence_says_so(wins: int, losses: int) -> None:
    share = confidence_sequence(wins, losses, 0.05)
    assert (not share.low <= 0.5 <= share.high) == (log_e_value(wins, losses) >= math.log(20))
    mirrored = confidence_sequence(losses, wins, 0.05)
    assert mirrored.low == pytest.approx(1 - share.high)


def _capital(wins: int, losses: int, ties: int, mean: float) -> float:
    return float(log_capital(wins, losses, ties, mean))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.floats(0.1, 0.9), st.floats(0, 1))
def test_betting_on_a_mean_that_is_not_exceeded_gains_nothing(
    wins: int, losses: int, ties: int, mean: float, tied: float
) -> None:
    tie = tied * 2 * min(mean, 1 - mean)
    win = mean - tie / 2
    after = (
        win * math.exp(_capital(wins + 1, losses, ties, mean))
        + tie * math.exp(_capital(wins, losses, ties + 1, mean))
        + (1 - win - tie) * math.exp(_capital(wins, losses + 1, ties, mean))
    )
    assert after == pytest.approx(math.exp(_capital(wins, losses, ties, mean)), rel=1e-6)


def test_the_capital_is_the_mean_of_its_wagers() -> None:
    wins, losses, ties, mean = 7, 3, 4, 0.4
    stakes = [b / (BETS + 1) / mean for b in range(1, BETS + 1)]
    each = [(1 + s * 0.6) ** wins * (1 - s * 0.4) ** losses * (1 + s * 0.1) ** ties for s in stakes]
    shares = stats.beta.pdf([s * mean for s in stakes], 2, 5)
    assert _capital(wins, losses, ties, mean) == pytest.approx(math.log(np.average(each, weights=shares)))
    grid = log_capital(np.array([[7], [0]]), np.array([[3], [0]]), 4, np.array([0.4, 0.5]))
    assert grid.shape == (2, 2)
    assert grid[0, 0] == pytest.approx(_capital(7, 3, 4, 0.4))


@given(COUNT, COUNT, COUNT, st.sampled_from([0.05, 0.01]))
def test_bounds_of_the_mean_are_roots_of_the_capital(wins: int, losses: int, ties: int, alpha: float) -> None:
    mean = equivalence_bounds(wins, losses, ties, alpha)
    assert 0 <= mean.low <= mean.value <= mean.high <= 1
    limit = -math.log(alpha)

    def beyond(bound: float) -> float:
        return _capital(wins, losses, ties, bound) - limit

    if beyond(1e-9) > 0:
        assert mean.low == pytest.approx(optimize.brentq(beyond, 1e-9, 1 - 1e-9), abs=2e-6)
    else:
        assert mean.low == pytest.approx(0, abs=2e-6)
    assert equivalence_bounds(losses, wins, ties, alpha).low == pytest.approx(1 - mean.high)


def test_ties_narrow_the_mean() -> None:
    assert equivalence_bounds(30, 30, 60, 0.05).half_width < 0.7 * equivalence_bounds(60, 60, 0, 0.05).half_width
    assert equivalence_bounds(0, 0, 35, 0.05).low > 0.4
    assert equivalence_bounds(0, 0, 0, 0.05).half_width == 0.5


def _runs(share: float, ties: float, runs: int, votes: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    tied = chance.random((runs, votes)) < ties
    won = chance.random((runs, votes)) < share
    return (won & ~tied).cumsum(1), (~won & ~tied).cumsum(1), tied.cumsum(1)


def test_who_looks_after_every_vote_is_rarely_misled() -> None:
    wins, losses, _ties = _runs(0.5, 0.25, 1000, 300, 1)
    table = np.array([[log_e_value(w, n - w) if w <= n else 0.0 for w in range(301)] for n in range(301)])
    misled = (table[wins + losses, wins] >= math.log(20)).any(axis=1).mean()
    assert 0.01 < misled <= 0.05
    both = wins + losses
    score = np.abs(wins - losses) / np.sqrt(np.maximum(1, both))
    assert ((score > stats.norm.ppf(0.975)) & (both >= 10)).any(axis=1).mean() > 0.2  # what it replaces


@pytest.mark.parametrize("mean", [0.4, 0.6])
def test_equality_is_rarely_claimed_of_two_that_differ_by_the_margin(mean: float) -> None:
    share = 0.5 + (mean - 0.5) / 0.75
    wins, losses, ties = _runs(share, 0.25, 600, 400, 2)
    above = log_capital(wins[:, ::5], losses[:, ::5], ties[:, ::5], 0.4) >= math.log(20)
    below = log_capital(losses[:, ::5], wins[:, ::5], ties[:, ::5], 0.4) >= math.log(20)
    assert (above & below).any(axis=1).mean() <= 0.05


def test_equality_of_two_alike_is_seen_within_an_evening() -> None:
    wins, losses, ties = _runs(0.5, 0.25, 200, 400, 3)
    above = log_capital(wins, losses, ties, 0.4) >= math.log(20)
    below = log_capital(losses, wins, ties, 0.4) >= math.log(20)
    when = np.where((above & below).any(axis=1), (above & below).argmax(axis=1) + 1, 401)
    assert 120 < np.median(when) < 220

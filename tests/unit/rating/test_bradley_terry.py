"""The Bradley-Terry fit: against choix and scipy, in the extremes, and how often its intervals hold the truth."""

import math
import random
from dataclasses import replace
from typing import Any

import choix
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special

from codette_desktop.domain.quantiles import student
from codette_desktop.domain.votes import Tally
from codette_desktop.rating import bradley_terry
from codette_desktop.rating.bradley_terry import Column, difference, fit
from tests.support.simulated_votes import World, tally_of

FOUR = World((-0.6, -0.2, 0.2, 0.6))


def _by_scipy(tally: Tally, columns: tuple[Column, ...], ridge: float) -> Any:
    """The maximum of the same penalised likelihood, found by another method."""
    size = len(tally.contestants)
    rows = np.zeros((len(tally.outcome), size + len(columns)))
    rows[np.arange(len(rows)), tally.left] += 1
    rows[np.arange(len(rows)), tally.right] -= 1
    for place, column in enumerate(columns):
        rows[:, size + place] = column.values
    outcome = np.array(tally.outcome)
    rows, outcome = rows[outcome >= 0], outcome[outcome >= 0]
    penalty = np.array([ridge] * size + [column.ridge for column in columns])

    def loss(values: Any) -> Any:
        logits = rows @ values
        return (np.logaddexp(0, logits) - outcome * logits).sum() + (penalty * values**2).sum() / 2

    def slope(values: Any) -> Any:
        return rows.T @ (special.expit(rows @ values) - outcome) + penalty * values

    start = np.zeros(size + len(columns))
    return optimize.minimize(loss, start, jac=slope, method="BFGS", options={"gtol": 1e-9}).x


@pytest.mark.parametrize("ridge", [0.1, 2.0, 1e-4])
@pytest.mark.parametrize("seed", range(4))
def test_scipy_finds_the_same_maximum(seed: int, ridge: float) -> None:
    chance = np.random.default_rng(seed)
    tally = World((0.0, 1.0, -1.0, 0.3, 2.0), ties=0.2, both_bad=0.1).votes(150, chance)
    assert fit(tally, ridge=ridge).values == pytest.approx(_by_scipy(tally, (), ridge), abs=1e-6)


def test_scipy_finds_the_same_maximum_with_features() -> None:
    chance = np.random.default_rng(5)
    tally = World((0.0, 1.0, -1.0), ties=0.2, both_bad=0.1, left=0.4).votes(300, chance)
    columns = (Column("left", [1.0] * 300, 0.1), Column("length", chance.normal(size=300).tolist(), 0.5))
    assert fit(tally, columns).values == pytest.approx(_by_scipy(tally, columns, 0.1), abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_choix_finds_the_same_with_and_without_the_ridge(seed: int) -> None:
    tally = FOUR.votes(200, np.random.default_rng(seed))
    pairs = [
        (left, right) if outcome else (right, left)
        for left, right, outcome in zip(tally.left, tally.right, tally.outcome, strict=True)
    ]
    penalised = choix.opt_pairwise(4, pairs, alpha=0.1, method="Newton-CG", tol=1e-12)
    assert fit(tally, ridge=0.2).values == pytest.approx(penalised, abs=1e-6)  # its penalty has no half
    plain = choix.ilsr_pairwise(4, pairs, tol=1e-12)
    assert fit(tally, ridge=1e-9).values == pytest.approx(plain - plain.mean(), abs=1e-6)


def test_the_ridge_shrinks_real_ratings_by_next_to_nothing() -> None:
    tally = FOUR.votes(400, np.random.default_rng(2))
    plain, ours = fit(tally, ridge=1e-9), fit(tally)
    assert np.abs(plain.values - ours.values).max() < 0.02 * np.abs(plain.values).max()


def test_the_maximum_is_found_from_far_away() -> None:
    """Where a chance is nearly certain the curvature is next to nothing, and a whole step of Newton's flies off."""
    tally = FOUR.votes(200, np.random.default_rng(3))
    votes = bradley_terry._votes(tally, (), 0.1)
    found, _curvature = bradley_terry._maximum(votes, np.array([30.0, -30.0, 10.0, -10.0]))
    assert found == pytest.approx(fit(tally).values, abs=1e-9)


def test_a_tie_is_half_a_win_and_both_bad_is_nothing() -> None:
    votes = [(0, 1, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 2, 1.0), (2, 1, 1.0), (1, 2, 1.0)]
    tied = tally_of([*votes, (0, 2, 0.5), (2, 0, 0.5)], 3)
    halves = tally_of([*votes, (0, 2, 1.0), (0, 2, 0.0)], 3)
    assert fit(tied).values == pytest.approx(fit(halves).values)
    bad = tally_of([*votes, (0, 2, 0.5), (2, 0, 0.5), (0, 1, -1.0), (2, 1, -1.0)], 3)
    assert fit(bad).values == pytest.approx(fit(tied).values)
    assert fit(bad).covariance == pytest.approx(fit(tied).covariance)


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_neither_order_nor_sides_of_votes_matter(seed: int, count: int) -> None:
    tally = World((0.0, 1.0, -1.0), ties=0.2, both_bad=0.1).votes(count, np.random.default_rng(seed))
    order = list(range(count))
    random.Random(seed).shuffle(order)
    mirrored = Tally(
        tally.contestants,
        [tally.right[place] for place in order],
        [tally.left[place] for place in order],
        [tally.outcome[place] if tally.outcome[place] < 0 else 1 - tally.outcome[place] for place in order],
        [tally.prompt[place] for place in order],
    )
    one, other = fit(tally), fit(mirrored)
    assert other.values == pytest.approx(one.values, abs=1e-8)
    assert other.covariance == pytest.approx(one.covariance, abs=1e-8)


@given(st.integers(0, 2**32), st.integers(0, 40))
def test_all_is_finite_and_centred_whatever_the_votes(seed: int, count: int) -> None:
    chance = np.random.default_rng(seed)
    strengths = tuple(chance.normal(0, 6, 5).tolist())
    fitted = fit(World(strengths, ties=0.1, both_bad=0.2).votes(count, chance))
    assert np.isfinite(fitted.values).all()
    assert np.isfinite(fitted.covariance).all()
    assert fitted.values.sum() == pytest.approx(0, abs=1e-6)
    assert (np.linalg.eigvalsh(fitted.covariance) > -1e-9).all()


@pytest.mark.parametrize("wins", [1, 10, 1000, 100_000])
def test_who_won_all_is_far_ahead_and_very_unsure(wins: int) -> None:
    fitted = fit(tally_of([(0, 1, 1.0)] * wins, 2), uncertain=[0, 1])
    gap, error = difference(fitted, 0, 1)
    assert 0 < gap < 40
    assert error > 1.2  # logits: no upper end can be told
    assert gap * bradley_terry.POINTS < 4000


def test_without_votes_one_is_as_unsure_as_the_prior() -> None:
    fitted = fit(tally_of([], 2))
    assert difference(fitted, 0, 1) == (0.0, pytest.approx(math.sqrt(2 / bradley_terry.RIDGE)))
    assert fit(tally_of([], 0)).values.shape == (0,)


def test_groups_that_never_met_are_unsure_of_each_other_alone() -> None:
    votes = [(left, left + 1, outcome) for left in (0, 2) for outcome in (1.0, 0.0, 0.5) for _ in range(30)]
    fitted = fit(tally_of(votes, 4))
    assert difference(fitted, 0, 1)[1] < 0.3
    assert difference(fitted, 1, 2)[1] > 2


def test_four_hundred_points_are_ten_to_one() -> None:
    assert bradley_terry.sigma(400 / bradley_terry.POINTS) == pytest.approx(10 / 11)
    assert (bradley_terry.sigma(-1e9), bradley_terry.sigma(1e9)) == (pytest.approx(0), pytest.approx(1))


def test_with_one_vote_a_prompt_the_errors_are_those_of_a_robust_regression() -> None:
    """The sandwich written out densely, with the pseudo-inverse in place of the ridge."""
    tally = World((0.5, 0.0, -0.5), ties=0.2).votes(300, np.random.default_rng(8))
    rows = np.zeros((300, 3))
    rows[np.arange(300), tally.left] += 1
    rows[np.arange(300), tally.right] -= 1
    fitted = fit(tally, ridge=1e-9)
    share = special.expit(rows @ fitted.values)
    bread = np.linalg.pinv((rows * (share * (1 - share))[:, None]).T @ rows, rcond=1e-9, hermitian=True)
    scores = rows * (np.array(tally.outcome) - share)[:, None]
    factor = 300 / 299 * 299 / 298
    assert fitted.covariance == pytest.approx(bread @ scores.T @ scores @ bread * factor, rel=1e-4)
    assert fitted.clustered
    assert fitted.freedom == 299


def test_errors_of_features_that_go_with_contestants_are_those_of_a_robust_regression() -> None:
    """As above, with a feature that the first contestant alone has, so that the two are hard to tell apart."""
    tally = World((0.5, 0.0, -0.5), left=0.5).votes(400, np.random.default_rng(8))
    rows = np.zeros((400, 5))
    rows[np.arange(400), tally.left] += 1
    rows[np.arange(400), tally.right] -= 1
    rows[:, 3] = rows[:, 0] + 0.5 * np.random.default_rng(9).normal(size=400)
    rows[:, 4] = 1
    fitted = fit(tally, [Column("a", rows[:, 3], 0.1), Column("b", rows[:, 4], 0.1)], ridge=0.1)
    share = special.expit(rows @ fitted.values)
    bread = np.linalg.inv((rows * (share * (1 - share))[:, None]).T @ rows + 0.1 * np.eye(5))
    scores = rows * (np.array(tally.outcome) - share)[:, None]
    whole = bread @ (scores.T @ scores * 400 / 396 + 0.1 * np.eye(5)) @ bread
    centring = np.eye(5)
    centring[:3, :3] -= 1 / 3
    assert fitted.covariance == pytest.approx(centring @ whole @ centring.T)


def test_who_is_uncertain_is_as_unsure_as_the_model_says() -> None:
    even = tally_of([(0, 1, 1.0), (0, 1, 0.0)] * 30, 2)  # here the votes vary as the model says
    assert fit(even, uncertain=[0, 1]).covariance == pytest.approx(fit(even).covariance, rel=0.03)
    clear = tally_of([(0, 1, 1.0)] * 30, 2)
    fitted = fit(clear, uncertain=[0])
    assert difference(fitted, 0, 1)[1] == pytest.approx(
        math.sqrt(np.array([1, -1]) @ np.linalg.inv(fitted.curvature) @ np.array([1, -1])), rel=0.02
    )
    assert difference(fit(clear), 0, 1)[1] < 0.8 * difference(fitted, 0, 1)[1]


def test_votes_on_one_prompt_that_agree_count_as_less() -> None:
    world = World((0.3, 0.0, -0.3))
    once = world.votes(40, np.random.default_rng(4))
    prompts = list(range(40)) * 5
    five = Tally(once.contestants, [*once.left] * 5, [*once.right] * 5, [*once.outcome] * 5, prompts)
    apart = replace(five, prompt=list(range(200)))
    error, naive = difference(fit(five), 0, 1)[1], difference(fit(apart), 0, 1)[1]
    assert error == pytest.approx(naive * math.sqrt(5), rel=0.05)
    assert fit(five).values == pytest.approx(fit(apart).values)


def test_from_few_prompts_votes_are_taken_for_independent() -> None:
    tally = World((0.3, 0.0, -0.3)).votes(100, np.random.default_rng(4))
    alone = fit(replace(tally, prompt=[9] * 100))
    assert not alone.clustered
    assert difference(alone, 0, 1)[1] == pytest.approx(difference(fit(tally), 0, 1)[1])
    prompts = bradley_terry.FEWEST_CLUSTERS
    assert fit(replace(tally, prompt=[place % prompts for place in range(100)])).clustered
    assert not fit(replace(tally, prompt=[place % (prompts - 1) for place in range(100)])).clustered


@pytest.mark.parametrize(("spread", "per_prompt"), [(0.0, 1), (0.8, 5)])
def test_intervals_hold_the_truth_as_often_as_they_say(spread: float, per_prompt: int) -> None:
    truth = np.array([-0.5, 0.0, 0.5])
    world = World(tuple(truth), ties=0.0, prompt_spread=spread, votes_per_prompt=per_prompt)
    chance = np.random.default_rng(11)
    shrunk = truth if not spread else truth * _shrinkage(spread)
    held = 0
    for _ in range(250):
        fitted = fit(world.votes(120, chance))
        errors = student(fitted.freedom) * np.sqrt(np.diag(fitted.covariance))
        held += int((np.abs(fitted.values - shrunk) < errors).sum())
    assert 0.92 < held / 750 < 0.98


def _shrinkage(spread: float) -> float:
    """Averaged over prompts, a chance is nearer to one half: by how much, for strengths 0.5 apart."""
    moods = np.random.default_rng(0).normal(0, spread * math.sqrt(2), 400_000)
    return float(special.logit(special.expit(0.5 + moods).mean())) / 0.5

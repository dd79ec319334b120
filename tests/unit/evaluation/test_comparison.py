"""Intervals: against scipy's bootstrap, and what they promise."""

import random

import numpy as np
import pytest
from scipy import stats

from codette_desktop.evaluation.comparison import error_reduction, mean_interval, paired_difference


def test_the_interval_is_scipys() -> None:
    scores = [random.Random(number).random() for number in range(80)]
    ours = mean_interval(scores)
    theirs = stats.bootstrap((np.array(scores),), np.mean, n_resamples=10_000, method="percentile").confidence_interval
    assert ours.value == pytest.approx(np.mean(scores))
    assert ours.low == pytest.approx(theirs.low, abs=0.008)
    assert ours.high == pytest.approx(theirs.high, abs=0.008)
    assert mean_interval(scores) == ours


def test_pairing_sees_what_means_alone_would_not() -> None:
    chance = random.Random(3)
    hard = [chance.random() for _ in range(100)]
    ours = [min(1.0, score + 0.05 * chance.random()) for score in hard]
    assert paired_difference(ours, hard).excludes_zero
    assert mean_interval(ours).low < mean_interval(hard).high
    assert not paired_difference(hard, list(hard)).excludes_zero


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    chance = random.Random(5)
    truth, covered = 0.7, 0
    for trial in range(200):
        found = mean_interval([float(chance.random() < truth) for _ in range(100)], seed=trial, resamples=1000)
        covered += found.low <= truth <= found.high
    assert 180 <= covered <= 199


def test_the_error_avoided() -> None:
    assert error_reduction([1, 1, 1, 0], [1, 1, 0, 0]) == pytest.approx(0.5)
    assert error_reduction([1, 1], [1, 1]) == 0.0
    assert error_reduction([0, 1], [1, 1]) == 0.0


def test_there_must_be_something_to_compare() -> None:
    with pytest.raises(ValueError, match="no scores"):
        mean_interval([])
    with pytest.raises(ValueError, match=r"shorter|longer"):
        paired_difference([1.0], [1.0, 0.0])


@pytest.mark.parametrize(("right", "asked"), [(1, 1), (0, 3), (30, 30), (17, 40)])
def test_shares_of_right_answers_have_scipys_wilson_interval(right: int, asked: int) -> None:
    found = mean_interval([1.0] * right + [0.0] * (asked - right))
    wanted = stats.binomtest(right, asked).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-6)


def test_few_questions_settle_nothing() -> None:
    assert not paired_difference([1.0] * 10, [0.0] * 10).excludes_zero
    assert paired_difference([1.0] * 30, [0.0] * 30).excludes_zero

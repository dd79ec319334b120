"""Comparing two answerers on the same questions: the difference of their means, with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 10_000
LEVEL = 0.95
_ROWS = 500  # resamples drawn at once: bounds the memory for long suites


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its confidence interval."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside."""
        return self.low > 0 or self.high < 0


def mean_interval(scores: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The mean of `scores`, one a question, with its 95 % percentile bootstrap interval (Efron 1979).

    Raises ValueError for no scores. Equal arguments give equal intervals.
    """
    import numpy as np

    if not len(scores):
        raise ValueError("there are no scores to average")
    values = np.asarray(scores, dtype=np.float64)
    chance = np.random.default_rng(seed)
    means = [
        values[chance.integers(0, len(values), (min(_ROWS, resamples - done), len(values)))].mean(axis=1)
        for done in range(0, resamples, _ROWS)
    ]
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(np.concatenate(means), [tail, 100 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """The mean of `ours` less that of `theirs`, question by question, with its interval.

    Questions are drawn with both scores at once, so that what makes a question hard for both cancels (Koehn 2004).
    Raises ValueError where there are not as many of one as of the other.
    """
    differences = [one - other for one, other in zip(ours, theirs, strict=True)]
    return mean_interval(differences, seed=seed, resamples=resamples)


def error_reduction(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The share of the error (one less the mean score) of `theirs` that `ours` avoids; 0 where there was none."""
    before = 1 - sum(theirs) / len(theirs)
    after = 1 - sum(ours) / len(ours)
    return (before - after) / before if before > 0 else 0.0

"""Comparing two answerers on the same questions: the difference of their means, with an interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 10_000
LEVEL = 0.95
FEWEST = 20  # questions from which a difference is judged at all
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
    """The mean of `scores`, one a question, with its 95 % interval: Wilson's (1927) where all are 0 or 1, which says
    something of few questions too, else the percentile bootstrap's (Efron 1979).

    Raises ValueError for no scores. Equal arguments give equal intervals.
    """
    import numpy as np

    if not len(scores):
        raise ValueError("there are no scores to average")
    values = np.asarray(scores, dtype=np.float64)
    if bool(((values == 0) | (values == 1)).all()):
        return _wilson(float(values.mean()), len(values))
    return _bootstrap(scores, seed, resamples)


def _wilson(share: float, count: int) -> Interval:
    z = 1.959964  # the normal quantile of 97.5 %
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def _bootstrap(scores: Sequence[float], seed: int, resamples: int) -> Interval:
    import numpy as np

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
    if len(differences) < FEWEST:  # too little to resample: anything is possible
        return Interval(sum(differences) / max(1, len(differences)), -1.0, 1.0)
    if not any(differences):  # the rule of three: what never happened in n happens with at most 3/n (Hanley 1983)
        return Interval(0.0, -3 / len(differences), 3 / len(differences))
    return _bootstrap(differences, seed, resamples)


def error_reduction(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The share of the error (one less the mean score) of `theirs` that `ours` avoids; 0 where there was none."""
    before = 1 - sum(theirs) / len(theirs)
    after = 1 - sum(ours) / len(ours)
    return (before - after) / before if before > 0 else 0.0

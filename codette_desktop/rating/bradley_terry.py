"""Ratings from votes: the model of Bradley and Terry (1952), P(left beats right) = sigma(left - right + features).

Ties are half a win for each. Both-bad votes say nothing of who is better and are left out. Strengths are logits with a
mean of zero; `POINTS` makes of them what is read as Elo.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codette_desktop.domain.votes import Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

POINTS = 400 / math.log(10)  # a difference of 400 is ten to one
CENTRE = 1000.0
RIDGE = 0.1  # a prior: strengths are spread by about 3.2 logits (550 points). Keeps who always won at a finite rating
FEWEST_CLUSTERS = 12  # prompts from which they, and not votes, are taken for what is independent
_ROUNDS, _PRECISION = 100, 1e-7  # Newton squares the error: after a step this small it is 1e-14


@dataclass(frozen=True, slots=True)
class Column:
    """A feature of each vote that adds to the logit of the left answer, and the ridge on its weight."""

    name: str
    values: "Sequence[float] | NDArray[Any]"
    ridge: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Strengths in logits (mean zero), then the weights of the columns, as `values`, shape (contestants + columns,).

    `covariance` is that of `values`, robust against a wrong model and against votes on one prompt that go together;
    `curvature` is the Hessian of the penalised log-likelihood; both are square. `freedom` are the degrees of freedom
    for intervals; `clustered` says whether prompts were taken for what is independent.
    """

    values: "NDArray[Any]"
    covariance: "NDArray[Any]"
    curvature: "NDArray[Any]"
    freedom: float
    clustered: bool


@dataclass(frozen=True, slots=True)
class _Votes:
    """The rated votes as arrays, each counting `weight` times with the mean `outcome`. `features` has the shape (votes,
    columns); `penalty` is the diagonal of the ridge."""

    left: "NDArray[Any]"
    right: "NDArray[Any]"
    outcome: "NDArray[Any]"
    weight: "NDArray[Any]"
    prompt: "NDArray[Any]"
    features: "NDArray[Any]"
    penalty: "NDArray[Any]"
    contestants: int


def fit(
    tally: Tally,
    columns: Sequence[Column] = (),
    *,
    ridge: float = RIDGE,
    uncertain: Sequence[int] = (),
    connected: Sequence[int] | None = None,
) -> Fit:
    """The strengths that maximise the log-likelihood less ridge / 2 times their squares, by Newton's method.

    `uncertain` are places of contestants whose votes are explained too well to tell how sure they are (they won or
    lost all): their share of the covariance is that of the model instead. `connected` are those whose votes connect
    them (None: all), to whose mean their covariance is relative: who has never met them makes them no less sure.
    Raises nothing for no votes: all strengths are then zero and as unsure as the prior.
    """
    import numpy as np

    votes = _votes(tally, columns, ridge)
    if not len(tally.contestants):
        return Fit(votes.penalty, np.diag(votes.penalty), np.diag(votes.penalty), 1.0, False)
    values, curvature = _maximum(_summed(votes))
    if columns:
        values, curvature = _maximum(votes, values)
    covariance, freedom, clustered = _sandwich(votes, curvature, _expected(votes, values), uncertain, connected)
    return Fit(values, covariance, curvature, freedom, clustered)


def difference(fitted: Fit, first: int, second: int) -> tuple[float, float]:
    """How much stronger the first is than the second, in logits, and the standard error of that."""
    import numpy as np

    contrast = np.zeros(len(fitted.values))
    contrast[first], contrast[second] = 1, -1
    return float(contrast @ fitted.values), math.sqrt(max(0.0, float(contrast @ fitted.covariance @ contrast)))


def sigma(logit: float) -> float:
    """The chance whose logit it is."""
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, logit))))


def _votes(tally: Tally, columns: Sequence[Column], ridge: float) -> _Votes:
    import numpy as np

    outcome = np.asarray(tally.outcome, dtype=np.float64)
    rated = outcome >= 0
    size = len(tally.contestants)
    features = np.empty((int(rated.sum()), len(columns)))
    for place, column in enumerate(columns):
        features[:, place] = np.asarray(column.values, dtype=np.float64)[rated]
    return _Votes(
        np.asarray(tally.left, dtype=np.int64)[rated],
        np.asarray(tally.right, dtype=np.int64)[rated],
        outcome[rated],
        np.ones(len(features)),
        np.asarray(tally.prompt, dtype=np.int64)[rated],
        features,
        np.array([ridge] * size + [column.ridge for column in columns]),
        size,
    )


def _expected(votes: _Votes, values: "NDArray[Any]") -> "NDArray[Any]":
    import numpy as np

    logits = values[votes.left] - values[votes.right] + votes.features @ values[votes.contestants :]
    return 1 / (1 + np.exp(-np.clip(logits, -500, 500)))


def _score(votes: _Votes, residuals: "NDArray[Any]") -> "NDArray[Any]":
    """The design matrix transposed, times `residuals`."""
    import numpy as np

    plus = np.bincount(votes.left, residuals, votes.contestants)
    minus = np.bincount(votes.right, residuals, votes.contestants)
    return np.concatenate([plus - minus, votes.features.T @ residuals])


def _information(votes: _Votes, weights: "NDArray[Any]") -> "NDArray[Any]":
    """The design matrix transposed, times `weights`, times the design matrix."""
    import numpy as np

    size, columns = votes.contestants, votes.features.shape[1]
    met = np.bincount(votes.left * size + votes.right, weights, size * size).reshape(size, size)
    met = met + met.T
    matrix = np.zeros((size + columns, size + columns))
    matrix[:size, :size] = np.diag(met.sum(axis=1)) - met
    for place in range(columns):
        crossed = _score(votes, weights * votes.features[:, place])
        matrix[size + place, :] = crossed
        matrix[:, size + place] = crossed
    return matrix


def _summed(votes: _Votes) -> _Votes:
    """The votes with equal sides as one, without features: the likelihood is the same, and found far sooner."""
    import numpy as np

    size = votes.contestants
    cells = votes.left * size + votes.right
    weight = np.bincount(cells, minlength=size * size)
    met = np.flatnonzero(weight)
    outcome = np.bincount(cells, votes.outcome, size * size)[met] / weight[met]
    empty = np.empty((len(met), 0))
    return _Votes(met // size, met % size, outcome, weight[met], met, empty, votes.penalty[:size], size)


def _maximum(votes: _Votes, start: "NDArray[Any] | None" = None) -> "tuple[NDArray[Any], NDArray[Any]]":
    """The values, and the curvature there. `start` are strengths near which they lie."""
    import numpy as np

    values = np.zeros(len(votes.penalty))
    if start is not None:
        values[: len(start)] = start
    expected = _expected(votes, values)
    for _ in range(_ROUNDS):
        gradient = _score(votes, votes.weight * (votes.outcome - expected)) - votes.penalty * values
        curvature = _information(votes, votes.weight * expected * (1 - expected)) + np.diag(votes.penalty)
        step = np.linalg.solve(curvature, gradient)
        # Newton overshoots where votes are nearly separated; a step of two logits is enough for any rating.
        values = values + step * min(1.0, 2 / max(1e-300, float(np.abs(step).max(initial=0.0))))
        expected = _expected(votes, values)
        if np.abs(step).max(initial=0.0) < _PRECISION:
            break
    return values, _information(votes, votes.weight * expected * (1 - expected)) + np.diag(votes.penalty)


def _sandwich(
    votes: _Votes,
    curvature: "NDArray[Any]",
    expected: "NDArray[Any]",
    uncertain: Sequence[int],
    connected: Sequence[int] | None,
) -> "tuple[NDArray[Any], float, bool]":
    """The robust covariance (Huber 1967), clustered by prompt (Liang and Zeger 1986) where there are enough prompts.

    The scores vary as the votes do, and, for what the prior adds to the curvature, as the prior does: so that who has
    no votes is as unsure as the prior.
    """
    import numpy as np

    residuals, variances = votes.outcome - expected, expected * (1 - expected)
    prompts, cluster = np.unique(votes.prompt, return_inverse=True)
    clustered = len(prompts) >= FEWEST_CLUSTERS
    groups = len(prompts) if clustered else len(residuals)
    spread = _spread(votes, residuals, cluster, groups) if clustered else _information(votes, residuals**2)
    parameters = len(votes.penalty) - 1
    if groups > parameters + 1:  # the degrees of freedom that the fit has used (Cameron and Miller 2015)
        spread = spread * groups / (groups - 1) * max(1, len(residuals) - 1) / max(1, len(residuals) - parameters)
    if uncertain:  # votes that were all foreseen: how far they may deviate is for the model to say
        concerned = np.isin(votes.left, uncertain) | np.isin(votes.right, uncertain)
        spread = spread + _information(votes, concerned * np.maximum(0.0, variances - residuals**2))
    spread = spread + np.diag(votes.penalty)
    together = list(range(votes.contestants)) if connected is None else list(connected)
    centred = np.linalg.inv(curvature)
    if together:  # ratings are relative to their mean, whose own spread is the prior's
        centred[together] -= centred[together].mean(axis=0)
    return centred @ spread @ centred.T, float(max(1, groups - 1)), clustered


def _spread(votes: _Votes, residuals: "NDArray[Any]", cluster: "NDArray[Any]", groups: int) -> "NDArray[Any]":
    """The sum over clusters of the outer product of each cluster's score."""
    import numpy as np

    size = votes.contestants
    scores = np.zeros((groups, len(votes.penalty)))
    plus = np.bincount(cluster * size + votes.left, residuals, groups * size)
    minus = np.bincount(cluster * size + votes.right, residuals, groups * size)
    scores[:, :size] = (plus - minus).reshape(groups, size)
    for place in range(votes.features.shape[1]):
        scores[:, size + place] = np.bincount(cluster, residuals * votes.features[:, place], groups)
    return scores.T @ scores

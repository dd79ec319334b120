"""Tests that stay valid however often one looks: e-processes and confidence sequences for the votes of one pair.

An e-process is a wager against a hypothesis that nobody can win if the hypothesis is true: the chance that its capital
ever reaches 1 / alpha is at most alpha (Ville 1939). Both used here depend on the counts alone, so that the same votes
in another order say the same.
"""

import math
from typing import TYPE_CHECKING, Any

from codette_desktop.rating.intervals import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEPS = 60  # halvings of an interval: more than a float has bits for
BETS = 20  # wagers held at once in `log_capital`; more gain less than one vote
_SMALL, _LARGE = 1, 4  # the powers of b and 1 - b that share the capital out, Beta(2, 5): small stakes find small gaps


def log_e_value(wins: float, losses: float, share: float = 0.5) -> float:
    """The logarithm of the evidence against "each decisive vote is a win with chance `share`", two-sided.

    The likelihood ratio of a uniform mixture of all chances to `share`: B(1 + w, 1 + l) / (share^w (1 - share)^l)
    (Beta(1, 1)-mixture; Robbins 1970).
    """
    return _log_mixture(wins, losses) - wins * math.log(share) - losses * math.log1p(-share)


def _log_mixture(wins: float, losses: float) -> float:
    return math.lgamma(1 + wins) + math.lgamma(1 + losses) - math.lgamma(2 + wins + losses)


def confidence_sequence(wins: int, losses: int, alpha: float) -> Interval:
    """The share of wins, with all shares against which the evidence is below 1 / `alpha`.

    With a chance of at least 1 - `alpha` the bounds hold the true share at every number of votes at once. The value is
    0.5 and the bounds 0 and 1 without votes.
    """
    votes = wins + losses
    if not votes:
        return Interval(0.5, 0.0, 1.0)
    value, limit = wins / votes, _log_mixture(wins, losses) + math.log(alpha)

    def bound(outside: float) -> float:
        inside = value
        for _ in range(_STEPS):
            middle = (inside + outside) / 2
            likelihood = wins * math.log(middle) + losses * math.log1p(-middle) if 0 < middle < 1 else -math.inf
            if likelihood <= limit:
                outside = middle
            else:
                inside = middle
        return outside

    return Interval(value, bound(0.0), bound(1.0))


def log_capital(wins: Any, losses: Any, ties: Any, mean: Any) -> "NDArray[Any]":
    """The logarithm of the capital won by betting that the mean of outcomes (1, 0 and, for a tie, 1/2) exceeds `mean`.

    Arrays of any shapes that broadcast; `mean` within (0, 1). BETS wagers are held at once, each putting the share
    b / (BETS + 1) of all that could be lost on every vote (diversified Kelly bets: Waudby-Smith and Ramdas 2024,
    "Estimating means of bounded random variables by betting"). Ties thereby count for equality, which a binomial test
    would throw away. Two alike with 25 % ties need a median of 201 votes to be found within 0.1 of one half; with all
    wagers alike it were 241, with bets that adapt from vote to vote (and depend on their order) 295.
    """
    import numpy as np

    mean = np.asarray(mean, dtype=np.float64)[..., None]
    stakes = np.arange(1, BETS + 1) / (BETS + 1)
    shares = stakes**_SMALL * (1 - stakes) ** _LARGE
    wealth = (
        np.asarray(wins)[..., None] * np.log1p(stakes * (1 - mean) / mean)
        + np.asarray(losses)[..., None] * np.log1p(-stakes)
        + np.asarray(ties)[..., None] * np.log1p(stakes * (0.5 - mean) / mean)
        + np.log(shares / shares.sum())
    )
    top = wealth.max(axis=-1)
    return top + np.log(np.exp(wealth - top[..., None]).sum(axis=-1))


def equivalence_bounds(wins: int, losses: int, ties: int, alpha: float) -> Interval:
    """The mean outcome, a tie being half a win, with a lower and an upper bound that each hold at every number of
    votes at once with a chance of 1 - `alpha`.

    Each at `alpha` by itself, not by half of it, since they serve two one-sided tests (Schuirmann 1987): that the mean
    lies within a margin is only said where both alternatives are refuted, of which but one can be true.
    """
    votes = wins + losses + ties
    if not votes:
        return Interval(0.5, 0.0, 1.0)
    low = _lower_bound(wins, losses, ties, -math.log(alpha))
    high = 1 - _lower_bound(losses, wins, ties, -math.log(alpha))
    return Interval((wins + ties / 2) / votes, low, high)


def _lower_bound(wins: int, losses: int, ties: int, limit: float) -> float:
    """The least mean that is not refuted from below: the capital falls as the mean rises, so it is bisected, on a grid
    that is refined four times."""
    import numpy as np

    low, high = 0.0, 1.0
    for _ in range(4):
        grid = np.linspace(low, high, 34)[1:-1]
        refuted = int((log_capital(wins, losses, ties, grid) >= limit).sum())
        edges = [low, *grid.tolist(), high]
        low, high = edges[refuted], edges[refuted + 1]
    return low

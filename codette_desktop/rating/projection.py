"""How many more votes it takes until a pair is settled or equally good, at the rate at which votes have come."""

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from codette_desktop.rating.counts import PairCount
from codette_desktop.rating.sequential import log_capital

if TYPE_CHECKING:
    from numpy.typing import NDArray

FURTHEST = 1000  # more are not counted: nobody casts them, and nobody can foresee them
_FUTURES, _LOOKS = 160, 30
_PRIOR = (1.5, 1.5, 0.8, 0.2)  # votes thought seen before the first: wins, losses, ties, both bad
_SEED = 2403  # the same votes foretell the same


@lru_cache(4096)  # a vote changes one pair, and the window asks for all of them again
def more_votes(count: PairCount, *, alpha: float, margin: float | None, fewest_decisive: int) -> int | None:
    """The number of further votes, ties and both-bad ones among them, that is as likely too small as too large.

    Futures are drawn from what the votes leave possible (the posterior predictive distribution), and each is followed
    to the first verdict at `alpha` for this pair alone; the answer is their median. A single future that goes on at
    the average rate would come later: luck on the way ends most of them sooner. None for more than FURTHEST; at least
    1, and two significant digits, since no more are known.
    """
    import numpy as np

    looks = np.unique(np.geomspace(1, FURTHEST, _LOOKS).round().astype(np.int64))
    chance = np.random.default_rng(_SEED)
    seen = np.array([count.wins, count.losses, count.ties, count.both_bad])
    rates = chance.dirichlet(seen + np.array(_PRIOR), _FUTURES)
    steps = chance.multinomial(np.diff(looks, prepend=0)[:, None], rates)
    wins, losses, ties = np.moveaxis(seen + steps.cumsum(axis=0), -1, 0)[:3]
    ended = _settled(wins, losses, alpha) & (wins + losses >= fewest_decisive)
    if margin is not None:
        limit = -math.log(alpha)
        equal = log_capital(wins, losses, ties, 0.5 - margin) >= limit
        ended |= equal & (log_capital(losses, wins, ties, 0.5 - margin) >= limit)
    share = np.logical_or.accumulate(ended, axis=0).mean(axis=1)
    if share[-1] < 0.5:
        return None
    median = float(np.interp(0.5, np.concatenate([[0.0], share]), np.concatenate([[0], looks])))
    number = max(1, math.ceil(median))
    return round(number, 1 - math.floor(math.log10(number)))


def _settled(wins: "NDArray[Any]", losses: "NDArray[Any]", alpha: float) -> "NDArray[Any]":
    """Whether the e-value of `sequential.log_e_value` has reached 1 / alpha, for arrays."""
    evidence = _log_factorial(wins) + _log_factorial(losses) - _log_factorial(wins + losses + 1)
    return evidence + (wins + losses) * math.log(2) >= -math.log(alpha)


def _log_factorial(numbers: "NDArray[Any]") -> "NDArray[Any]":
    """The logarithm of n!, for whole n."""
    import numpy as np

    return np.cumsum(np.log(np.maximum(1, np.arange(int(numbers.max()) + 1))))[numbers]

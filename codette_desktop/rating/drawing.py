"""Who meets whom next: where a vote teaches most."""

import random
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from codette_desktop.domain.duels import StoppingRule
from codette_desktop.domain.votes import Contestant, Tally
from codette_desktop.rating import bradley_terry
from codette_desktop.rating.counts import PairCount, among, pair_counts
from codette_desktop.rating.verdict import State, state

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pair = tuple[int, int]
_ALIKE = 1e-9  # relative: gains this near are equal but for rounding


def next_pair(
    contestants: Sequence[Contestant],
    tally: Tally,
    *,
    chance: random.Random,
    rule: StoppingRule | None = None,
    pending: Sequence[Pair] = (),
    drawable: Collection[Pair] | None = None,
) -> Pair | None:
    """The places in `contestants` of the two who answer next, the lower first; None where nobody should.

    Each pair is drawn once at first. After that the pair is drawn whose next vote is expected to reduce the variance
    of the difference of its ratings most (the rule of arXiv 2403.04132). `rule` leaves out the pairs that are settled
    or equally good by it, and all of them once votes and pending ones are as many as it allows; without it none is
    left out. `pending` are pairs whose answers are prepared but not voted on, in any order, as often as they are.
    `drawable` are those for which a prompt is left, in any order (None for all). Equals are told apart by `chance`.
    Sides are drawn elsewhere (see `sides`).
    """
    tally = among(tally, contestants)
    if rule is not None and len(tally.outcome) + len(pending) >= rule.most_votes:
        return None
    counts = pair_counts(tally)
    waiting = Counter((min(pair), max(pair)) for pair in pending)
    allowed = None if drawable is None else {(min(pair), max(pair)) for pair in drawable}
    level = 0.0 if rule is None else rule.alpha / max(1, len(counts))
    candidates = [
        count
        for count in counts
        if (allowed is None or (count.first, count.second) in allowed)
        and (rule is None or state(count, level, rule.margin) not in (State.SETTLED, State.EQUALLY_GOOD))
    ]
    if not candidates:
        return None
    unseen = [count for count in candidates if not count.votes + waiting[count.first, count.second]]
    if unseen:
        chosen = chance.choice(unseen)
    else:
        gains = _gains(tally, candidates, waiting)
        best = max(gains) * (1 - _ALIKE)
        chosen = chance.choice([count for count, gain in zip(candidates, gains, strict=True) if gain >= best])
    return chosen.first, chosen.second


def _gains(tally: Tally, candidates: Sequence[PairCount], waiting: "Counter[Pair]") -> list[float]:
    """By how much one more vote is expected to reduce the variance of each candidate's difference, in squared logits.

    A vote adds p (1 - p) to the information along the difference, whose variance v thereby falls to v / (1 + p (1 - p)
    v) (Sherman and Morrison 1950). Pairs often called both bad teach less: theirs counts by the share that is rated.
    """
    import numpy as np

    fitted = bradley_terry.fit(tally)
    information = fitted.curvature.copy()
    for (first, second), times in waiting.items():
        _add(information, first, second, times * _weight(fitted.values, first, second))
    covariance = np.linalg.inv(information)
    gains: list[float] = []
    for count in candidates:
        i, j = count.first, count.second
        variance = float(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j])
        weight = _weight(fitted.values, i, j)
        rated = (count.rated + 1) / (count.votes + 1)
        gains.append(rated * weight * variance**2 / (1 + weight * variance))
    return gains


def _weight(values: "NDArray[Any]", first: int, second: int) -> float:
    """p (1 - p): the information of one vote."""
    share = bradley_terry.sigma(float(values[first] - values[second]))
    return share * (1 - share)


def _add(information: "NDArray[Any]", first: int, second: int, weight: float) -> None:
    information[first, first] += weight
    information[second, second] += weight
    information[first, second] -= weight
    information[second, first] -= weight

"""What may be said of a pair, and whether an experiment has its answer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from codette_desktop.domain.duels import Ending, StoppingRule
from codette_desktop.domain.quantiles import student
from codette_desktop.domain.votes import Tally
from codette_desktop.rating.bradley_terry import Fit, difference, fit, sigma
from codette_desktop.rating.counts import PairCount, pair_counts
from codette_desktop.rating.intervals import Interval
from codette_desktop.rating.projection import FURTHEST, more_votes
from codette_desktop.rating.sequential import confidence_sequence, equivalence_bounds, log_capital, log_e_value
from codette_desktop.rating.support import one_sided, supports

FEWEST_DECISIVE = 10  # votes for one of the two, below which nobody is called ahead
_LARGEST = 700.0  # of a logarithm whose exponential is a float


class State(StrEnum):
    """How far the question of a pair has come."""

    TOO_EARLY = "too early"  # fewer than FEWEST_DECISIVE votes for one of the two
    LEANING = "leaning"  # one may be ahead, but it could still be chance
    SETTLED = "settled"  # one is preferred: the e-process has reached its threshold
    EQUALLY_GOOD = "equally good"  # whatever difference there is, it is smaller than the margin


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """All that is known of a pair; shares and probabilities are those of the first contestant, 0 to 1.

    `share` is that of the decisive votes, with a confidence sequence: its bounds hold however often one looks, and
    exclude one half where the pair is settled. `mean` counts a tie as half a win; its bounds hold likewise,
    each alone at alpha (as in two one-sided tests), and lie within the margin where both are equally good.
    `probability` is P(first beats second) of the Bradley-Terry model, from all votes among all contestants, with a
    95 % interval for one look; nothing is concluded from it. `e_value` is compared with `threshold`.
    `more_votes` says how many more votes of this pair (ties and both-bad among them) it takes at this rate until it is
    settled or equally good: 0 where it is, None for more than 1,000.
    """

    count: PairCount
    state: State
    share: Interval
    mean: Interval
    probability: Interval
    e_value: float
    threshold: float
    more_votes: int | None

    @property
    def first(self) -> int:
        """The place of the first contestant in the tally."""
        return self.count.first

    @property
    def second(self) -> int:
        """The place of the second contestant in the tally."""
        return self.count.second

    @property
    def ahead(self) -> int | None:
        """The place of the one with more wins so far, None where they have as many. No verdict: see `winner`."""
        if self.count.wins == self.count.losses:
            return None
        return self.first if self.count.wins > self.count.losses else self.second

    @property
    def winner(self) -> int | None:
        """The place of the one that is preferred; None unless the pair is settled."""
        return self.ahead if self.state is State.SETTLED else None

    @property
    def win_share(self) -> float:
        """Wins of the first among all votes but both-bad ones, 0 to 1 (0 without votes)."""
        return self.count.wins / max(1, self.count.rated)

    @property
    def tie_share(self) -> float:
        """Ties among all votes but both-bad ones, 0 to 1 (0 without votes)."""
        return self.count.ties / max(1, self.count.rated)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """Where an experiment stands. `ending` is None while it goes on; `more_votes` until it ends at this rate, never
    more than its rule allows; `settled` counts the pairs with a verdict (settled or equally good)."""

    ending: Ending | None
    pairs: tuple[PairVerdict, ...]
    votes: int
    settled: int
    more_votes: int


def verdicts(tally: Tally, *, alpha: float = 0.05, margin: float | None = None) -> tuple[PairVerdict, ...]:
    """The verdict on each pair of `tally.contestants`.

    `alpha` bounds the chance that any of them is wrong: each pair answers for its share of it (Bonferroni). No pair
    is called equally good where `margin` is None.
    """
    counts = pair_counts(tally)
    uncertain = one_sided(supports(counts, len(tally.contestants)))
    return judge(counts, fit(tally, uncertain=uncertain), alpha=alpha, margin=margin)


def judge(
    counts: Sequence[PairCount], fitted: Fit, *, alpha: float, margin: float | None = None
) -> tuple[PairVerdict, ...]:
    """`verdicts` of votes that are counted and fitted already. `counts` holds every pair, also those without votes."""
    level = alpha / max(1, len(counts))
    return tuple(_verdict(count, fitted, level, margin) for count in counts)


def state(count: PairCount, level: float, margin: float | None) -> State:
    """The state of a pair that may be wrong with a chance of `level`. A preference that is settled goes before its
    being smaller than the margin: it says more."""
    limit = -math.log(level)
    if count.decisive >= FEWEST_DECISIVE and log_e_value(count.wins, count.losses) >= limit:
        return State.SETTLED
    if margin is not None and _within(count, limit, margin):
        return State.EQUALLY_GOOD
    return State.LEANING if count.decisive >= FEWEST_DECISIVE else State.TOO_EARLY


def _within(count: PairCount, limit: float, margin: float) -> bool:
    """Whether the mean outcome is refuted to lie `margin` or further from one half, on either side."""
    above = log_capital(count.wins, count.losses, count.ties, 0.5 - margin)
    below = log_capital(count.losses, count.wins, count.ties, 0.5 - margin)
    return min(float(above), float(below)) >= limit


def _verdict(count: PairCount, fitted: Fit, level: float, margin: float | None) -> PairVerdict:
    found = state(count, level, margin)
    logit, error = difference(fitted, count.first, count.second)
    half = student(fitted.freedom) * error
    further: int | None = 0
    if found not in (State.SETTLED, State.EQUALLY_GOOD):
        further = more_votes(count, alpha=level, margin=margin, fewest_decisive=FEWEST_DECISIVE)
    return PairVerdict(
        count=count,
        state=found,
        share=confidence_sequence(count.wins, count.losses, level),
        mean=equivalence_bounds(count.wins, count.losses, count.ties, level),
        probability=Interval(sigma(logit), sigma(logit - half), sigma(logit + half)),
        e_value=math.exp(min(_LARGEST, log_e_value(count.wins, count.losses))),
        threshold=1 / level,
        more_votes=further,
    )


def conclude(tally: Tally, rule: StoppingRule) -> Conclusion:
    """Whether an experiment is over under its rule, and why. `tally` must hold all its contestants (see `among`)."""
    pairs = verdicts(tally, alpha=rule.alpha, margin=rule.margin)
    votes = len(tally.outcome)
    settled = sum(pair.more_votes == 0 for pair in pairs)
    ending = None
    if pairs and settled == len(pairs):
        ending = Ending.SETTLED
    elif votes >= rule.most_votes:
        ending = Ending.MOST_VOTES
    wanted = sum(FURTHEST if pair.more_votes is None else pair.more_votes for pair in pairs)
    further = 0 if ending else min(wanted, rule.most_votes - votes)
    return Conclusion(ending, pairs, votes, settled, further)

"""The order of all contestants, with honest intervals."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from codette_desktop.domain.quantiles import student
from codette_desktop.domain.votes import STYLE_FEATURES, Contestant, Exclusion, Tally
from codette_desktop.rating import bradley_terry
from codette_desktop.rating.bradley_terry import CENTRE, POINTS, Column, Fit
from codette_desktop.rating.counts import PairCount, pair_counts
from codette_desktop.rating.intervals import Interval
from codette_desktop.rating.position import PositionCheck, check_position
from codette_desktop.rating.support import Support, one_sided, supports
from codette_desktop.rating.verdict import PairVerdict, judge

VOTES_PER_PARAMETER = 10
STYLE_RIDGE = 0.5  # as in FastChat's style control
LEFT = "left"  # the name of the effect of standing on the left


MET = (Support.RATED, Support.ONE_SIDED)  # those whose votes connect them


class Control(StrEnum):
    """What is taken out of the ratings."""

    STYLE = "style"  # length, headers, lists and bold of the answers
    POSITION = "position"  # the side on which an answer stood


@dataclass(frozen=True, slots=True)
class Standing:
    """One row. `rating` has a 95 % interval, in points as of Elo (400 are odds of ten to one; the mean is 1000).

    `rank` is one more than the number of contestants whose lower bound lies above this one's upper bound; many may
    share one. It is None for who has not met those who are compared: its rating is then relative to nothing. `share` is
    that of wins among all votes but both-bad ones, a tie being half a win; 0.5 without votes.
    """

    place: int
    contestant: Contestant
    rating: Interval
    rank: int | None
    wins: int
    losses: int
    ties: int
    both_bad: int
    share: float
    support: Support

    @property
    def votes(self) -> int:
        """All votes in which it stood."""
        return self.wins + self.losses + self.ties + self.both_bad


@dataclass(frozen=True, slots=True)
class Effect:
    """What a feature is worth by itself, in points of rating: the left side, or an answer whose feature is greater by
    one standard deviation. `name` is one of STYLE_FEATURES or "left"."""

    name: str
    points: Interval


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Standings, the highest rating first, and what else the votes say.

    `votes` are all that count, `both_bad` those of them that no rating follows from; `excluded` and `taken_back` were
    left out before. `missing_votes` is how many more it takes before what was asked for in `controls` can be taken
    out: where it is not 0, `effects` is empty and the ratings are plain. `prompts` counts different ones; intervals
    treat votes on the same prompt as depending on each other where `clustered`.
    """

    standings: tuple[Standing, ...]
    pairs: tuple[PairVerdict, ...]
    position: PositionCheck
    effects: tuple[Effect, ...]
    missing_votes: int
    votes: int
    both_bad: int
    prompts: int
    clustered: bool
    excluded: tuple[tuple[Exclusion, int], ...]
    taken_back: int


def leaderboard(
    tally: Tally, *, alpha: float = 0.05, margin: float | None = None, controls: Collection[Control] = ()
) -> Leaderboard:
    """The leaderboard of `tally`. `alpha` and `margin` are those of `verdicts`; control of style needs `tally.style`.

    The order of votes does not matter. Blocking for about 0.1 s with 100,000 votes: not for the thread of a window.
    Raises ValueError where the style is to be controlled and the tally does not hold it.
    """
    import numpy as np

    counts = pair_counts(tally)
    votes, bad = sum(count.votes for count in counts), sum(count.both_bad for count in counts)
    missing = max(0, fewest_votes(len(tally.contestants), controls) - (votes - bad)) if controls else 0
    columns = () if missing else _columns(tally, controls)
    supported = supports(counts, len(tally.contestants))
    connected = [place for place, item in enumerate(supported) if item in MET]
    fitted = bradley_terry.fit(tally, columns, uncertain=one_sided(supported), connected=connected)
    return Leaderboard(
        standings=_standings(tally, counts, supported, fitted),
        pairs=judge(counts, fitted, alpha=alpha, margin=margin),
        position=check_position(tally, alpha),
        effects=_effects(fitted, columns),
        missing_votes=missing,
        votes=votes,
        both_bad=bad,
        prompts=len(np.unique(np.asarray(tally.prompt, dtype=np.int64))),
        clustered=fitted.clustered,
        excluded=tally.excluded,
        taken_back=tally.taken_back,
    )


def fewest_votes(contestants: int, controls: Collection[Control]) -> int:
    """How many votes (both-bad ones aside) it takes before `controls` are offered: ten for each parameter."""
    features = len(STYLE_FEATURES) * (Control.STYLE in controls) + (Control.POSITION in controls)
    return VOTES_PER_PARAMETER * (max(0, contestants - 1) + features)


def _columns(tally: Tally, controls: Collection[Control]) -> tuple[Column, ...]:
    """The features to be controlled. Those of style are scaled by their root mean square: about zero and not about
    their mean, since they are differences between sides that were drawn, and a vote must say the same mirrored."""
    import numpy as np

    columns: list[Column] = []
    if Control.STYLE in controls:
        if not tally.style:
            raise ValueError("the tally does not hold the style of the answers")
        rated = np.asarray(tally.outcome, dtype=np.float64) >= 0
        for name, values in zip(STYLE_FEATURES, tally.style, strict=True):
            column = np.asarray(values, dtype=np.float64)
            scale = math.sqrt(float((column[rated] ** 2).mean()))
            columns.append(Column(name, column / scale if scale else column, STYLE_RIDGE))
    if Control.POSITION in controls:
        columns.append(Column(LEFT, np.ones(len(tally.outcome)), bradley_terry.RIDGE))
    return tuple(columns)


def _effects(fitted: Fit, columns: Sequence[Column]) -> tuple[Effect, ...]:
    size = len(fitted.values) - len(columns)
    return tuple(Effect(column.name, _points(fitted, size + place, 0.0)) for place, column in enumerate(columns))


def _points(fitted: Fit, place: int, centre: float) -> Interval:
    value = centre + POINTS * float(fitted.values[place])
    half = POINTS * student(fitted.freedom) * math.sqrt(max(0.0, float(fitted.covariance[place, place])))
    return Interval(value, value - half, value + half)


def _standings(
    tally: Tally, counts: Sequence[PairCount], supported: Sequence[Support], fitted: Fit
) -> tuple[Standing, ...]:
    ratings = [_points(fitted, place, CENTRE) for place in range(len(tally.contestants))]
    compared = [rating for rating, support in zip(ratings, supported, strict=True) if support in MET]
    rows: list[Standing] = []
    for place, contestant in enumerate(tally.contestants):
        first = [count for count in counts if count.first == place]
        second = [count for count in counts if count.second == place]
        wins = sum(count.wins for count in first) + sum(count.losses for count in second)
        losses = sum(count.losses for count in first) + sum(count.wins for count in second)
        ties = sum(count.ties for count in first + second)
        rated = wins + losses + ties
        row = Standing(
            place=place,
            contestant=contestant,
            rating=ratings[place],
            rank=1 + sum(other.low > ratings[place].high for other in compared) if supported[place] in MET else None,
            wins=wins,
            losses=losses,
            ties=ties,
            both_bad=sum(count.both_bad for count in first + second),
            share=(wins + ties / 2) / rated if rated else 0.5,
            support=supported[place],
        )
        rows.append(row)
    return tuple(sorted(rows, key=lambda row: (row.rank is None, -row.rating.value, row.place)))

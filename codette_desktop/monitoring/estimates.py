"""How far two groups of measurements lie apart, with an interval: ratios of times, differences of shares."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

from codette_desktop.domain.quantiles import LEVEL, student
from codette_desktop.monitoring.figures import median_and_mad, wilson_lower

FEWEST = 20  # measurements on each side
FEWEST_DAYS = 3
DAY_S = 86_400.0
_WINSOR = 3.5 * 1.4826  # median absolute deviations: what is further away counts as if it were there

Timed = tuple[float, float]  # when (seconds since 1970), and the value


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference or a ratio less one (0.12: 12 % more) with its interval."""

    value: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.low > 0 or self.high < 0


def ratio(ours: Sequence[Timed], theirs: Sequence[Timed], level: float = LEVEL) -> Estimate | None:
    """How much more `ours` are than `theirs`, as the ratio of geometric means less one; values above 0 only.

    Answers of one day are alike (what else ran, how long the prompts were), so that the day is the unit: standard
    errors are clustered by day (Liang and Zeger 1986), degrees of freedom are Welch's (1947). Logarithms further than
    3.5 robust standard deviations from their median are drawn in there (Tukey's winsorising), so that one answer that
    hung says little. None for fewer than 20 values or three days on a side.
    """
    one, other = _log_mean(ours), _log_mean(theirs)
    if one is None or other is None:
        return None
    variance = one.variance + other.variance
    parts = one.variance**2 / (one.days - 1) + other.variance**2 / (other.days - 1)
    freedom = variance**2 / parts if parts > 0 else math.inf
    half = student(min(freedom, 1e6), level) * math.sqrt(variance)
    gap = one.mean - other.mean
    return Estimate(math.expm1(gap), math.expm1(gap - half), math.expm1(gap + half))


@dataclass(frozen=True, slots=True)
class _LogMean:
    mean: float
    variance: float  # of the mean
    days: int


def _log_mean(timed: Sequence[Timed]) -> _LogMean | None:
    kept = [item for item in timed if 0 < item[1] < math.inf]
    logs = [math.log(value) for _at, value in kept]
    if len(kept) < FEWEST:
        return None
    middle, mad = median_and_mad(logs)
    far = _WINSOR * mad if mad else math.inf
    low, high = middle - far, middle + far
    logs = [low if log < low else min(log, high) for log in logs]  # min and max would take twice as long
    mean, count = fmean(logs), len(logs)
    by_day: dict[float, float] = defaultdict(float)
    for (at, _value), log in zip(kept, logs, strict=True):
        by_day[at // DAY_S] += log - mean
    days = len(by_day)
    if days < FEWEST_DAYS:
        return None
    clustered = days / (days - 1) * sum(total**2 for total in by_day.values()) / count**2
    alone = sum([(log - mean) ** 2 for log in logs]) / (count - 1) / count
    return _LogMean(mean, max(clustered, alone), days)  # days can cancel by chance, never below what values allow


def share_difference(hits: int, count: int, their_hits: int, their_count: int, level: float = LEVEL) -> Estimate | None:
    """How much larger the share `hits` of `count` is than theirs: Newcombe's (1998) interval from Wilson's of each.

    None for fewer than 20 on a side.
    """
    if min(count, their_count) < FEWEST:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    one, other = hits / count, their_hits / their_count
    low, high = _wilson(hits, count, z)
    their_low, their_high = _wilson(their_hits, their_count, z)
    below, above = math.hypot(one - low, their_high - other), math.hypot(high - one, other - their_low)
    return Estimate(one - other, one - other - below, one - other + above)


def _wilson(hits: int, count: int, z: float) -> tuple[float, float]:
    return wilson_lower(hits, count, z), 1 - wilson_lower(count - hits, count, z)

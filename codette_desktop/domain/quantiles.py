"""Quantiles of values and of Student's distribution, without scipy, which a person's installation does not have."""

import math
from collections.abc import Sequence
from statistics import NormalDist

LEVEL = 0.95  # of all intervals that hold for one look


def student(freedom: float, level: float = LEVEL) -> float:
    """The half-width of a two-sided interval at `level`, in standard errors, with `freedom` degrees of freedom.

    The expansion of Fisher and Cornish (1960) around the normal quantile; off by less than 0.5 % from five degrees
    on. Fewer than three count as three: then nothing is known of the spread, and the expansion diverges.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    n = max(3.0, freedom)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of them lie, by linear interpolation (numpy's default, Hyndman and Fan's
    type 7). Raises ValueError for no values."""
    if not values:
        raise ValueError("there are no values")
    ordered = sorted(values)  # at once where they are in order already
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])

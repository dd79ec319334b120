"""Small statistics of the monitoring, without numpy: median, median absolute deviation, Wilson's bound."""

import math
from collections.abc import Sequence
from statistics import median


def median_and_mad(values: Sequence[float]) -> tuple[float, float]:
    """The median and the median absolute deviation from it, not scaled. Raises StatisticsError for no values."""
    middle = median(values)
    return middle, median([abs(value - middle) for value in values])


def wilson_lower(hits: int, count: int, z: float = 1.0) -> float:
    """The lower bound of Wilson's (1927) interval of a share, `z` standard errors below it; 0 for a count of 0."""
    if count <= 0:
        return 0.0
    share = hits / count
    middle = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, (middle - half) / (1 + z * z / count))

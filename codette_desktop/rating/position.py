"""Whether the person prefers a side, whoever stands there."""

import math
from dataclasses import dataclass

from codette_desktop.domain.votes import Tally
from codette_desktop.rating.intervals import Interval
from codette_desktop.rating.sequential import confidence_sequence, log_e_value

_LARGEST = 700.0  # of a logarithm whose exponential is a float


@dataclass(frozen=True, slots=True)
class PositionCheck:
    """How often the left answer won. `share` is that of decisive votes with its confidence sequence, 0 to 1.

    `e_value` is the evidence against "sides do not matter", valid however often one looks; `biased` where it has
    reached 1 / alpha. Since sides are drawn at random such a bias makes no false winner, but verdicts slower.
    """

    left: int
    right: int
    share: Interval
    e_value: float
    biased: bool


def check_position(tally: Tally, alpha: float = 0.05) -> PositionCheck:
    """The check over all decisive votes of `tally`, whoever met whom."""
    import numpy as np

    outcome = np.asarray(tally.outcome, dtype=np.float64)
    left, right = int((outcome == 1).sum()), int((outcome == 0).sum())
    evidence = log_e_value(left, right)
    share = confidence_sequence(left, right, alpha)
    return PositionCheck(left, right, share, math.exp(min(_LARGEST, evidence)), evidence >= -math.log(alpha))

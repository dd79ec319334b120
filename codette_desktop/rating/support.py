"""What each rating rests on: whether votes connect the contestants, and whether each has both won and lost."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from codette_desktop.rating.counts import PairCount

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Support(StrEnum):
    """What a rating rests on. All but RATED are finite thanks to the prior alone, and say little."""

    RATED = "rated"
    NO_VOTES = "no votes"
    UNCONNECTED = "unconnected"  # never met, not even through others, those who met most
    ONE_SIDED = "one-sided"  # it, or those it drew level with, always won or always lost against all others


def supports(counts: Sequence[PairCount], contestants: int) -> tuple[Support, ...]:
    """The support of each contestant's rating, by place.

    Without the prior a rating is finite just where a path of wins or ties leads from everyone to everyone (Ford 1957):
    so the largest group within which one does is rated, and the others who have met it are one-sided.
    """
    import numpy as np

    scored = np.eye(contestants, dtype=bool)
    votes = np.zeros(contestants)
    for count in counts:
        scored[count.first, count.second] |= count.wins + count.ties > 0
        scored[count.second, count.first] |= count.losses + count.ties > 0
        votes[[count.first, count.second]] += count.rated
    met = _reachable(scored | scored.T)
    level = _reachable(scored) & _reachable(scored).T
    connected = met[_largest(met, votes)] if contestants else met
    rated = level[_largest(level, np.where(connected, votes, -1))] if contestants else level
    found: list[Support] = []
    for place in range(contestants):
        if not votes[place]:
            found.append(Support.NO_VOTES)
        elif not connected[place]:
            found.append(Support.UNCONNECTED)
        else:
            alone = rated.sum() < 2  # nobody is level with anybody
            found.append(Support.RATED if rated[place] and not alone else Support.ONE_SIDED)
    return tuple(found)


def one_sided(found: Sequence[Support]) -> list[int]:
    """The places of those that always won or always lost."""
    return [place for place, support in enumerate(found) if support is Support.ONE_SIDED]


def _reachable(edges: "NDArray[Any]") -> "NDArray[Any]":
    """Which place reaches which: the transitive closure, by squaring."""
    reached = edges
    for _ in range(max(1, len(edges)).bit_length()):
        reached = reached @ reached
    return reached


def _largest(groups: "NDArray[Any]", votes: "NDArray[Any]") -> int:
    """A place in the group (a row of `groups`) whose contestants have the most votes."""
    return int((groups @ votes).argmax())

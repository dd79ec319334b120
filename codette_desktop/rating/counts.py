"""Votes of each pair counted, and a tally narrowed or widened to the contestants one asks about."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from codette_desktop.domain.votes import Contestant, Tally

_OUTCOMES = {1.0: 0, 0.0: 1, 0.5: 2, -1.0: 3}  # left better, right better, tie, both bad


@dataclass(frozen=True, slots=True)
class PairCount:
    """The votes between two contestants; `first` < `second` are their places in the tally.

    `wins` are those of the first, `losses` those of the second.
    """

    first: int
    second: int
    wins: int = 0
    losses: int = 0
    ties: int = 0
    both_bad: int = 0

    @property
    def decisive(self) -> int:
        """Votes for one of the two."""
        return self.wins + self.losses

    @property
    def rated(self) -> int:
        """Votes from which a preference follows: all but both-bad ones."""
        return self.wins + self.losses + self.ties

    @property
    def votes(self) -> int:
        """All votes."""
        return self.rated + self.both_bad


def pair_counts(tally: Tally) -> tuple[PairCount, ...]:
    """The counts of every pair of `tally.contestants`, also of those without a vote, in order of places.

    Raises ValueError for an outcome that is none of 1, 0, 0.5 and -1.
    """
    import numpy as np

    size = len(tally.contestants)
    left, right = np.asarray(tally.left, dtype=np.int64), np.asarray(tally.right, dtype=np.int64)
    outcome = np.asarray(tally.outcome, dtype=np.float64)
    kinds = np.full(len(outcome), -1)
    for value, kind in _OUTCOMES.items():
        kinds[outcome == value] = kind
    if (kinds < 0).any():
        raise ValueError(f"an outcome is none of {', '.join(str(value) for value in _OUTCOMES)}")
    cells = np.bincount((left * size + right) * 4 + kinds, minlength=size * size * 4).reshape(size, size, 4)
    # A vote with the sides exchanged says the same: its left is the other's right.
    both = (cells + cells.transpose(1, 0, 2)[:, :, [1, 0, 2, 3]]).tolist()
    return tuple(PairCount(i, j, *both[i][j]) for i in range(size) for j in range(i + 1, size))


def among(tally: Tally, contestants: Sequence[Contestant]) -> Tally:
    """The votes between any two of `contestants` (by key), whose places are theirs in that sequence."""
    import numpy as np

    if tuple(contestants) == tally.contestants:
        return tally
    places = {contestant.key: place for place, contestant in enumerate(contestants)}
    moved = np.array([places.get(contestant.key, -1) for contestant in tally.contestants], dtype=np.int64)
    left = moved[np.asarray(tally.left, dtype=np.int64)]
    right = moved[np.asarray(tally.right, dtype=np.int64)]
    kept = (left >= 0) & (right >= 0)
    return replace(
        tally,
        contestants=tuple(contestants),
        left=left[kept].tolist(),
        right=right[kept].tolist(),
        outcome=np.asarray(tally.outcome, dtype=np.float64)[kept].tolist(),
        prompt=np.asarray(tally.prompt, dtype=np.int64)[kept].tolist(),
        style=tuple(np.asarray(column, dtype=np.float64)[kept].tolist() for column in tally.style),
    )

"""Votes that were never cast: as they would be if who is better were known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codette_desktop.domain.votes import Contestant, Tally


def contestants(count: int) -> tuple[Contestant, ...]:
    """So many, called A, B, C ..."""
    return tuple(Contestant(f"key-{place}", chr(ord("A") + place)) for place in range(count))


def tally_of(votes: Sequence[tuple[int, int, float]], size: int, prompts: Sequence[int] | None = None) -> Tally:
    """A tally of (left, right, outcome), each on a prompt of its own unless `prompts` says otherwise."""
    return Tally(
        contestants(size),
        [left for left, _, _ in votes],
        [right for _, right, _ in votes],
        [outcome for _, _, outcome in votes],
        list(range(len(votes))) if prompts is None else list(prompts),
    )


def pair_tally(wins: int, losses: int, ties: int = 0, both_bad: int = 0) -> Tally:
    """The votes of one pair, the first always on the left."""
    outcomes = [1.0] * wins + [0.0] * losses + [0.5] * ties + [-1.0] * both_bad
    return tally_of([(0, 1, outcome) for outcome in outcomes], 2)


@dataclass(frozen=True, slots=True)
class World:
    """Who is how good, in logits; how often a vote is a tie or says both bad; what the left side is worth, in logits;
    how much the prompt changes a contestant's strength (standard deviation), and how many votes there are on each."""

    strengths: tuple[float, ...]
    ties: float = 0.0
    both_bad: float = 0.0
    left: float = 0.0
    prompt_spread: float = 0.0
    votes_per_prompt: int = 1

    def votes(self, count: int, chance: np.random.Generator, style: bool = False) -> Tally:
        """So many votes between pairs and on prompts drawn evenly, sides at random."""
        size = len(self.strengths)
        left = chance.integers(0, size, count)
        right = (left + chance.integers(1, size, count)) % size
        prompts = np.arange(count)
        if self.votes_per_prompt > 1:
            prompts = chance.integers(0, max(1, count // self.votes_per_prompt), count)
        moods = chance.normal(0, self.prompt_spread, (count, size))
        return self._vote(left, right, prompts, moods, chance, style)

    def _vote(
        self,
        left: NDArray[Any],
        right: NDArray[Any],
        prompts: NDArray[Any],
        moods: NDArray[Any],
        chance: np.random.Generator,
        style: bool,
    ) -> Tally:
        strengths = np.array(self.strengths)
        logits = strengths[left] - strengths[right] + moods[prompts, left] - moods[prompts, right] + self.left
        outcome = (chance.random(len(left)) < 1 / (1 + np.exp(-logits))).astype(float)
        other = chance.random(len(left))
        outcome[other < self.ties] = 0.5
        outcome[other > 1 - self.both_bad] = -1
        columns = tuple(chance.uniform(-1, 1, len(left)).tolist() for _ in range(4)) if style else ()
        return Tally(
            contestants(len(strengths)), left.tolist(), right.tolist(), outcome.tolist(), prompts.tolist(), columns
        )

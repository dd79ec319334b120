"""Duels: two answers to one prompt without names; and experiments, the questions that duels are to settle."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from codette_desktop.domain.conversations import Node
from codette_desktop.domain.votes import Contestant


class PromptSource(StrEnum):
    """Where the prompts of an experiment come from."""

    TYPED = "typed"  # written or opened by the person
    HISTORY = "history"  # first questions of their own chats
    SUITE = "suite"  # a suite of questions
    MIXED = "mixed"  # drawn by the application: their own questions, then those of the suites that come with it


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """When an experiment ends; fixed at its start, so that nobody stops when the score looks good.

    It ends when every pair is settled at `alpha` (the chance that any of its verdicts is wrong, however often one
    looks), or after `most_votes`. `margin` is how far from one half the share of wins (a tie is half a win) may be for
    two to count as equally good: 0.1 for 40 to 60 %. None asks for no such verdict.
    """

    most_votes: int = 300
    alpha: float = 0.05
    margin: float | None = 0.1


class Ending(StrEnum):
    """Why an experiment has ended."""

    SETTLED = "settled"
    MOST_VOTES = "most votes"
    STOPPED = "stopped"  # by the person, before the rule was met: the verdict stands at what it is worth


@dataclass(frozen=True, slots=True)
class Experiment:
    """A named question, whom it is about, and when it is answered. `prompts` are all that may be drawn, in no order."""

    id: str
    question: str
    contestants: tuple[Contestant, ...]
    source: PromptSource
    prompts: tuple[str, ...]
    rule: StoppingRule
    created_at: datetime
    ending: Ending | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Duel:
    """Two answers to one prompt, complete, not yet voted on or already. Its id is that of its conversation.

    `swapped`: the second of the pair as it was drawn stands on the left; `seed` drew that. `leaks` are words by which
    an answer named itself. `left` and `right` are who wrote the answers beside. `names_seen`: a vote on it was taken
    back after its names had been shown, so that it is blind no more.
    """

    id: str
    experiment_id: str
    question: Node
    left: Contestant
    right: Contestant
    left_answer: Node
    right_answer: Node
    seed: int
    swapped: bool
    task: str = "general"
    leaks: tuple[str, ...] = ()
    voted: bool = False
    names_seen: bool = False

    @property
    def identical(self) -> bool:
        """Whether both say the same, word for word. Two that say nothing are both bad, which a person must find."""
        left, right = self.left_answer.message.content.strip(), self.right_answer.message.content.strip()
        return left == right and bool(left)

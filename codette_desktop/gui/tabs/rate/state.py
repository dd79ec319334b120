"""What the Rate tab shows: the state its presenter keeps and its view draws. No Qt."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from codette_desktop.domain.duels import Duel, Experiment, PromptSource
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.votes import Preference, Vote
from codette_desktop.rating.verdict import Conclusion

MARGINS = (0.05, 0.1, 0.15)


@dataclass(frozen=True, slots=True)
class RateSetup:
    """What the next experiment is to be, as the person chose it. `specs` are contestants as one types them."""

    specs: tuple[str, ...] = ()
    source: PromptSource = PromptSource.MIXED
    typed: str = ""
    suite: str = "guide"
    question: str = ""
    most_votes: int = 300
    margin: float | None = 0.1


class Phase(StrEnum):
    """What happens in a sitting."""

    WAITING = "waiting"  # both answers are being written
    READING = "reading"  # both are there, and no vote yet
    VOTED = "voted"  # soon with names, then the next duel comes by itself
    OVER = "over"  # the experiment has ended, or its prompts are used up


@dataclass(eq=False)
class Undoable:
    """A vote that may still be taken back. `names_seen`: its names have been shown since."""

    vote: Vote
    duel: Duel
    seconds_left: int
    names_seen: bool = False


@dataclass(eq=False)
class SittingState:
    """One sitting on view. `ready` duels wait behind this one; `equal` votes are ties of answers that were equal."""

    experiment: Experiment
    standing: Conclusion
    phase: Phase = Phase.WAITING
    duel: Duel | None = None
    names_shown: bool = False
    preference: Preference | None = None
    tags: set[str] = field(default_factory=set[str])
    correction: str = ""
    undoable: Undoable | None = None
    ready: int = 0
    equal: int = 0
    error: CodetteError | None = None

    @property
    def used_up(self) -> bool:
        """Whether there is no duel left though the rule is not met: the prompts are used up."""
        return self.phase is Phase.OVER and self.experiment.ending is None


class RateView(Protocol):
    """What the presenter asks of the screen."""

    def show_setup(self, setup: RateSetup) -> None:
        """The page on which an experiment is begun."""
        ...

    def show_duel(self, state: SittingState) -> None:
        """Go to the page of duels."""
        ...

    def sitting_changed(self, state: SittingState) -> None:
        """Draw the duel as it stands, wherever the person is."""
        ...

    def show_verdict(self, experiment: Experiment) -> None:
        """The page of what may be concluded."""
        ...

    def undo_changed(self, state: SittingState | None) -> None:
        """Whether a vote may be taken back, and for how long."""
        ...

    def list_changed(self) -> None:
        """Experiments came, went, or changed."""
        ...

    def show_error(self, error: CodetteError) -> None:
        """Something that has no place of its own on the screen failed."""
        ...

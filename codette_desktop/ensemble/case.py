"""What a method decides on: the answers, what is known of who gave them, and what sort of answer is wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from codette_desktop.domain.closed_answers import AnswerKind, extract
from codette_desktop.domain.ensembles import MemberAnswer
from codette_desktop.domain.reliability import OPEN, Standing
from codette_desktop.ensemble import weights
from codette_desktop.ensemble.likeness import Likeness, by_characters
from codette_desktop.ensemble.questions import kind_of, options_of


@dataclass(frozen=True)
class Case:
    """One question to several members, as far as it has been answered.

    `standings` has one a member, for the kind of answer at hand. `wanted` is the kind the person chose, None where it
    is to be read from the question and the answers. `compared` says how alike the texts are, None for their wording.
    """

    question: str
    answers: tuple[MemberAnswer, ...]
    standings: tuple[Standing, ...] = ()
    wanted: AnswerKind | None = None
    options: tuple[str, ...] = ()
    compared: Likeness | None = None

    @cached_property
    def usable(self) -> tuple[int, ...]:
        """The places of the members whose answers take part."""
        return tuple(place for place, answer in enumerate(self.answers) if answer.usable)

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """The options of a choice, A first."""
        return self.options or options_of(self.question)

    @cached_property
    def kind(self) -> AnswerKind | None:
        """What sort of answer this is; None for open ones."""
        if self.wanted is not None:
            return self.wanted
        return kind_of(self.question, [self.answers[place].text for place in self.usable], self.choices)

    @cached_property
    def closed(self) -> dict[int, str]:
        """The answers in canonical form by place, of those who gave one."""
        if self.kind is None:
            return {}
        found = {place: extract(self.answers[place].text, self.kind, self.choices) for place in self.usable}
        return {place: value for place, value in found.items() if value is not None}

    @cached_property
    def sure(self) -> tuple[float, ...]:
        """How sure each member is: see `weights.sureness`."""
        told = [answer.end.confidence if answer.usable and answer.end else None for answer in self.answers]
        return weights.sureness(told, self.known)

    @cached_property
    def known(self) -> tuple[Standing, ...]:
        """One standing a member; empty ones where nothing is known."""
        kind = self.kind.value if self.kind else OPEN
        return self.standings or tuple(Standing(answer.member.spec, kind) for answer in self.answers)

    @cached_property
    def ways(self) -> int:
        """How many answers the question may have."""
        return weights.ways_of(self.kind, self.choices)

    @cached_property
    def likeness(self) -> Likeness:
        """How alike the answers are."""
        return self.compared or by_characters([answer.text for answer in self.answers])

    def weights(self, places: Sequence[int]) -> tuple[float, ...]:
        """How much each member counts among these."""
        return weights.weights(self.known, self.sure, places, self.ways)

    def label(self, place: int) -> str:
        """The member's name as it is read."""
        return self.answers[place].member.label

    def names(self, places: Sequence[int]) -> str:
        """ "A", "A and B", "A, B and C"."""
        labels = [self.label(place) for place in places]
        return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}" if labels else ""

    @property
    def asked(self) -> int:
        """How many members were asked."""
        return sum(answer.asked for answer in self.answers)

"""Asking the members of one question in their turns, and what is known of their answers."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from codette_desktop.domain.answers import AnswerPart
from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.ensembles import EnsemblePart, EnsembleRequest, Member, MemberWaits, Method
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.reliability import OPEN, Standing
from codette_desktop.domain.requests import ChatRequest, RequestOrigin
from codette_desktop.ensemble.case import Case
from codette_desktop.ensemble.gathering import Gathering, Patience
from codette_desktop.ensemble.likeness import Likeness, by_meaning
from codette_desktop.ensemble.turns import Turns
from codette_desktop.inference.provider import JointProvider, Provider

log = logging.getLogger(__name__)

R = TypeVar("R")
Vectors = Sequence[Sequence[float]]


class StandingStore(Protocol):
    """What is kept of members: see `store.reliability`."""

    def of(self, members: Sequence[str], kind: str) -> dict[str, Standing]: ...
    def update(self, member: str, kind: str, change: Callable[[Standing], Standing]) -> object: ...


@dataclass(frozen=True, slots=True)
class EnsembleServices:
    """What an ensemble stands on.

    `plan` says who answers together (blocking; it reads headers). `key` names a member by what it is: the hash of its
    model, and its role (blocking). `label` is a model's name as it is read. `embed` gives vectors of unit length where
    there is a model made for it, else None. `joint` has models write together,
    `cannot_write` says what keeps a member from that (blocking).
    """

    provider: Provider
    standings: StandingStore
    plan: Callable[[Sequence[Member]], Turns]
    key: Callable[[Member], str]
    label: Callable[[str], str] = lambda name: name
    embed: Callable[[Sequence[str]], Awaitable[Vectors | None]] | None = None
    joint: JointProvider | None = None
    cannot_write: Callable[[Member], CodetteError | None] = lambda _member: None
    patience: Patience = field(default_factory=Patience)


class Asking:
    """One question on its way to its members, and what is known of it so far."""

    def __init__(self, request: EnsembleRequest, services: EnsembleServices) -> None:
        self.request = request
        self.services = services
        self.gathering = Gathering(request.members, self.ask, services.patience)
        self.started = time.perf_counter()
        self._keys: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        """What is asked."""
        return self.request.messages[-1].content

    @property
    def spent_s(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self.started

    async def begin(self) -> None:
        """Look up who the members are. Before anything else."""
        self.started = time.perf_counter()
        self._keys = tuple(await off_loop(lambda: [self.services.key(member) for member in self.request.members]))

    def ask(self, member: Member, answer_id: str) -> AsyncGenerator[AnswerPart, None]:
        """Ask one of them; nobody may stand in for it."""
        scored = self.request.method not in (Method.NONE, Method.TOKEN)
        request = ChatRequest(
            member.model,
            self.messages_to(member),
            member.sampling,
            self.request.fresh,
            scored=scored,
            origin=RequestOrigin(answer_id, self.request.purpose),
        )
        return self.services.provider.stream(request)

    def messages_to(self, member: Member) -> tuple[Message, ...]:
        """What a member is asked with: its own system prompt before all."""
        asked = self.request.messages
        if not member.system.strip():
            return asked
        return (Message(Role.SYSTEM, member.system), *(one for one in asked if one.role is not Role.SYSTEM))

    async def in_turn(self, places: Sequence[int]) -> AsyncGenerator[EnsemblePart, None]:
        """Ask these members, together as far as memory goes, and stream what they say until all have ended."""
        members = [self.gathering.answers[place].member for place in places]
        turns = await off_loop(lambda: self.services.plan(members))
        for at, why in turns.why.items():
            yield MemberWaits(places[at], why)
        for group in turns.groups:
            self.gathering.begin([places[at] for at in group])
            async for part in self.gathering.parts():
                yield part
        async for part in self.gathering.parts():  # of those dropped while they waited
            yield part

    def case(self) -> Case:
        """What has been answered so far, to be decided on. Reads the store."""
        case = self._unknown_case()
        standings = self.standings(case.kind)
        places = {member.spec: place for place, member in enumerate(self.request.members)}
        extra = [standings[places[answer.member.spec]] for answer in case.answers[len(standings) :]]
        return replace(case, standings=(*standings, *extra), wanted=case.kind)

    def standings(self, kind: AnswerKind | None) -> list[Standing]:
        """What is known of each member at questions of a kind. Reads the store."""
        known = self.services.standings.of(self._keys, kind.value if kind else OPEN)
        return [known[key] for key in self._keys]

    def _unknown_case(self) -> Case:
        answers = tuple(self.gathering.answers)
        return Case(self.question, answers, wanted=self.request.kind, options=self.request.options)

    async def case_compared(self) -> Case:
        """As `case`, with how alike open answers are in meaning, where a model tells."""
        case = await off_loop(self.case)
        if case.kind is not None or self.services.embed is None or len(case.usable) < 2:
            return case
        compared = await self._meaning(case)
        return case if compared is None else replace(case, compared=compared)

    async def _meaning(self, case: Case) -> Likeness | None:
        texts = [answer.text.strip() or "-" for answer in case.answers]
        try:
            vectors = await self.services.embed(texts) if self.services.embed else None
        except CodetteError as error:
            log.info("answers are compared by their wording: %s", error)
            return None
        return (
            None if vectors is None else await off_loop(lambda: by_meaning([one.text for one in case.answers], vectors))
        )

    def learn(self) -> None:
        """What members usually are like, for the next time."""
        case = Case(
            self.question, tuple(self.gathering.answers), wanted=self.request.kind, options=self.request.options
        )
        kind = case.kind.value if case.kind else OPEN
        for key, answer in zip(self._keys, case.answers, strict=False):
            if answer.usable and answer.end is not None and (told := answer.end.confidence) is not None:
                self.services.standings.update(key, kind, lambda known, told=told: known.answered(told))

    def failure(self) -> CodetteError:
        """What to raise where nobody has answered."""
        errors = [answer.error for answer in self.gathering.answers if answer.error is not None]
        return errors[0] if errors else CodetteError("Nobody gave an answer.", "Ask again, or choose other models.")


async def off_loop(work: Callable[[], R]) -> R:
    """Run what blocks on a thread."""
    # Not `to_thread`: Qt may run this between two runs of the loop, while none counts as running.
    return await asyncio.get_event_loop().run_in_executor(None, work)

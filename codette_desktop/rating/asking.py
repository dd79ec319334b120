"""Asking two contestants the same, so that a duel can be made of their answers."""

import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from codette_desktop.domain.answers import AnswerEnd, AnswerFigures, FinishReason, TextChunk
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.ensembles import (
    EnsemblePart,
    EnsembleRequest,
    Member,
    MemberDropped,
    MemberPart,
    Method,
    Outcome,
)
from codette_desktop.domain.errors import CodetteError, ContestantFailed
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.request_log import Purpose
from codette_desktop.domain.votes import Contestant


class Run(Protocol):
    """See `ensemble.service.EnsembleRun`."""

    def parts(self) -> AsyncGenerator[EnsemblePart, None]: ...


class Ensembles(Protocol):
    """See `ensemble.service.EnsembleService`: asks members side by side as far as memory goes, or makes one answer."""

    def start(self, request: EnsembleRequest) -> Run: ...


@dataclass(frozen=True, slots=True)
class Answered:
    """What a contestant said, and how it came to be."""

    text: str
    generation: Generation


@dataclass
class _Said:
    """One member's answer on its way."""

    began: datetime
    pieces: list[str] = field(default_factory=list[str])
    end: AnswerEnd | None = None


async def ask(ensembles: Ensembles, prompt: str, contestants: Sequence[Contestant]) -> list[Answered]:
    """The answers of all, in their order. Those of one model each are written side by side where memory allows.

    Raises `ContestantFailed` for the first that fails; the others are stopped.
    """
    single = [place for place, item in enumerate(contestants) if item.method is Method.NONE]
    found: dict[int, Answered] = {}
    if single:
        said = await _ask_members(ensembles, prompt, [contestants[place].members[0] for place in single], single)
        for place, one in zip(single, said, strict=True):
            found[place] = Answered("".join(one.pieces), _generation(contestants[place], one))
    for place, contestant in enumerate(contestants):
        if place not in found:
            found[place] = await _ask_together(ensembles, prompt, contestant, place)
    return [found[place] for place in range(len(contestants))]


async def _ask_members(
    ensembles: Ensembles, prompt: str, members: Sequence[Member], places: Sequence[int]
) -> list[_Said]:
    began = datetime.now(UTC)
    said = [_Said(began) for _member in members]
    request = EnsembleRequest((Message(Role.USER, prompt),), tuple(members), purpose=Purpose.RATE)
    async with aclosing(ensembles.start(request).parts()) as parts:
        async for part in parts:
            if isinstance(part, MemberDropped):
                raise _failure(part.error, places[part.place])
            if isinstance(part, MemberPart) and isinstance(part.part, TextChunk):
                said[part.place].pieces.append(part.part.text)
            elif isinstance(part, MemberPart) and isinstance(part.part, AnswerEnd):
                said[part.place].end = part.part
    for place, one in zip(places, said, strict=True):
        if one.end is None:
            raise ContestantFailed("The answer did not end.", place=place)
    return said


async def _ask_together(ensembles: Ensembles, prompt: str, contestant: Contestant, place: int) -> Answered:
    began, clock = datetime.now(UTC), time.perf_counter()
    request = EnsembleRequest(
        (Message(Role.USER, prompt),), contestant.members, contestant.method, purpose=Purpose.RATE
    )
    outcome: Outcome | None = None
    try:
        async with aclosing(ensembles.start(request).parts()) as parts:
            async for part in parts:
                if isinstance(part, MemberDropped):  # the ensemble would no longer be the one that is rated
                    raise part.error
                if isinstance(part, Outcome):
                    outcome = part
    except CodetteError as error:
        raise _failure(error, place) from error
    if outcome is None:
        raise ContestantFailed("No answer was made of theirs.", place=place)
    total_ms = 1000 * (time.perf_counter() - clock)
    made = _blank(contestant, began, AnswerFigures(0, len(outcome.tokens), 0.0, 0.0, total_ms))
    return Answered(outcome.text, made)


def _failure(error: CodetteError, place: int) -> ContestantFailed:
    return ContestantFailed(error.message, error.hint, retryable=error.retryable, place=place)


def _generation(contestant: Contestant, said: _Said) -> Generation:
    end = said.end
    assert end is not None  # noqa: S101 - checked where the answers were gathered
    return Generation(
        id=uuid.uuid4().hex,
        model=end.model,
        model_label=end.model_label,
        model_hash=end.model_hash,
        quantisation=contestant.quantisation,
        sampling=contestant.members[0].sampling,
        seed=end.seed,
        engine_build=end.engine_build,
        device=end.device,
        started_at=said.began,
        reason=end.reason,
        figures=end.figures,
        use=end.use,
        note=end.note,
    )


def _blank(contestant: Contestant, began: datetime, figures: AnswerFigures) -> Generation:
    """How an answer of several came to be: of no one model, with no one seed."""
    return Generation(
        id=uuid.uuid4().hex,
        model=contestant.spec,
        model_label=contestant.label,
        model_hash="",
        quantisation="",
        sampling=contestant.members[0].sampling,
        seed=None,
        engine_build="",
        device="",
        started_at=began,
        reason=FinishReason.STOP,
        figures=figures,
    )

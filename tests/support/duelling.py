"""Sittings for tests: with the starter models, or with answers as a test wants them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from codette_desktop.application import Application
from codette_desktop.domain.answers import AnswerEnd, AnswerFigures, ContextUse, FinishReason, TextChunk
from codette_desktop.domain.duels import Duel, Experiment, PromptSource, StoppingRule
from codette_desktop.domain.ensembles import EnsemblePart, EnsembleRequest, MemberDropped, MemberPart
from codette_desktop.domain.errors import CodetteError
from codette_desktop.rating.sitting import Sitting

WARM = "?temperature=3&top_p=1&min_p=0&top_k=0&max_tokens=24"  # never twice the same
PAIR = (f"guide-s-q8_0{WARM}", f"guide-m-q8_0{WARM}")
PROMPTS = tuple(f"Tell me about {what}." for what in ("ensembles", "duels", "adapters", "tuning", "caches", "votes"))


async def begun(
    application: Application, *specs: str, prompts: tuple[str, ...] = PROMPTS, rule: StoppingRule | None = None
) -> Experiment:
    contestants = application.rating.reader.read_all(specs or PAIR)
    return await application.rating.begin(
        "Which?", contestants, PromptSource.TYPED, prompts, rule or StoppingRule(margin=None)
    )


@asynccontextmanager
async def sitting_of(application: Application, experiment: Experiment) -> AsyncIterator[Sitting]:
    sitting = application.rating.sitting(experiment)
    await sitting.open()
    try:
        yield sitting
    finally:
        await sitting.aclose()


async def written(application: Application) -> None:
    """All that nobody waited for is in the database: writes are done in their order."""
    await asyncio.wrap_future(application.store.settings.set("last", 1))


async def next_duel(sitting: Sitting) -> Duel:
    duel = await asyncio.wait_for(sitting.next(), 60)
    assert duel is not None
    return duel


class Scripted:
    """Answers of contestants as a test wants them, in place of models: for what depends on their words or failures."""

    def __init__(self, *texts: str, error: CodetteError | None = None) -> None:
        self.texts, self.error = texts, error
        self.asked: list[tuple[str, ...]] = []

    def start(self, request: EnsembleRequest) -> "Scripted":
        self.asked.append(tuple(member.model for member in request.members))
        return self

    async def parts(self) -> AsyncGenerator[EnsemblePart, None]:
        if self.error is not None:
            yield MemberDropped(0, self.error)
        for place, text in enumerate(self.texts):
            figures, use = AnswerFigures(1, 1, 1.0, 1.0, 1.0), ContextUse(1, 0, 0, 1)
            yield MemberPart(place, TextChunk(text))
            yield MemberPart(place, AnswerEnd(FinishReason.STOP, figures, use, 1, "m", "M", "0", "b"))


async def scripted(application: Application, experiment: Experiment, script: Scripted) -> Sitting:
    services = replace(application.rating._services, ensembles=script)
    sitting = Sitting(services, experiment)
    await sitting.open()
    return sitting

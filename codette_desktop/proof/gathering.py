"""Every member's answer to every question of a suite, each asked once, with what it took."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codette_desktop.domain.answers import AnswerEnd, TextChunk
from codette_desktop.domain.ensembles import Member, MemberAnswer
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.request_log import Purpose
from codette_desktop.domain.requests import ChatRequest, RequestOrigin
from codette_desktop.evaluation.suites import Question, Suite
from codette_desktop.inference.provider import Provider

Progress = Callable[[str, int, int], object]


@dataclass(frozen=True, slots=True)
class Answered:
    """One member's answer to one question, its score from 0 to 1, and the seconds that it took alone."""

    answer: MemberAnswer
    score: float
    seconds: float


def system_of(question: Question, member: Member) -> str:
    """The system prompt a member is asked a question with: its own, then the question's."""
    return "\n\n".join(text for text in (member.system, question.system) if text.strip())


async def gather(
    provider: Provider, suite: Suite, members: Sequence[Member], progress: Progress
) -> list[list[Answered]]:
    """One row a member, one answer a question, in their order; `progress` hears (member, done, all).

    One question at a time, so that the seconds are those of one answer alone. A question that fails scores 0.
    """
    rows: list[list[Answered]] = []
    for member in members:
        row: list[Answered] = []
        for question in suite.questions:
            row.append(await ask(provider, question, member))
            progress(member.label, len(row), len(suite.questions))
        rows.append(row)
    return rows


async def ask(provider: Provider, question: Question, member: Member) -> Answered:
    """Ask one member one question, from the model itself and not the cache."""
    system = system_of(question, member)
    messages = [Message(Role.SYSTEM, system)] if system else []
    asked = (*messages, Message(Role.USER, question.prompt))
    origin = RequestOrigin(purpose=Purpose.EVALUATE)
    request = ChatRequest(member.model, asked, member.sampling, fresh=True, scored=True, origin=origin)
    pieces: list[str] = []
    end, failed = None, None
    started = time.perf_counter()
    try:
        async for part in provider.stream(request):
            if isinstance(part, TextChunk):
                pieces.append(part.text)
            elif isinstance(part, AnswerEnd):
                end = part
    except CodetteError as error:
        failed = error
    seconds = time.perf_counter() - started
    text = "".join(pieces)
    score = 0.0 if failed is not None else await asyncio.to_thread(question.score, text)
    return Answered(MemberAnswer(member, text, end, failed), score, seconds)

"""Running a suite: every question to every model, and how right, how fast and how sure the result is."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codette_desktop.domain.answers import AnswerEnd, TextChunk
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.request_log import Purpose
from codette_desktop.domain.requests import ChatRequest, RequestOrigin, Sampling
from codette_desktop.evaluation.comparison import Interval, error_reduction, mean_interval, paired_difference
from codette_desktop.evaluation.suites import Question, Suite
from codette_desktop.inference.provider import Provider

AT_ONCE = 4
GREEDY = Sampling(temperature=0.0, max_tokens=256)

Progress = Callable[[str, int, int], object]


@dataclass(frozen=True, slots=True)
class Answered:
    """One question, answered: its score from 0 to 1, or 0 and the `error` why there is no answer."""

    text: str
    score: float
    tokens: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One model on one suite, question by question; `seconds` from the first question to the last answer."""

    model: str
    label: str
    answers: tuple[Answered, ...]
    seconds: float

    @property
    def scores(self) -> tuple[float, ...]:
        """One a question, in the order of the suite."""
        return tuple(answer.score for answer in self.answers)

    @property
    def mean(self) -> Interval:
        """The mean score with its 95 % interval."""
        return mean_interval(self.scores)

    @property
    def failed(self) -> int:
        """Questions that got no answer."""
        return sum(bool(answer.error) for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A model against the best one: the difference of their means, and the share of the error that the best avoids."""

    model: str
    difference: Interval
    error_avoided: float


async def run_suite(
    provider: Provider,
    suite: Suite,
    model: str,
    label: str = "",
    *,
    sampling: Sampling = GREEDY,
    progress: Progress = lambda _model, _done, _all: None,
) -> Result:
    """Ask one model every question of the suite, some at a time, from the model itself and not the cache.

    A question that fails scores 0 and tells why. Raises CodetteError where the model cannot be loaded at all.
    """
    await provider.load(model)
    gate = asyncio.Semaphore(AT_ONCE)
    done = 0

    async def one(question: Question) -> Answered:
        nonlocal done
        async with gate:
            answered = await ask(provider, question, model, sampling)
        done += 1
        progress(label or model, done, len(suite.questions))
        return answered

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(question)) for question in suite.questions]
    return Result(model, label or model, tuple(task.result() for task in tasks), time.perf_counter() - started)


async def ask(provider: Provider, question: Question, model: str, sampling: Sampling) -> Answered:
    """Ask one question and score the answer."""
    messages = [Message(Role.SYSTEM, question.system)] if question.system else []
    asked = (*messages, Message(Role.USER, question.prompt))
    request = ChatRequest(model, asked, sampling, fresh=True, origin=RequestOrigin(purpose=Purpose.EVALUATE))
    pieces: list[str] = []
    tokens = 0
    try:
        async for part in provider.stream(request):
            if isinstance(part, TextChunk):
                pieces.append(part.text)
            elif isinstance(part, AnswerEnd):
                tokens = part.figures.completion_tokens
    except CodetteError as error:
        return Answered("".join(pieces), 0.0, error=error.message)
    text = "".join(pieces)
    return Answered(text, question.score(text), tokens)


def compare(results: Sequence[Result]) -> list[Comparison]:
    """Every other model against the one with the best mean, which is the first of equals. [] for fewer than two."""
    if len(results) < 2:
        return []
    best = max(results, key=lambda result: sum(result.scores))
    return [
        Comparison(
            other.model, paired_difference(best.scores, other.scores), error_reduction(best.scores, other.scores)
        )
        for other in results
        if other is not best
    ]

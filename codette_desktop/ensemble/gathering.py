"""Asks members at once, and brings what they say into one stream. Who fails, stalls or is dropped leaves the others."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, FinishReason, PromptRead, TextChunk
from codette_desktop.domain.ensembles import EnsemblePart, Member, MemberAnswer, MemberBegins, MemberDropped, MemberPart
from codette_desktop.domain.errors import Cancelled, CodetteError, EngineFailure

Ask = Callable[[Member, str], AsyncGenerator[AnswerPart, None]]  # the member, and what its answer is known by


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a member may be silent (seconds) once its prompt is being read; a load or its turn do not count."""

    first_token_s: float = 120.0
    per_thousand_tokens_s: float = 60.0
    between_tokens_s: float = 60.0


class Gathering:
    """The members of one question. One event loop; `close` when done."""

    def __init__(self, members: Sequence[Member], ask: Ask, patience: Patience | None = None) -> None:
        self.answers = [MemberAnswer(member, asked=False) for member in members]
        self._ask = ask
        self._patience = patience or Patience()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._dropped: dict[int, CodetteError] = {}
        self._queue: asyncio.Queue[EnsemblePart | None] = asyncio.Queue()
        self._running = 0

    def add(self, members: Sequence[Member]) -> tuple[int, ...]:
        """Members that were not there before; gives their places."""
        first = len(self.answers)
        self.answers += [MemberAnswer(member, asked=False) for member in members]
        return tuple(range(first, len(self.answers)))

    def begin(self, places: Sequence[int]) -> None:
        """Ask these members now; those dropped before are left out."""
        for place in places:
            if place not in self._dropped and place not in self._tasks:
                self._running += 1
                task = asyncio.get_event_loop().create_task(self._run(place), name=f"member {place}")
                self._tasks[place] = task

    def drop(self, place: int, error: CodetteError | None = None) -> None:
        """Go on without it. Without effect on one that has ended."""
        if place in self._dropped or self._has_ended(place):
            return
        self._dropped[place] = error or Cancelled("It was stopped.")
        if place in self._tasks:
            self._tasks[place].cancel()
        else:
            self.answers[place] = replace(self.answers[place], error=self._dropped[place])
            self._queue.put_nowait(MemberDropped(place, self._dropped[place]))

    def fail(self, place: int, error: CodetteError) -> None:
        """Note that a member takes no part, which somebody else has found out and tells."""
        self.answers[place] = replace(self.answers[place], error=error)

    async def parts(self) -> AsyncGenerator[EnsemblePart, None]:
        """What those say who have begun, until all of them have ended."""
        while self._running or not self._queue.empty():
            part = await self._queue.get()
            if part is not None:
                yield part

    def left_of(self, places: Sequence[int]) -> list[int]:
        """Those that have neither ended nor been dropped."""
        return [place for place in places if place not in self._dropped and not self._has_ended(place)]

    async def close(self) -> None:
        """Stop all; returns when they have stopped."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _has_ended(self, place: int) -> bool:
        answer = self.answers[place]
        return answer.error is not None or (answer.end is not None and answer.end.reason is not FinishReason.CANCELLED)

    async def _run(self, place: int) -> None:
        pieces: list[str] = []
        member = self.answers[place].member
        self.answers[place] = replace(self.answers[place], asked=True)
        answer_id = uuid.uuid4().hex
        self._queue.put_nowait(MemberBegins(place, answer_id))
        try:
            await self._follow(place, self._ask(member, answer_id), pieces)
        except CodetteError as error:
            self._fail(place, pieces, error)
        except asyncio.CancelledError:
            if place not in self._dropped:
                raise
            self._fail(place, pieces, self._dropped[place])
        finally:
            self._running -= 1
            self._queue.put_nowait(None)  # whoever waits looks whether anybody is left

    async def _follow(self, place: int, stream: AsyncGenerator[AnswerPart, None], pieces: list[str]) -> None:
        limit: float | None = None
        label = self.answers[place].member.label
        async with aclosing(stream) as parts:
            while True:
                try:
                    async with asyncio.timeout(limit):
                        part = await anext(parts, None)
                except TimeoutError:
                    raise EngineFailure(f"{label} has written nothing for {limit:.0f} s.") from None
                if part is None:
                    return
                if isinstance(part, PromptRead):
                    more = self._patience.per_thousand_tokens_s * part.use.prompt / 1000
                    limit = self._patience.first_token_s + more
                elif isinstance(part, TextChunk):
                    pieces.append(part.text)
                    limit = self._patience.between_tokens_s
                elif isinstance(part, AnswerEnd):
                    self.answers[place] = replace(self.answers[place], text="".join(pieces), end=part)
                self._queue.put_nowait(MemberPart(place, part))

    def _fail(self, place: int, pieces: Sequence[str], error: CodetteError) -> None:
        self.answers[place] = replace(self.answers[place], text="".join(pieces), error=error)
        self._queue.put_nowait(MemberDropped(place, error))

"""One answer being written, read by everybody who asked for it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, TextChunk
from codette_desktop.domain.errors import EngineFailure

AfterEnd = Callable[[list[AnswerPart]], Awaitable[None]]


class Flight:
    """A stream that goes on while at least one of its readers is there. One event loop.

    Each reader has all parts from the first. `after` is awaited with them when the stream has ended by itself, before
    the readers end.
    """

    def __init__(self, stream: AsyncGenerator[AnswerPart, None], after: AfterEnd) -> None:
        self._stream = stream
        self._after = after
        self._parts: list[AnswerPart] = []
        self._readers = 0
        self._error: Exception | None = None
        self._news = asyncio.Event()
        self._ended = False
        self.task = asyncio.get_event_loop().create_task(self._run(), name="answer for all who asked")

    async def read(self) -> AsyncGenerator[AnswerPart, None]:
        """All parts. Raises the error that ended the stream. Closing it as the last reader stops the stream."""
        follows, asked_at, first_at = self._readers > 0 or bool(self._parts), time.perf_counter(), 0.0
        self._readers += 1
        at = 0
        try:
            while True:
                while at < len(self._parts):
                    part = self._parts[at]
                    at += 1
                    if isinstance(part, TextChunk):
                        first_at = first_at or time.perf_counter()
                    yield _as_seen(part, asked_at, first_at) if follows else part
                if self._ended:
                    break
                await self._news.wait()
        finally:
            await self._leave()
        if self._error is not None:
            raise self._error

    @property
    def is_given_up(self) -> bool:
        """Whether its last reader has gone, so that nobody may join any more."""
        return self.task.done() or self.task.cancelling() > 0

    async def _leave(self) -> None:
        self._readers -= 1
        if self._readers or self.task.done():
            return
        if not (self._parts and isinstance(self._parts[-1], AnswerEnd)):
            self.task.cancel()
        await asyncio.wait({self.task})

    async def _run(self) -> None:
        try:
            async with aclosing(self._stream) as parts:
                async for part in parts:
                    self._parts.append(part)
                    self._tell()
            await self._after(self._parts)
        except asyncio.CancelledError:
            self._error = EngineFailure("The answer was stopped.")
            raise
        except Exception as error:  # noqa: BLE001 - each reader raises it
            self._error = error
        finally:
            self._ended = True
            self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _as_seen(part: AnswerPart, asked_at: float, first_at: float) -> AnswerPart:
    """The times as they were for a reader that asked at `asked_at`."""
    if not isinstance(part, AnswerEnd):
        return part
    first_ms = (first_at - asked_at) * 1000 if first_at else 0.0
    total_ms = (time.perf_counter() - asked_at) * 1000
    load_ms = min(part.figures.load_ms, first_ms)
    figures = replace(part.figures, time_to_first_token_ms=first_ms, total_ms=total_ms, load_ms=load_ms)
    return replace(part, figures=figures)

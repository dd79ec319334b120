"""Hands the parts of an answer from the engine's thread to a coroutine."""

import asyncio
import time
from contextlib import suppress

from codette_desktop.domain.answers import AnswerPart, TextChunk

FLUSH_EVERY_S = 0.008


class Outbox:
    """Hands parts from the engine thread to a coroutine. Text goes in batches, since each hand-over wakes the loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[AnswerPart | Exception] = asyncio.Queue()
        self._text: list[str] = []
        self._times: list[float] = []  # of the tokens that wait
        self._sent_at = 0.0

    async def receive(self) -> AnswerPart:
        """The next part. Raises the error that ended the answer."""
        part = await self._queue.get()
        if isinstance(part, Exception):
            raise part
        return part

    def text(self, text: str) -> None:
        """What a token adds, perhaps nothing. The first text goes at once, the rest every few milliseconds."""
        now = time.perf_counter()
        self._times.append(now)
        if text:
            self._text.append(text)
            if now - self._sent_at >= FLUSH_EVERY_S:
                self._sent_at = now
                self.flush()

    def flush(self) -> None:
        """Send the text that waits, and the tokens that had none: all chunks together count every token."""
        if self._text or self._times:
            self.send(TextChunk("".join(self._text), len(self._times), tuple(self._times)))
            self._text.clear()
            self._times.clear()

    def finish(self, text: str) -> None:
        """Send what was held back until the end, and what waits."""
        if text:
            self._text.append(text)
        self.flush()

    def send(self, part: AnswerPart | Exception) -> None:
        """Send a part. Where nobody listens any more it is dropped."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._queue.put_nowait, part)

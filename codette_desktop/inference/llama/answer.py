"""One answer, from the model's load to its last token, as steps of the engine thread."""

import asyncio
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from codette_desktop.domain.answers import (
    AnswerEnd,
    AnswerFigures,
    AnswerPart,
    ContextUse,
    FinishReason,
    PromptRead,
    TextChunk,
)
from codette_desktop.domain.errors import CodetteError, EngineFailure
from codette_desktop.domain.models import ModelInfo
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.llama.library import engine_build
from codette_desktop.inference.llama.residents import Resident, Residents
from codette_desktop.inference.llama.runtime import Job
from codette_desktop.inference.llama.text import AnswerText

if TYPE_CHECKING:
    from codette_desktop.inference.llama.context import Context
    from codette_desktop.inference.llama.prompt import Prompt
    from codette_desktop.inference.llama.sampler import Sampler

FLUSH_EVERY_S = 0.008


class Outbox:
    """Hands parts from the engine thread to a coroutine. Text goes in batches, since each hand-over wakes the loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[AnswerPart | Exception] = asyncio.Queue()
        self._text: list[str] = []
        self._tokens = 0
        self._sent_at = 0.0

    async def receive(self) -> AnswerPart:
        """The next part. Raises the error that ended the answer."""
        part = await self._queue.get()
        if isinstance(part, Exception):
            raise part
        return part

    def text(self, text: str) -> None:
        """What a token adds, perhaps nothing. The first text goes at once, the rest every few milliseconds."""
        self._tokens += 1
        if text:
            self._text.append(text)
            now = time.perf_counter()
            if now - self._sent_at >= FLUSH_EVERY_S:
                self._sent_at = now
                self.flush()

    def flush(self) -> None:
        """Send the text that waits, and the tokens that had none: all chunks together count every token."""
        if self._text or self._tokens:
            self.send(TextChunk("".join(self._text), self._tokens))
            self._text.clear()
            self._tokens = 0

    def finish(self, text: str) -> None:
        """Send what was held back until the end, and what waits."""
        if text:
            self._text.append(text)
        self.flush()

    def send(self, part: AnswerPart | Exception) -> None:
        """Send a part. Where nobody listens any more it is dropped."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._queue.put_nowait, part)


class StoppableJob(Job):
    """A job that may be in the middle of a decode when it is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self._context: Context | None = None

    def attach(self, context: "Context | None") -> None:
        """Have `context` aborted by `cancel`; None: no longer."""
        with self._state:
            if self._context is not None:
                self._context.resume()
            self._context = context
            if context is not None and self.cancelled:
                context.abort()

    def interrupt(self) -> None:
        """Abort the decode in progress."""
        with self._state:
            if self._context is not None:
                self._context.abort()


class Answer(StoppableJob):
    """Answers one request; what it has to say goes to `outbox`, ending with `AnswerEnd` or an error."""

    def __init__(self, request: ChatRequest, info: ModelInfo, residents: Residents, outbox: Outbox) -> None:
        super().__init__()
        self._request = request
        self._info = info
        self._residents = residents
        self._outbox = outbox
        self._asked_at = time.perf_counter()
        self._first_at = self._last_at = 0.0
        self._produced = self._reused = 0
        self._load_ms = 0.0
        self._steps = self._work()

    def step(self) -> bool:
        """One chunk of the prompt, or one token."""
        return next(self._steps, False)

    def fail(self, error: Exception) -> None:
        """Tell the reader."""
        if not isinstance(error, CodetteError):
            error = EngineFailure(f"The engine failed: {type(error).__name__}: {error}")
        self._outbox.flush()
        self._outbox.send(error)

    def _work(self) -> Iterator[bool]:
        from codette_desktop.inference.llama.sampler import Sampler

        before = time.perf_counter()
        resident = self._residents.get(self._info, self)
        self._load_ms = resident.load_ms if resident.loaded_at >= before else 0.0
        prompt = resident.writer.write(self._request, resident.context.length)
        sampler = Sampler(self._request.sampling, resident.model.vocabulary)
        resident.busy = True
        self.attach(resident.context)
        try:
            yield from self._answer(resident, prompt, sampler)
        finally:
            resident.busy = False
            self.attach(None)
            sampler.close()

    def _answer(self, resident: Resident, prompt: "Prompt", sampler: "Sampler") -> Iterator[bool]:
        context = resident.context
        self._reused = context.keep_prefix(prompt.tokens)
        self._outbox.send(
            PromptRead(prompt.use, self._reused, sampler.seed, resident.info.file_hash, engine_build(), resident.device)
        )
        reason = FinishReason.CANCELLED
        text = AnswerText((*self._request.sampling.stop, *prompt.stops))
        for start in range(self._reused, len(prompt.tokens), context.chunk):
            if self.cancelled or not context.decode(prompt.tokens[start : start + context.chunk]):
                break
            yield True
        else:
            sampler.see(prompt.tokens)
            reason = yield from self._generate(context, sampler, text, prompt.use)
        self._outbox.finish(text.finish())
        self._outbox.send(self._end(resident, prompt.use, sampler.seed, reason))

    def _generate(
        self, context: "Context", sampler: "Sampler", text: AnswerText, use: ContextUse
    ) -> Generator[bool, None, FinishReason]:
        """Token by token. This loop is what the engine's speed is measured by: no more than needed happens in it."""
        vocabulary = context.model.vocabulary
        ends, piece, send = vocabulary.end_tokens, vocabulary.piece, self._outbox.text
        room = min(self._request.sampling.max_tokens or use.room, use.room)
        self._first_at = 0.0
        for produced in range(1, room + 1):
            token = sampler.next(context)
            now = time.perf_counter()
            self._first_at = self._first_at or now
            if token in ends:
                return FinishReason.STOP
            self._last_at, self._produced = now, produced  # of one and the same token, or the speed would be off by one
            send(text.feed(piece(token)))
            if text.stopped:
                return FinishReason.STOP
            if produced < room and (self.cancelled or not context.decode_one(token)):
                return FinishReason.CANCELLED
            yield True
        return FinishReason.LENGTH

    def _end(self, resident: Resident, use: ContextUse, seed: int, reason: FinishReason) -> AnswerEnd:
        now = time.perf_counter()
        decoding = self._last_at - self._first_at
        figures = AnswerFigures(
            prompt_tokens=use.prompt,
            completion_tokens=self._produced,
            time_to_first_token_ms=(self._first_at - self._asked_at) * 1000 if self._first_at else 0.0,
            tokens_per_second=(self._produced - 1) / decoding if self._produced > 1 and decoding > 0 else 0.0,
            total_ms=(now - self._asked_at) * 1000,
            load_ms=self._load_ms,
            reused_tokens=self._reused,
        )
        info = resident.info
        return AnswerEnd(
            reason=reason,
            figures=figures,
            use=use,
            seed=seed,
            model=info.name,
            model_label=info.label,
            model_hash=info.file_hash,
            engine_build=engine_build(),
            device=resident.device,
        )


class Load(StoppableJob):
    """Loads a model for later. When `ended` is done it is in memory, unless `error` says why not."""

    def __init__(self, info: ModelInfo, residents: Residents) -> None:
        super().__init__()
        self._info = info
        self._residents = residents
        self.error: Exception | None = None

    def step(self) -> bool:
        """The whole load."""
        self._residents.get(self._info, self)
        return False

    def fail(self, error: Exception) -> None:
        """Keep the error for whoever waits."""
        self.error = error if isinstance(error, CodetteError) else EngineFailure(f"The engine failed: {error}")

"""One answer, from its prompt to its last token."""

import math
import time

import numpy as np

from codette_desktop.domain.answers import (
    AnswerEnd,
    AnswerFigures,
    FinishReason,
    PromptRead,
)
from codette_desktop.domain.errors import Cancelled, CodetteError, EngineFailure
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.confidence import ConfidenceMeter
from codette_desktop.inference.llama.batching import Run
from codette_desktop.inference.llama.context import Context, Logits
from codette_desktop.inference.llama.library import engine_build
from codette_desktop.inference.llama.outbox import Outbox
from codette_desktop.inference.llama.sampler import Sampler
from codette_desktop.inference.llama.seats import Seat
from codette_desktop.inference.llama.text import AnswerText


class Answer(Run):
    """Answers one request; what it has to say goes to `outbox`, ending with `AnswerEnd` or an error."""

    def __init__(self, request: ChatRequest, outbox: Outbox) -> None:
        super().__init__()
        self._request = request
        self._outbox = outbox
        self._asked_at = time.perf_counter()
        self._first_at = self._last_at = 0.0
        self._produced = self._reused = 0
        self._load_ms = 0.0
        self._begun = False
        self._reason = FinishReason.CANCELLED
        self._meter = ConfidenceMeter() if request.scored else None
        self._bytes = 0

    def prepare(self, seat: Seat, load_ms: float) -> None:
        """Write the prompt, make the sampler, and bring back from disk what was read of the prompt earlier.

        `load_ms` is what a load for this answer took. Any one thread, but not the decoder's.

        Raises InvalidRequest, PromptTooLong, UnsupportedModel.
        """
        self._seat, self._load_ms = seat, load_ms
        prompt = seat.writer.write(self._request, seat.context.length)
        self._use, self.prompt = prompt.use, prompt.tokens
        seat.slots.fetch(prompt.tokens)
        self._text = AnswerText((*self._request.sampling.stop, *prompt.stops))
        vocabulary = seat.model.vocabulary
        self._ends, self._piece = vocabulary.end_tokens, vocabulary.piece
        self._room = min(self._request.sampling.max_tokens or prompt.use.room, prompt.use.room)
        self._sampler = Sampler(self._request.sampling, vocabulary)
        self._sampler.see(prompt.tokens)

    def discard(self) -> None:
        """Free what `prepare` made; harmless where the answer has ended. Not while it is being written."""
        self._sampler.close()

    def begun(self, reused: int) -> None:
        """Tell the reader; once, also where the answer had to wait in between."""
        if self._begun:
            return
        self._begun, self._reused = True, reused
        info, device = self._seat.info, self._seat.device
        now = time.perf_counter()
        self._outbox.send(
            PromptRead(self._use, reused, self._sampler.seed, info.file_hash, engine_build(), device, now)
        )

    def next(self, context: Context, row: int) -> int | None:
        """The next token. This is what the engine's speed is measured by: no more than needed happens here."""
        token = self._sampler.next(context, row)
        if self._meter is not None:
            self._meter.take(log_probability(context.logits(row), token))
            self._bytes += len(self._piece(token))
        now = time.perf_counter()
        self._first_at = self._first_at or now
        if token in self._ends:
            self._reason = FinishReason.STOP
            return None
        self._last_at = now  # of one and the same token as the count, or the speed would be off by one
        self._produced += 1
        self._outbox.text(self._text.feed(self._piece(token)))
        if self._text.stopped:
            self._reason = FinishReason.STOP
            return None
        if self._produced >= self._room:
            self._reason = FinishReason.LENGTH
            return None
        return token

    def finish(self, reason: FinishReason | None = None) -> None:
        """Send what was held back, and the figures. An answer that never began has nothing to say."""
        self._sampler.close()
        if not self._begun:
            self._outbox.send(Cancelled("It was cancelled before it began."))
            return
        self._outbox.finish(self._text.finish())
        self._outbox.send(self._end(reason or self._reason))

    def fail(self, error: Exception) -> None:
        """Tell the reader."""
        self._sampler.close()
        if not isinstance(error, CodetteError):
            error = EngineFailure(f"The engine failed: {type(error).__name__}: {error}")
        self._outbox.flush()
        self._outbox.send(error)

    def _end(self, reason: FinishReason) -> AnswerEnd:
        now = time.perf_counter()
        decoding = self._last_at - self._first_at
        figures = AnswerFigures(
            prompt_tokens=self._use.prompt,
            completion_tokens=self._produced,
            time_to_first_token_ms=(self._first_at - self._asked_at) * 1000 if self._first_at else 0.0,
            tokens_per_second=(self._produced - 1) / decoding if self._produced > 1 and decoding > 0 else 0.0,
            total_ms=(now - self._asked_at) * 1000,
            load_ms=self._load_ms,
            reused_tokens=self._reused,
        )
        info = self._seat.info
        return AnswerEnd(
            reason=reason,
            figures=figures,
            use=self._use,
            seed=self._sampler.seed,
            model=info.name,
            model_label=info.label,
            model_hash=info.file_hash,
            engine_build=engine_build(),
            device=self._seat.device,
            confidence=self._meter.result(self._bytes) if self._meter is not None else None,
        )


def log_probability(logits: Logits, token: int) -> float:
    """The natural log of the model's own probability of a token. `logits`, shape (vocabulary,), are left alone.

    At 150,000 tokens it takes about 0.2 ms.
    """
    highest = float(logits.max())
    total = float(np.exp(logits - highest).sum(dtype=np.float64))
    return float(logits[token]) - highest - math.log(total)

"""Keeps one answer in the store while it is being written, so that a crash loses little of it."""

import asyncio
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime

from codette_desktop.domain.answers import (
    AnswerEnd,
    AnswerFigures,
    AnswerPart,
    ContextUse,
    FinishReason,
    PromptRead,
    TextChunk,
)
from codette_desktop.domain.conversations import Generation, Node
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import AnyModel
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.unsaved import UnsavedNodes, finish_in_store
from codette_desktop.store import Store

CHECKPOINT_S = 0.5


class AnswerRecorder:
    """One generation from its start to its end. Figures are the provider's, or, for an answer cut short, our own."""

    def __init__(
        self,
        store: Store,
        unsaved: UnsavedNodes,
        question: Node,
        model: AnyModel,
        sampling: Sampling,
        answer_id: str = "",
    ) -> None:
        self._store = store
        self._unsaved = unsaved
        self._question = question
        self.generation = Generation(
            id=answer_id or uuid.uuid4().hex,
            model=model.name,
            model_label=model.label,
            model_hash=model.file_hash,
            quantisation=model.quantisation,
            sampling=sampling,
            seed=sampling.seed,
            engine_build="",
            device="",
            started_at=datetime.now(UTC),
        )
        self._text: list[str] = []
        self._tokens = 0
        self._started = time.perf_counter()
        self._first = self._last = self._kept = 0.0
        self._use: ContextUse | None = None
        self._reused = 0

    async def start(self) -> None:
        """Note in the store that an answer has begun."""
        if self._unsaved.holds(self._question.id):
            return
        parent = self._unsaved.saved_id(self._question.id)
        try:
            await asyncio.wrap_future(
                self._store.generations.start(self._question.conversation_id, parent, self.generation)
            )
        except StoreError as error:
            if not error.retryable:
                raise
            # The disk is full or busy: `finish` will keep the answer in memory and say so.

    def take(self, part: AnswerPart) -> None:
        """Follow the answer; what has been written goes to the store twice a second."""
        if isinstance(part, PromptRead):
            self._read(part)
        elif isinstance(part, TextChunk):
            self._last = time.perf_counter()
            self._first = self._first or self._last
            self._text.append(part.text)
            self._tokens += part.tokens
            if self._last - self._kept > CHECKPOINT_S:
                self._kept = self._last
                # Not awaited: the next token must not wait for the disk, and a failure shows at the end.
                self._store.generations.checkpoint(self.generation.id, "".join(self._text))
        elif isinstance(part, AnswerEnd):
            self._end(part)

    def switch(self, model: AnyModel) -> None:
        """The answer begins anew with another model; nothing is kept of what came before."""
        self.generation = replace(
            self.generation,
            model=model.name,
            model_label=model.label,
            model_hash=model.file_hash,
            quantisation=model.quantisation,
            seed=self.generation.sampling.seed,
            engine_build="",
            device="",
        )
        self._text.clear()
        self._tokens, self._first, self._use, self._reused = 0, 0.0, None, 0
        self._kept = time.perf_counter()
        self._store.generations.checkpoint(self.generation.id, "")

    def _read(self, prompt: PromptRead) -> None:
        self._use, self._reused = prompt.use, prompt.reused_tokens
        known = self.generation
        self.generation = replace(
            known,
            seed=known.seed if prompt.seed is None else prompt.seed,
            model_hash=prompt.model_hash or known.model_hash,
            engine_build=prompt.engine_build,
            device=prompt.device,
        )

    def _end(self, end: AnswerEnd) -> None:
        self.generation = replace(
            self.generation,
            seed=end.seed,
            engine_build=end.engine_build,
            device=end.device,
            model_hash=end.model_hash or self.generation.model_hash,
            reason=end.reason,
            figures=end.figures,
            use=end.use,
            note=end.note,
        )

    async def finish(self, reason: FinishReason, error: str = "") -> Node:
        """End the answer in the store, or in memory where the disk is full; gives its node."""
        done = self.generation
        if done.reason is None:
            done = replace(done, reason=reason, figures=self._own_figures(), use=self._use, error=error)
        text = "".join(self._text)
        try:
            return await finish_in_store(self._store, done, text)
        except StoreError as refused:
            if not refused.retryable and self._store.generations.get(done.id) is not None:
                raise
            failure = refused
        message = Message(Role.ASSISTANT, text)
        return self._unsaved.keep(self._question.conversation_id, self._question.id, message, done, failure)

    def _own_figures(self) -> AnswerFigures | None:
        if self._use is None:
            return None
        duration = self._last - self._first
        return AnswerFigures(
            prompt_tokens=self._use.prompt,
            completion_tokens=self._tokens,
            time_to_first_token_ms=1000 * (self._first - self._started) if self._first else 0.0,
            tokens_per_second=(self._tokens - 1) / duration if duration > 0 and self._tokens > 1 else 0.0,
            total_ms=1000 * (time.perf_counter() - self._started),
            reused_tokens=self._reused,
        )

"""A provider that answers with a script, at the moment a test chooses: for what depends on time. Not a model."""

import asyncio
from collections.abc import AsyncGenerator

from codette_desktop.domain.answers import (
    AnswerEnd,
    AnswerFigures,
    AnswerPart,
    ContextUse,
    FinishReason,
    PromptRead,
    TextChunk,
)
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.provider import LoadedModel


class ScriptedProvider:
    """Follows the contract of `Provider`. Each answer is `chunks`, or fails with `error` after them.

    While `hold` is set to True an answer stops after its first chunk until `release` is called, which lets all go that
    have been asked by then.
    """

    def __init__(self) -> None:
        self.chunks = ["One ", "two ", "three."]
        self.error: CodetteError | None = None
        self.reason = FinishReason.STOP
        self.left_out = 0
        self.hold = False
        self.requests: list[ChatRequest] = []
        self.closed_early = 0
        self._held: list[asyncio.Event] = []

    def release(self) -> None:
        """Let answers go on that were asked until now."""
        for go in self._held:
            go.set()
        self._held.clear()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
        """See `Provider.stream`."""
        self.requests.append(request)
        go = asyncio.Event()  # of this answer from the moment it is asked: a release must not come too early for it
        self._held.append(go)
        use = self._use(request)
        ended = False
        try:
            yield PromptRead(use)
            for number, text in enumerate(self.chunks):
                if self.hold and number == 1:
                    await go.wait()
                yield TextChunk(text)
            if self.error is not None:
                raise self.error
            ended = True
            figures = AnswerFigures(use.prompt, len(self.chunks), 18.0, 212.0, 100.0)
            yield AnswerEnd(self.reason, figures, use, 7, "scripted", "Scripted · F32", "0", "script")
        finally:
            self.closed_early += not ended

    async def count(self, request: ChatRequest) -> ContextUse:
        """See `Provider.count`: a word is a token."""
        return self._use(request)

    async def load(self, model: str) -> LoadedModel:
        """See `Provider.load`."""
        return LoadedModel(model, model, "CPU", 1, 0, 1024, 0)

    async def unload(self, model: str) -> bool:
        """See `Provider.unload`."""
        return False

    def loaded(self) -> list[LoadedModel]:
        """See `Provider.loaded`."""
        return []

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        self.release()

    def _use(self, request: ChatRequest) -> ContextUse:
        sizes = [len(message.content.split()) for message in request.messages]
        system = sizes[0] if request.messages[0].role == "system" else 0
        return ContextUse(1024, system, sum(sizes) - system - sizes[-1], sizes[-1], self.left_out)

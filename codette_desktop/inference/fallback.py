"""Always an answer: where the model that was asked fails, the next candidate answers, and the answer says so."""

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, ContextUse, SwitchedModel
from codette_desktop.domain.errors import CodetteError, EngineFailure, ModelError, PromptTooLong, ServerError
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.provider import CacheableProvider, Embeddings, LoadedModel, ModelIdentity, embedder_of

# What another model may do better. A request that cannot be served as it is fails with all of them.
PASSED_ON = (ModelError, EngineFailure, ServerError, PromptTooLong)


@dataclass(frozen=True, slots=True)
class Failure:
    """A candidate that did not answer; `label` is its name as a person reads it."""

    model: str
    label: str
    error: CodetteError


class FallbackProvider:
    """Asks `inner` for a request's model and, should that fail, for its `alternatives` in order.

    A `SwitchedModel` part tells that what came before is withdrawn. The answer's end carries a note of what failed.
    Where all fail, the error is the first one's, with what the others failed of. `label` gives the name a person reads.
    `on_switch` hears the seconds between a failure and the next candidate's start.
    """

    def __init__(
        self,
        inner: CacheableProvider,
        label: Callable[[str], str] = lambda name: name,
        on_switch: Callable[[float], object] = lambda _seconds: None,
    ) -> None:
        self.inner = inner
        self._label = label
        self.on_switch = on_switch

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
        """See `Provider.stream`. Closing it stops whichever candidate is answering; no other begins then."""
        names = tuple(dict.fromkeys((request.model, *request.alternatives)))
        failures: list[Failure] = []
        failed_at = 0.0
        for place, name in enumerate(names):
            parts = self.inner.stream(replace(request, model=name, alternatives=()))
            if failures:
                yield SwitchedModel(failures[-1].model, failures[-1].error, name)
                self.on_switch(time.perf_counter() - failed_at)
            try:
                async with aclosing(parts):
                    async for part in parts:
                        yield with_note(part, failures)
                return
            except PASSED_ON as error:
                failed_at = time.perf_counter()
                failures.append(Failure(name, self._label(name), error))
                if place == len(names) - 1:
                    raise all_failed(failures) from error

    async def count(self, request: ChatRequest) -> ContextUse:
        """See `Provider.count`: for the first candidate."""
        return await self.inner.count(replace(request, alternatives=()))

    async def load(self, model: str) -> LoadedModel:
        """See `Provider.load`."""
        return await self.inner.load(model)

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """See `EmbeddingProvider.embed`."""
        return await embedder_of(self.inner, model).embed(model, texts)

    async def unload(self, model: str) -> bool:
        """See `Provider.unload`."""
        return await self.inner.unload(model)

    def loaded(self) -> list[LoadedModel]:
        """See `Provider.loaded`."""
        return self.inner.loaded()

    def identity(self, model: str) -> ModelIdentity | None:
        """See `CacheableProvider.identity`."""
        return self.inner.identity(model)

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await self.inner.aclose()


def with_note(part: AnswerPart, failures: Sequence[Failure]) -> AnswerPart:
    """The end of an answer that others failed to give, with a note that says so; other parts as they are."""
    if not failures or not isinstance(part, AnswerEnd):
        return part
    told = " ".join(f"{failure.label} could not answer: {failure.error.message}" for failure in failures)
    note = f"{told} {part.model_label} answered instead."
    return replace(part, note=f"{note} {part.note}".strip())


def all_failed(failures: Sequence[Failure]) -> CodetteError:
    """The error of the first candidate, with what those after it failed of."""
    first = failures[0].error
    if len(failures) == 1:
        return first
    others = " ".join(f"{failure.label} could not answer either: {failure.error.message}" for failure in failures[1:])
    return type(first)(f"{first.message} {others}", first.hint, retryable=first.retryable)

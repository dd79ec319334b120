"""A provider before another: models may be asked by the names the person has given them."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from codette_desktop.domain.answers import AnswerPart, ContextUse
from codette_desktop.domain.joint import JointPart, JointRequest
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.provider import (
    CacheableProvider,
    Embeddings,
    JointProvider,
    LoadedModel,
    ModelIdentity,
    embedder_of,
)


class NamedProvider:
    """Asks `inner` by what `asked_name` makes of a model's name at that moment. Answers tell the model's own name."""

    def __init__(self, inner: CacheableProvider, asked_name: Callable[[str], str]) -> None:
        self._inner = inner
        self._asked_name = asked_name

    def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
        """See `Provider.stream`."""
        return self._inner.stream(self._renamed(request))

    async def count(self, request: ChatRequest) -> ContextUse:
        """See `Provider.count`."""
        return await self._inner.count(self._renamed(request))

    async def load(self, model: str) -> LoadedModel:
        """See `Provider.load`."""
        return await self._inner.load(self._asked_name(model))

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """See `EmbeddingProvider.embed`."""
        return await embedder_of(self._inner, model).embed(self._asked_name(model), texts)

    async def unload(self, model: str) -> bool:
        """See `Provider.unload`."""
        return await self._inner.unload(self._asked_name(model))

    def loaded(self) -> list[LoadedModel]:
        """See `Provider.loaded`."""
        return self._inner.loaded()

    def identity(self, model: str) -> ModelIdentity | None:
        """See `CacheableProvider.identity`."""
        return self._inner.identity(self._asked_name(model))

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await self._inner.aclose()

    def _renamed(self, request: ChatRequest) -> ChatRequest:
        return replace(request, model=self._asked_name(request.model))


class JointByName:
    """Itself a `JointProvider`: asks `engine` by what `asked_name` makes of a model's name at that moment."""

    def __init__(self, engine: JointProvider, asked_name: Callable[[str], str]) -> None:
        self._engine = engine
        self._asked_name = asked_name

    def write_together(self, request: JointRequest) -> AsyncGenerator[JointPart, None]:
        """See `JointProvider.write_together`."""
        renamed = tuple(replace(one, model=self._asked_name(one.model)) for one in request.requests)
        return self._engine.write_together(replace(request, requests=renamed))

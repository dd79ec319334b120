"""A provider before another: what has been asked before is answered at once."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TypeVar

from codette_desktop.domain.answers import AnswerPart, ContextUse
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.cache.answers import KeptAnswer, whole_answer
from codette_desktop.inference.cache.flight import Flight
from codette_desktop.inference.cache.key import key_of, repeats_itself
from codette_desktop.inference.cache.responses import ResponseCache
from codette_desktop.inference.provider import CacheableProvider, Embeddings, LoadedModel, ModelIdentity, embedder_of
from codette_desktop.store.responses import ResponseCounts

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 5.0
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the answer to a request is kept, and the answer if it is there."""

    key: bytes
    identity: ModelIdentity
    answer: KeptAnswer | None


class CachingProvider:
    """Answers from `cache` what `inner` has answered, keeps what it answers, and asks it once for equal requests.

    Kept are answers that their model ended, to requests that have the same answer each time (to others too where the
    settings say so), of the models that `may_keep` allows. A `fresh` request is answered by `inner` and replaces what
    was kept. Whatever is wrong with the cache, `inner` answers.
    """

    def __init__(
        self, inner: CacheableProvider, cache: ResponseCache, may_keep: Callable[[str], bool] = lambda _model: True
    ) -> None:
        self._inner = inner
        self._cache = cache
        self._may_keep_of = may_keep
        self._flights: dict[bytes, Flight] = {}
        self._running: set[asyncio.Task[None]] = set()
        # The library of models and the database are read off the loop, and never behind somebody else's long work.
        self._closed = False
        self._helper = ThreadPoolExecutor(2, thread_name_prefix="response-cache")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
        """See `Provider.stream`."""
        asked_at = time.perf_counter()
        place = await self._help(lambda: self._looked_up(request)) if self._may_keep(request) else None
        if place is None:
            parts = self._inner.stream(request)
        elif place.answer is not None:
            parts = self._given_again(place, place.answer, asked_at)
        else:
            parts = self._shared(request, place, asked_at)
        async with aclosing(parts):
            async for part in parts:
                yield part

    async def count(self, request: ChatRequest) -> ContextUse:
        """See `Provider.count`."""
        return await self._inner.count(request)

    async def load(self, model: str) -> LoadedModel:
        """See `Provider.load`."""
        return await self._inner.load(model)

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """See `EmbeddingProvider.embed`."""
        return await embedder_of(self._inner, model).embed(model, texts)

    async def unload(self, model: str) -> bool:
        """See `Provider.unload`."""
        return await self._inner.unload(model)

    def loaded(self) -> list[LoadedModel]:
        """See `Provider.loaded`."""
        return self._inner.loaded()

    def identity(self, model: str) -> ModelIdentity | None:
        """See `CacheableProvider.identity`."""
        return self._inner.identity(model)

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await self._inner.aclose()
        if self._running:
            await asyncio.wait(self._running, timeout=STOP_TIMEOUT_S)
        self._closed = True
        await asyncio.to_thread(self._helper.shutdown)
        with suppress(CodetteError):
            await asyncio.wrap_future(self._cache.flush())

    def _may_keep(self, request: ChatRequest) -> bool:
        settings = self._cache.settings
        return settings.enabled and (settings.reuse_sampled or repeats_itself(request.sampling))

    def _looked_up(self, request: ChatRequest) -> _Place | None:
        """Where the answer is kept, or would be; None where it may not be. Reads the disk."""
        return self._look(request) if self._may_keep_of(request.model) else None

    async def _help(self, work: Callable[[], R]) -> R | None:
        """`work` on a helper's thread; None where it failed."""
        if self._closed:
            return None
        try:
            return await asyncio.get_event_loop().run_in_executor(self._helper, work)
        except CodetteError as error:
            log.debug("not cached: %s", error)  # such as an unknown model: `inner` says so
        except Exception:
            log.exception("the response cache failed")
        return None

    def _look(self, request: ChatRequest) -> _Place | None:
        identity = self._inner.identity(request.model)
        if identity is None:
            return None
        key = key_of(identity.traits, request)
        return _Place(key, identity, None if request.fresh else self._cache.get(key))

    async def _given_again(
        self, place: _Place, answer: KeptAnswer, asked_at: float
    ) -> AsyncGenerator[AnswerPart, None]:
        self._cache.hit(place.key)
        yield answer.prompt_read()
        first_ms = 0.0
        if answer.text or answer.end.figures.completion_tokens:
            first_ms = (time.perf_counter() - asked_at) * 1000
            yield answer.chunk()
        total_ms = (time.perf_counter() - asked_at) * 1000
        yield answer.ended(place.identity.name, place.identity.label, first_ms, total_ms)

    def _shared(self, request: ChatRequest, place: _Place, asked_at: float) -> AsyncGenerator[AnswerPart, None]:
        if request.fresh:  # the person wants an answer of this moment: nobody else's
            return self._fly(request, place).read()
        flight = self._flights.get(place.key)
        if flight is not None and not flight.is_given_up:
            self._cache.count(ResponseCounts(shared=1))
            return flight.read()
        answer = self._cache.get_from_memory(place.key)  # another may have been answered since the store was read
        if answer is not None:
            return self._given_again(place, answer, asked_at)
        self._cache.count(ResponseCounts(misses=1))
        flight = self._flights[place.key] = self._fly(request, place)
        return flight.read()

    def _fly(self, request: ChatRequest, place: _Place) -> Flight:
        async def keep(parts: list[AnswerPart]) -> None:
            answer = whole_answer(parts)
            if answer is not None:
                await self._help(lambda: self._keep(request, place, answer))

        flight = Flight(self._inner.stream(request), keep)
        self._running.add(flight.task)

        def landed(task: "asyncio.Task[None]") -> None:
            self._running.discard(task)
            if self._flights.get(place.key) is flight:
                del self._flights[place.key]

        flight.task.add_done_callback(landed)
        return flight

    def _keep(self, request: ChatRequest, place: _Place, answer: KeptAnswer) -> None:
        """Unless the model's file or the settings were changed while it answered."""
        identity = self._inner.identity(request.model)
        if identity is not None and key_of(identity.traits, request) == place.key:
            self._cache.put(place.key, answer)

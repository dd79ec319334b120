"""Embedding as the provider in this process does it: found ready or loaded, then a part of the decoder's work."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.models import ModelInfo
from codette_desktop.inference.llama.embedders import Embedders, LoadEmbedder, Ready
from codette_desktop.inference.llama.runtime import Engine
from codette_desktop.inference.provider import Embeddings
from codette_desktop.inference.running import RunningModels

if TYPE_CHECKING:
    from codette_desktop.inference.llama.decoder import Decoder
    from codette_desktop.inference.llama.embedding import EmbeddingRun

STOP_TIMEOUT_S = 5.0
Begun = tuple[Ready, "EmbeddingRun"]


class EmbeddingService:
    """`help_with` runs something on a helper's thread, and undoes it where nobody waits any more."""

    def __init__(
        self,
        embedders: Embedders,
        loader: Engine,
        help_with: Callable[..., Awaitable[Any]],
        decoder: "Callable[[], Decoder]",
        running: RunningModels | None = None,
    ) -> None:
        self._embedders = embedders
        self._loader = loader
        self._help_with = help_with
        self._decoder = decoder
        self._running = running

    async def embed(self, info: ModelInfo, texts: Sequence[str]) -> Embeddings:
        """See `EmbeddingProvider.embed`."""
        if not texts:
            raise InvalidRequest("There is no text to embed.")
        ready, run = await self._begun(info, texts)
        try:
            self._decoder().take(run)
        except BaseException:
            self._let_go(ready)
            raise
        run.ended.add_done_callback(lambda _ended: self._let_go(ready))
        try:
            await ended(run)
        finally:
            await stopped(run)
        vectors = await self._help_with(run.vectors)
        return Embeddings(vectors, ready.embedder.pooling, info.file_hash, run.tokens)

    def unload(self, info: ModelInfo) -> bool:
        """See `Embedders.unload`."""
        return self._embedders.unload(info)

    def close(self) -> None:
        """See `Embedders.close`."""
        self._embedders.close()

    async def _begun(self, info: ModelInfo, texts: Sequence[str]) -> Begun:
        """The model, to be let go of, and the work."""
        while True:
            begun: Begun | None = await self._help_with(functools.partial(self._begin, info, texts), self._undo)
            if begun is not None:
                return begun
            job = LoadEmbedder(info, self._embedders)
            self._loader.submit(job)
            try:
                await ended(job)
            finally:
                await stopped(job)
            if job.error:
                raise job.error

    def _begin(self, info: ModelInfo, texts: Sequence[str]) -> Begun | None:
        from codette_desktop.inference.llama.embedding import EmbeddingRun

        ready = self._embedders.hold(info)
        if ready is None:
            return None
        if self._running is not None:
            self._running.begin(info.file_hash)
        try:
            return ready, EmbeddingRun(ready.embedder, ready.embedder.tokenise(texts))
        except BaseException:
            self._let_go(ready)
            raise

    def _undo(self, begun: Begun | None) -> None:
        if begun is not None:
            self._let_go(begun[0])

    def _let_go(self, ready: Ready) -> None:
        if self._running is not None:
            self._running.end(ready.embedder.info.file_hash)
        self._embedders.release(ready)


async def ended(job: Any, most_s: float | None = None) -> None:
    """Wait for a thread to let go of `job`. Unlike awaiting the future itself, cancelling this does not end it."""
    await asyncio.wait({asyncio.wrap_future(job.ended)}, timeout=most_s)


async def stopped(job: Any) -> None:
    """Return when a thread has let go of `job`, cancelled if it still runs; in any case within some seconds."""
    if not job.ended.done():
        job.cancel()
    await ended(job, STOP_TIMEOUT_S)

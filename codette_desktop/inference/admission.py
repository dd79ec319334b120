"""Which models run in this process, and which in one of their own.

A file nobody has run here yet, or one that has taken a process down, is tried in a child process first: it is loaded,
and writes two tokens. Only then it is admitted, and runs in this process, which is faster to start and takes less
memory. One that has crashed twice, or that the person wants apart, stays in a process of its own. An adapter is a file
like any other: a trusted model with one that nobody has run is tried again.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from codette_desktop.domain.answers import AnswerPart, ContextUse
from codette_desktop.domain.errors import CodetteError, StoreError, UnsupportedModel
from codette_desktop.domain.joint import JointDropped, JointPart, JointRequest, at_places, without
from codette_desktop.domain.models import ModelInfo
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.provider import (
    CacheableProvider,
    Embeddings,
    JointProvider,
    LoadedModel,
    ModelIdentity,
    Provider,
    embedder_of,
)

CRASHES_TO_STAY_APART = 2


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of running a file: whether it was admitted since its last crash, and how often it crashed."""

    admitted: bool = False
    crashes: int = 0


class TrustStore(Protocol):
    """What is kept of it, by the hash of the file."""

    def trust(self, file_hash: str) -> tuple[bool, int]: ...
    def admit(self, file_hash: str) -> "Future[None]": ...
    def note_crash(self, file_hash: str) -> "Future[None]": ...


def told_apart() -> UnsupportedModel:
    """Why a model outside this process does not write together with others."""
    return UnsupportedModel(
        "It runs in a process of its own, out of which no probabilities of single tokens come.",
        "It can take part in every other method.",
    )


class InsideProvider(CacheableProvider, JointProvider, Protocol):
    """The one in this process."""


class AdmittingProvider:
    """Two providers behind the face of one: `inside` this process, and `apart` from it.

    `find` as for `LlamaProvider`. `wanted_apart` says whether the person wants a model in a process of its own.
    """

    def __init__(
        self,
        find: Callable[[str], ModelInfo],
        inside: InsideProvider,
        apart: Provider,
        store: TrustStore,
        wanted_apart: Callable[[ModelInfo], bool] = lambda _info: False,
    ) -> None:
        self._find = find
        self._inside = inside
        self._apart = apart
        self._store = store
        self._wanted_apart = wanted_apart
        self._trying: dict[str, asyncio.Lock] = {}

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
        """See `Provider.stream`."""
        provider = await self._place(request.model)
        async with aclosing(provider.stream(request)) as parts:
            async for part in parts:
                yield part

    async def count(self, request: ChatRequest) -> ContextUse:
        """See `Provider.count`. A file that has not been admitted is not opened in this process for that either."""
        return await (await self._place(request.model)).count(request)

    async def load(self, model: str) -> LoadedModel:
        """See `Provider.load`."""
        return await (await self._place(model)).load(model)

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """See `EmbeddingProvider.embed`. A file nobody has run is tried apart for that too."""
        return await embedder_of(await self._place(model), model).embed(model, texts)

    async def write_together(self, request: JointRequest) -> AsyncGenerator[JointPart, None]:
        """See `JointProvider.write_together`. Models in processes of their own take no part."""
        left: list[int] = []
        for place, one in enumerate(request.requests):
            try:
                if await self._place(one.model) is self._inside:
                    left.append(place)
                    continue
                error: CodetteError = told_apart()
            except CodetteError as failed:
                error = failed
            yield JointDropped(place, error)
        if not left:
            raise UnsupportedModel("None of these models can write together with others.", "Choose another method.")
        async with aclosing(self._inside.write_together(without(request, left))) as parts:
            async for part in parts:
                yield at_places(part, left)

    async def unload(self, model: str) -> bool:
        """See `Provider.unload`."""
        apart = await self._apart.unload(model)
        return await self._inside.unload(model) or apart

    def loaded(self) -> list[LoadedModel]:
        """See `Provider.loaded`."""
        return [*self._inside.loaded(), *self._apart.loaded()]

    def identity(self, model: str) -> ModelIdentity | None:
        """See `CacheableProvider.identity`: the answer does not depend on where the model runs."""
        return self._inside.identity(model)

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await asyncio.gather(self._inside.aclose(), self._apart.aclose())

    async def _place(self, model: str) -> Provider:
        """Where it runs; tried first where that is not known."""
        # Not `to_thread`: Qt may run this between two runs of the loop, while none counts as running.
        info, trust = await asyncio.get_event_loop().run_in_executor(None, self._look, model)
        if self.stays_apart(info, trust):
            return self._apart
        if trust.admitted:
            return self._inside
        async with self._trying.setdefault("+".join(info.file_hashes), asyncio.Lock()):
            _, trust = await asyncio.get_event_loop().run_in_executor(None, self._look, model)
            if self.stays_apart(info, trust):  # what was tried meanwhile has crashed
                return self._apart
            if not trust.admitted:
                await self._try(model, info)
        return self._inside

    def stays_apart(self, info: ModelInfo, trust: Trust) -> bool:
        """Whether the model never runs in this process."""
        return self._wanted_apart(info) or trust.crashes >= CRASHES_TO_STAY_APART

    def trust(self, info: ModelInfo) -> Trust:
        """What is known of a model with all its adapters: no more than of the one least known. Reads the store."""
        known = [Trust(*self._store.trust(file_hash)) for file_hash in info.file_hashes]
        if info.starter and not known[0].crashes:
            known[0] = Trust(admitted=True)
        return Trust(all(one.admitted for one in known), max(one.crashes for one in known))

    def note_crash(self, info: ModelInfo) -> None:
        """A process went down with it: held against the files that were on trial, or else against all."""
        weights = () if self.trust(replace(info, adapters=())).admitted else (info.file_hash,)
        adapters = (item.file_hash for item in info.adapters)
        tried = [*weights, *(file_hash for file_hash in adapters if not self._store.trust(file_hash)[0])]
        for file_hash in tried or info.file_hashes:
            self._store.note_crash(file_hash)

    def _look(self, model: str) -> tuple[ModelInfo, Trust]:
        info = self._find(model)
        return info, self.trust(info)

    async def _try(self, model: str, info: ModelInfo) -> None:
        """Load it in a process of its own, where it also writes two tokens or embeds a text. Raises what fails."""
        try:
            if info.writes:
                await self._apart.load(model)
            else:
                await embedder_of(self._apart, model).embed(model, ["a b"])
        finally:
            await asyncio.shield(self._apart.unload(model))
        try:
            for file_hash in info.file_hashes:
                await asyncio.wrap_future(self._store.admit(file_hash))
        except StoreError:
            return  # the disk is full: it is tried again next time

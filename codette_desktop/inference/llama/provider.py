"""The provider that answers with llama.cpp in this process."""

import asyncio
import atexit
import functools
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, ContextUse
from codette_desktop.domain.errors import EngineFailure, UnsupportedModel
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.joint import JointPart, JointRequest
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.llama.embedders import Embedders
from codette_desktop.inference.llama.embedding_service import EmbeddingService, ended, stopped
from codette_desktop.inference.llama.identity import Identities
from codette_desktop.inference.llama.joint.service import JointService
from codette_desktop.inference.llama.library import engine_build
from codette_desktop.inference.llama.loading import Load
from codette_desktop.inference.llama.outbox import Outbox
from codette_desktop.inference.llama.residents import Hook, Residents
from codette_desktop.inference.llama.runtime import Engine
from codette_desktop.inference.llama.seats import Seat
from codette_desktop.inference.llama.workplaces import MOST_CONTEXTS
from codette_desktop.inference.provider import Embeddings, LoadedModel, ModelIdentity
from codette_desktop.inference.running import RunningModels
from codette_desktop.inference.scheduling import Scheduler

if TYPE_CHECKING:
    from codette_desktop.inference.llama.answer import Answer
    from codette_desktop.inference.llama.decoder import Decoder
    from codette_desktop.inference.llama.kv_folder import KvFolder

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.02  # for a context that is free, while all are in use with other adapters
R = TypeVar("R")


class Holder(Protocol):
    """What stands on a seat: an answer, or a member of one that several write."""

    def prepare(self, seat: Seat, load_ms: float, /) -> None: ...
    def discard(self) -> None: ...


class LlamaProvider:
    """Answers with GGUF files. Answers of one model are written together; those of several models take turns by token.

    `find` gives the model of a request's name (with its `file_hash`, which answers report) or raises ModelError; it may
    read the disk. `settings` says how a model is loaded; when its answer changes the model is loaded anew. `on_loading`
    is called before a load and `on_loaded` when it has ended, well or not: a mark left between the two means that the
    file took the process down. Both run on the loader's thread. `scheduler` says how many models there is memory for.
    Answers of one model with different adapters are written together in up to `contexts` contexts.
    What has been read of prompts is kept in `kv` beyond the process; `running` is told which models answer. Both are
    closed with the provider.
    """

    def __init__(
        self,
        find: Callable[[str], ModelInfo],
        bus: EventBus,
        *,
        settings: Callable[[ModelInfo], EngineSettings] = lambda _info: EngineSettings(),
        on_loading: Hook | None = None,
        on_loaded: Hook | None = None,
        scheduler: Scheduler | None = None,
        contexts: int = MOST_CONTEXTS,
        kv: "KvFolder | None" = None,
        running: RunningModels | None = None,
    ) -> None:
        self._find = find
        self._identities = Identities(find, settings)
        self._loader = Engine("llama-loader")
        self._kv = kv
        self._running = running
        self._loads: dict[tuple[object, ...], Load] = {}
        scheduler = scheduler or Scheduler()
        self._residents = Residents(
            bus,
            settings,
            scheduler,
            contexts=contexts,
            on_loading=on_loading,
            on_loaded=on_loaded,
            kv=kv,
        )
        embedders = Embedders(settings, scheduler, on_loading, on_loaded)
        self._embedding = EmbeddingService(embedders, self._loader, self._help, self._the_decoder, running)
        self._joint = JointService(
            self._writer_named, self._hold_if_there, self._bring_in, self._let_go, self._the_decoder, contexts
        )
        # Reading headers, writing prompts and counting tokens must neither block the loop nor wait for the engine.
        self._helper = ThreadPoolExecutor(2, thread_name_prefix="llama-helper")
        self._decoder: Decoder | None = None
        self._closed = False
        self._closing = threading.Lock()
        atexit.register(self._stop)

    @property
    def build(self) -> str:
        """The engine in one line, as answers report it."""
        return engine_build()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
        """See `Provider.stream`."""
        outbox = Outbox()
        answer = await self._help(lambda: self._new_answer(request, outbox))
        info = await self._writer_named(request.model)
        seat = await self._hold(info, answer)
        try:
            self._decode(seat, answer)
        except BaseException:
            self._release(seat, answer)
            raise
        # The one rule of what an answer stands on: it is let go of when the decoder has ended it, whoever still waits.
        answer.ended.add_done_callback(lambda _ended: self._release(seat, answer))
        try:
            while True:
                part = await outbox.receive()
                yield part
                if isinstance(part, AnswerEnd):
                    return
        finally:
            await stopped(answer)

    async def count(self, request: ChatRequest) -> ContextUse:
        """See `Provider.count`. Also while another answer is being written, without slowing it."""
        return await self._help(lambda: self._count(request))

    async def load(self, model: str) -> LoadedModel:
        """See `Provider.load`."""
        info = await self._writer_named(model)
        while True:
            async with self._loading(info) as load:
                if load.loaded is not None:
                    return load.loaded
            await asyncio.sleep(_LOOK_EVERY_S)

    async def unload(self, model: str) -> bool:
        """See `Provider.unload`."""
        info = await self._help(lambda: self._find(model))
        embedded = await self._help(lambda: self._embedding.unload(info))
        gone = await self._help(lambda: self._residents.retire(info))
        if gone is None:
            return embedded
        await asyncio.wait({asyncio.wrap_future(gone)})
        return True

    def loaded(self) -> list[LoadedModel]:
        """See `Provider.loaded`."""
        return self._residents.snapshot()

    def identity(self, model: str) -> ModelIdentity | None:
        """See `CacheableProvider.identity`."""
        return self._identities.of(model)

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """See `EmbeddingProvider.embed`. The model is loaded for it beside those that answer."""
        return await self._embedding.embed(await self._help(lambda: self._find(model)), texts)

    def write_together(self, request: JointRequest) -> AsyncGenerator[JointPart, None]:
        """See `JointProvider.write_together`."""
        return self._joint.write(request)

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await asyncio.to_thread(self._stop)

    def _new_answer(self, request: ChatRequest, outbox: Outbox) -> "Answer":
        """On a helper's thread: what an answer needs is imported with the first one."""
        from codette_desktop.inference.llama.answer import Answer

        return Answer(request, outbox)

    async def _writer_named(self, name: str) -> ModelInfo:
        return await self._help(lambda: self._find_writer(name))

    async def _hold(self, info: ModelInfo, answer: "Answer") -> Seat:
        """The model in memory, loaded if it must be, with the answer's prompt written for it; to be released."""
        load_ms = 0.0
        while True:
            work = functools.partial(self._prepare, info, answer, load_ms)
            undo = functools.partial(self._undo_hold, answer)
            if (seat := await self._help(work, undo=undo)) is not None:
                return seat
            async with self._loading(info) as load:
                load_ms += load.load_ms
                work = functools.partial(self._prepare, info, answer, load_ms)
                if load.loaded is not None and (seat := await self._help(work, undo=undo)) is not None:
                    return seat
            if load.loaded is None:
                await asyncio.sleep(_LOOK_EVERY_S)

    async def _hold_if_there(self, info: ModelInfo, holder: Holder) -> Seat | None:
        work = functools.partial(self._prepare, info, holder, 0.0)
        return await self._help(work, undo=functools.partial(self._undo_hold, holder))

    async def _bring_in(self, info: ModelInfo) -> None:
        async with self._loading(info):
            pass

    def _undo_hold(self, answer: Holder, seat: Seat | None) -> None:
        if seat is not None:
            self._release(seat, answer)

    def _release(self, seat: Seat, answer: Holder) -> None:
        answer.discard()
        self._let_go(seat)

    def _let_go(self, seat: Seat) -> None:
        if self._running is not None:
            self._running.end(seat.info.file_hash)
        self._residents.release(seat)

    def _prepare(self, info: ModelInfo, answer: Holder, load_ms: float) -> Seat | None:
        seat = self._residents.hold(info)
        if seat is not None:
            if self._running is not None:
                self._running.begin(seat.info.file_hash)
            try:
                answer.prepare(seat, load_ms)
            except BaseException:
                self._let_go(seat)
                raise
        return seat

    @asynccontextmanager
    async def _loading(self, info: ModelInfo) -> AsyncGenerator[Load, None]:
        """The model in memory for as long as the block lasts, where there is a place in it: see `Load`.

        Those who ask for one model meanwhile share its load, which ends early when none of them waits any more.
        """
        key = (info.path, *((item.path, item.scale) for item in info.adapters))
        load = self._loads.get(key)
        if load is None or load.ended.done():
            load = self._loads[key] = Load(info, self._residents)
            self._loader.submit(load)
        load.waiters += 1
        try:
            await ended(load)
            if load.error:
                raise load.error
            yield load
        finally:
            load.waiters -= 1
            if not load.waiters:
                load.let_go()
                await stopped(load)
                if self._loads.get(key) is load:
                    del self._loads[key]

    def _decode(self, seat: Seat, answer: "Answer") -> None:
        self._the_decoder().add(seat.batch, answer)

    def _the_decoder(self) -> "Decoder":
        from codette_desktop.inference.llama.decoder import Decoder

        with self._closing:
            if self._closed:
                raise _shut_down()
            if self._decoder is None:
                self._decoder = Decoder("llama-decoder")
            return self._decoder

    def _find_writer(self, name: str) -> ModelInfo:
        info = self._find(name)
        if not info.writes:
            raise UnsupportedModel(f"{info.label} does not write text: it only embeds it.", "Choose another model.")
        return info

    def _count(self, request: ChatRequest) -> ContextUse:
        with self._residents.writing(self._find_writer(request.model)) as (writer, length):
            return writer.write(request, length).use

    async def _help(self, work: Callable[[], R], undo: Callable[[R], object] | None = None) -> R:
        """Run `work` on a helper's thread; `undo` what it did if nobody waits for it any more."""
        with self._closing:
            if self._closed:
                raise _shut_down()
            future: Future[R] = self._helper.submit(work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if undo is not None:
                future.add_done_callback(lambda done: _undo(done, undo))
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                raise _shut_down() from None  # not this task was cancelled, but what it waited for
            raise

    def _stop(self) -> None:
        """Stop the engine and the helpers, and free what they used. May be called twice, and blocks."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self._stop)
        all_stopped = self._decoder is None or self._decoder.close()
        all_stopped = self._loader.close() and all_stopped
        # Before anything is freed: a helper may be counting, and must not find a vocabulary to read afterwards.
        self._helper.shutdown(cancel_futures=True)
        if all_stopped:
            self._embedding.close()
            self._residents.close()
        else:
            log.warning("the engine did not stop in time; its memory is left to the system")
        if self._kv is not None:
            self._kv.close()
        if self._running is not None:
            self._running.close()


def _undo(done: "Future[R]", undo: Callable[[R], object]) -> None:
    if not done.cancelled() and done.exception() is None:
        undo(done.result())


def _shut_down() -> EngineFailure:
    return EngineFailure("The engine has been shut down.", retryable=False)

"""The provider that answers with llama.cpp in this process."""

import asyncio
import atexit
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, ContextUse
from codette_desktop.domain.errors import Cancelled, EngineFailure
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.llama.answer import Answer, Load, Outbox
from codette_desktop.inference.llama.identity import Identities
from codette_desktop.inference.llama.library import engine_build
from codette_desktop.inference.llama.residents import Hook, Residents
from codette_desktop.inference.llama.runtime import Engine, Job
from codette_desktop.inference.provider import LoadedModel, ModelIdentity

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 5.0
R = TypeVar("R")


class LlamaProvider:
    """Answers with GGUF files, one answer at a time; requests that come meanwhile wait in the order they came.

    `find` gives the model of a request's name (with its `file_hash`, which answers report) or raises ModelError; it may
    read the disk. `settings` says how a model is loaded; when its answer changes the model is loaded anew. `on_loading`
    is called before a load and `on_loaded` when it has ended, well or not: a mark left between the two means that the
    file took the process down. Both run on the engine thread. At most `max_resident` models stay in memory.
    """

    def __init__(
        self,
        find: Callable[[str], ModelInfo],
        bus: EventBus,
        *,
        settings: Callable[[ModelInfo], EngineSettings] = lambda _info: EngineSettings(),
        on_loading: Hook | None = None,
        on_loaded: Hook | None = None,
        max_resident: int = 2,
    ) -> None:
        self._find = find
        self._identities = Identities(find, settings)
        self._engine = Engine("llama-engine")
        self._residents = Residents(bus, settings, most=max_resident, on_loading=on_loading, on_loaded=on_loaded)
        # Reading headers and counting tokens must neither block the loop nor wait for the engine.
        self._helper = ThreadPoolExecutor(2, thread_name_prefix="llama-helper")
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
        info = await self._help(lambda: self._find(request.model))
        job = Answer(request, info, self._residents, outbox)
        self._engine.submit(job)
        try:
            while True:
                part = await outbox.receive()
                yield part
                if isinstance(part, AnswerEnd):
                    return
        finally:
            await _stopped(job)

    async def count(self, request: ChatRequest) -> ContextUse:
        """See `Provider.count`. Also while another answer is being written, without slowing it."""
        return await self._help(lambda: self._count(request))

    async def load(self, model: str) -> LoadedModel:
        """See `Provider.load`."""
        info = await self._help(lambda: self._find(model))
        job = Load(info, self._residents)
        self._engine.submit(job)
        try:
            await _ended(job)
        finally:
            await _stopped(job)
        if job.error:
            raise job.error
        for loaded in self.loaded():
            if loaded.name == info.name:
                return loaded
        raise Cancelled(f"{info.display_name} was unloaded at once.")

    async def unload(self, model: str) -> bool:
        """See `Provider.unload`."""
        info = await self._help(lambda: self._find(model))
        return await asyncio.wrap_future(self._engine.call(lambda: self._residents.unload(info)))

    def loaded(self) -> list[LoadedModel]:
        """See `Provider.loaded`."""
        return self._residents.snapshot()

    def identity(self, model: str) -> ModelIdentity | None:
        """See `CacheableProvider.identity`."""
        return self._identities.of(model)

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await asyncio.to_thread(self._stop)

    def _count(self, request: ChatRequest) -> ContextUse:
        with self._residents.writing(self._find(request.model)) as (writer, length):
            return writer.write(request, length).use

    async def _help(self, work: Callable[[], R]) -> R:
        with self._closing:
            if self._closed:
                raise _shut_down()
            future: Future[R] = self._helper.submit(work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
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
        stopped = self._engine.close()
        # Before anything is freed: a helper may be counting, and must not find a vocabulary to read afterwards.
        self._helper.shutdown(cancel_futures=True)
        if stopped:
            self._residents.close()
        else:
            log.warning("the engine did not stop in time; its memory is left to the system")


def _shut_down() -> EngineFailure:
    return EngineFailure("The engine has been shut down.", retryable=False)


async def _ended(job: Job, most_s: float | None = None) -> None:
    """Wait for the engine to let go of `job`. Unlike awaiting the future itself, cancelling this does not end it."""
    await asyncio.wait({asyncio.wrap_future(job.ended)}, timeout=most_s)


async def _stopped(job: Job) -> None:
    """Return when the engine has let go of `job`, cancelled if it still runs; in any case within some seconds."""
    if not job.ended.done():
        job.cancel()
    await _ended(job, STOP_TIMEOUT_S)

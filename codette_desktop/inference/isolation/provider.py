"""The provider that answers with models in processes of their own."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, ContextUse
from codette_desktop.domain.errors import EngineFailure
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.isolation.process import SILENT_S, WorkerDied, WorkerProcess
from codette_desktop.inference.provider import LoadedModel

STOP_TIMEOUT_S = 5.0


class IsolatedProvider:
    """As the in-process provider, with one child process for each model. A process that dies fails what it was doing.

    `find` and `settings` as for `LlamaProvider`. `on_crash` hears which model's process died by itself. At most
    `max_workers` live at a time; the idle one used longest ago leaves for a new one.
    """

    def __init__(
        self,
        find: Callable[[str], ModelInfo],
        bus: EventBus,
        *,
        settings: Callable[[ModelInfo], EngineSettings] = lambda _info: EngineSettings(),
        on_crash: Callable[[ModelInfo, WorkerDied], object] = lambda _info, _error: None,
        max_workers: int = 2,
        silent_s: float = SILENT_S,
    ) -> None:
        self._find = find
        self._bus = bus
        self._settings = settings
        self._on_crash = on_crash
        self._most = max_workers
        self._silent_s = silent_s
        self._workers: dict[str, WorkerProcess] = {}  # by path; the one used last stands last
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed = False

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
        """See `Provider.stream`."""
        info = await self._model(request.model)
        worker = self._worker(info)
        number, queue = self._ask(worker, info, "stream", request=request)
        ended = False
        try:
            while True:
                message = await queue.get()
                ended = "part" not in message
                if "error" in message:
                    raise message["error"]
                if ended:
                    return
                yield message["part"]
                if isinstance(message["part"], AnswerEnd):
                    return
        finally:
            try:
                if not ended:
                    await self._stop(worker, number, queue)
            finally:
                worker.forget(number)

    async def count(self, request: ChatRequest) -> ContextUse:
        """See `Provider.count`."""
        return await self._do("count", request.model, request=request)

    async def load(self, model: str) -> LoadedModel:
        """See `Provider.load`."""
        return await self._do("load", model)

    async def unload(self, model: str) -> bool:
        """See `Provider.unload`. The process ends too."""
        info = await self._model(model)
        worker = self._workers.get(str(info.path))
        if worker is None or worker.died is not None:
            return False
        had_it = bool(await self._do("unload", model))  # when it has finished what it is doing
        if not worker.busy and self._workers.get(str(info.path)) is worker:
            del self._workers[str(info.path)]
            await worker.aclose()
        return had_it

    def loaded(self) -> list[LoadedModel]:
        """See `Provider.loaded`; how full the context is may be half a second old."""
        return [item for worker in reversed(self._workers.values()) for item in worker.loaded]

    def processes(self) -> dict[str, int]:
        """The number of the process of each model file."""
        return {path: worker.pid for path, worker in self._workers.items()}

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        self._closed = True
        workers, self._workers = list(self._workers.values()), {}
        await asyncio.gather(*(worker.aclose() for worker in workers), *self._leaving)

    async def _do(self, what: str, model: str, **message: Any) -> Any:
        info = await self._model(model)
        worker = self._worker(info)
        number, queue = self._ask(worker, info, what, **message)
        reply: dict[str, Any] = {}
        try:
            reply = await queue.get()
        finally:
            try:
                if not reply:
                    await self._stop(worker, number, queue)
            finally:
                worker.forget(number)
        if "error" in reply:
            raise reply["error"]
        return reply.get("result")

    def _ask(
        self, worker: WorkerProcess, info: ModelInfo, what: str, **message: Any
    ) -> "tuple[int, asyncio.Queue[dict[str, Any]]]":
        return worker.ask(what, model=info, settings=self._settings(info), **message)

    async def _stop(self, worker: WorkerProcess, number: int, queue: "asyncio.Queue[dict[str, Any]]") -> None:
        """Have the worker stop what it does; one that does not hear is ended."""
        worker.cancel(number)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                while "part" in await queue.get():
                    pass
        except TimeoutError:
            worker.kill()

    async def _model(self, name: str) -> ModelInfo:
        if self._closed:
            raise EngineFailure("The engine has been shut down.", retryable=False)
        return await asyncio.get_event_loop().run_in_executor(None, self._find, name)

    def _worker(self, info: ModelInfo) -> WorkerProcess:
        """The model's process. Without a pause until it is asked: nobody may take it for idle in between."""
        if self._closed:
            raise EngineFailure("The engine has been shut down.", retryable=False)
        key = str(info.path)
        worker = self._workers.pop(key, None)
        if worker is None or worker.died is not None:
            worker = WorkerProcess(
                self._bus.publish, lambda error: self._on_crash(info, error), info.label, self._silent_s
            )
        self._workers[key] = worker
        idle = [path for path, other in self._workers.items() if not other.busy and path != key]
        if len(self._workers) > self._most and idle:
            leaving = asyncio.get_event_loop().create_task(self._workers.pop(idle[0]).aclose())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        return worker

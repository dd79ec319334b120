"""The provider that answers with models in processes of their own."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, ContextUse
from codette_desktop.domain.errors import EngineFailure
from codette_desktop.domain.events import EventBus, ModelLoaded
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.holding import Holding
from codette_desktop.inference.isolation.process import SILENT_S, WorkerDied, WorkerProcess
from codette_desktop.inference.llama.devices import process_memory
from codette_desktop.inference.planning import LoadPlan
from codette_desktop.inference.provider import Embeddings, LoadedModel
from codette_desktop.inference.scheduling import Scheduler, granted

STOP_TIMEOUT_S = 5.0


@dataclass(eq=False, slots=True)
class _Apart:
    """A model in a process of its own: the `plan` it is loaded by, made from the `chosen` settings."""

    worker: WorkerProcess
    plan: LoadPlan
    chosen: EngineSettings
    holding: Holding


class IsolatedProvider:
    """As the in-process provider, with one child process for each model. A process that dies fails what it was doing.

    `find` and `settings` as for `LlamaProvider`. `on_crash` hears which model's process died by itself. `scheduler`
    says how many there may be at a time: a process whose memory is wanted ends once it is idle.
    """

    def __init__(
        self,
        find: Callable[[str], ModelInfo],
        bus: EventBus,
        *,
        settings: Callable[[ModelInfo], EngineSettings] = lambda _info: EngineSettings(),
        on_crash: Callable[[ModelInfo, WorkerDied], object] = lambda _info, _error: None,
        scheduler: Scheduler | None = None,
        silent_s: float = SILENT_S,
    ) -> None:
        self._find = find
        self._bus = bus
        self._settings = settings
        self._on_crash = on_crash
        self._scheduler = scheduler or Scheduler()
        self._silent_s = silent_s
        self._workers: dict[str, _Apart] = {}  # by path; the one used last stands last
        self._processes: set[_Apart] = set()  # those that still end their work before they leave too
        self._starting: dict[str, asyncio.Lock] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed = False

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
        """See `Provider.stream`."""
        worker, number, queue = await self._ask("stream", request.model, request=request)
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

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """See `EmbeddingProvider.embed`."""
        return await self._do("embed", model, texts=list(texts))

    async def unload(self, model: str) -> bool:
        """See `Provider.unload`. The process ends too."""
        info = await self._model(model)
        apart = self._workers.get(str(info.path))
        if apart is None or apart.worker.died is not None:
            return False
        had_it = bool(apart.worker.loaded)
        with contextlib.suppress(WorkerDied):  # it was leaving already
            had_it = bool(await self._reply(apart.worker, *apart.worker.ask("unload"))) or had_it
        if not apart.worker.busy and self._workers.get(str(info.path)) is apart:
            del self._workers[str(info.path)]
            await apart.worker.aclose()
        return had_it

    def loaded(self) -> list[LoadedModel]:
        """See `Provider.loaded`; how full the context is may be half a second old."""
        return [item for apart in reversed(tuple(self._workers.values())) for item in apart.worker.loaded]

    def processes(self) -> dict[str, int]:
        """The number of the process of each model file."""
        return {path: apart.worker.pid for path, apart in self._workers.items()}

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        self._closed = True
        self._workers = {}
        await asyncio.gather(*(apart.worker.aclose() for apart in self._processes), *self._leaving)

    async def _do(self, what: str, model: str, **message: Any) -> Any:
        return await self._reply(*await self._ask(what, model, **message))

    async def _reply(self, worker: WorkerProcess, number: int, queue: "asyncio.Queue[dict[str, Any]]") -> Any:
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

    async def _ask(
        self, what: str, model: str, **message: Any
    ) -> "tuple[WorkerProcess, int, asyncio.Queue[dict[str, Any]]]":
        """Have the model's process begin something. Until it has ended it, the process is not taken for idle."""
        info = await self._model(model)
        apart = await self._taken(info)
        try:
            asked = apart.worker.ask(
                what, on_done=apart.holding.give_back, model=info, settings=apart.plan.settings, **message
            )
        except BaseException:
            apart.holding.give_back()
            raise
        return apart.worker, *asked

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
        self._refuse_if_closed()
        return await asyncio.get_event_loop().run_in_executor(None, self._find, name)

    async def _taken(self, info: ModelInfo) -> _Apart:
        """The model's process, with its memory in use until that is given back; started when there is memory for it."""
        key = str(info.path)
        async with self._starting.setdefault(key, asyncio.Lock()):
            chosen = self._settings(info)
            apart = self._workers.pop(key, None)
            if apart is not None and apart.worker.died is None and apart.chosen == chosen and apart.holding.take():
                self._workers[key] = apart
                return apart
            if apart is not None:
                apart.holding.retire()
            planning = asyncio.get_event_loop().run_in_executor(None, self._plan, info, chosen)
            apart = await self._start(await planning, chosen)
            self._workers[key] = apart
            return apart

    def _plan(self, info: ModelInfo, chosen: EngineSettings) -> LoadPlan:
        return self._scheduler.planner.plan(info, chosen, apart=True)

    async def _start(self, plan: LoadPlan, chosen: EngineSettings) -> _Apart:
        loop = asyncio.get_event_loop()
        started: list[_Apart] = []

        def leave() -> None:
            """Any thread."""
            with contextlib.suppress(RuntimeError):  # the loop is closed, and so are the processes
                loop.call_soon_threadsafe(self._leave, started[0])

        holding = self._scheduler.ask(plan, leave)
        await granted(holding)
        try:
            self._refuse_if_closed()
            worker = WorkerProcess(
                lambda event: self._heard(event, started[0]),
                lambda error: self._on_crash(plan.info, error),
                lambda: self._ended(started[0]),
                plan.info.label,
                self._silent_s,
            )
        except BaseException:
            holding.free()
            raise
        started.append(_Apart(worker, plan, chosen, holding))
        self._processes.add(started[0])
        return started[0]

    def _ended(self, apart: _Apart) -> None:
        self._processes.discard(apart)
        apart.holding.free()

    def _heard(self, event: Any, apart: _Apart) -> None:
        if isinstance(event, ModelLoaded):
            self._scheduler.planner.note(apart.plan, process_memory(apart.worker.pid))
            apart.holding.ready()
        self._bus.publish(event)

    def _leave(self, apart: _Apart) -> None:
        """End the process: its memory is wanted, or nobody has used it for long."""
        key = str(apart.plan.info.path)
        if self._workers.get(key) is apart:
            del self._workers[key]
        leaving = asyncio.get_event_loop().create_task(apart.worker.aclose())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise EngineFailure("The engine has been shut down.", retryable=False)

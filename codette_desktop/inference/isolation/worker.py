"""The child process: one model, answered for over two pipes. It ends with the application, however that ends.

python -m codette_desktop.inference.isolation.worker
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from contextlib import aclosing
from dataclasses import replace
from typing import IO, Any

from codette_desktop.domain.answers import AnswerEnd
from codette_desktop.domain.errors import CodetteError, EngineFailure
from codette_desktop.domain.events import Event, EventBus, ModelLoaded, ModelLoading, ModelUnloaded
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.isolation.wire import line_of, message_of
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.inference.scheduling import Scheduler

BEAT_EVERY_S = 0.5
_PR_SET_PDEATHSIG = 1


class Worker:
    """Serves the messages of one application."""

    def __init__(self, output: IO[bytes]) -> None:
        self._output = output
        self._lock = threading.Lock()
        self._model: ModelInfo | None = None
        self._models: dict[str, ModelInfo] = {}  # the one file, with the adapters that were asked for
        self._settings = EngineSettings()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        bus = EventBus()
        # The application has asked for the memory before it started this process.
        scheduler = Scheduler.unlimited()
        self._provider = LlamaProvider(
            self._find, bus, settings=lambda _info: self._settings, scheduler=scheduler, contexts=1
        )
        for kind in (ModelLoading, ModelLoaded, ModelUnloaded):
            bus.subscribe(kind, self._tell_event)

    async def serve(self, incoming: "asyncio.Queue[bytes]") -> None:
        """Until the process ends."""
        beat = asyncio.create_task(self._beat())
        try:
            while True:
                self._begin(message_of(await incoming.get()))
        finally:
            beat.cancel()

    def _begin(self, message: dict[str, Any]) -> None:
        number = message["id"]
        if message["do"] == "cancel":
            if task := self._tasks.get(number):
                task.cancel()
            return
        task = asyncio.create_task(self._do(number, message))
        self._tasks[number] = task
        task.add_done_callback(lambda done: self._ended(number, done))

    def _ended(self, number: int, task: "asyncio.Task[None]") -> None:
        self._tasks.pop(number, None)
        if task.cancelled():  # before its first step: nothing else has said so
            self._say(id=number, cancelled=True)

    async def _do(self, number: int, message: dict[str, Any]) -> None:
        self._model = message.get("model") or self._model
        if self._model is not None:
            self._models[self._model.name] = self._model
        self._settings = message.get("settings") or self._settings
        try:
            result = await self._work(number, message)
            self._say(id=number, result=result, loaded=self._provider.loaded())
        except CodetteError as error:
            self._say(id=number, error=error)
        except MemoryError:
            self._say(id=number, error=_no_memory())
        except Exception as error:  # noqa: BLE001 - a defect is told to the application, which logs it
            self._say(id=number, error=EngineFailure(f"The engine failed: {type(error).__name__}: {error}"))

    async def _work(self, number: int, message: dict[str, Any]) -> Any:
        model: ModelInfo | None = message.get("model") or self._model
        name = model.name if model else ""
        request: Any = replace(message["request"], model=name) if "request" in message else None
        match message["do"]:
            case "stream":
                async with aclosing(self._provider.stream(request)) as parts:
                    async for part in parts:
                        loaded = {"loaded": self._provider.loaded()} if isinstance(part, AnswerEnd) else {}
                        self._say(id=number, part=part, **loaded)
                return None
            case "count":
                return await self._provider.count(request)
            case "load":
                return await self._provider.load(name)
            case "embed":
                return await self._provider.embed(name, message["texts"])
            case "unload":
                return await self._provider.unload(name)
            case unknown:
                raise EngineFailure(f"The worker does not know how to {unknown}.")

    def _find(self, name: str) -> ModelInfo:
        if name not in self._models:
            raise EngineFailure(f"The worker has not been told of {name}.")
        return self._models[name]

    def _tell_event(self, event: Event) -> None:
        self._say(event=event, loaded=self._provider.loaded())

    async def _beat(self) -> None:
        while True:
            self._say(beat=time.monotonic(), loaded=self._provider.loaded())
            await asyncio.sleep(BEAT_EVERY_S)

    def _say(self, **message: Any) -> None:
        with self._lock, contextlib.suppress(OSError, ValueError):  # the application has gone: so shall we
            self._output.write(line_of(message))
            self._output.flush()


def _no_memory() -> EngineFailure:
    hint = "Choose a smaller model or a shorter context, or close other programs."
    return EngineFailure("There is not enough memory for what the model was asked to do.", hint)


PARENT_VARIABLE = "CODETTE_WORKER_OF"


def die_with_parent() -> None:
    """Have Linux kill this process with its parent, whatever it is doing then. Elsewhere the closed pipe tells."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(os.environ.get(PARENT_VARIABLE, os.getppid())):  # it died before it was asked
            os._exit(1)


def _read(incoming: "asyncio.Queue[bytes]", loop: asyncio.AbstractEventLoop) -> None:
    """Hand over line by line; the end of the input is the end of the application."""
    for line in sys.stdin.buffer:
        loop.call_soon_threadsafe(incoming.put_nowait, line)
    os._exit(0)


async def main() -> None:
    """Serve until the input closes."""
    # Whatever the engine prints must not come between our lines.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    incoming: asyncio.Queue[bytes] = asyncio.Queue()
    threading.Thread(target=_read, args=(incoming, asyncio.get_running_loop()), daemon=True).start()
    await Worker(output).serve(incoming)


if __name__ == "__main__":
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the application, which ends us
    asyncio.run(main())

"""A worker process from the application's side: started, spoken to, watched, ended."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, Any, cast

from codette_desktop.domain.errors import EngineFailure
from codette_desktop.domain.events import ModelUnloaded
from codette_desktop.inference.isolation.pipe import PipeWriter
from codette_desktop.inference.isolation.wire import message_of

log = logging.getLogger(__name__)

SILENT_S = 15.0  # a worker that has not even said that it lives for so long is ended
_LOOK_EVERY_S = 0.5
_END_S = 2.0


class WorkerDied(EngineFailure):
    """The process that ran a model ended by itself, or had to be ended."""

    retryable = True


class WorkerProcess:
    """One child process. Made and used on the event loop's thread, which must live as long as it does."""

    def __init__(
        self,
        on_event: Callable[[Any], None],
        on_death: Callable[[WorkerDied], object] = lambda _error: None,
        on_end: Callable[[], object] = lambda: None,
        label: str = "the model",
        silent_s: float = SILENT_S,
    ) -> None:
        """`on_event` hears the worker's events, `on_death` that it ended unasked, `on_end` that it ended, on the loop.

        `label` names the model in errors.
        """
        self._loop = asyncio.get_event_loop()
        self._on_event = on_event
        self._on_death = on_death
        self._on_end = on_end
        self._label = label
        self._silent_s = silent_s
        self._open: dict[int, asyncio.Queue[dict[str, Any]]] = {}
        self._done: dict[int, Callable[[], object]] = {}
        self._number = 0
        self._heard_at = time.monotonic()
        self._hung = self._ending = self._stopped = False
        self.loaded: list[Any] = []
        self.died: WorkerDied | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "codette_desktop.inference.isolation.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                "CODETTE_WORKER_OF": str(os.getpid()),
            },
        )
        self._writer = PipeWriter(cast("IO[bytes]", self._process.stdin), f"worker-{self._process.pid}-writer")
        self._output = cast("IO[bytes]", self._process.stdout)
        self._reader = threading.Thread(target=self._read, name=f"worker-{self._process.pid}", daemon=True)
        self._watcher = threading.Thread(target=self._watch, name=f"worker-{self._process.pid}-watch", daemon=True)
        self._reader.start()
        self._watcher.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def busy(self) -> bool:
        """Whether something has been asked that has not ended."""
        return bool(self._open)

    def ask(
        self, what: str, *, on_done: Callable[[], object] = lambda: None, **message: Any
    ) -> tuple[int, "asyncio.Queue[dict[str, Any]]"]:
        """Send a message; what comes back for it is put into the queue, last `result`, `error` or `cancelled`.

        `on_done` hears that the worker has ended it, whoever still listens. Raises WorkerDied; then it hears nothing.
        """
        self._number += 1
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._send(id=self._number, do=what, **message)
        self._open[self._number] = queue
        self._done[self._number] = on_done
        return self._number, queue

    def forget(self, number: int) -> None:
        """Nobody listens to this any more."""
        self._open.pop(number, None)

    def cancel(self, number: int) -> None:
        """Have it end early; `cancelled` or its end will come."""
        if self.died is None:
            self._send(id=number, do="cancel")

    def kill(self) -> None:
        """End it at once, because it did not stop when it was asked to: no crash of its own."""
        self._stopped = True
        self._process.kill()

    async def aclose(self) -> None:
        """End it in order, and if it does not, at once; returns when it is gone."""
        self._ending = True
        self._writer.close()
        await asyncio.to_thread(self._wait)

    def _wait(self) -> None:
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._watcher.join()
        self._writer.join()

    def _send(self, **message: Any) -> None:
        if self.died is not None:
            raise self.died
        self._writer.send(message)

    def _read(self) -> None:
        with self._output:
            for line in self._output:
                self._heard_at = time.monotonic()
                try:
                    self._call(self._take, message_of(line))
                except ValueError as error:
                    log.info("worker %s said what cannot be understood: %s", self.pid, error)
        self._call(self._end, self._process.wait())

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the loop is closed
            self._process.kill()

    def _take(self, message: dict[str, Any]) -> None:
        self.loaded = message.get("loaded", self.loaded)
        if "event" in message:
            self._on_event(message["event"])
            return
        number = message.get("id", 0)
        if "part" not in message and (done := self._done.pop(number, None)):
            done()
        if queue := self._open.get(number):
            queue.put_nowait(message)

    def _end(self, code: int) -> None:
        self._writer.close()
        gone, self.loaded = self.loaded, []
        self.died = WorkerDied(*self._reason(code))
        for queue in self._open.values():
            queue.put_nowait({"error": self.died})
        self._open.clear()
        done, self._done = self._done, {}
        for tell in (*done.values(), self._on_end):
            tell()
        for model in gone:
            self._on_event(ModelUnloaded(model.name))
        if not self._ending and not self._stopped:
            self._on_death(self.died)

    def _reason(self, code: int) -> tuple[str, str]:
        hint = "Ask again to start it anew, or choose another model."
        if self._stopped:
            return f"The process that runs {self._label} did not stop in time and was ended.", hint
        if self._hung:
            return (
                f"The process that runs {self._label} did not respond for {self._silent_s:.0f} s and was ended.",
                hint,
            )
        if code == -signal.SIGKILL if sys.platform != "win32" else False:
            return (
                f"The system ended the process that runs {self._label}, most often because memory ran out.",
                "Choose a smaller model or a shorter context, or close other programs.",
            )
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            return f"The process that runs {self._label} crashed ({name}). Nothing else was lost.", hint
        return f"The process that runs {self._label} ended with code {code}.", hint

    def _watch(self) -> None:
        looked_at = time.monotonic()
        while self._reader.is_alive() or self._process.poll() is None:
            now = time.monotonic()
            if now - looked_at > 4 * _LOOK_EVERY_S:  # we were stopped ourselves, or the computer slept
                self._heard_at = now
            looked_at = now
            silent = now - self._heard_at
            if silent > self._silent_s and self._process.poll() is None and not self._ending:
                log.warning("worker %s has been silent for %.0f s and is ended", self.pid, silent)
                self._hung = True
                self._process.kill()
            self._reader.join(_LOOK_EVERY_S)

"""A thread that takes jobs from a queue and steps them to their end, the first that came first: loads and unloads."""

import logging
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from codette_desktop.domain.errors import Cancelled, EngineFailure

log = logging.getLogger(__name__)

R = TypeVar("R")


class Job(ABC):
    """Work for the engine thread. When `ended` is done neither `step` nor `fail` will be called again."""

    def __init__(self) -> None:
        self.ended: Future[None] = Future()
        self.cancelled = False
        self._begun = self._dropped = False
        self._state = threading.Lock()

    @abstractmethod
    def step(self) -> bool:
        """Do a little work (one chunk of the prompt, one token); False when there is nothing left. Engine thread."""

    @abstractmethod
    def fail(self, error: Exception) -> None:
        """Hear that a step raised, or that the job was dropped before its first. Any thread."""

    def cancel(self) -> None:
        """Have the job end soon; one that has not begun ends now. Any thread, any number of times."""
        with self._state:
            self.cancelled = True
            dropping = not self._begun and not self._dropped
            self._dropped = self._dropped or dropping
        if dropping:
            try:
                self.fail(Cancelled("It was cancelled before it began."))
            finally:
                self.ended.set_result(None)
        self.interrupt()

    def interrupt(self) -> None:  # noqa: B027 - optional
        """Make a step in progress return early, where it can. Any thread."""

    def begin(self) -> bool:
        """Called once by the engine before the first step; False when the job has been cancelled, and so has ended."""
        with self._state:
            self._begun = not self._dropped
            return self._begun


class Engine:
    """The thread that computes on one device. It starts with the first job and lives until `close`."""

    def __init__(self, name: str = "engine") -> None:
        self._name = name
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._current: Job | None = None
        self._closed = False

    def submit(self, job: Job) -> None:
        """Queue `job`. Raises EngineFailure after `close`."""
        with self._lock:
            if self._closed:
                raise EngineFailure("The engine has been shut down.", retryable=False)
            if self._thread is None:
                # A daemon, so that an application that forgets to close it can still end.
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._queue.put(job)

    def call(self, work: Callable[[], R]) -> "Future[R]":
        """Run `work` on the engine thread, between jobs."""
        job = _Call(work)
        self.submit(job)
        return job.result

    def close(self, timeout: float = 10.0) -> bool:
        """Cancel the job that runs, drop the others, end the thread; False if it did not end in `timeout` seconds."""
        with self._lock:
            self._closed = True
            thread, current = self._thread, self._current
            self._queue.put(None)
        if current is not None:
            current.cancel()
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout)
        return not thread.is_alive()

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            with self._lock:
                self._current = job
                closed = self._closed
            try:
                if closed:
                    job.cancel()
                if job.begin():
                    self._finish(job)
            except Exception:
                log.exception("a job of %s could not hear how it ended", self._name)
            self._current = None

    def _finish(self, job: Job) -> None:
        """Step `job`, which has begun, to its end."""
        try:
            while job.step():
                pass
        except Exception as error:
            log.debug("a job of %s failed", self._name, exc_info=True)
            job.fail(error)
        finally:
            job.ended.set_result(None)


class _Call(Job, Generic[R]):
    def __init__(self, work: Callable[[], R]) -> None:
        super().__init__()
        self._work = work
        self.result: Future[R] = Future()

    def step(self) -> bool:
        if self.result.set_running_or_notify_cancel():
            self.result.set_result(self._work())
        return False

    def fail(self, error: Exception) -> None:
        # It may not be running yet, and may be cancelled at any moment until it is.
        result = self.result
        if result.running() or (not result.done() and result.set_running_or_notify_cancel()):
            result.set_exception(error)

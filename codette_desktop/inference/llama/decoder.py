"""The thread that decodes on one device: it steps every batch that has something to do, each in turn."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Protocol

from codette_desktop.domain.errors import EngineFailure
from codette_desktop.inference.llama.batching import Batch, Run

log = logging.getLogger(__name__)


class Work(Protocol):
    """Something to be decoded step by step: a batch of answers, or texts to be embedded. See `Batch`."""

    @property
    def busy(self) -> bool: ...
    def step(self) -> None: ...
    def abort(self) -> None: ...
    def fail_all(self, error: Exception) -> None: ...
    def cancel_all(self) -> None: ...


class Decoder:
    """Starts with the first answer and lives until `close`."""

    def __init__(self, name: str = "decoder") -> None:
        self._name = name
        self._inbox: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._batches: list[Work] = []
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False

    def add(self, batch: Batch, run: Run) -> None:
        """Have `run` written in `batch`. Raises EngineFailure after `close`."""
        self.take(batch, lambda: batch.add(run))

    def take(self, work: Work, begin: Callable[[], object] = lambda: None) -> None:
        """Step `work`, after `begin`, until it is not busy. Raises EngineFailure after `close`."""
        with self._lock:
            if self._closed:
                raise EngineFailure("The engine has been shut down.", retryable=False)
            if self._thread is None:
                # A daemon, so that an application that forgets to close it can still end.
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            begin()
            self._inbox.put(lambda: self._take(work))

    def close(self, timeout: float = 10.0) -> bool:
        """End what runs, as cancelled, and the thread; False if it did not end in `timeout` seconds."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is None:
            return True
        self._inbox.put(lambda: None)  # it may be waiting for something to do
        for batch in tuple(self._batches):
            batch.abort()
        thread.join(timeout)
        return not thread.is_alive()

    def _take(self, work: Work) -> None:
        if work not in self._batches:
            self._batches.append(work)

    def _work(self) -> None:
        while not self._closed:
            if not self._batches:
                self._inbox.get()()
            while not self._inbox.empty():
                self._inbox.get()()
            for batch in tuple(self._batches):
                self._step(batch)
                if not batch.busy:
                    self._batches.remove(batch)
        while not self._inbox.empty():
            self._inbox.get()()
        for batch in self._batches:
            batch.cancel_all()
        self._batches.clear()

    def _step(self, batch: Work) -> None:
        try:
            batch.step()
        except Exception as error:
            log.exception("a batch of %s failed", self._name)
            batch.fail_all(EngineFailure(f"The engine failed: {type(error).__name__}: {error}"))

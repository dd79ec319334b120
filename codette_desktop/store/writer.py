"""The writer: one thread owns the only connection that writes, and acknowledges after COMMIT."""

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from codette_desktop.domain.errors import StoreError
from codette_desktop.store.errors import closed, translate

log = logging.getLogger(__name__)

T = TypeVar("T")
_BATCH = 256
_LATER_BATCH = 8  # whoever comes meanwhile waits for them


@dataclass
class WriteFailures:
    """Hooks for a banner. Both run on the writer's thread, so they must be quick and must not wait for a write.

    `on_write_error` is told of every failure of the disk or the file (not of a refused request); `on_write_ok` once,
    at the next write that reached the disk. Of background writes they are told nothing.
    """

    on_write_error: Callable[[StoreError], None] | None = None
    on_write_ok: Callable[[], None] | None = None


@dataclass(slots=True)
class _Job:
    work: Callable[[sqlite3.Connection], Any]
    future: "Future[Any]"
    durable: bool
    background: bool
    result: Any = None
    error: Exception | None = None


class Writer:
    """Runs functions of the writing connection in order, several of them in one transaction when they queue up.

    Each runs in a savepoint of its own: one that raises undoes itself alone. When the whole transaction is lost, every
    function runs again in its own, so it must have no effect outside the database.

    Background work waits in a queue of its own until nothing else does, and never shares a transaction with the rest:
    a chat waits for one small transaction of it at most, and its failures touch nobody.
    """

    def __init__(self, connection: sqlite3.Connection, failures: WriteFailures) -> None:
        self._connection = connection
        self._failures = failures
        self._failing = False
        self._durable = True
        self._closed = False
        self._changed = threading.Condition()
        self._queue: deque[_Job] = deque()
        self._later: deque[_Job] = deque()
        # A daemon, so that a program that forgets close() can still end; close() is what keeps queued writes.
        self._thread = threading.Thread(target=self._run, name="codette-store-writer", daemon=True)
        self._thread.start()

    def submit(
        self, work: Callable[[sqlite3.Connection], T], *, durable: bool = True, background: bool = False
    ) -> "Future[T]":
        """Queue `work`; the future is done after its COMMIT, on disk (FULL) if `durable`, else in the WAL (NORMAL).

        The future cannot be cancelled: a task that stops waiting must not undo what was asked. Never raises; errors
        (StoreError, InvalidRequest) come through the future. `background` work must be quick: split it.
        """
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        with self._changed:
            if not self._closed:
                queue = self._later if background else self._queue
                queue.append(_Job(work, future, durable, background))
                self._changed.notify()
                return future
        future.set_exception(closed())
        return future

    def close(self) -> None:
        """Finish what is queued, close the connection and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            self._commit(batch)
        try:
            self._connection.execute("PRAGMA analysis_limit = 400")
            self._connection.execute("PRAGMA optimize")
        except sqlite3.Error as error:
            log.debug("the database could not be optimised: %s", error)
        self._connection.close()

    def _next_batch(self) -> list[_Job]:
        """What is to share a transaction; nothing once all is done after `close()`."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._later or self._closed)
            queue, limit = (self._queue, _BATCH) if self._queue else (self._later, _LATER_BATCH)
            return [queue.popleft() for _ in range(min(limit, len(queue)))]

    def _commit(self, batch: list[_Job]) -> None:
        before = self._connection.total_changes
        try:
            self._transaction(batch)
        except Exception as error:
            # Not SQLite's alone: also those of a function that ended the transaction. The thread must outlive them.
            log.debug("a transaction was lost", exc_info=True)
            self._roll_back()
            if len(batch) > 1:
                for job in batch:
                    self._commit([job])
                return
            batch[0].error = error
        self._acknowledge(batch, self._connection.total_changes > before)

    def _transaction(self, batch: list[_Job]) -> None:
        connection = self._connection
        self._set_synchronous(any(job.durable for job in batch))
        connection.execute("BEGIN IMMEDIATE")
        for place, job in enumerate(batch):
            if job.background and place and self._queue:
                self._put_back(batch, place)
                break
            job.result = job.error = None
            connection.execute("SAVEPOINT job")
            try:
                job.result = job.work(connection)
            except Exception as error:
                if not connection.in_transaction:
                    raise
                connection.execute("ROLLBACK TO job")
                job.error = error
            connection.execute("RELEASE job")
        connection.execute("COMMIT")

    def _put_back(self, batch: list[_Job], place: int) -> None:
        """Leave the rest of a batch of background work for later: somebody waits."""
        with self._changed:
            self._later.extendleft(reversed(batch[place:]))
        del batch[place:]

    def _set_synchronous(self, durable: bool) -> None:
        if durable != self._durable:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            log.error("a failed transaction could not be rolled back: %s", error)

    def _acknowledge(self, batch: list[_Job], wrote: bool) -> None:
        failure: StoreError | None = None
        for job in batch:
            if isinstance(job.error, sqlite3.Error):
                told = translate(job.error, writing=True)
                told.__cause__ = job.error
                if isinstance(job.error, sqlite3.DatabaseError) and not isinstance(
                    job.error, sqlite3.IntegrityError | sqlite3.ProgrammingError
                ):
                    failure = told
                job.future.set_exception(told)
            elif job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)
        if not batch[0].background:
            self._tell(failure, wrote)

    def _tell(self, failure: StoreError | None, wrote: bool) -> None:
        try:
            if failure is not None:
                self._failing = True
                if self._failures.on_write_error is not None:
                    self._failures.on_write_error(failure)
            elif self._failing and wrote:
                self._failing = False
                if self._failures.on_write_ok is not None:
                    self._failures.on_write_ok()
        except Exception:
            log.exception("a hook of the store failed")

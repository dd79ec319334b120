"""What every repository stands on: reading, writing, and whose process this is."""

import json
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any, TypeVar

from codette_desktop.domain.errors import StoreFull
from codette_desktop.store.connection import Readers
from codette_desktop.store.sessions import Sessions
from codette_desktop.store.writer import Writer

T = TypeVar("T")
RESERVE_BYTES = 64 * 1024 * 1024  # of the disk, which is left to what a person wrote


@dataclass(frozen=True, slots=True)
class Access:
    """The readers, the writer and the session of one open database."""

    readers: Readers
    writer: Writer
    sessions: Sessions

    def read(self) -> AbstractContextManager[Connection]:
        """A query-only connection that sees one state of the database throughout the block."""
        return self.readers.snapshot()

    def write(self, work: Callable[[Connection], T], *, durable: bool = True) -> "Future[T]":
        """Run `work` in a transaction of the writer; see `Writer.submit`."""
        return self.writer.submit(work, durable=durable)

    def write_later(self, work: Callable[[Connection], T]) -> "Future[T]":
        """Run `work` when nothing else waits; for what is watched, which may be lost. See `Writer.submit`.

        It gives up first: while the disk is almost full, the future fails with StoreFull and nothing is written.
        """
        if self._is_almost_full():
            refused: Future[T] = Future()
            refused.set_exception(StoreFull("The disk is almost full: what is watched is not saved."))
            return refused
        return self.writer.submit(work, durable=False, background=True)

    def _is_almost_full(self) -> bool:
        try:
            return shutil.disk_usage(self.readers.path.parent).free < RESERVE_BYTES
        except OSError:
            return False  # the write itself will tell


def when_all(writes: "Sequence[Future[Any]]") -> "Future[None]":
    """Done when all of them are; fails with the error of the first in their order that failed."""
    whole: Future[None] = Future()
    whole.set_running_or_notify_cancel()
    if not writes:
        whole.set_result(None)
        return whole

    open_ones = len(writes)
    lock = threading.Lock()

    def done(_write: "Future[Any]") -> None:
        nonlocal open_ones
        with lock:
            open_ones -= 1
            if open_ones:
                return
        error = next((error for write in writes if (error := write.exception()) is not None), None)
        if error is None:
            whole.set_result(None)
        else:
            whole.set_exception(error)

    for write in writes:
        write.add_done_callback(done)
    return whole


def now_text() -> str:
    """The present moment as the database keeps it."""
    return time_to_text(datetime.now(UTC))


def time_to_text(moment: datetime) -> str:
    """UTC in ISO 8601 with microseconds: its order as text is the order in time. Naive moments are local time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def time_from_text(text: str) -> datetime:
    """The inverse of `time_to_text`."""
    return datetime.fromisoformat(text)


# Made once: json.dumps makes one at every call, which takes longer than most texts.
_CANONICAL = json.JSONEncoder(sort_keys=True, allow_nan=False, separators=(",", ":"))


def canonical_json(value: Any) -> str:
    """JSON with sorted keys in ASCII; raises TypeError or ValueError for what JSON cannot say (NaN, objects)."""
    return _CANONICAL.encode(value)

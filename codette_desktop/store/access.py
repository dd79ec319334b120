"""What every repository stands on: reading, writing, and whose process this is."""

import json
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any, TypeVar

from codette_desktop.store.connection import Readers
from codette_desktop.store.sessions import Sessions
from codette_desktop.store.writer import Writer

T = TypeVar("T")


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

"""Connections to the database file, and the pool of those that read."""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from codette_desktop.store.errors import closed, translate

BUSY_TIMEOUT_MS = 10_000
_JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024
_IDLE_READERS = 8


def connect(path: Path, *, create: bool = False, mode: str = "rw") -> sqlite3.Connection:
    """Open `path` in autocommit mode with the settings every connection shares; raises sqlite3.Error.

    The file is created only when `create` says so: a data folder that has vanished must not come back empty.
    """
    uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def connect_writer(path: Path, *, checkpoint_pages: int) -> sqlite3.Connection:
    """The connection that writes: WAL, FULL, a checkpoint after `checkpoint_pages` pages; raises sqlite3.Error."""
    connection = connect(path, create=True)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_LIMIT_BYTES}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_reader(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


class Readers:
    """Query-only connections: no two threads ever hold the same one, and none outlives `close()`.

    A pool rather than one per thread, so that threads which come and go leave no open files behind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._busy: set[sqlite3.Connection] = set()
        self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def snapshot(self) -> Generator[sqlite3.Connection, None, None]:
        """A connection that sees one state of the database throughout the block; raises StoreError."""
        try:
            connection = self._take()
        except sqlite3.Error as error:
            raise translate(error, writing=False) from error
        try:
            connection.execute("BEGIN")
            yield connection
        except sqlite3.Error as error:
            raise translate(error, writing=False) from error
        finally:
            self._give_back(connection)

    def _take(self) -> sqlite3.Connection:
        with self._changed:
            if self._closed:
                raise closed()
            connection = self._idle.pop() if self._idle else _connect_reader(self.path)
            self._busy.add(connection)
            return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        usable = True
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            usable = False
        with self._changed:
            self._busy.discard(connection)
            if usable and not self._closed and len(self._idle) < _IDLE_READERS:
                self._idle.append(connection)
            else:
                connection.close()
            self._changed.notify_all()

    def close(self) -> None:
        """Interrupt the reads under way, wait for them to end, and close every connection."""
        with self._changed:
            self._closed = True
            while self._idle:
                self._idle.pop().close()
            for connection in self._busy:
                connection.interrupt()
            self._changed.wait_for(lambda: not self._busy)

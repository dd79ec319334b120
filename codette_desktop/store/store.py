"""The store: opening and closing the one SQLite file."""

import logging
import sqlite3
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from codette_desktop.domain.conversations import Node
from codette_desktop.domain.errors import StoreDamaged, StoreError, StoreTooNew
from codette_desktop.paths import DATABASE_NAME
from codette_desktop.store import backups, migrations
from codette_desktop.store.access import Access
from codette_desktop.store.alerts import Alerts
from codette_desktop.store.audit import Audit
from codette_desktop.store.batches import Batches
from codette_desktop.store.comparisons import Comparisons
from codette_desktop.store.connection import Readers, connect, connect_writer
from codette_desktop.store.contestants import Contestants
from codette_desktop.store.conversations import Conversations
from codette_desktop.store.duels import Duels
from codette_desktop.store.errors import translate, translate_os
from codette_desktop.store.experiments import Experiments
from codette_desktop.store.flights import Flights
from codette_desktop.store.generations import Generations
from codette_desktop.store.model_files import ModelFiles
from codette_desktop.store.model_memory import ModelMemory
from codette_desktop.store.presets import Presets
from codette_desktop.store.profiles import Profiles
from codette_desktop.store.reliability import Reliability
from codette_desktop.store.requests import Requests
from codette_desktop.store.responses import Responses
from codette_desktop.store.servers import Servers
from codette_desktop.store.sessions import Sessions
from codette_desktop.store.settings import Settings
from codette_desktop.store.telemetry import Telemetry
from codette_desktop.store.totals import Totals
from codette_desktop.store.votes import Votes
from codette_desktop.store.writer import WriteFailures, Writer

log = logging.getLogger(__name__)

DELETED_KEPT = timedelta(days=30)

_MAGIC = b"SQLite format 3\0"
_MIGRATION_WAIT_S = 120.0
# SQLite before 3.51.3 can damage a database when two processes checkpoint at the same moment: all but the first
# process leave that to it, unless the log has grown so much that it cannot be doing so.
_PRIMARY_CHECKPOINT_PAGES = 1_000
_OTHER_CHECKPOINT_PAGES = 20_000


class Store:
    """Everything that is kept. Made by `open`; usable from any thread until `close`.

    `recovered` are the answers that a crash had interrupted, found at opening. `failures` takes the hooks for a banner.
    """

    def __init__(self, path: Path, access: Access, failures: WriteFailures) -> None:
        self.path = path
        self.failures = failures
        self.conversations = Conversations(access)
        self.generations = Generations(access)
        self.presets = Presets(access)
        self.settings = Settings(access)
        self.models = ModelFiles(access)
        self.model_memory = ModelMemory(access)
        self.profiles = Profiles(access)
        self.reliability = Reliability(access)
        self.comparisons = Comparisons(access)
        self.batches = Batches(access)
        self.responses = Responses(access)
        self.servers = Servers(access)
        self.audit = Audit(access, path.parent / "audit")
        self.contestants = Contestants(access, self.audit)
        self.experiments = Experiments(access, self.audit)
        self.duels = Duels(access)
        self.votes = Votes(access, self.audit)
        self.telemetry = Telemetry(access)
        self.requests = Requests(access)
        self.totals = Totals(access)
        self.flights = Flights(access)
        self.alerts = Alerts(access)
        self.recovered: list[Node] = []
        self._access = access

    @classmethod
    def open(cls, data_dir: Path) -> "Store":
        """Open the database of `data_dir`, made or migrated as needed (an existing one is backed up first).

        Raises StoreTooNew (the file is not touched), StoreDamaged, StoreFull (the folder cannot be written).
        """
        path = data_dir / DATABASE_NAME
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            _refuse_foreign(path)
            sessions = Sessions(data_dir / "locks")
        except OSError as error:
            raise translate_os(error) from error
        except sqlite3.Error as error:
            raise translate(error, writing=False) from error
        try:
            connection = _prepare(path, sessions)
        except BaseException:
            sessions.close()
            raise
        failures = WriteFailures()
        store = cls(path, Access(Readers(path), Writer(connection, failures), sessions), failures)
        store._tidy()
        return store

    @property
    def is_primary(self) -> bool:
        """Whether this was the first process to open the data folder, or has taken over from it."""
        return self._access.sessions.is_primary

    def take_over(self) -> bool:
        """Do what only one process does, where the one that did has ended; gives whether it is this one now."""
        return self._access.sessions.take_over()

    def close(self) -> None:
        """Finish the queued writes and close every connection. Idempotent."""
        self.telemetry.close()
        self._access.readers.close()
        self._access.writer.close()
        self._access.sessions.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def backup(self) -> Path:
        """Write a checked copy into the folder `backups` and give its path; raises StoreError."""
        with self._access.read() as connection:
            version = migrations.version_text(migrations.version_of(connection))
            connection.execute("ROLLBACK")
            return backups.write(connection, self.path.parent / "backups", version)

    def check(self) -> list[str]:
        """What SQLite finds wrong with the file, in its own words; [] for a sound one. Slow for a large file."""
        with self._access.read() as connection:
            verdicts = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
        found = [verdict for verdict in verdicts if verdict != "ok"]
        return found + [f"a row of {row['table']} refers to a missing row of {row['parent']}" for row in orphans]

    def _tidy(self) -> None:
        """What a crash or time has left; a disk that cannot be written must not keep a person from reading."""
        try:
            self.recovered = self.generations.recover()
            self.audit.catch_up()
            if self.is_primary:
                purged = self.conversations.purge_deleted(datetime.now(UTC) - DELETED_KEPT)
                purged.add_done_callback(_log_failure)  # not waited for: there may be much of it
                self._access.sessions.remove_dead()
        except StoreError as error:
            log.warning("the database could not be tidied: %s", error)


def _log_failure(write: "Future[int]") -> None:
    if (error := write.exception()) is not None:
        log.warning("deleted conversations could not be removed: %s", error)


def _refuse_foreign(path: Path) -> None:
    """Raise StoreTooNew or StoreDamaged for a file that must not be opened for writing; reads only."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return
    if not header:
        return
    if len(header) < 100 or not header.startswith(_MAGIC):
        raise StoreDamaged(f"The file {path.name} is not a database.")
    version = int.from_bytes(header[60:64], "big")
    log_file = path.with_name(path.name + "-wal")
    if not migrations.is_newer(version) and log_file.exists() and log_file.stat().st_size > 0:
        version = _version_in_log(path)
    if migrations.is_newer(version):
        raise StoreTooNew(
            f"The database has version {migrations.version_text(version)}; this application reads up to "
            f"{migrations.MAJOR}.x."
        )


def _version_in_log(path: Path) -> int:
    """The version as of the write-ahead log, which may be ahead of the file; a reader does not fold it in."""
    connection = connect(path, mode="ro")
    try:
        return migrations.version_of(connection)
    finally:
        connection.close()


def _prepare(path: Path, sessions: Sessions) -> sqlite3.Connection:
    """The writing connection of a database with the present schema; raises StoreError."""
    pages = _PRIMARY_CHECKPOINT_PAGES if sessions.is_primary else _OTHER_CHECKPOINT_PAGES
    connection: sqlite3.Connection | None = None
    try:
        connection = connect_writer(path, checkpoint_pages=pages)
        if migrations.version_of(connection) < migrations.VERSION:
            _migrate(connection, path, sessions)
        return connection
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise translate(error, writing=True) from error
        raise


def _migrate(connection: sqlite3.Connection, path: Path, sessions: Sessions) -> None:
    lock = sessions.migration_lock()
    lock.acquire(_MIGRATION_WAIT_S)
    try:
        version = migrations.version_of(connection)
        if version >= migrations.VERSION:
            return  # another process has done it meanwhile
        if version:
            backups.write(connection, path.parent / "backups", migrations.version_text(version))
        migrations.migrate(connection)
    finally:
        lock.release()

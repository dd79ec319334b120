"""The audit trail: what was done to votes and experiments, in a chain that shows every later change.

Each entry's HMAC-SHA256 covers the entry and the HMAC before it (Schneier and Kelsey 1999, "Secure audit logs to
support computer forensics"), under a key outside the database. The head, outside as well, remembers the newest entry:
a chain alone cannot show that its end was cut off. Whoever can read the key can write entries that look right: the
trail convicts other programs, restored copies and hands in the database, not someone who owns the account.

An entry holds hashes, identities, keys of contestants and figures, never a person's words.
"""

import hmac
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING, Any, TypeVar

from codette_desktop.domain.errors import StoreError
from codette_desktop.store.access import Access, canonical_json, now_text, time_from_text
from codette_desktop.store.audit_files import AuditFiles, Head, Key

if TYPE_CHECKING:
    from codette_desktop.store.audit_check import AuditReport

log = logging.getLogger(__name__)

T = TypeVar("T")
U = TypeVar("U")
_LOCK_WAIT_S = 2.0


class AuditKind(StrEnum):
    """What an entry is about; its subject is an identity of that."""

    CONTESTANT = "contestant"  # first met, or called something else
    VOTE = "vote"
    TAKEN_BACK = "vote taken back"
    EXPERIMENT = "experiment started"
    ENDED = "experiment ended"
    IMPORT = "import"
    ACCEPTED = "accepted"  # the person said that the trail is right as it is: see `Audit.accept`


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry. `payload` is canonical JSON."""

    seq: int
    at: datetime
    kind: str
    subject: str
    payload: str


Note = Callable[[AuditKind, str, dict[str, Any]], None]


def seal(key: Key, before: bytes, seq: int, at: str, kind: str, subject: str, payload: str) -> bytes:
    """The HMAC of an entry that follows the one sealed as `before`."""
    text = canonical_json([seq, at, kind, subject, payload])
    return hmac.digest(key.secret, before + text.encode(), "sha256")


class Audit:
    """The trail of one data folder. Reads raise StoreError."""

    def __init__(self, access: Access, folder: Path) -> None:
        self._access = access
        self.files = AuditFiles(folder)
        self._advancing = threading.Lock()
        self._reported = False

    def entries(self, limit: int = 200, offset: int = 0) -> list[AuditEntry]:
        """The newest first."""
        with self._access.read() as connection:
            found = connection.execute("SELECT * FROM audit ORDER BY seq DESC LIMIT ? OFFSET ?", (limit, offset))
            return [
                AuditEntry(row["seq"], time_from_text(row["at"]), row["kind"], row["subject"], row["payload"])
                for row in found
            ]

    def count(self) -> int:
        """How many entries there are."""
        with self._access.read() as connection:
            return connection.execute("SELECT count(*) FROM audit").fetchone()[0]

    def write(self, work: Callable[[Connection, Note], T]) -> "Future[T]":
        """Run `work` in a transaction of the writer with a function that adds an entry to the same transaction.

        The future is done after COMMIT and when the head has followed: what was acknowledged cannot be cut off unseen.
        Neither a disk that refuses the head nor one that refuses the key keeps what `work` did from being kept: see
        `catch_up`.
        """
        reached: list[Head] = []

        def job(connection: Connection) -> T:
            reached.clear()  # a transaction that was lost is run again
            follows = self._holds_head(connection)

            def note(kind: AuditKind, subject: str, payload: dict[str, Any]) -> None:
                made = self._append(connection, kind, subject, payload)
                if follows:
                    reached.append(made)

            return work(connection, note)

        def follow(result: T) -> T:
            if reached:
                self._advance(reached[-1])
            return result

        return _then(self._access.write(job), follow)

    def catch_up(self) -> None:
        """Let the head follow to the newest entry, where a crash or a full disk has kept it behind."""
        with self._access.read() as connection:
            last = _last(connection)
            follows = last.seq > 0 and self._holds_head(connection)
        if follows:
            self._advance(last)

    def verify(self) -> "AuditReport":
        """Check the whole trail, and votes and experiments against it. Seconds for some hundred thousand votes."""
        from codette_desktop.store.audit_check import check  # it stands on the repositories, and these on this

        with self._access.read() as connection:
            return check(connection, self.files)

    def accept(self) -> "Future[None]":
        """Say that the trail ends where it ends, after an older copy of the database was put back.

        Broken entries stay broken: only the head is set anew. What it had remembered is kept in an entry.
        """

        def work(connection: Connection, note: Note) -> Head:
            before = self._known_head()
            note(AuditKind.ACCEPTED, "", {"seq": before.seq, "mac": before.mac.hex()} if before else {})
            return _last(connection)

        def follow(head: Head) -> None:
            try:
                with self._advancing, _Held(self.files):
                    self.files.put_head(head)
            except OSError as error:
                raise StoreError(f"The audit trail cannot be written: {error.strerror or error}.") from error

        return _then(self.write(work), follow)

    def _append(self, connection: Connection, kind: AuditKind, subject: str, payload: dict[str, Any]) -> Head:
        last = _last(connection)
        seq, at, text, key = last.seq + 1, now_text(), canonical_json(payload), self._key()
        mac = seal(key, last.mac, seq, at, kind.value, subject, text) if key else b""
        connection.execute(
            "INSERT INTO audit(seq, at, kind, subject, payload, key_id, mac) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (seq, at, kind.value, subject, text, key.id if key else "", mac),
        )
        return Head(seq, mac)

    def _key(self) -> Key | None:
        """The key, made if there is none; None where the disk refuses it: the vote counts for more than its seal."""
        try:
            known = self.files.key()
            if known is not None:
                return known
            with _Held(self.files):
                return self.files.make_key()
        except (OSError, ValueError, StoreError) as error:
            self._report(error)
            return None

    def _known_head(self) -> Head | None:
        try:
            return self.files.head()
        except (OSError, ValueError):
            return None

    def _holds_head(self, connection: Connection) -> bool:
        """Whether the chain holds the entry that the head remembers. Where not, the head must stay to tell of it."""
        head = self._known_head()
        if head is None or not head.seq:
            return True
        row = connection.execute("SELECT mac FROM audit WHERE seq = ?", (head.seq,)).fetchone()
        return row is not None and hmac.compare_digest(row["mac"], head.mac)

    def _advance(self, to: Head) -> None:
        try:
            with self._advancing, _Held(self.files):
                head = self.files.head()
                if head is not None and head.seq < to.seq:
                    self.files.put_head(to)
            self._reported = False
        except (OSError, ValueError, StoreError) as error:
            self._report(error)

    def _report(self, error: Exception) -> None:
        if not self._reported:
            log.info("the audit trail could not follow: %s", error)
        self._reported = True


class _Held:
    """The lock of the files, for a block; raises StoreError where another process does not let go of it."""

    def __init__(self, files: AuditFiles) -> None:
        self._lock = files.lock()

    def __enter__(self) -> None:
        self._lock.acquire(_LOCK_WAIT_S)

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _then(first: "Future[T]", follow: Callable[[T], U]) -> "Future[U]":
    """What `follow` makes of the result of `first`, on the thread that ends it; its error where it has one."""
    second: Future[U] = Future()
    second.set_running_or_notify_cancel()

    def done(_: "Future[T]") -> None:
        try:
            second.set_result(follow(first.result()))
        except Exception as error:
            log.debug("a write to the audit trail failed", exc_info=True)
            second.set_exception(error)

    first.add_done_callback(done)
    return second


def _last(connection: Connection) -> Head:
    row = connection.execute("SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return Head(row["seq"], row["mac"]) if row else Head(0, b"")

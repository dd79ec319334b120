"""Votes of a file, kept in one transaction with one entry in the audit trail."""

import hashlib
from collections.abc import Iterable, Mapping
from sqlite3 import Connection, Row
from typing import Any

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.votes import Contestant, Vote
from codette_desktop.store import contestants, vote_rows
from codette_desktop.store.audit import AuditKind, Note
from codette_desktop.store.text import clean


def import_(connection: Connection, note: Note, votes: Iterable[Vote], file_hash: str) -> int:
    """See `Votes.import_`."""
    sql = "SELECT at FROM audit WHERE kind = ? AND subject = ?"
    before = connection.execute(sql, (AuditKind.IMPORT.value, file_hash)).fetchone()
    if before is not None:
        raise InvalidRequest(
            f"This file has been imported already, on {before['at'][:10]}.",
            "Its votes count once. Take back those that should not count with 'votes take-back'.",
        )
    known: dict[str, tuple[int, str]] = {}
    digest = Digest()
    for vote in votes:
        columns = vote_rows.values(vote, file_hash)
        if _is_there(connection, vote, columns):
            continue
        left, left_key = _place(connection, note, known, vote.left.contestant)
        right, right_key = _place(connection, note, known, vote.right.contestant) if vote.right else (None, None)
        vote_rows.insert(connection, columns, left, right)
        digest.take(columns, left_key, right_key)
    note(AuditKind.IMPORT, file_hash, digest.payload())
    return digest.votes


class Digest:
    """One hash for all votes of a file, in their order."""

    def __init__(self) -> None:
        self.votes = 0
        self._hash = hashlib.sha256()

    def take(self, row: Row | Mapping[str, Any], left_key: str, right_key: str | None) -> None:
        """Add the next one."""
        self.votes += 1
        self._hash.update(f"{row['id']} {vote_rows.sealed_text(row, left_key, right_key)}\n".encode())

    def payload(self) -> dict[str, Any]:
        """What the audit trail holds of them."""
        return {"votes": self.votes, "rows": self._hash.hexdigest()}


def imported(connection: Connection, file_hash: str, keys: Mapping[int, str]) -> dict[str, Any]:
    """The `Digest.payload` of what is kept of a file now; `keys` are those of all contestants by their row."""
    digest = Digest()
    found = connection.execute("SELECT * FROM votes WHERE import_hash = ? ORDER BY seq", (file_hash,))
    for row in found:
        digest.take(row, keys[row["left_contestant"]], keys.get(row["right_contestant"]))
    return digest.payload()


def _is_there(connection: Connection, vote: Vote, columns: Mapping[str, Any]) -> bool:
    """Whether this very vote is kept already: cast here, or read from another file. Its moment and the hashes of both
    answers say so; a table that lacks them may hold equal rows that are different votes."""
    if vote.right is None or not (vote.left.message_hash and vote.right.message_hash):
        return False
    same = ("cast_at", "prompt_hash", "preference", "left_answer", "right_answer")
    sql = f"SELECT 1 FROM votes WHERE {' AND '.join(f'{name} = ?' for name in same)} LIMIT 1"
    return connection.execute(sql, [columns[name] for name in same]).fetchone() is not None


def _place(connection: Connection, note: Note, known: dict[str, tuple[int, str]], item: Contestant) -> tuple[int, str]:
    """The row of a contestant and its key, looked up once a file."""
    if item.key not in known:
        known[item.key] = contestants.put(connection, item, note), clean(item.key)
    return known[item.key]

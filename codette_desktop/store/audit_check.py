"""Reading the audit trail: whether it is whole, and whether votes and experiments are still as it says."""

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection, Row
from typing import Any, cast

from codette_desktop.store import contestants, experiments, vote_import, vote_rows
from codette_desktop.store.access import canonical_json
from codette_desktop.store.audit import AuditKind, seal
from codette_desktop.store.audit_files import AuditFiles, Head, Key

_TOLD = 20  # problems of one kind; whoever deletes a thousand votes need not be told of each


class Fault(StrEnum):
    """What is wrong."""

    CHANGED = "changed"  # an entry is not what was sealed
    REMOVED = "removed"  # entries are missing in between
    CUT = "cut off"  # the newest entries are missing
    REPLACED = "replaced"  # the entry that the head remembers is another one
    UNSEALED = "unsealed"  # written without a key, as the disk refused it
    OTHER_KEY = "other key"  # sealed with a key that is not here
    KEY_MISSING = "key missing"
    KEY_DAMAGED = "key damaged"
    HEAD_MISSING = "head missing"
    HEAD_DAMAGED = "head damaged"
    ROW_CHANGED = "row changed"  # a vote or an experiment is not what its entry says
    ROW_REMOVED = "row removed"
    ROW_ADDED = "row added"  # without an entry


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """One thing wrong, in words. `seq` is the entry it is about, None where it is about none."""

    fault: Fault
    what: str
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was found: how many entries, up to which one the head remembers (None: no head), and what is wrong."""

    entries: int
    head: int | None
    problems: tuple[AuditProblem, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def first_broken(self) -> int | None:
        """The oldest entry that something is wrong with."""
        return min((item.seq for item in self.problems if item.seq is not None), default=None)


def check(connection: Connection, files: AuditFiles) -> AuditReport:
    """Check everything on one state of the database. Takes seconds for some hundred thousand votes."""
    entries = connection.execute("SELECT count(*) FROM audit").fetchone()[0]
    sealed = connection.execute("SELECT count(*) FROM audit WHERE key_id <> ''").fetchone()[0]
    head, of_head = _head(connection, files, sealed)
    key, of_key = _key(files, sealed)
    found = [*of_key, *of_head]
    looks = (_votes, _imports, _experiments, _gone_experiments, _contestants)
    for problems in (_chain(connection, key), *(look(connection) for look in looks)):
        found += _first(problems)
    return AuditReport(entries, head.seq if head else None, tuple(found))


def _first(problems: Iterator[AuditProblem]) -> list[AuditProblem]:
    """The first of each fault; a run of entries sealed with one other key is told once."""
    counts: dict[Fault, int] = {}
    found: list[AuditProblem] = []
    for item in problems:
        counts[item.fault] = counts.get(item.fault, 0) + 1
        if counts[item.fault] <= _TOLD:
            found.append(item)
    return found


def _key(files: AuditFiles, sealed: int) -> tuple[Key | None, list[AuditProblem]]:
    try:
        key = files.key()
    except (OSError, ValueError) as error:
        return None, [AuditProblem(Fault.KEY_DAMAGED, f"The key of the audit trail cannot be read ({error}).")]
    if key is None and sealed:
        return None, [AuditProblem(Fault.KEY_MISSING, "The key of the audit trail is gone.")]
    return key, []


def _head(connection: Connection, files: AuditFiles, sealed: int) -> tuple[Head | None, list[AuditProblem]]:
    try:
        head = files.head()
    except (OSError, ValueError) as error:
        return None, [AuditProblem(Fault.HEAD_DAMAGED, f"The head of the audit trail cannot be read ({error}).")]
    if head is None:
        what = "The head of the audit trail is gone: whether newer entries were cut off cannot be told."
        return None, [AuditProblem(Fault.HEAD_MISSING, what)] if sealed else []
    if not head.seq:
        return head, []
    row = connection.execute("SELECT mac FROM audit WHERE seq = ?", (head.seq,)).fetchone()
    last = connection.execute("SELECT coalesce(max(seq), 0) FROM audit").fetchone()[0]
    if last < head.seq:
        what = f"The audit trail ends at entry {last:,}, and {head.seq:,} were written."
        return head, [AuditProblem(Fault.CUT, what, last + 1)]
    if row is not None and not hmac.compare_digest(row["mac"], head.mac):
        what = f"Entry {head.seq:,} of the audit trail is not the one that was written last."
        return head, [AuditProblem(Fault.REPLACED, what, head.seq)]
    return head, []


def _chain(connection: Connection, key: Key | None) -> Iterator[AuditProblem]:
    before, expected, other = b"", 1, ""
    for row in connection.execute("SELECT * FROM audit ORDER BY seq"):
        seq: int = row["seq"]
        gap = seq != expected
        if gap:
            which = f"Entry {expected:,} is" if seq == expected + 1 else f"Entries {expected:,} to {seq - 1:,} are"
            yield AuditProblem(Fault.REMOVED, f"{which} missing from the audit trail.", expected)
        if not row["mac"] and not row["key_id"]:
            yield AuditProblem(Fault.UNSEALED, f"Entry {seq:,} was written when no key could be made.", seq)
        elif key is not None and row["key_id"] != key.id:
            if row["key_id"] != other:
                what = f"From entry {seq:,} on the audit trail was sealed with a key that is not here."
                yield AuditProblem(Fault.OTHER_KEY, what, seq)
        elif key is not None and not gap and not _sealed(key, before, row):
            yield AuditProblem(Fault.CHANGED, f"Entry {seq:,} of the audit trail was changed ({row['kind']}).", seq)
        before, expected, other = row["mac"], seq + 1, row["key_id"]


def _sealed(key: Key, before: bytes, row: Row) -> bool:
    mac = seal(key, before, row["seq"], row["at"], row["kind"], row["subject"], row["payload"])
    return hmac.compare_digest(mac, row["mac"])


def _votes(connection: Connection) -> Iterator[AuditProblem]:
    keys = _keys(connection)
    found = connection.execute(
        f"""SELECT v.*, a.seq AS entry, a.payload AS sealed, b.payload AS back FROM votes v
            LEFT JOIN audit a ON a.subject = v.id AND a.kind = '{AuditKind.VOTE}'
            LEFT JOIN audit b ON b.subject = v.id AND b.kind = '{AuditKind.TAKEN_BACK}'"""
    )
    for row in found:
        name = f"The vote {row['id']} of {row['cast_at'][:10]}"
        if not row["import_hash"]:
            yield from _vote(row, name, keys)
        if row["taken_back_at"] != (_loads(row["back"]).get("at", "") if row["back"] else None):
            word = "is marked as taken back" if row["taken_back_at"] else "is no longer marked as taken back"
            yield AuditProblem(Fault.ROW_CHANGED, f"{name} {word}, and nobody did that.", row["entry"])
    gone = connection.execute(
        """SELECT a.seq, a.subject, a.at FROM audit a WHERE a.kind = ?
            AND NOT EXISTS (SELECT 1 FROM votes v WHERE v.id = a.subject) ORDER BY a.seq""",
        (AuditKind.VOTE.value,),
    )
    for row in gone:
        what = f"The vote {row['subject']} of {row['at'][:10]} was removed from the database."
        yield AuditProblem(Fault.ROW_REMOVED, what, row["seq"])


def _vote(row: Row, name: str, keys: dict[int, str]) -> Iterator[AuditProblem]:
    if row["sealed"] is None:
        yield AuditProblem(Fault.ROW_ADDED, f"{name} was never cast: it was put into the database.")
        return
    now = vote_rows.payload(row, keys.get(row["left_contestant"], ""), keys.get(row["right_contestant"]))
    if canonical_json(now) != row["sealed"]:
        yield AuditProblem(Fault.ROW_CHANGED, f"{name} was changed in the database.", row["entry"])


def _imports(connection: Connection) -> Iterator[AuditProblem]:
    keys = _keys(connection)
    known = connection.execute("SELECT * FROM audit WHERE kind = ?", (AuditKind.IMPORT.value,)).fetchall()
    for row in known:
        sealed, now = _loads(row["payload"]), vote_import.imported(connection, row["subject"], keys)
        if sealed != now:
            before, left = sealed.get("votes", 0), now["votes"]
            told = f": {left:,} of {before:,} are left" if left != before else ""
            what = f"The votes imported on {row['at'][:10]} were changed in the database{told}."
            yield AuditProblem(Fault.ROW_CHANGED, what, row["seq"])
    found = connection.execute("SELECT DISTINCT import_hash FROM votes WHERE import_hash <> ''")
    for unknown in {row["import_hash"] for row in found} - {row["subject"] for row in known}:
        what = f"Votes are marked as imported from a file ({unknown[:12]}) that never was."
        yield AuditProblem(Fault.ROW_ADDED, what)


def _experiments(connection: Connection) -> Iterator[AuditProblem]:
    for row in connection.execute("SELECT * FROM experiments").fetchall():
        name = f"The experiment {row['id']} of {row['created_at'][:10]}"
        started = _entry(connection, AuditKind.EXPERIMENT, row["id"])
        if started is None:
            yield AuditProblem(Fault.ROW_ADDED, f"{name} was never started: it was put into the database.")
        elif not _agrees(_loads(started["payload"]), _started(row)):
            yield AuditProblem(Fault.ROW_CHANGED, f"{name} or its rule was changed.", started["seq"])
        ended = _entry(connection, AuditKind.ENDED, row["id"])
        sealed = _loads(ended["payload"]) if ended else {"ending": None, "at": None}
        if sealed != experiments.end_payload(row):
            what = f"{name} has another end in the database than it had."
            yield AuditProblem(Fault.ROW_CHANGED, what, ended["seq"] if ended else None)


def _gone_experiments(connection: Connection) -> Iterator[AuditProblem]:
    gone = connection.execute(
        """SELECT a.seq, a.subject, a.at FROM audit a WHERE a.kind = ?
            AND NOT EXISTS (SELECT 1 FROM experiments e WHERE e.id = a.subject) ORDER BY a.seq""",
        (AuditKind.EXPERIMENT.value,),
    )
    for row in gone:
        what = f"The experiment {row['subject']} of {row['at'][:10]} was removed from the database."
        yield AuditProblem(Fault.ROW_REMOVED, what, row["seq"])


def _contestants(connection: Connection) -> Iterator[AuditProblem]:
    for row in connection.execute("SELECT * FROM contestants").fetchall():
        entry = _entry(connection, AuditKind.CONTESTANT, row["key"])
        if entry is None:
            yield AuditProblem(Fault.ROW_ADDED, f"The contestant {row['label']} was put into the database.")
        elif _loads(entry["payload"]) != contestants.payload(row):
            what = f"The contestant {row['label']} was changed in the database: it had another name, or was another."
            yield AuditProblem(Fault.ROW_CHANGED, what, entry["seq"])


def _agrees(sealed: dict[str, Any], now: dict[str, Any] | None) -> bool:
    """Whether an experiment is as it was started; words that were purged are compared no more."""
    if now is None:
        return False
    kept = {name for name, value in now.items() if value is not None}
    return sealed.keys() == now.keys() and all(sealed[name] == now[name] for name in kept)


def _started(row: Row) -> dict[str, Any] | None:
    try:
        return experiments.start_payload(row)
    except ValueError:
        return None


def _loads(text: str) -> dict[str, Any]:
    """A payload; {} where somebody has made it something else, which the chain tells of."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _entry(connection: Connection, kind: AuditKind, subject: str) -> Row | None:
    sql = "SELECT * FROM audit WHERE subject = ? AND kind = ? ORDER BY seq DESC LIMIT 1"
    return connection.execute(sql, (subject, kind.value)).fetchone()


def _keys(connection: Connection) -> dict[int, str]:
    return {row["id"]: row["key"] for row in connection.execute("SELECT id, key FROM contestants")}

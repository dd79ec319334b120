"""Contestants: whoever has answered in a duel, was voted on, or was read from a file of votes."""

import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import Future
from sqlite3 import Connection, Row

from codette_desktop.domain.comparisons import ComparisonSetup
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.votes import Contestant
from codette_desktop.store import ensemble_rows
from codette_desktop.store.access import Access, canonical_json
from codette_desktop.store.audit import Audit, AuditKind, Note
from codette_desktop.store.text import clean

_PUT = """INSERT INTO contestants(key, label, spec, setup, files, quantisation) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT(key) DO UPDATE SET label = excluded.label, spec = excluded.spec, setup = excluded.setup,
        files = excluded.files, quantisation = excluded.quantisation
    RETURNING *"""


class Contestants:
    """Reads answer at once from any thread and raise StoreError; writes return futures that are done after COMMIT."""

    def __init__(self, access: Access, audit: Audit) -> None:
        self._access = access
        self._audit = audit

    def all(self) -> list[Contestant]:
        """In the order in which they were first met."""
        with self._access.read() as connection:
            return [contestant(row) for row in connection.execute("SELECT * FROM contestants ORDER BY id")]

    def get(self, key: str) -> Contestant | None:
        """The one with that key."""
        with self._access.read() as connection:
            row = connection.execute("SELECT * FROM contestants WHERE key = ?", (key,)).fetchone()
            return contestant(row) if row else None

    def put(self, item: Contestant) -> "Future[Contestant]":
        """Keep it; one that is known is refreshed: its model may have another name by now."""

        def work(connection: Connection, note: Note) -> Contestant:
            return by_id(connection, [put(connection, item, note)])[0]

        return self._audit.write(work)


def put(connection: Connection, item: Contestant, note: Note | None) -> int:
    """The row of a contestant, made or refreshed, with its entry in the audit trail: its name decides whose votes a
    person takes them for. One without members (of a thumb, of a file) refreshes nothing. `note` may be None where it is
    known to be there as it is.
    """
    row = connection.execute("SELECT * FROM contestants WHERE key = ?", (item.key,)).fetchone()
    setup = ensemble_rows.setup_text(ComparisonSetup(item.members, item.method))
    known = (clean(item.label), clean(item.spec), setup)
    if row is not None and (not item.members or known == (row["label"], row["spec"], row["setup"])):
        return row["id"]
    values = (clean(item.key), *known, canonical_json(item.files), clean(item.quantisation))
    kept = connection.execute(_PUT, values).fetchone()
    if note is not None:
        note(AuditKind.CONTESTANT, kept["key"], payload(kept))
    return kept["id"]


def payload(row: Row) -> dict[str, str]:
    """What the audit trail holds of a contestant: all of it by its hash (a system prompt is a person's words)."""
    told = canonical_json([row[name] for name in ("label", "spec", "setup", "files", "quantisation")])
    return {"row": hashlib.sha256(told.encode()).hexdigest()}


def contestant(row: Row) -> Contestant:
    """From a row of the table."""
    setup = ensemble_rows.setup(row["setup"])
    return Contestant(
        key=row["key"],
        label=row["label"],
        spec=row["spec"],
        members=setup.members,
        method=setup.method,
        files=tuple(json.loads(row["files"])),
        quantisation=row["quantisation"],
    )


def mapped(connection: Connection, ids: Iterable[int]) -> dict[int, Contestant]:
    """Contestants by the numbers of their rows."""
    found = connection.execute(
        "SELECT * FROM contestants WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(set(ids))),)
    )
    return {row["id"]: contestant(row) for row in found}


def by_id(connection: Connection, ids: Iterable[int]) -> list[Contestant]:
    """Contestants in the order of `ids`."""
    wanted = list(ids)
    known = mapped(connection, wanted)
    return [known[item] for item in wanted]


def ids(connection: Connection, keys: Iterable[str]) -> list[int]:
    """The numbers of the rows of those keys that are known."""
    found = connection.execute(
        "SELECT id FROM contestants WHERE key IN (SELECT value FROM json_each(?))", (json.dumps(list(keys)),)
    )
    return [row["id"] for row in found]


def by_key(connection: Connection, keys: Iterable[str]) -> list[Contestant]:
    """Contestants in the order of `keys`; raises StoreError for one that is not known."""
    wanted = list(keys)
    known = {item.key: item for item in mapped(connection, ids(connection, wanted)).values()}
    missing = [key for key in wanted if key not in known]
    if missing:
        raise StoreError(f"The contestant {missing[0]} is not known.")
    return [known[key] for key in wanted]

"""How reliable answerers have been, and how sure they usually are, kept over restarts."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from sqlite3 import Connection, Row
from typing import cast

from codette_desktop.domain.reliability import Standing
from codette_desktop.store.access import Access
from codette_desktop.store.text import clean

_SELECT = "SELECT member, kind, asked, correct, confidences FROM member_standings"
_REPLACE = "INSERT OR REPLACE INTO member_standings(member, kind, asked, correct, confidences) VALUES (?, ?, ?, ?, ?)"


class Reliability:
    """One `Standing` for each (member, kind)."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def of(self, members: Sequence[str], kind: str) -> dict[str, Standing]:
        """The standings of members at one kind of answer; an empty one before the first question. Raises StoreError."""
        with self._access.read() as connection:
            return {member: _read(connection, clean(member), clean(kind)) for member in members}

    def update(self, member: str, kind: str, change: Callable[[Standing], Standing]) -> "Future[None]":
        """Apply `change` in one transaction. It runs on the writer's thread and must not touch the store."""
        name = (clean(member), clean(kind))

        def work(connection: Connection) -> None:
            found = change(_read(connection, *name))
            connection.execute(_REPLACE, (*name, found.asked, found.correct, json.dumps(found.confidences)))

        return self._access.write(work, durable=False)  # a power cut may cost the last answers' figures

    def forget(self) -> "Future[None]":
        """Remove all of them."""

        def work(connection: Connection) -> None:
            connection.execute("DELETE FROM member_standings")

        return self._access.write(work)


def _read(connection: Connection, member: str, kind: str) -> Standing:
    row = connection.execute(f"{_SELECT} WHERE member = ? AND kind = ?", (member, kind)).fetchone()
    return Standing(member, kind) if row is None else _standing(row)


def _standing(row: Row) -> Standing:
    pairs = cast("list[list[float]]", json.loads(row["confidences"]))
    confidences = tuple((float(pair[0]), float(pair[1])) for pair in pairs)
    return Standing(row["member"], row["kind"], row["asked"], row["correct"], confidences)

"""Generations: one row for every answer a model began, from its start to its end or its interruption."""

import logging
from concurrent.futures import Future
from dataclasses import replace
from sqlite3 import Connection
from typing import Any

from codette_desktop.domain.answers import AnswerFigures, ContextUse, FinishReason
from codette_desktop.domain.conversations import Generation, Node
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.store import rows, tree
from codette_desktop.store.access import Access, now_text
from codette_desktop.store.text import clean

log = logging.getLogger(__name__)

_COLUMNS = ", ".join(rows.GENERATION_COLUMNS)


class Generations:
    """Writes return futures that are done after COMMIT; reads raise StoreError."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def get(self, generation_id: str) -> Generation | None:
        """What is known of a generation, running or ended."""
        with self._access.read() as connection:
            return _read(connection, generation_id)

    def partial_text(self, generation_id: str) -> str:
        """The last checkpoint of a running generation; "" where there is none."""
        with self._access.read() as connection:
            row = connection.execute("SELECT partial FROM generations WHERE id = ?", (generation_id,)).fetchone()
            return row["partial"] if row else ""

    def start(self, conversation_id: str, parent_node_id: str, generation: Generation) -> "Future[None]":
        """Note that an answer to `parent_node_id` is being written.

        The branch on view then ends at that node, so that the answer appears on it unless the person walks elsewhere.
        """

        def work(connection: Connection) -> None:
            tree.require_parent(connection, conversation_id, parent_node_id)
            values = rows.generation_values(replace(generation, reason=None))
            insert(connection, conversation_id, parent_node_id, values, self._access.sessions.id)
            tree.show(connection, conversation_id, parent_node_id, touch=True)

        return self._access.write(work)

    def checkpoint(self, generation_id: str, partial_text: str) -> "Future[None]":
        """Keep what has been written so far; without effect once the answer has ended."""
        text = clean(partial_text)

        def work(connection: Connection) -> None:
            sql = "UPDATE generations SET partial = ? WHERE id = ? AND reason IS NULL"
            connection.execute(sql, (text, generation_id))

        return self._access.write(work)

    def finish(
        self,
        generation_id: str,
        text: str,
        reason: FinishReason,
        figures: AnswerFigures | None = None,
        use: ContextUse | None = None,
        **fields: Any,
    ) -> "Future[Node]":
        """End the answer and add its node, in one transaction. `fields` replaces fields of the Generation (seed, ...).

        The branch on view follows if it still ends at the question. Fails with StoreError for a generation that is
        unknown or has ended.
        """

        def work(connection: Connection) -> Node:
            generation = _read(connection, generation_id)
            if generation is None or generation.reason is not None:
                raise StoreError("This answer has already ended, or its conversation no longer exists.")
            ended = replace(generation, **fields, reason=reason, figures=figures, use=use, id=generation_id)
            return _end(connection, ended, text)

        return self._access.write(work)

    def recover(self) -> list[Node]:
        """Turn answers whose process has gone into interrupted ones with their last checkpoint; gives their nodes.

        Answers that a living process is writing are left alone. Raises StoreError.
        """
        return self._access.write(self._recover).result()

    def _recover(self, connection: Connection) -> list[Node]:
        running = connection.execute(f"SELECT {_COLUMNS}, session, partial FROM generations WHERE reason IS NULL")
        left = [row for row in running.fetchall() if not self._access.sessions.is_alive(row["session"])]
        ended = [(replace(rows.generation(row), reason=FinishReason.INTERRUPTED), row["partial"]) for row in left]
        return [_end(connection, generation, partial) for generation, partial in ended]


def insert(
    connection: Connection, conversation_id: str, parent_id: str | None, values: dict[str, Any], session: str
) -> None:
    """Add a row of `rows.generation_values`."""
    columns = {"conversation_id": conversation_id, "parent_id": parent_id, "session": session, **values}
    names = ", ".join(columns)
    marks = ", ".join("?" * len(columns))
    connection.execute(f"INSERT INTO generations({names}) VALUES ({marks})", tuple(columns.values()))


def _read(connection: Connection, generation_id: str) -> Generation | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM generations WHERE id = ?", (generation_id,)).fetchone()
    return rows.generation(row) if row else None


def _end(connection: Connection, generation: Generation, text: str) -> Node:
    values = {**rows.generation_values(generation), "ended_at": now_text(), "partial": ""}
    assignments = ", ".join(f"{name} = ?" for name in values)
    place = connection.execute(
        f"UPDATE generations SET {assignments} WHERE id = ? RETURNING conversation_id, parent_id",
        (*values.values(), generation.id),
    ).fetchone()
    conversation_id, parent_id = place["conversation_id"], place["parent_id"]
    node_id = tree.add_node(connection, conversation_id, parent_id, Message(Role.ASSISTANT, text), generation.id)
    sql = "SELECT leaf_id FROM conversations WHERE id = ?"
    leaf_id = connection.execute(sql, (conversation_id,)).fetchone()["leaf_id"]
    tree.show(connection, conversation_id, node_id if leaf_id == parent_id else leaf_id, touch=True)
    return tree.path(connection, node_id, 1)[0]

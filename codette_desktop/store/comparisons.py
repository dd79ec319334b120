"""Comparisons: conversations whose question has an answer of each member, with how it was asked and what came of it."""

from concurrent.futures import Future
from sqlite3 import Connection, Row

from codette_desktop.domain.comparisons import Comparison, ComparisonSetup, OpenedComparison, Origin
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.ensembles import Outcome
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.store import ensemble_rows, purge, rows, search, tree
from codette_desktop.store.access import Access, now_text, time_from_text
from codette_desktop.store.kinds import COMPARISON
from codette_desktop.store.text import clean

_COLUMNS = """c.id, c.title, c.created_at, c.updated_at, p.question_id, p.setup, p.outcome, p.chosen,
    p.origin_conversation_id, p.origin_leaf_id, p.batch_id"""
_FROM = "FROM conversations c JOIN comparisons p ON p.conversation_id = c.id"
_LIST = f"""SELECT {_COLUMNS} {_FROM} WHERE c.kind = '{COMPARISON}' AND c.deleted_at IS NULL
    ORDER BY c.updated_at DESC, c.seq DESC LIMIT ? OFFSET ?"""


class Comparisons:
    """Reads answer at once from any thread and raise StoreError; writes return futures that are done after COMMIT.

    Deletion, its undoing and purging are those of `Conversations`.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    def list(self, limit: int = 200, offset: int = 0) -> "list[Comparison]":
        """Those that are not deleted, the last touched first."""
        with self._access.read() as connection:
            return [_comparison(row) for row in connection.execute(_LIST, (limit, offset))]

    def count(self) -> int:
        """How many are not deleted."""
        sql = f"SELECT count(*) FROM conversations WHERE kind = '{COMPARISON}' AND deleted_at IS NULL"
        with self._access.read() as connection:
            return connection.execute(sql).fetchone()[0]

    def search(self, text: str, limit: int = 50) -> "list[Comparison]":
        """Those whose prompt or answers hold all words of `text`: see `Conversations.search`."""
        with self._access.read() as connection:
            hits = search.search(connection, text, limit, COMPARISON)
            found = [_read(connection, hit.conversation.id) for hit in hits]
        return [item for item in found if item is not None]

    def get(self, comparison_id: str) -> Comparison | None:
        """One of them; None where there is none or it is deleted."""
        with self._access.read() as connection:
            return _read(connection, comparison_id)

    def open(self, comparison_id: str) -> OpenedComparison | None:
        """With the question and the newest ended answer of each member."""
        with self._access.read() as connection:
            return opened(connection, comparison_id)

    def create(
        self, prompt: str, setup: ComparisonSetup, origin: Origin | None = None, *, batch_id: str = "", place: int = 0
    ) -> "Future[OpenedComparison]":
        """Keep a question that is about to be asked; for a batch, as that of the prompt at `place`."""

        def work(connection: Connection) -> OpenedComparison:
            comparison_id = _insert(connection, prompt, setup, origin, batch_id)
            if batch_id:
                connection.execute(
                    "UPDATE batch_prompts SET comparison_id = ? WHERE batch_id = ? AND place = ?",
                    (comparison_id, batch_id, place),
                )
            found = opened(connection, comparison_id)
            if found is None:
                raise StoreError("The comparison could not be kept.")
            return found

        return self._access.write(work)

    def begin_answer(self, comparison_id: str, place: int, generation_id: str) -> "Future[None]":
        """The answer of the member at `place` is that of this generation from now on."""

        def work(connection: Connection) -> None:
            _require(connection, comparison_id)
            connection.execute(
                "INSERT OR REPLACE INTO comparison_answers(conversation_id, place, generation_id) VALUES (?, ?, ?)",
                (comparison_id, place, generation_id),
            )

        return self._access.write(work)

    def set_outcome(self, comparison_id: str, outcome: Outcome | None) -> "Future[None]":
        """What came of it; None where that no longer holds."""
        text = None if outcome is None else ensemble_rows.outcome_text(outcome)
        return self._update(comparison_id, "outcome", text)

    def choose(self, comparison_id: str, place: int | None) -> "Future[None]":
        """The person takes the answer of the member at `place`."""
        return self._update(comparison_id, "chosen", place)

    def remove(self, comparison_id: str) -> "Future[None]":
        """Remove it for good, at once."""

        def work(connection: Connection) -> None:
            if connection.execute("SELECT 1 FROM conversations WHERE id = ?", (comparison_id,)).fetchone():
                purge.remove_conversation(connection, comparison_id)

        return self._access.write(work)

    def _update(self, comparison_id: str, column: str, value: str | int | None) -> "Future[None]":
        def work(connection: Connection) -> None:
            _require(connection, comparison_id)
            sql = f"UPDATE comparisons SET {column} = ? WHERE conversation_id = ?"
            connection.execute(sql, (value, comparison_id))

        return self._access.write(work)


def opened(connection: Connection, comparison_id: str) -> OpenedComparison | None:
    """See `Comparisons.open`."""
    comparison = _read(connection, comparison_id)
    if comparison is None:
        return None
    row = connection.execute(
        "SELECT question_id FROM comparisons WHERE conversation_id = ?", (comparison_id,)
    ).fetchone()
    question = tree.path(connection, row["question_id"], 1)
    answers: list[Node | None] = [None] * len(comparison.setup.members)
    for place, node_id in connection.execute(
        """SELECT a.place, n.id FROM comparison_answers a JOIN nodes n ON n.generation_id = a.generation_id
           WHERE a.conversation_id = ?""",
        (comparison_id,),
    ).fetchall():
        if place < len(answers):
            answers[place] = tree.path(connection, node_id, 1)[0]
    return OpenedComparison(comparison, question[0], tuple(answers))


def _insert(connection: Connection, prompt: str, setup: ComparisonSetup, origin: Origin | None, batch_id: str) -> str:
    comparison_id, now = tree.new_id(), now_text()
    connection.execute(
        """INSERT INTO conversations(id, title, created_at, updated_at, draft, system_prompt, model, sampling, kind)
           VALUES (?, ?, ?, ?, '', '', '', ?, ?)""",
        # The title is not indexed: it is the beginning of the question.
        (
            comparison_id,
            _title(clean(prompt)),
            now,
            now,
            rows.sampling_text(setup.members[0].sampling),
            COMPARISON,
        ),
    )
    question_id = tree.add_node(connection, comparison_id, None, Message(Role.USER, prompt))
    tree.show(connection, comparison_id, question_id, touch=False)
    connection.execute(
        """INSERT INTO comparisons(
               conversation_id, question_id, setup, origin_conversation_id, origin_leaf_id, batch_id
           ) VALUES (?, ?, ?, ?, ?, ?)""",
        (
            comparison_id,
            question_id,
            ensemble_rows.setup_text(setup),
            origin.conversation_id if origin else None,
            origin.leaf_id if origin else None,
            batch_id or None,
        ),
    )
    return comparison_id


def _title(prompt: str) -> str:
    line = " ".join(prompt.split())
    return line if len(line) <= 200 else line[:199].rstrip() + "…"


def _read(connection: Connection, comparison_id: str) -> Comparison | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE c.id = ? AND c.deleted_at IS NULL", (comparison_id,)
    ).fetchone()
    return _comparison(row) if row else None


def _require(connection: Connection, comparison_id: str) -> None:
    if not connection.execute("SELECT 1 FROM comparisons WHERE conversation_id = ?", (comparison_id,)).fetchone():
        raise StoreError("This comparison no longer exists.")


def _comparison(row: Row) -> Comparison:
    origin = row["origin_conversation_id"]
    return Comparison(
        id=row["id"],
        prompt=row["title"],
        setup=ensemble_rows.setup(row["setup"]),
        created_at=time_from_text(row["created_at"]),
        outcome=ensemble_rows.outcome(row["outcome"]),
        chosen=row["chosen"],
        origin=Origin(origin, row["origin_leaf_id"]) if origin else None,
        batch_id=row["batch_id"] or "",
    )

"""Batches: many prompts for the same members, and how far each has come."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from sqlite3 import Connection, Row

from codette_desktop.domain.comparisons import Batch, BatchState, ComparisonSetup, OpenedComparison
from codette_desktop.domain.errors import StoreError
from codette_desktop.store import comparisons, ensemble_rows, purge, tree
from codette_desktop.store.access import Access, now_text, time_from_text
from codette_desktop.store.text import clean

_SELECT = """SELECT b.id, b.name, b.setup, b.created_at, b.claimed_by, b.seconds,
    (SELECT count(*) FROM batch_prompts p WHERE p.batch_id = b.id) AS prompts,
    (SELECT count(*) FROM batch_prompts p WHERE p.batch_id = b.id AND p.state <> 'open') AS done,
    (SELECT count(*) FROM batch_prompts p WHERE p.batch_id = b.id AND p.state = 'failed') AS failed
    FROM batches b"""
_THERE = f"{_SELECT} WHERE b.deleted_at IS NULL"


@dataclass(frozen=True, slots=True)
class BatchPrompt:
    """One prompt of a batch. `state` is "open", "done" or "failed"; `comparison_id` "" before it was asked."""

    place: int
    prompt: str
    state: str
    comparison_id: str


class Batches:
    """Reads answer at once from any thread and raise StoreError; writes return futures that are done after COMMIT."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def list(self) -> "list[Batch]":
        """Those that are not deleted, the newest first."""
        with self._access.read() as connection:
            return [self._batch(row) for row in connection.execute(f"{_THERE} ORDER BY b.seq DESC")]

    def get(self, batch_id: str) -> Batch | None:
        """One of them; None where there is none or it is deleted."""
        with self._access.read() as connection:
            row = connection.execute(f"{_THERE} AND b.id = ?", (batch_id,)).fetchone()
            return self._batch(row) if row else None

    def prompts(self, batch_id: str, limit: int = -1, offset: int = 0) -> "list[BatchPrompt]":
        """Its prompts in order."""
        with self._access.read() as connection:
            found = connection.execute(
                "SELECT * FROM batch_prompts WHERE batch_id = ? ORDER BY place LIMIT ? OFFSET ?",
                (batch_id, limit, offset),
            )
            return [_prompt(row) for row in found]

    def opened(self, comparison_id: str) -> OpenedComparison | None:
        """The comparison of one of its prompts."""
        with self._access.read() as connection:
            return comparisons.opened(connection, comparison_id)

    def create(self, name: str, prompts: Sequence[str], setup: ComparisonSetup) -> "Future[Batch]":
        """Keep a batch that has not begun."""

        def work(connection: Connection) -> Batch:
            batch_id = tree.new_id()
            connection.execute(
                "INSERT INTO batches(id, name, setup, created_at) VALUES (?, ?, ?, ?)",
                (batch_id, clean(name), ensemble_rows.setup_text(setup), now_text()),
            )
            connection.executemany(
                "INSERT INTO batch_prompts(batch_id, place, prompt) VALUES (?, ?, ?)",
                ((batch_id, place, clean(prompt)) for place, prompt in enumerate(prompts)),
            )
            return self._known(connection, batch_id)

        return self._access.write(work)

    def claim(self, batch_id: str) -> "Future[Batch]":
        """This process is the one that runs it. Comparisons that were left half done are removed.

        Fails with StoreError where another living process runs it. Within this process the caller sees to that.
        """

        def work(connection: Connection) -> Batch:
            sql = "SELECT claimed_by FROM batches WHERE id = ? AND deleted_at IS NULL"
            row = connection.execute(sql, (batch_id,)).fetchone()
            if row is None:
                raise StoreError("This batch no longer exists.")
            mine = self._access.sessions.id
            if row["claimed_by"] not in ("", mine) and self._access.sessions.is_alive(row["claimed_by"]):
                raise StoreError(
                    "This batch is running already, in another window or command.", "Pause it there first."
                )
            connection.execute("UPDATE batches SET claimed_by = ? WHERE id = ?", (mine, batch_id))
            self._forget(connection, batch_id, "open")
            return self._known(connection, batch_id)

        return self._access.write(work)

    def release(self, batch_id: str) -> "Future[None]":
        """It is not run any more. Comparisons that were not finished are removed."""

        def work(connection: Connection) -> None:
            sql = "UPDATE batches SET claimed_by = '' WHERE id = ? AND claimed_by = ? RETURNING id"
            if connection.execute(sql, (batch_id, self._access.sessions.id)).fetchone():
                self._forget(connection, batch_id, "open")

        return self._access.write(work)

    def finish_prompt(self, batch_id: str, place: int, *, failed: bool, seconds: float) -> "Future[Batch]":
        """Every member has answered this prompt, or failed; `seconds` are added to the time spent."""

        def work(connection: Connection) -> Batch:
            state = "failed" if failed else "done"
            sql = "UPDATE batch_prompts SET state = ? WHERE batch_id = ? AND place = ? AND state = 'open'"
            connection.execute(sql, (state, batch_id, place))
            connection.execute("UPDATE batches SET seconds = seconds + ? WHERE id = ?", (seconds, batch_id))
            return self._known(connection, batch_id)

        return self._access.write(work)

    def reopen_failed(self, batch_id: str) -> "Future[Batch]":
        """Have the prompts asked again where a member failed; what they brought is removed."""

        def work(connection: Connection) -> Batch:
            self._forget(connection, batch_id, "failed")  # and not those that are being asked now
            sql = "UPDATE batch_prompts SET state = 'open' WHERE batch_id = ? AND state = 'failed'"
            connection.execute(sql, (batch_id,))
            return self._known(connection, batch_id)

        return self._access.write(work)

    def delete(self, batch_id: str) -> "Future[None]":
        """Take it off the list; its comparisons stay in theirs."""
        return self._mark(batch_id, now_text())

    def restore(self, batch_id: str) -> "Future[None]":
        """Undo `delete`."""
        return self._mark(batch_id, None)

    def _mark(self, batch_id: str, deleted_at: str | None) -> "Future[None]":
        def work(connection: Connection) -> None:
            connection.execute("UPDATE batches SET deleted_at = ? WHERE id = ?", (deleted_at, batch_id))

        return self._access.write(work)

    def _known(self, connection: Connection, batch_id: str) -> Batch:
        row = connection.execute(f"{_SELECT} WHERE b.id = ?", (batch_id,)).fetchone()
        if row is None:
            raise StoreError("This batch no longer exists.")
        return self._batch(row)

    def _batch(self, row: Row) -> Batch:
        running = bool(row["claimed_by"]) and self._access.sessions.is_alive(row["claimed_by"])
        done = row["done"] == row["prompts"]
        return Batch(
            id=row["id"],
            name=row["name"],
            setup=ensemble_rows.setup(row["setup"]),
            created_at=time_from_text(row["created_at"]),
            state=BatchState.DONE if done else BatchState.RUNNING if running else BatchState.PAUSED,
            prompts=row["prompts"],
            done=row["done"],
            failed=row["failed"],
            seconds=row["seconds"],
        )

    def _forget(self, connection: Connection, batch_id: str, state: str) -> None:
        """Remove what the prompts in that state have brought."""
        sql = """SELECT comparison_id FROM batch_prompts
            WHERE batch_id = ? AND state = ? AND comparison_id IS NOT NULL"""
        for row in connection.execute(sql, (batch_id, state)).fetchall():
            purge.remove_conversation(connection, row["comparison_id"])


def _prompt(row: Row) -> BatchPrompt:
    return BatchPrompt(row["place"], row["prompt"], row["state"], row["comparison_id"] or "")

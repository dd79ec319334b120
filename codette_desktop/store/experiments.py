"""Experiments: questions that duels are to settle, with the rule of their end."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import asdict
from datetime import datetime
from sqlite3 import Connection, Row
from typing import Any

from codette_desktop.domain.duels import Ending, Experiment, PromptSource, StoppingRule
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.votes import Contestant
from codette_desktop.store import contestants, purge, tree
from codette_desktop.store.access import Access, canonical_json, now_text, time_from_text, time_to_text
from codette_desktop.store.audit import Audit, AuditKind, Note
from codette_desktop.store.text import clean

_GONE = "This experiment no longer exists."


class Experiments:
    """Reads answer at once from any thread and raise StoreError; writes return futures that are done after COMMIT."""

    def __init__(self, access: Access, audit: Audit) -> None:
        self._access = access
        self._audit = audit

    def list(self) -> "list[Experiment]":
        """Those that are not deleted, the newest first, without their prompts, of which there may be many."""
        with self._access.read() as connection:
            found = connection.execute(
                """SELECT id, question, contestants, source, '[]' AS prompts, rule, created_at, ending, ended_at
                   FROM experiments WHERE deleted_at IS NULL ORDER BY seq DESC"""
            )
            return [_experiment(connection, row) for row in found.fetchall()]

    def get(self, experiment_id: str) -> Experiment | None:
        """One of them; None where there is none or it is deleted."""
        with self._access.read() as connection:
            row = connection.execute(
                "SELECT * FROM experiments WHERE id = ? AND deleted_at IS NULL", (experiment_id,)
            ).fetchone()
            return _experiment(connection, row) if row else None

    def create(
        self,
        question: str,
        contestants_: Sequence[Contestant],
        source: PromptSource,
        prompts: Sequence[str],
        rule: StoppingRule,
    ) -> "Future[Experiment]":
        """Begin one. Its rule goes into the audit trail: nobody can change it afterwards without being seen."""

        def work(connection: Connection, note: Note) -> Experiment:
            experiment_id = tree.new_id()
            for item in contestants_:
                contestants.put(connection, item, note)
            connection.execute(
                """INSERT INTO experiments(id, question, contestants, source, prompts, rule, created_at)
                   VALUES (?, ?, ?, ?, ?, ?, ?)""",
                (
                    experiment_id,
                    clean(question),
                    canonical_json([item.key for item in contestants_]),
                    source.value,
                    canonical_json(list(map(clean, prompts))),
                    canonical_json(asdict(rule)),
                    now_text(),
                ),
            )
            row = _row(connection, experiment_id)
            note(AuditKind.EXPERIMENT, experiment_id, start_payload(row))
            return _experiment(connection, row)

        return self._audit.write(work)

    def end(self, experiment_id: str, ending: Ending) -> "Future[Experiment]":
        """Note that it has ended and why. Fails with StoreError for one that is unknown or has ended."""

        def work(connection: Connection, note: Note) -> Experiment:
            row = _row(connection, experiment_id)
            if row["ending"] is not None:
                raise StoreError("This experiment has ended already.")
            sql = "UPDATE experiments SET ending = ?, ended_at = ? WHERE id = ?"
            connection.execute(sql, (ending.value, now_text(), experiment_id))
            row = _row(connection, experiment_id)
            note(AuditKind.ENDED, experiment_id, end_payload(row))
            return _experiment(connection, row)

        return self._audit.write(work)

    def delete(self, experiment_id: str) -> "Future[None]":
        """Hide it; `restore` brings it back until it is purged. Its votes stay and count."""
        return self._mark(experiment_id, now_text())

    def restore(self, experiment_id: str) -> "Future[None]":
        """Undo `delete`."""
        return self._mark(experiment_id, None)

    def purge_deleted(self, before: datetime) -> "Future[int]":
        """Remove for good what was deleted before that moment, with the texts of its duels; gives how many.

        The votes stay, with the hashes of what they were about.
        """
        return self._access.write(lambda connection: purge.remove_experiments(connection, time_to_text(before)))

    def _mark(self, experiment_id: str, deleted_at: str | None) -> "Future[None]":
        def work(connection: Connection) -> None:
            if _row(connection, experiment_id)["prompts"] == purge.PURGED:
                raise StoreError(_GONE)
            connection.execute("UPDATE experiments SET deleted_at = ? WHERE id = ?", (deleted_at, experiment_id))

        return self._access.write(work)


def go_on(connection: Connection, note: Note, experiment_id: str) -> None:
    """One that its rule had ended goes on: a vote was taken back. One that the person ended stays ended."""
    by_rule = (Ending.SETTLED.value, Ending.MOST_VOTES.value)
    row = connection.execute(
        """UPDATE experiments SET ending = NULL, ended_at = NULL WHERE id = ? AND ending IN (?, ?) RETURNING *""",
        (experiment_id, *by_rule),
    ).fetchone()
    if row is not None:
        note(AuditKind.ENDED, experiment_id, end_payload(row))


def start_payload(row: Row) -> dict[str, Any]:
    """What the audit trail holds of an experiment's start: the person's words by their hashes."""
    purged = row["prompts"] == purge.PURGED  # nothing is left to compare with the entry
    return {
        "question": None if purged else _hash(row["question"]),
        "contestants": json.loads(row["contestants"]),
        "source": row["source"],
        "prompts": None if purged else _hash(row["prompts"]),
        "rule": json.loads(row["rule"]),
        "at": row["created_at"],
    }


def end_payload(row: Row) -> dict[str, Any]:
    """What the audit trail holds of an experiment's end."""
    return {"ending": row["ending"], "at": row["ended_at"]}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _row(connection: Connection, experiment_id: str) -> Row:
    row = connection.execute("SELECT * FROM experiments WHERE id = ?", (experiment_id,)).fetchone()
    if row is None:
        raise StoreError(_GONE)
    return row


def _experiment(connection: Connection, row: Row) -> Experiment:
    rule: dict[str, Any] = json.loads(row["rule"])
    known = {name: rule[name] for name in ("most_votes", "alpha", "margin") if name in rule}
    return Experiment(
        id=row["id"],
        question=row["question"],
        contestants=tuple(contestants.by_key(connection, json.loads(row["contestants"]))),
        source=PromptSource(row["source"]),
        prompts=tuple(json.loads(row["prompts"])),
        rule=StoppingRule(**known),
        created_at=time_from_text(row["created_at"]),
        ending=Ending(row["ending"]) if row["ending"] else None,
        ended_at=time_from_text(row["ended_at"]) if row["ended_at"] else None,
    )

"""Duels: conversations whose question has two answers, without names until somebody has voted."""

import json
from concurrent.futures import Future
from dataclasses import replace
from sqlite3 import Connection, Row

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.duels import Duel
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.votes import Contestant
from codette_desktop.store import contestants, generations, purge, rows, tree
from codette_desktop.store.access import Access, canonical_json, now_text
from codette_desktop.store.kinds import DUEL
from codette_desktop.store.text import clean

Answer = tuple[str, Generation]  # what was said, and how it came to be

_THERE = """FROM duels d JOIN conversations c ON c.id = d.conversation_id AND c.deleted_at IS NULL
    JOIN experiments e ON e.id = d.experiment_id AND e.deleted_at IS NULL"""


class Duels:
    """Reads answer at once from any thread and raise StoreError; writes return futures that are done after COMMIT.

    The texts of a deleted experiment's duels are hidden with it and removed when it is purged.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    def create(
        self,
        experiment_id: str,
        prompt: str,
        left: Contestant,
        right: Contestant,
        answers: tuple[Answer, Answer],
        *,
        seed: int,
        swapped: bool,
        task: str = "general",
        leaks: tuple[str, ...] = (),
    ) -> "Future[Duel]":
        """Keep a whole duel, `answers` being the left and the right one; all of it or nothing."""

        def work(connection: Connection) -> Duel:
            if not connection.execute("SELECT 1 FROM experiments WHERE id = ?", (experiment_id,)).fetchone():
                raise StoreError("This experiment no longer exists.")
            duel_id, now = tree.new_id(), now_text()
            connection.execute(
                """INSERT INTO conversations(id, title, created_at, updated_at, draft, system_prompt, model, sampling,
                       kind) VALUES (?, '', ?, ?, '', '', '', ?, ?)""",
                (duel_id, now, now, rows.sampling_text(Sampling()), DUEL),
            )
            question = Message(Role.USER, clean(prompt))
            question_id = tree.add_node(connection, duel_id, None, question)
            nodes = [self._add(connection, duel_id, question_id, answer) for answer in answers]
            tree.show(connection, duel_id, question_id, touch=False)
            sides = [contestants.put(connection, item, None) for item in (left, right)]
            drawn = (seed, swapped, clean(task), canonical_json(list(map(clean, leaks))))
            connection.execute(
                """INSERT INTO duels(conversation_id, experiment_id, question_id, left_node, right_node,
                       left_contestant, right_contestant, prompt_hash, seed, swapped, task, leaks)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (duel_id, experiment_id, question_id, *nodes, *sides, question.hash, *drawn),
            )
            return _duel(connection, row(connection, duel_id))

        return self._access.write(work)

    def waiting(self, experiment_id: str, limit: int = 50) -> list[Duel]:
        """Those that nobody has voted on yet, the oldest first."""
        sql = f"SELECT d.* {_THERE} WHERE d.experiment_id = ? AND d.voted = 0 ORDER BY c.seq LIMIT ?"
        with self._access.read() as connection:
            return [_duel(connection, item) for item in connection.execute(sql, (experiment_id, limit)).fetchall()]

    def count_waiting(self, experiment_id: str) -> int:
        """How many nobody has voted on yet."""
        sql = f"SELECT count(*) {_THERE} WHERE d.experiment_id = ? AND d.voted = 0"
        with self._access.read() as connection:
            return connection.execute(sql, (experiment_id,)).fetchone()[0]

    def open(self, duel_id: str) -> Duel | None:
        """One of them, voted on or not; None where there is none or its experiment is deleted."""
        with self._access.read() as connection:
            found = connection.execute(f"SELECT d.* {_THERE} WHERE d.conversation_id = ?", (duel_id,)).fetchone()
            return _duel(connection, found) if found else None

    def asked(self, experiment_id: str) -> set[tuple[frozenset[str], str]]:
        """Who has met over which prompt so far: the keys of both, and the hash of the prompt's message."""
        sql = """SELECT l.key, r.key, d.prompt_hash FROM duels d JOIN contestants l ON l.id = d.left_contestant
            JOIN contestants r ON r.id = d.right_contestant WHERE d.experiment_id = ?"""
        with self._access.read() as connection:
            found = connection.execute(sql, (experiment_id,)).fetchall()
        return {(frozenset((left, right)), prompt) for left, right, prompt in found}

    def discard(self, duel_id: str) -> "Future[None]":
        """Remove one that nobody has voted on, if it is there. Fails with StoreError for one that has a vote."""

        def work(connection: Connection) -> None:
            found = connection.execute("SELECT voted FROM duels WHERE conversation_id = ?", (duel_id,)).fetchone()
            if found is not None and found["voted"]:
                raise StoreError("This duel has been voted on.", "Take its vote back first.")
            if found is not None:
                purge.remove_conversation(connection, duel_id)

        return self._access.write(work)

    def _add(self, connection: Connection, duel_id: str, question_id: str, answer: Answer) -> str:
        text, generation = answer
        ended = replace(generation, reason=generation.reason or FinishReason.STOP)
        values = rows.generation_values(ended) | {"ended_at": now_text()}
        generations.insert(connection, duel_id, question_id, values, self._access.sessions.id)
        return tree.add_node(connection, duel_id, question_id, Message(Role.ASSISTANT, text), values["id"])


def row(connection: Connection, duel_id: str) -> Row:
    """The row of a duel; raises StoreError where there is none."""
    found = connection.execute("SELECT * FROM duels WHERE conversation_id = ?", (duel_id,)).fetchone()
    if found is None:
        raise StoreError("This duel no longer exists.")
    return found


def _duel(connection: Connection, item: Row) -> Duel:
    question, left_answer, right_answer = (
        tree.path(connection, item[name], 1)[0] for name in ("question_id", "left_node", "right_node")
    )
    left, right = contestants.by_id(connection, (item["left_contestant"], item["right_contestant"]))
    return Duel(
        id=item["conversation_id"],
        experiment_id=item["experiment_id"],
        question=question,
        left=left,
        right=right,
        left_answer=left_answer,
        right_answer=right_answer,
        seed=item["seed"],
        swapped=bool(item["swapped"]),
        task=item["task"],
        leaks=tuple(json.loads(item["leaks"])),
        voted=bool(item["voted"]),
        names_seen=bool(item["names_seen"]),
    )

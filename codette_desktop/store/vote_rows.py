"""Votes to rows and back, which rows a filter means, and what the audit trail holds of a row."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields
from sqlite3 import Connection, Row
from typing import Any

from codette_desktop.domain.votes import (
    Contestant,
    Exclusion,
    GivenAnswer,
    Preference,
    Source,
    Style,
    Vote,
    VoteFilter,
)
from codette_desktop.store import contestants, tree
from codette_desktop.store.access import canonical_json, time_from_text, time_to_text
from codette_desktop.store.text import clean

_STYLE = {"style_length": "tokens", "style_headers": "headers", "style_lists": "list_items", "style_bold": "bold"}
_FEATURES = tuple(item.name for item in fields(Style))
COUNTS = "exclusion = '' AND taken_back_at IS NULL AND right_contestant IS NOT NULL"
# All that is said when a vote is cast. Where its texts are kept and whether it was taken back may change later.
_SEALED = (
    "cast_at", "source", "preference", "exclusion", "experiment_id", "duel_id", "prompt_hash", "prompt_key", "task",
    "tags", "correction", "leaks", "seconds", "seed", "swapped", "left_answer", "right_answer", *_STYLE,
)  # fmt: skip


def values(vote: Vote, import_hash: str = "") -> dict[str, Any]:
    """The columns of a vote but for its contestants, as SQLite gives them back; `import_hash` is its file's SHA-256.

    A vote without an identity gets one.
    """
    seconds, vote_id = vote.seconds, clean(vote.id) or tree.new_id()
    return {
        "id": vote_id,
        "cast_at": time_to_text(vote.cast_at),
        "source": vote.source.value,
        "preference": vote.preference.value,
        "exclusion": vote.exclusion.value,
        "experiment_id": vote.experiment_id,
        "duel_id": vote.duel_id,
        "prompt_hash": clean(vote.prompt_hash),
        "prompt_key": prompt_key(vote.prompt_hash or vote_id),
        "task": clean(vote.task),
        "tags": _texts(vote.tags),
        "correction": clean(vote.correction),
        "leaks": _texts(vote.leaks),
        "seconds": float(seconds) if seconds is not None and math.isfinite(seconds) else None,
        "seed": vote.seed,
        "swapped": int(vote.swapped),
        "left_node": vote.left.node_id,
        "right_node": vote.right.node_id if vote.right else "",
        "left_answer": _answer_text(vote.left),
        "right_answer": _answer_text(vote.right) if vote.right else "",
        **_differences(vote),
        "import_hash": import_hash,
        "taken_back_at": time_to_text(vote.taken_back_at) if vote.taken_back_at else None,
    }


def insert(connection: Connection, columns: Mapping[str, Any], left: int, right: int | None) -> None:
    """Add a vote between two rows of contestants."""
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    sql = f"INSERT INTO votes(left_contestant, right_contestant, {names}) VALUES (?, ?, {marks})"
    connection.execute(sql, (left, right, *columns.values()))


def prompt_key(known: str) -> int:
    """60 bits, equal for equal hashes of prompts; a vote that knows none gives its own identity and stands alone."""
    return int(hashlib.sha256(known.encode("utf-8", "surrogatepass")).hexdigest()[:15], 16)


def votes(connection: Connection, found: list[Row]) -> list[Vote]:
    """From rows of the table."""
    sides = {item[name] for item in found for name in ("left_contestant", "right_contestant")} - {None}
    known = contestants.mapped(connection, sides)
    return [_vote(item, known) for item in found]


def _vote(row: Row, known: Mapping[int, Contestant]) -> Vote:
    right = row["right_contestant"]
    return Vote(
        id=row["id"],
        cast_at=time_from_text(row["cast_at"]),
        source=Source(row["source"]),
        preference=Preference(row["preference"]),
        left=_answer(known[row["left_contestant"]], row["left_node"], row["left_answer"]),
        right=_answer(known[right], row["right_node"], row["right_answer"]) if right is not None else None,
        exclusion=Exclusion(row["exclusion"]),
        experiment_id=row["experiment_id"],
        duel_id=row["duel_id"],
        prompt_hash=row["prompt_hash"],
        task=row["task"],
        tags=tuple(json.loads(row["tags"])),
        correction=row["correction"],
        leaks=tuple(json.loads(row["leaks"])),
        seconds=row["seconds"],
        seed=row["seed"],
        swapped=bool(row["swapped"]),
        taken_back_at=time_from_text(row["taken_back_at"]) if row["taken_back_at"] else None,
    )


def where(wanted: VoteFilter) -> tuple[str, list[Any]]:
    """The condition of a filter, for the table `votes` without an alias, and its parameters."""
    conditions, given = ["1"], list[Any]()

    def need(condition: str, *parameters: Any) -> None:
        conditions.append(condition)
        given.extend(parameters)

    if wanted.experiment_id:
        need("experiment_id = ? AND experiment_id <> ''", wanted.experiment_id)
    if wanted.task:
        need("task = ?", wanted.task)
    if wanted.since:
        need("cast_at >= ?", time_to_text(wanted.since))
    if wanted.until:
        need("cast_at < ?", time_to_text(wanted.until))
    among = "(SELECT id FROM contestants WHERE key IN (SELECT value FROM json_each(?)))"
    for keys in filter(None, (wanted.contestants, wanted.pair)):
        text = json.dumps(keys)
        need(f"left_contestant IN {among}", text)
        need(f"(right_contestant IN {among} OR right_contestant IS NULL)", text)
    if wanted.pair:
        need("right_contestant <> left_contestant")
    if wanted.contestant:
        key = json.dumps([wanted.contestant])
        need(f"(left_contestant IN {among} OR right_contestant IN {among})", key, key)
    if wanted.sources:
        need("source IN (SELECT value FROM json_each(?))", json.dumps(wanted.sources))
    if wanted.blind:
        need(COUNTS)
    return " AND ".join(conditions), given


def sealed_text(row: Row | Mapping[str, Any], left_key: str, right_key: str | None) -> str:
    """All that was said when the vote was cast, as one text; equal for `values` and for a row of the table."""
    return canonical_json([left_key, right_key, *(row[name] for name in _SEALED)])


def payload(row: Row | Mapping[str, Any], left_key: str, right_key: str | None) -> dict[str, Any]:
    """What the audit trail holds of a vote: who and which; the rest, and the person's words, by a hash."""
    correction = row["correction"]
    return {
        "left": left_key,
        "right": right_key,
        "preference": row["preference"],
        "source": row["source"],
        "exclusion": row["exclusion"],
        "experiment": row["experiment_id"],
        "duel": row["duel_id"],
        "prompt": row["prompt_hash"],
        "correction": hashlib.sha256(correction.encode()).hexdigest() if correction else "",
        "row": hashlib.sha256(sealed_text(row, left_key, right_key).encode()).hexdigest(),
    }


def _texts(items: tuple[str, ...]) -> str:
    return canonical_json(list(map(clean, items))) if items else "[]"


def _answer_text(answer: GivenAnswer) -> str:
    return canonical_json(
        {
            "message_hash": clean(answer.message_hash),
            "seed": answer.seed,
            "engine_build": clean(answer.engine_build),
            "device": clean(answer.device),
            "style": {name: getattr(answer.style, name) for name in _FEATURES},
        }
    )


def _answer(contestant: Contestant, node_id: str, text: str) -> GivenAnswer:
    said: dict[str, Any] = json.loads(text)
    style = {name: said["style"].get(name, 0) for name in _FEATURES}
    return GivenAnswer(
        contestant=contestant,
        message_hash=said["message_hash"],
        node_id=node_id,
        seed=said["seed"],
        engine_build=said["engine_build"],
        device=said["device"],
        style=Style(**style),
    )


def _differences(vote: Vote) -> dict[str, float]:
    """(left - right) / (left + right) of each feature; 0 where neither has any, or there is only one answer."""
    found = dict.fromkeys(_STYLE, 0.0)
    if vote.right is not None:
        for column, name in _STYLE.items():
            left, right = getattr(vote.left.style, name), getattr(vote.right.style, name)
            found[column] = (left - right) / (left + right) if left + right else 0.0
    return found

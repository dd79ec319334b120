"""Rows of the log of requests."""

import json
from collections.abc import Iterable
from sqlite3 import Connection, Row
from typing import Any

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.request_log import MeasuredRequest, Purpose, RequestRecord
from codette_desktop.store import totals
from codette_desktop.store.keys import free_keys
from codette_desktop.store.numbers import finite, moment_id
from codette_desktop.store.text import clean

_FIGURES = ("time_to_first_token_ms", "tokens_per_second", "total_ms", "load_ms", "queue_ms", "prefill_ms", "energy_j")
_COUNTS = ("prompt_tokens", "completion_tokens", "reused_tokens")
_FLAGS = ("cached", "truncated")
_OWN = ("at", "model_label", *_FIGURES, *_COUNTS, *_FLAGS)
_COLUMNS = ("seq", "id", "model_id", "purpose", "reason", "error_id", *_OWN)
_INSERT = f"INSERT INTO requests({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
SELECT = f"""SELECT r.id, r.purpose, r.reason, {", ".join(f"r.{name}" for name in _OWN)},
        m.model, m.model_hash, m.backend, e.error_type, e.error, r.seq
    FROM requests r JOIN request_models m ON m.id = r.model_id LEFT JOIN request_errors e ON e.id = r.error_id"""
_MEASURED = """SELECT r.at, r.model_label, r.reason, e.error_type, r.cached, r.completion_tokens,
        r.time_to_first_token_ms, r.tokens_per_second, r.total_ms, r.load_ms, r.energy_j
    FROM requests r LEFT JOIN request_errors e ON e.id = r.error_id
    WHERE r.seq >= ? AND r.seq < ? ORDER BY r.seq DESC LIMIT ?"""
_REASONS = {reason.value: reason for reason in FinishReason}
HOUR_S = 3_600


def record(row: Row) -> RequestRecord:
    """From a row of SELECT."""
    values: dict[str, Any] = {name: row[name] for name in _OWN}
    for name in ("total_ms", "load_ms"):
        values[name] = 0.0 if values[name] is None else values[name]
    for name in _FLAGS:
        values[name] = bool(values[name])
    return RequestRecord(
        id=row["id"],
        model=row["model"],
        model_hash=row["model_hash"],
        backend=row["backend"],
        purpose=Purpose(row["purpose"]),
        reason=FinishReason(row["reason"]),
        error_type=row["error_type"] or "",
        error=row["error"] or "",
        **values,
    )


def measured(connection: Connection, low: int, high: int, limit: int) -> list[MeasuredRequest]:
    """The newest between two keys, oldest first. There may be many: plain tuples are read in a third of the time."""
    cursor = connection.cursor()
    cursor.row_factory = None
    rows = cursor.execute(_MEASURED, (low, high, limit)).fetchall()
    return [
        MeasuredRequest(at, label, _REASONS[reason], error or "", bool(cached), tokens, first, speed, total or 0.0,
                        load or 0.0, energy)
        for at, label, reason, error, cached, tokens, first, speed, total, load, energy in reversed(rows)
    ]  # fmt: skip


def insert(connection: Connection, records: list[RequestRecord]) -> None:
    """Keep records; one of the same id is replaced. The hours they belong to are to be reckoned anew."""
    newest = {clean(item.id): item for item in records}
    totals.count(connection, newest.values(), _replaced(connection, list(newest)))
    remove(connection, list(newest))
    keys = free_keys(connection, "requests", "seq", [moment_id(item.at) for item in newest.values()])
    models: dict[tuple[str, ...], int] = {}
    rows: list[tuple[Any, ...]] = []
    for key, (name, item) in zip(keys, newest.items(), strict=True):
        of_it = (item.model, item.model_label, item.model_hash, item.backend)
        if of_it not in models:
            models[of_it] = _model_id(connection, of_it)
        own = (
            item.at, clean(item.model_label),
            *(finite(getattr(item, field)) for field in _FIGURES),
            *(getattr(item, field) for field in _COUNTS),
            *(int(getattr(item, field)) for field in _FLAGS),
        )  # fmt: skip
        error = _error_id(connection, item.error_type, item.error) if item.error or item.error_type else None
        rows.append((key, name, models[of_it], item.purpose.value, item.reason.value, error, *own))
    connection.executemany(_INSERT, rows)
    open_hours(connection, keys)


def _replaced(connection: Connection, ids: list[str]) -> list[RequestRecord]:
    """Those that are there."""
    sql = f"{SELECT} WHERE r.id IN (SELECT value FROM json_each(?))"
    return [record(row) for row in connection.execute(sql, (json.dumps(ids),)).fetchall()]


def remove(connection: Connection, ids: list[str]) -> None:
    """Remove rows, if there are any."""
    sql = "DELETE FROM requests WHERE id = ? RETURNING seq"
    open_hours(connection, [row[0] for name in ids for row in connection.execute(sql, (name,)).fetchall()])


def _model_id(connection: Connection, of_it: tuple[str, ...]) -> int:
    texts = tuple(clean(text) for text in of_it)
    sql = "SELECT id FROM request_models WHERE model = ? AND model_label = ? AND model_hash = ? AND backend = ?"
    row = connection.execute(sql, texts).fetchone()
    if row is not None:
        return row["id"]
    folded = f"{texts[0]}\n{texts[1]}".casefold()
    sql = "INSERT INTO request_models(model, model_label, model_hash, backend, folded) VALUES (?, ?, ?, ?, ?)"
    return connection.execute(f"{sql} RETURNING id", (*texts, folded)).fetchone()["id"]


def _error_id(connection: Connection, error_type: str, error: str) -> int:
    texts = (clean(error_type), clean(error))
    sql = "SELECT id FROM request_errors WHERE error_type = ? AND error = ?"
    row = connection.execute(sql, texts).fetchone()
    if row is not None:
        return row["id"]
    sql = "INSERT INTO request_errors(error_type, error, folded) VALUES (?, ?, ?) RETURNING id"
    return connection.execute(sql, (*texts, texts[1].casefold())).fetchone()["id"]


def blank_errors(connection: Connection, answers: Iterable[str]) -> None:
    """Forget in what words the requests for these answers failed, also those of "ID/NUMBER"; the class stays.

    Servers say it, and may quote what they were asked.
    """
    sql = """SELECT r.seq, r.error_id, e.error_type FROM requests r JOIN request_errors e ON e.id = r.error_id
        WHERE (r.id = ?1 OR (r.id > ?1 || '/' AND r.id < ?1 || '0')) AND e.error <> ''"""
    rows = [row for answer in answers for row in connection.execute(sql, (answer,)).fetchall()]
    for row in rows:
        blank = _error_id(connection, row["error_type"], "") if row["error_type"] else None
        connection.execute("UPDATE requests SET error_id = ? WHERE seq = ?", (blank, row["seq"]))
    sql = "DELETE FROM request_errors WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM requests WHERE error_id = ?1)"
    connection.executemany(sql, [(error,) for error in {row["error_id"] for row in rows}])


def open_hours(connection: Connection, keys: Iterable[int]) -> None:
    """Note that the hours of these rows are to be reckoned anew."""
    sql = "INSERT INTO request_hours_open(at) VALUES (?) ON CONFLICT (at) DO UPDATE SET changes = changes + 1"
    connection.executemany(sql, [(at,) for at in {key // 1_000_000 // HOUR_S * HOUR_S for key in keys}])

"""Removing what was watched and is too old, in steps that keep nobody waiting."""

import math
from collections.abc import Callable
from sqlite3 import Connection
from typing import Any

from codette_desktop.store import request_rollup
from codette_desktop.store.access import time_to_text
from codette_desktop.store.tiers import (
    HOURS,
    HOURS_KEPT_S,
    MINUTE_S,
    MINUTES,
    MINUTES_KEPT_S,
    SAMPLES,
    SAMPLES_KEPT_S,
    Tier,
)

_ROWS = 1_000

_Step = Callable[[Connection, float], Callable[[Connection], Any] | None]


def _tier_removal(tier: Tier, coarser: Tier | None, kept_s: int) -> _Step:
    def step(connection: Connection, now: float) -> Callable[[Connection], Any] | None:
        until = math.floor((now - kept_s) / MINUTE_S) * MINUTE_S
        if coarser is not None:  # only what the next tier tells of
            last = connection.execute(f"SELECT max(at) FROM {coarser.table} WHERE at <= ?", (now,)).fetchone()[0]
            until = min(until, 0 if last is None else last + coarser.length_s)
        cut = _cut(connection, tier, until * tier.unit)
        return None if cut is None else lambda writing: _remove(writing, tier, cut)

    return step


def _cut(connection: Connection, tier: Tier, until: int) -> int | None:
    """Up to where to remove next: a few rows, but whole minutes of samples; None where nothing is too old."""
    sql = f"SELECT {tier.key} FROM {tier.table} WHERE {tier.key} < ? ORDER BY {tier.key} LIMIT 1 OFFSET ?"
    if connection.execute(sql, (until, 0)).fetchone() is None:
        return None
    row = connection.execute(sql, (until, _ROWS)).fetchone()
    if row is None:
        return until
    return min(until, (row[0] // tier.unit // MINUTE_S + 1) * MINUTE_S * tier.unit)


def _remove(connection: Connection, tier: Tier, cut: int) -> None:
    connection.execute(f"DELETE FROM {tier.table} WHERE {tier.key} < ?", (cut,))
    for (device,) in connection.execute("SELECT id FROM devices").fetchall():
        sql = f"DELETE FROM {tier.device_table} WHERE device = ? AND {tier.device_key} < ?"
        connection.execute(sql, (device, cut))


def _plain_removal(table: str, column: str, moment: Callable[[float], float | str]) -> _Step:
    def step(connection: Connection, now: float) -> Callable[[Connection], Any] | None:
        before = moment(now - HOURS_KEPT_S)
        if connection.execute(f"SELECT 1 FROM {table} WHERE {column} < ? LIMIT 1", (before,)).fetchone() is None:
            return None
        some = f"SELECT rowid FROM {table} WHERE {column} < ? LIMIT {_ROWS}"
        return lambda writing: writing.execute(f"DELETE FROM {table} WHERE rowid IN ({some})", (before,))

    return step


def _text(at: float) -> str:
    from datetime import UTC, datetime

    return time_to_text(datetime.fromtimestamp(at, UTC))


REMOVALS: tuple[_Step, ...] = (
    _tier_removal(SAMPLES, HOURS, SAMPLES_KEPT_S),
    _tier_removal(MINUTES, HOURS, MINUTES_KEPT_S),
    _tier_removal(HOURS, None, HOURS_KEPT_S),
    _plain_removal("marks", "at", float),
    _plain_removal("flights", "started_at", float),
    _plain_removal("alert_events", "at", _text),
    lambda connection, now: request_rollup.removal(connection, now - HOURS_KEPT_S),
)

"""Reckons minutes and hours from samples, and removes what is too old, a little at a time."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from itertools import groupby
from sqlite3 import Connection, Row
from typing import Any

from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.quantiles import percentile
from codette_desktop.domain.series import COUNTED_FIELDS
from codette_desktop.store import request_rollup
from codette_desktop.store.access import Access
from codette_desktop.store.errors import closed
from codette_desktop.store.removal import REMOVALS
from codette_desktop.store.sums import LONGEST_PAUSE_S, raw_energy
from codette_desktop.store.telemetry_schema import DEVICE_COLUMNS, SAMPLE_COLUMNS, tier_columns
from codette_desktop.store.tiers import HOURS, MINUTE_S, MINUTES, SAMPLES, Tier

GRACE_S = 60.0  # what was sampled in a minute has been written this long after it ended
_MINUTES_AT_ONCE = 10

_Write = Callable[[Connection], Any]


class RollUp:
    """Runs on a thread of its own while there is something to do: it reads there, and hands small writes over."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._done: Future[None] | None = None
        self._closing = False

    def start(self, now: float) -> "Future[None]":
        """See `Telemetry.roll_up`."""
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()
        with self._lock:
            if not self._closing and not self._access.sessions.is_primary:
                done.set_result(None)
                return done
            if not self._closing:
                if self._done is not None and not self._done.done():
                    return self._done  # on a slow disk they would pile up
                self._done = done
                self._thread = threading.Thread(
                    target=self._run, args=(now, done), name="codette-store-rollup", daemon=True
                )
                self._thread.start()
                return done
        done.set_exception(closed())
        return done

    def close(self) -> None:
        """End after the present step. Idempotent."""
        with self._lock:
            self._closing, thread = True, self._thread
        if thread is not None:
            thread.join()

    def _run(self, now: float, done: "Future[None]") -> None:
        try:
            for step in (_minutes, _hours, request_rollup.step, *REMOVALS):
                while self._take(step, now):
                    pass
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            done.set_exception(error)
        else:
            done.set_result(None)

    def _take(self, step: Callable[[Connection, float], _Write | None], now: float) -> bool:
        """One step: what is to be written is found out beside the writer. False once there is nothing more."""
        if self._closing:
            raise StoreError("The database is being closed.")
        with self._access.read() as connection:
            write = step(connection, now)
        if write is None:
            return False
        self._access.write_later(write).result()
        return True


def _minutes(connection: Connection, now: float) -> _Write | None:
    """The next minutes that have ended."""
    limit = math.floor((now - GRACE_S) / MINUTE_S) * MINUTE_S
    low = _next(connection, MINUTES, SAMPLES, now)
    if low is None or low + MINUTE_S > limit:
        return None
    high = min(limit, low + _MINUTES_AT_ONCE * MINUTE_S)
    return _reckoned(connection, MINUTES, low, high)


def _hours(connection: Connection, now: float) -> _Write | None:
    """The next hour whose minutes are all there."""
    low = _next(connection, HOURS, MINUTES, now)
    if low is None or low + HOURS.length_s > now - GRACE_S - MINUTE_S:
        return None
    high = low + HOURS.length_s
    sql = "SELECT 1 FROM samples WHERE id >= ? AND id < ? LIMIT 1"
    if connection.execute(sql, (low * SAMPLES.unit, high * SAMPLES.unit)).fetchone() is None:
        return _from_minutes(low, high)  # a clock that went wrong has cost the samples
    return _reckoned(connection, HOURS, low, high)


def _next(connection: Connection, tier: Tier, source: Tier, now: float) -> int | None:
    """The first row that is missing in a tier: the one after its last that the tier below has something for."""
    last = connection.execute(f"SELECT max(at) FROM {tier.table} WHERE at <= ?", (now,)).fetchone()[0]
    after = 0 if last is None else last + tier.length_s
    sql = f"SELECT min({source.key}) FROM {source.table} WHERE {source.key} >= ?"
    found = connection.execute(sql, (after * source.unit,)).fetchone()[0]
    return None if found is None else found // source.unit // tier.length_s * tier.length_s


def _reckoned(connection: Connection, tier: Tier, low: int, high: int) -> _Write:
    """The rows of a tier for a period, from its samples."""
    length = tier.length_s
    bounds = (low * SAMPLES.unit, high * SAMPLES.unit)

    def begin(row: Row) -> int:
        return row["key"] // SAMPLES.unit // length * length

    names = ", ".join(SAMPLE_COLUMNS)
    sql = f"SELECT id AS key, interval_s, {names} FROM samples WHERE id >= ? AND id < ? ORDER BY id"
    rows = [
        (at, *_summed(list(group), SAMPLE_COLUMNS, length))
        for at, group in groupby(connection.execute(sql, bounds), begin)
    ]
    device_rows: list[tuple[Any, ...]] = []
    sql = f"""SELECT sample_id AS key, interval_s, throttled, {", ".join(DEVICE_COLUMNS)} FROM device_samples
        WHERE device = ? AND sample_id >= ? AND sample_id < ? ORDER BY sample_id"""
    for (device,) in connection.execute("SELECT id FROM devices").fetchall():
        found = connection.execute(sql, (device, *bounds)).fetchall()
        for at, group in groupby(found, begin):
            items = list(group)
            count, seconds, *values = _summed(items, DEVICE_COLUMNS, length)
            used = raw_energy(connection, device, at * SAMPLES.unit, (at + length) * SAMPLES.unit)
            device_rows.append((device, at, count, seconds, used, _reasons(items), *values))

    def write(connection: Connection) -> None:
        _insert(connection, tier.table, ("at", "count", "seconds", *tier_columns(SAMPLE_COLUMNS)), rows)
        columns = ("device", "at", "count", "seconds", "used_j", "throttled", *tier_columns(DEVICE_COLUMNS))
        _insert(connection, tier.device_table, columns, device_rows)

    return write


def _from_minutes(low: int, high: int) -> _Write:
    """The rows of an hour from its minutes, which do not tell the 95th percentile of the whole."""

    def columns(fields: Sequence[str]) -> str:
        weight = "sum(iif({0}_mean IS NULL, 0, seconds))"
        part = f"min({{0}}_min), sum({{0}}_mean * seconds) / {weight}, max({{0}}_max), NULL"
        return ", ".join(part.format(field) for field in fields)

    def write(connection: Connection) -> None:
        of_hour = (low, low, high)
        connection.execute(
            f"""INSERT OR REPLACE INTO sample_hours(at, count, seconds, {", ".join(tier_columns(SAMPLE_COLUMNS))})
            SELECT ?, sum(count), sum(seconds), {columns(SAMPLE_COLUMNS)}
            FROM sample_minutes WHERE at >= ? AND at < ?""",
            of_hour,
        )
        connection.execute(
            f"""INSERT OR REPLACE INTO device_hours(at, device, count, seconds, used_j, throttled,
                {", ".join(tier_columns(DEVICE_COLUMNS))})
            SELECT ?, device, sum(count), sum(seconds), sum(used_j), max(throttled), {columns(DEVICE_COLUMNS)}
            FROM device_minutes WHERE at >= ? AND at < ? GROUP BY device""",
            of_hour,
        )

    return write


def _insert(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT OR REPLACE INTO {table}({', '.join(columns)}) VALUES ({marks})", rows)


def _summed(rows: list[Row], fields: Sequence[str], length: int) -> list[Any]:
    """Count, seconds, and min, mean, max and p95 of each field. Means are those over time; counts are per second."""
    intervals = [row["interval_s"] for row in rows]
    weights = [min(max(interval, 1e-3), LONGEST_PAUSE_S) for interval in intervals]
    # No longer than the period itself: two processes may have sampled it, and what both counted is added.
    seconds = min(sum(weights), float(length))
    summed: list[Any] = [len(rows), seconds]
    for field in fields:
        time.sleep(0)  # the writer's thread and the window's need the interpreter, too
        known = [(row[field], weight) for row, weight in zip(rows, weights, strict=True) if row[field] is not None]
        if not known:
            summed += [None] * 4
            continue
        if field in COUNTED_FIELDS:
            mean = sum(value for value, _weight in known) / seconds
            ordered = sorted(value / weight for value, weight in known)
        else:
            mean = sum(value * weight for value, weight in known) / sum(weight for _value, weight in known)
            ordered = sorted(value for value, _weight in known)
        summed += [ordered[0], mean, ordered[-1], percentile(ordered, 0.95)]
    return summed


def _reasons(rows: list[Row]) -> str | None:
    """Why a device was throttled at any time, None where that was never known."""
    told = [row["throttled"] for row in rows if row["throttled"] is not None]
    return ",".join(sorted({reason for text in told for reason in text.split(",") if reason})) if told else None

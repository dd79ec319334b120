"""Hours of requests by model, so that a year of them is read at once; and the removal of old ones."""

import math
import sys
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from sqlite3 import Connection, Row
from typing import Any

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.quantiles import percentile
from codette_desktop.store.request_rows import HOUR_S, open_hours
from codette_desktop.store.telemetry_schema import HOUR_FIGURES, HOUR_PARTS

# The columns of requests that the totals and hours are made of.
COUNTED = "seq, model_id, reason, cached, truncated, prompt_tokens, completion_tokens, time_to_first_token_ms, " \
    "tokens_per_second, total_ms, queue_ms, load_ms, energy_j"  # fmt: skip
_REMOVED_AT_ONCE = 50  # each has an entry in a dozen indexes
FIGURES = (*HOUR_FIGURES, "load")
# Spreads tell how many values of each size there were, in steps of one percent: right to half of that.
SPREAD_FIGURES = ("first_token", "speed", "total", "load")
_STEP = math.log(1.01)
_SMALLEST = 0.01
BINS = 4_096
SHARES = (0.1, 0.5, 0.9)  # of the values of an hour that lie below its low, median and high


@dataclass(slots=True)
class Totals:
    """What requests of one model add up to; `figures` the values of each of FIGURES."""

    requests: int = 0
    errors: int = 0
    cancelled: int = 0
    cached: int = 0
    truncated: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    energy_j: float | None = None
    figures: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in FIGURES})

    def add(self, row: Row) -> None:
        """One more request: a row of COUNTED."""
        _seq, _model, reason, cached, truncated, prompt, completion, first, speed, total, queue, load, energy = row
        failed = reason == FinishReason.FAILED
        self.requests += 1
        self.errors += failed
        self.cancelled += reason in (FinishReason.CANCELLED, FinishReason.INTERRUPTED)
        self.cached += cached
        self.truncated += truncated
        self.prompt_tokens += prompt or 0
        self.completion_tokens += completion
        if energy is not None:
            self.energy_j = (self.energy_j or 0.0) + energy
        figures = self.figures
        if queue is not None:
            figures["queue"].append(queue)
        if load:
            figures["load"].append(load)
        if failed or cached:
            return
        if total is not None:
            figures["total"].append(total)
        if not load and first is not None:
            figures["first_token"].append(first)
        if not load and speed:  # 0 is that of an answer too short to have one
            figures["speed"].append(speed)

    def join(self, other: "Totals") -> None:
        """Those of others to the same."""
        for name in HOUR_COUNTS[:-1]:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if other.energy_j is not None:
            self.energy_j = (self.energy_j or 0.0) + other.energy_j
        for name, values in other.figures.items():
            self.figures[name] += values

    def bins(self) -> bytes:
        """The bins of all values, two bytes each."""
        figures = enumerate(SPREAD_FIGURES)
        bins = array("H", [place * BINS + bin_of(value) for place, name in figures for value in self.figures[name]])
        if sys.byteorder == "big":
            bins.byteswap()
        return bins.tobytes()


HOUR_COUNTS = (
    "requests", "errors", "cancelled", "cached", "truncated", "prompt_tokens", "completion_tokens", "energy_j",
)  # fmt: skip
_HOUR_COLUMNS = (
    "at", "model_id", *HOUR_COUNTS, *(f"{name}_{part}" for name in HOUR_FIGURES for part in HOUR_PARTS),
)  # fmt: skip


def bin_of(value: float) -> int:
    """In which bin of a spread a value is counted."""
    return min(BINS - 1, max(0, math.floor(math.log(max(value, _SMALLEST) / _SMALLEST) / _STEP)))


def value_of(place: float) -> float:
    """The middle of a bin."""
    return _SMALLEST * math.exp((place + 0.5) * _STEP)


def totals(rows: Iterable[Row]) -> dict[int, Totals]:
    """By model, of rows of COUNTED."""
    found: dict[int, Totals] = {}
    for row in rows:
        model = row[1]
        item = found.get(model)
        if item is None:
            item = found[model] = Totals()
        item.add(row)
    return found


@dataclass(frozen=True, slots=True)
class Closed:
    """The condition of the hours (or spreads) of a period that are not open, and its values."""

    where: str
    values: tuple[int, int]


def closed_hours(connection: Connection, start: float, end: float) -> tuple[Closed, list[tuple[float, float]]]:
    """The whole hours within a period that are reckoned, and the parts of it that are to be read from requests: its
    two ends, and the hours that are open."""
    low, high = math.ceil(start / HOUR_S) * HOUR_S, math.floor(end / HOUR_S) * HOUR_S
    if low >= high:
        return Closed("at >= ? AND at < ?", (low, low)), [(start, end)]
    sql = "SELECT at FROM request_hours_open WHERE at >= ? AND at < ? ORDER BY at"
    open_ones: list[tuple[float, float]] = [
        (row["at"], row["at"] + HOUR_S) for row in connection.execute(sql, (low, high))
    ]
    but = " AND at NOT IN (SELECT at FROM request_hours_open)" if open_ones else ""  # it costs as much as the rest
    rest = [part for part in ((start, low), *open_ones, (high, end)) if part[0] < part[1]]
    return Closed(f"at >= ? AND at < ?{but}", (low, high)), rest


def step(connection: Connection, now: float) -> Callable[[Connection], Any] | None:
    """The next hour that has ended and whose requests have changed; None for none."""
    sql = "SELECT at, changes FROM request_hours_open WHERE at + ? <= ? ORDER BY at LIMIT 1"
    row = connection.execute(sql, (HOUR_S, now)).fetchone()
    if row is None:
        return None
    at, changes = row
    sql = f"SELECT {COUNTED} FROM requests WHERE seq >= ? AND seq < ?"
    found = totals(connection.execute(sql, (at * 1_000_000, (at + HOUR_S) * 1_000_000)))
    rows = [_hour(at, model, item) for model, item in found.items()]
    spreads = [(at, model, item.bins()) for model, item in found.items()]

    def write(writing: Connection) -> None:
        now_open = writing.execute("SELECT changes FROM request_hours_open WHERE at = ?", (at,)).fetchone()
        if now_open is None or now_open["changes"] != changes:
            return  # more has come meanwhile: the next step reckons it anew
        for table in ("request_hours", "request_spreads"):
            writing.execute(f"DELETE FROM {table} WHERE at = ?", (at,))
        writing.executemany("INSERT INTO request_spreads(at, model_id, bins) VALUES (?, ?, ?)", spreads)
        marks = ", ".join("?" * len(_HOUR_COLUMNS))
        writing.executemany(f"INSERT INTO request_hours({', '.join(_HOUR_COLUMNS)}) VALUES ({marks})", rows)
        writing.execute("DELETE FROM request_hours_open WHERE at = ?", (at,))

    return write


def _hour(at: int, model: int, item: Totals) -> tuple[Any, ...]:
    parts: list[float | None] = []
    for name in HOUR_FIGURES:
        ordered = sorted(item.figures[name])
        parts += [len(ordered), *(percentile(ordered, share) if ordered else None for share in SHARES)]
    return at, model, *(getattr(item, name) for name in HOUR_COUNTS), *parts


def removal(connection: Connection, before: float) -> Callable[[Connection], Any] | None:
    """The removal of some requests from before a moment, and of their hours; None where there are none."""
    old = connection.execute("SELECT 1 FROM requests WHERE seq < ? LIMIT 1", (round(before * 1e6),)).fetchone()
    return None if old is None else lambda writing: remove_some(writing, before)


def remove_some(connection: Connection, before: float) -> bool:
    """Remove some; whether there are more."""
    last = round(before * 1e6)
    some = f"SELECT seq FROM requests WHERE seq < ? ORDER BY seq LIMIT {_REMOVED_AT_ONCE}"
    sql = f"DELETE FROM requests WHERE seq IN ({some}) RETURNING seq"
    open_hours(connection, [row[0] for row in connection.execute(sql, (last,)).fetchall()])
    if connection.execute("SELECT 1 FROM requests WHERE seq < ? LIMIT 1", (last,)).fetchone() is not None:
        return True
    for table in ("request_hours", "request_spreads", "request_hours_open"):
        connection.execute(f"DELETE FROM {table} WHERE at <= ?", (before - HOUR_S,))
    connection.execute(
        """DELETE FROM request_models AS m WHERE NOT EXISTS (
            SELECT 1 FROM requests WHERE model_label = m.model_label AND model_id = m.id)"""
    )
    connection.execute(
        """DELETE FROM request_errors AS e WHERE NOT EXISTS (
            SELECT 1 FROM requests WHERE error_id = e.id)"""
    )
    return False

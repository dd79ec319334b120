"""Curves of what was sampled, read in steps from samples, minutes and hours."""

import math
from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.series import COUNTED_FIELDS, ENGINE, HOST, Series, SeriesName
from codette_desktop.store.telemetry_schema import DEVICE_COLUMNS, ENGINE_COLUMNS, HOST_COLUMNS
from codette_desktop.store.text import clean
from codette_desktop.store.tiers import HOURS, MINUTES, SAMPLES, Piece, Tier, pieces

_NAN = math.nan
_Row = tuple[Any, ...]


def read(
    connection: Connection, names: Collection[SeriesName], start: float, end: float, points: int
) -> dict[SeriesName, Series]:
    """See `Telemetry.series`."""
    _refuse_unknown(names)
    wanted, step = _step(end - start, max(1, points))
    found: dict[SeriesName, Series] = {}
    parts = pieces(connection, wanted, start, end) if end > start else []
    for device, fields in _tables(connection, names).items():
        steps = _Steps(step, [field for _name, field in fields])
        if parts and device is not None:
            for part in parts:
                steps.add(part, _rows(connection, part, device, steps.fields, step))
        for place, (name, _field) in enumerate(fields):
            found[name] = steps.series(place)
    return found


def _refuse_unknown(names: Collection[SeriesName]) -> None:
    known = {HOST: HOST_COLUMNS, ENGINE: ENGINE_COLUMNS}
    for name in names:
        if name.field not in known.get(name.source, DEVICE_COLUMNS):
            raise InvalidRequest(f"Nothing called {name.field} is measured of {name.source}.")


def _step(span: float, points: int) -> tuple[Tier, int]:
    """The tier whose rows are to be read and how many seconds make a step: a whole number of its rows.

    A coarser tier is taken where its rows are no longer than two steps: half the points, and sixty times fewer rows.
    """
    least = span / points
    for tier in (HOURS, MINUTES):
        if least >= tier.length_s / 2:
            return tier, math.ceil(least / tier.length_s) * tier.length_s
    return SAMPLES, max(1, math.ceil(least))


def _tables(connection: Connection, names: Collection[SeriesName]) -> "dict[int | None, list[tuple[SeriesName, str]]]":
    """The names by where they are read: 0 for the computer and the engine, else the key of a device, None unknown."""
    found: dict[int | None, list[tuple[SeriesName, str]]] = {}
    for name in names:
        if name.source in (HOST, ENGINE):
            key: int | None = 0
        else:
            row = connection.execute("SELECT id FROM devices WHERE device = ?", (clean(name.source),)).fetchone()
            key = row["id"] if row else None
        found.setdefault(key, []).append((name, name.field))
    return found


def _rows(
    connection: Connection, piece: Piece, device: int, fields: list[str], step: int
) -> Iterator[tuple[int, _Row]]:
    """For each step that has any: its beginning, and weight, longest interval, then mean, min and max of each field."""
    sql = _sql(piece.tier, bool(device), fields, step)
    unit = piece.tier.unit
    at = math.floor(piece.start / step) * step
    # The row of the minute or hour in which the piece begins is part of it.
    first = piece.start if piece.tier.is_raw else piece.start // piece.tier.length_s * piece.tier.length_s
    of_device = (device,) if device else ()
    execute = connection.execute
    while at < piece.end:
        low, high = max(at, first), min(at + step, piece.end)
        row = execute(sql, (*of_device, math.ceil(low * unit), math.ceil(high * unit))).fetchone()
        if row[0]:
            yield at, tuple(row)
        at += step


def _sql(tier: Tier, of_device: bool, fields: list[str], step: int) -> str:
    columns = _raw_columns(fields, step) if tier.is_raw else _tier_columns(fields)
    table, key = (tier.device_table, tier.device_key) if of_device else (tier.table, tier.key)
    where = "device = ? AND " if of_device else ""
    return f"SELECT {', '.join(columns)} FROM {table} WHERE {where}{key} >= ? AND {key} < ?"


def _raw_columns(fields: Iterable[str], step: int) -> list[str]:
    # No longer than the step: two processes may have sampled it, and what both counted is added.
    seconds = f"min(sum(max(interval_s, 1e-3)), max(max(interval_s), {step}.0))"
    columns = [seconds, "max(interval_s)"]
    for field in fields:
        if field in COUNTED_FIELDS:
            rate = f"{field} / max(interval_s, 1e-3)"
            columns += [f"sum({field}) / {seconds}", f"min({rate})", f"max({rate})"]
        else:
            columns += [f"avg({field})", f"min({field})", f"max({field})"]
    return columns


def _tier_columns(fields: Iterable[str]) -> list[str]:
    columns = ["sum(seconds)", "0.0"]
    for field in fields:
        weight = f"sum(iif({field}_mean IS NULL, 0, seconds))"
        columns += [f"sum({field}_mean * seconds) / {weight}", f"min({field}_min)", f"max({field}_max)"]
    return columns


@dataclass(slots=True)
class _Last:
    """The newest step, as long as more may come to it from the next piece."""

    at: int
    row: _Row
    length: float


class _Steps:
    """Gathers the steps of some fields."""

    def __init__(self, step: int, fields: list[str]) -> None:
        self.fields = fields
        self._step = step
        self._last: _Last | None = None
        self._at = array("d")
        self._rows = [array("d") for _ in range(3 * len(fields))]

    def add(self, piece: Piece, rows: Iterable[tuple[int, _Row]]) -> None:
        """Take the steps of the next piece."""
        for at, row in rows:
            length = max(self._step, piece.tier.length_s, row[1])
            last = self._last
            if last is not None and last.at == at:
                self._last = _Last(at, _joined(last.row, row), max(length, last.length))
                continue
            self._keep()
            # What lies further back than two samples are apart, or two rows, was not sampled.
            if last is not None and at - last.at > 2 * max(length, last.length):
                self._append(last.at + self._step, [_NAN] * len(self._rows))
            self._last = _Last(at, row, length)

    def series(self, place: int) -> Series:
        """The curve of a field."""
        self._keep()
        mean, low, high = self._rows[3 * place : 3 * place + 3]
        return Series(self._at, mean, low, high, float(self._step))

    def _keep(self) -> None:
        if self._last is not None:
            self._append(self._last.at, [_NAN if value is None else value for value in self._last.row[2:]])
            self._last = None

    def _append(self, at: float, values: Iterable[float]) -> None:
        self._at.append(at)
        for row, value in zip(self._rows, values, strict=True):
            row.append(value)


def _joined(first: _Row, second: _Row) -> _Row:
    """One step of two halves that different tables tell of."""
    joined: list[Any] = [first[0] + second[0], max(first[1], second[1])]
    for place in range(2, len(first), 3):
        mean, low, high = first[place : place + 3]
        other_mean, other_low, other_high = second[place : place + 3]
        if mean is None or other_mean is None:
            joined += second[place : place + 3] if mean is None else first[place : place + 3]
            continue
        joined.append((mean * first[0] + other_mean * second[0]) / joined[0])
        joined += [min(low, other_low), max(high, other_high)]
    return tuple(joined)

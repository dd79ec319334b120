"""Records of answers: when each piece came, and how the request went."""

import json
import math
import struct
from array import array
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import replace
from sqlite3 import Connection
from typing import Any

from codette_desktop.domain.telemetry import Flight
from codette_desktop.store.access import Access
from codette_desktop.store.numbers import finite
from codette_desktop.store.text import clean

_LISTS = ("route", "fallbacks", "settings")
_FIGURES = ("started_at", "queue_ms", "prefill_ms", "energy_j")
_COLUMNS = ("generation_id", *_FIGURES, "times", "counts", "rest")


class Flights:
    """One record for each answer. They end with the conversation, when it is removed for good, or after two years."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def keep(self, flight: Flight) -> "Future[None]":
        """Keep a record; that of the same answer is replaced. It waits for everything else that is written."""
        sql = f"INSERT OR REPLACE INTO flights({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

        def work(connection: Connection) -> None:
            connection.execute(sql, _values(flight))

        return self._access.write_later(work)

    def get(self, generation_id: str) -> Flight | None:
        """The record of an answer; None where there is none."""
        sql = f"SELECT {', '.join(_COLUMNS)} FROM flights WHERE generation_id = ?"
        with self._access.read() as connection:
            row = connection.execute(sql, (clean(generation_id),)).fetchone()
        if row is None:
            return None
        rest = json.loads(row["rest"])
        times = times_from_bytes(row["times"])
        flight = Flight(row["generation_id"], row["started_at"] or 0.0, times, counts_from_bytes(row["counts"]))
        return replace(
            flight,
            queue_ms=row["queue_ms"],
            prefill_ms=row["prefill_ms"],
            energy_j=row["energy_j"],
            route=tuple(rest["route"]),
            fallbacks=tuple((name, why) for name, why in rest["fallbacks"]),
            settings=tuple((name, value) for name, value in rest["settings"]),
        )


def _values(flight: Flight) -> tuple[Any, ...]:
    figures = [finite(getattr(flight, name)) for name in _FIGURES]
    rest = clean(json.dumps({name: getattr(flight, name) for name in _LISTS}, ensure_ascii=False))
    times, counts = times_to_bytes(flight.token_times_ms), counts_to_bytes(flight.token_counts)
    return clean(flight.generation_id), *figures, times, counts, rest


def times_to_bytes(times: Iterable[float]) -> bytes:
    """Moments as the distances between them, in four bytes each; right to a microsecond, however many they are."""
    distances: list[float] = []
    at = 0.0
    for moment in times:
        distance = moment - at if math.isfinite(moment) else 0.0
        # As it will be read, so that errors do not add up.
        (distance,) = struct.unpack("<f", struct.pack("<f", distance))
        distances.append(distance)
        at += distance
    return struct.pack(f"<{len(distances)}f", *distances)


def times_from_bytes(packed: bytes) -> tuple[float, ...]:
    """The inverse of `times_to_bytes`."""
    times = array("d")
    at = 0.0
    for (distance,) in struct.iter_unpack("<f", packed):
        at += distance
        times.append(at)
    return tuple(times)


def counts_to_bytes(counts: Iterable[int]) -> bytes:
    """Counts in seven bits a byte, the lowest first; the highest bit says that more follow."""
    packed = bytearray()
    for count in counts:
        rest = max(0, count)
        while rest > 0x7F:
            packed.append(rest & 0x7F | 0x80)
            rest >>= 7
        packed.append(rest)
    return bytes(packed)


def counts_from_bytes(packed: bytes) -> tuple[int, ...]:
    """The inverse of `counts_to_bytes`."""
    counts: list[int] = []
    value = shift = 0
    for byte in packed:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            counts.append(value)
            value = shift = 0
    return tuple(counts)

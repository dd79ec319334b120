"""Which table tells of which part of a period: single samples, minutes or hours."""

from collections.abc import Iterator
from dataclasses import dataclass
from sqlite3 import Connection

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
SAMPLES_KEPT_S = DAY_S
MINUTES_KEPT_S = 90 * DAY_S
HOURS_KEPT_S = 731 * DAY_S


@dataclass(frozen=True, slots=True)
class Tier:
    """`unit` is how many units of its key make a second, `length_s` how long a row lasts (0: a moment)."""

    table: str
    device_table: str
    key: str
    device_key: str
    length_s: int
    unit: int

    @property
    def is_raw(self) -> bool:
        """Whether its rows are single samples."""
        return self.length_s == 0


SAMPLES = Tier("samples", "device_samples", "id", "sample_id", 0, 1_000_000)
MINUTES = Tier("sample_minutes", "device_minutes", "at", "at", MINUTE_S, 1)
HOURS = Tier("sample_hours", "device_hours", "at", "at", HOUR_S, 1)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a period, from `start` until before `end`, and who tells of it."""

    tier: Tier
    start: float
    end: float


def pieces(connection: Connection, wanted: Tier, start: float, end: float) -> list[Piece]:
    """The parts of a period in the order of time, each of the wanted tier as far as it reaches.

    Before it begins coarser ones go on; after it ends, finer ones: the last minutes are not reckoned up yet.
    """
    first_sample = _first(connection, SAMPLES, start, end)
    first_minute = _first(connection, MINUTES, start, end)
    minute_end = _end(connection, MINUTES, start, end)
    hour_end = _end(connection, HOURS, start, end)
    hours_until = hour_end if wanted is HOURS else min(hour_end, first_minute)
    minutes_until = min(minute_end, first_sample) if wanted is SAMPLES else minute_end
    minutes_until = max(hours_until, minutes_until)
    parts = [Piece(HOURS, start, hours_until), Piece(MINUTES, hours_until, minutes_until)]
    parts.append(Piece(SAMPLES, minutes_until, end))
    return list(_cut(parts, start, end))


def _cut(parts: list[Piece], start: float, end: float) -> Iterator[Piece]:
    for part in parts:
        low, high = max(part.start, start), min(part.end, end)
        if low < high:
            yield Piece(part.tier, low, high)


def _first(connection: Connection, tier: Tier, start: float, end: float) -> float:
    """Where it begins to tell of the period, at a whole minute or hour; the end for never."""
    sql = f"SELECT min({tier.key}) FROM {tier.table} WHERE {tier.key} >= ? AND {tier.key} < ?"
    length = tier.length_s or MINUTE_S
    low = int(start // length * length)
    found = connection.execute(sql, (low * tier.unit, round(end * tier.unit))).fetchone()[0]
    return end if found is None else found // tier.unit // length * length


def _end(connection: Connection, tier: Tier, start: float, end: float) -> float:
    """Until when it tells of the period; its start for not at all."""
    sql = f"SELECT max(at) FROM {tier.table} WHERE at >= ? AND at < ?"
    low = int(start // tier.length_s * tier.length_s)
    found = connection.execute(sql, (low, end)).fetchone()[0]
    return start if found is None else found + tier.length_s

"""What a period of samples adds up to."""

from sqlite3 import Connection

from codette_desktop.domain.telemetry import TelemetrySums
from codette_desktop.store.tiers import HOURS, MINUTES, MINUTES_KEPT_S, Piece, pieces

_COUNTED = ("tokens", "requests", "failed", "cache_hits", "cache_lookups")
LONGEST_PAUSE_S = 60.0  # a sample speaks for no longer than this of the time before it

# A counter only grows, but begins anew with the driver. Where a device has none, its power is taken for the whole time
# between two samples. Another process may have sampled the same moments: of the counter that changes nothing. Rows of a
# device that did not answer are passed over, so that the counter tells what it drew meanwhile.
DEVICE_ENERGY = f"""
    SELECT device, sum(
        CASE WHEN energy_j IS NOT NULL AND before IS NOT NULL THEN max(0.0, energy_j - before)
             WHEN energy_j IS NULL THEN power_w * min(interval_s, {LONGEST_PAUSE_S}) END
    ) AS used_j
    FROM (
        SELECT device, sample_id, energy_j, power_w, interval_s,
            lag(energy_j) OVER (PARTITION BY device ORDER BY sample_id) AS before
        FROM device_samples WHERE device = :device AND sample_id >= :before AND sample_id < :end
            AND (energy_j IS NOT NULL OR power_w IS NOT NULL)
    )
    WHERE sample_id >= :start
"""


def read(connection: Connection, start: float, end: float) -> TelemetrySums:
    """See `Telemetry.sums`."""
    seconds, counts = 0.0, dict.fromkeys(_COUNTED, 0.0)
    used: dict[int, float] = {}
    names = {row["id"]: row["device"] for row in connection.execute("SELECT id, device FROM devices")}
    wanted = MINUTES if end - start <= MINUTES_KEPT_S else HOURS
    for piece in pieces(connection, wanted, start, end) if end > start else []:
        row = connection.execute(*_counting(piece)).fetchone()
        seconds += row["seconds"] or 0.0
        for name in _COUNTED:
            counts[name] += row[name] or 0.0
        for device in names:
            joules = _energy(connection, piece, device)
            if joules is not None:
                used[device] = used.get(device, 0.0) + joules
    energy = sorted((names[device], joules) for device, joules in used.items())
    return TelemetrySums(tuple(energy), seconds, **{name: round(value) for name, value in counts.items()})


def _counting(piece: Piece) -> tuple[str, tuple[int, int]]:
    if piece.tier.is_raw:
        columns = [f"min(sum(min(interval_s, {LONGEST_PAUSE_S})), {piece.end - piece.start}) AS seconds"]
        columns += [f"sum({name}) AS {name}" for name in _COUNTED]
    else:
        columns = ["sum(seconds) AS seconds", *(f"sum({name}_mean * seconds) AS {name}" for name in _COUNTED)]
    tier = piece.tier
    sql = f"SELECT {', '.join(columns)} FROM {tier.table} WHERE {tier.key} >= ? AND {tier.key} < ?"
    return sql, _bounds(piece)


def _bounds(piece: Piece) -> tuple[int, int]:
    tier = piece.tier
    low = piece.start if tier.is_raw else piece.start // tier.length_s * tier.length_s
    return round(low * tier.unit), round(piece.end * tier.unit)


def _energy(connection: Connection, piece: Piece, device: int) -> float | None:
    low, high = _bounds(piece)
    if piece.tier.is_raw:
        return raw_energy(connection, device, low, high)
    sql = f"SELECT sum(used_j) FROM {piece.tier.device_table} WHERE device = ? AND at >= ? AND at < ?"
    return connection.execute(sql, (device, low, high)).fetchone()[0]


def raw_energy(connection: Connection, device: int, low: int, high: int) -> float | None:
    """What a device drew between two moments (microseconds), from single samples; None where it does not tell."""
    before = low - round(LONGEST_PAUSE_S * 1e6)  # what it drew since the last sample before
    values = {"device": device, "before": before, "start": low, "end": high}
    row = connection.execute(DEVICE_ENERGY, values).fetchone()
    return row["used_j"]

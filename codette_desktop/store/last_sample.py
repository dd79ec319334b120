"""The newest sample, read back."""

from sqlite3 import Connection, Row
from typing import Any

from codette_desktop.domain.telemetry import DeviceSample, EngineSample, HostSample, Sample, SensorStatus
from codette_desktop.store.numbers import moment_id
from codette_desktop.store.telemetry_schema import DEVICE_COLUMNS, ENGINE_COLUMNS, HOST_COLUMNS

_DEVICES = f"""SELECT d.device AS name, s.status, s.throttled, {", ".join(f"s.{name}" for name in DEVICE_COLUMNS)}
    FROM device_samples s JOIN devices d ON d.id = s.device WHERE s.sample_id = ? ORDER BY length(d.device), d.device"""
_WHOLE = {"memory_used_bytes", "memory_total_bytes", "our_memory_bytes", "swap_used_bytes", "disk_free_bytes"}
_SECOND = 1_000_000  # keys are moments in microseconds


def read(connection: Connection, now: float) -> Sample | None:
    """See `Telemetry.last`."""
    row = connection.execute(
        "SELECT * FROM samples WHERE id <= ? ORDER BY id DESC LIMIT 1", (moment_id(now),)
    ).fetchone()
    if row is None:
        return None
    devices = connection.execute(_DEVICES, (row["id"],)).fetchall()
    return Sample(
        at=row["id"] / _SECOND,
        interval_s=row["interval_s"],
        host=HostSample(**_values(row, HOST_COLUMNS)),
        devices=tuple(_device(device) for device in devices),
        engine=EngineSample(**{name: int(row[name] or 0) for name in ENGINE_COLUMNS}),
    )


def _values(row: Row, names: tuple[str, ...]) -> dict[str, Any]:
    """Every column is a floating-point number; bytes are counted."""
    return {
        name: int(value) if name in _WHOLE and value is not None else value for name in names for value in (row[name],)
    }


def _device(row: Row) -> DeviceSample:
    told: str | None = row["throttled"]
    reasons = None if told is None else tuple(part for part in told.split(",") if part)
    status = SensorStatus(row["status"])
    return DeviceSample(row["name"], status, throttled=reasons, **_values(row, DEVICE_COLUMNS))

"""What was sampled of the computer, its devices and the engine, and what happened meanwhile."""

import math
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future
from operator import attrgetter
from sqlite3 import Connection
from typing import Any

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.series import Series, SeriesName
from codette_desktop.domain.telemetry import DeviceInfo, Mark, MarkKind, Sample, TelemetrySums
from codette_desktop.store import curves, last_sample, sums
from codette_desktop.store.access import Access, when_all
from codette_desktop.store.keys import free_keys
from codette_desktop.store.numbers import finite, finite_all, moment_id
from codette_desktop.store.rollup import RollUp
from codette_desktop.store.telemetry_schema import DEVICE_COLUMNS, ENGINE_COLUMNS, HOST_COLUMNS, SAMPLE_COLUMNS
from codette_desktop.store.text import clean

_CHUNK_ROWS = 200  # in one job: about two milliseconds

_host_values = attrgetter(*HOST_COLUMNS)
_engine_values = attrgetter(*ENGINE_COLUMNS)
_device_values = attrgetter(*DEVICE_COLUMNS)

_INSERT_SAMPLE = (
    f"INSERT INTO samples(id, interval_s, {', '.join(SAMPLE_COLUMNS)}) VALUES (?, ?{', ?' * len(SAMPLE_COLUMNS)})"
)
_INSERT_DEVICE = (
    f"INSERT OR IGNORE INTO device_samples(device, sample_id, interval_s, status, throttled, "
    f"{', '.join(DEVICE_COLUMNS)}) VALUES (?, ?, ?, ?, ?{', ?' * len(DEVICE_COLUMNS)})"
)
_DEVICE_INFO = "device, name, vendor, uuid, driver, memory_total_bytes"


class Telemetry:
    """Reads answer at once from any thread and raise StoreError; writes return futures that are done after COMMIT.

    Samples wait for everything else that is written, and are the first not to be kept on a full disk.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._roll_up = RollUp(access)

    def add(self, samples: Sequence[Sample]) -> "Future[None]":
        """Keep samples. The future may fail with StoreFull: then they, or some of them, are lost."""
        if not all(math.isfinite(sample.at) for sample in samples):
            refused: Future[None] = Future()
            refused.set_exception(InvalidRequest("A sample without a moment cannot be kept."))
            return refused
        return when_all([self._access.write_later(_adding(chunk)) for chunk in _chunks(samples)])

    def add_marks(self, marks: Sequence[Mark]) -> "Future[None]":
        """Keep what happened."""
        rows = [(mark.at, mark.kind.value, clean(mark.text), clean(mark.model)) for mark in marks]

        def work(connection: Connection) -> None:
            connection.executemany("INSERT INTO marks(at, kind, text, model) VALUES (?, ?, ?, ?)", rows)

        return self._access.write_later(work)

    def marks(self, start: float, end: float) -> list[Mark]:
        """What happened from `start` until before `end`, oldest first."""
        sql = "SELECT at, kind, text, model FROM marks WHERE at >= ? AND at < ? ORDER BY at, id"
        with self._access.read() as connection:
            rows = connection.execute(sql, (start, end)).fetchall()
        return [Mark(row["at"], MarkKind(row["kind"]), row["text"], row["model"]) for row in rows]

    def note_devices(self, infos: Sequence[DeviceInfo]) -> "Future[None]":
        """Keep what is known of devices; one of the same `device` is replaced."""
        rows = [
            (clean(info.device), clean(info.name), clean(info.vendor), clean(info.uuid), clean(info.driver),
             info.memory_total_bytes)
            for info in infos
        ]  # fmt: skip
        sql = f"""INSERT INTO devices({_DEVICE_INFO}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device) DO UPDATE SET
            name = excluded.name, vendor = excluded.vendor, uuid = excluded.uuid, driver = excluded.driver,
            memory_total_bytes = excluded.memory_total_bytes"""

        def work(connection: Connection) -> None:
            connection.executemany(sql, rows)

        return self._access.write_later(work)

    def devices(self) -> tuple[DeviceInfo, ...]:
        """All that there are samples of or that were noted, also those that are gone; by name."""
        with self._access.read() as connection:
            rows = connection.execute(f"SELECT {_DEVICE_INFO} FROM devices ORDER BY length(device), device").fetchall()
        return tuple(DeviceInfo(**dict(row)) for row in rows)

    def last(self, now: float) -> Sample | None:
        """The newest sample until now, without the programs that use its devices; None where there is none.

        Later ones are of a clock that was ahead, and say nothing of the present.
        """
        with self._access.read() as connection:
            return last_sample.read(connection, now)

    def series(
        self, names: Collection[SeriesName], start: float, end: float, points: int = 720
    ) -> dict[SeriesName, Series]:
        """The curves from `start` until before `end`, of at most about `points` steps; one of the unknown is empty.

        What is counted (`COUNTED_FIELDS`) is given per second. Steps begin at multiples of their length, so that a
        curve keeps its form while time goes on. Where nothing was sampled for longer than a step there is one NaN.
        """
        with self._access.read() as connection:
            return curves.read(connection, names, start, end, points)

    def sums(self, start: float, end: float) -> TelemetrySums:
        """What the samples from `start` until before `end` add up to, to a minute (of more than 90 days: an hour)."""
        with self._access.read() as connection:
            return sums.read(connection, start, end)

    def roll_up(self, now: float) -> "Future[None]":
        """Reckon minutes and hours that have ended, and remove what is too old; all that is watched, requests too.

        Done when all is written. Only the first process that opened the folder does it; in another it does nothing.
        While one is under way there is no other: its future is given.
        """
        return self._roll_up.start(now)

    def size(self) -> int:
        """The bytes the database takes on the disk."""
        path = self._access.readers.path
        files = [path, path.with_name(path.name + "-wal")]
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        """End a roll-up under way after its present step. Idempotent."""
        self._roll_up.close()


def _chunks(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    chunk: list[Sample] = []
    rows = 0
    for sample in samples:
        chunk.append(sample)
        rows += 1 + len(sample.devices)
        if rows >= _CHUNK_ROWS:
            yield chunk
            chunk, rows = [], 0
    if chunk:
        yield chunk


def _adding(samples: list[Sample]) -> Any:
    def work(connection: Connection) -> None:
        keys = free_keys(connection, "samples", "id", [moment_id(sample.at) for sample in samples])
        rows: list[tuple[Any, ...]] = []
        device_rows: list[tuple[Any, ...]] = []
        ids = _device_ids(connection, samples)
        for key, sample in zip(keys, samples, strict=True):
            interval = finite(sample.interval_s) or 0.0
            rows.append((key, interval, *finite_all(_host_values(sample.host) + _engine_values(sample.engine))))
            for device in sample.devices:
                reasons = None if device.throttled is None else clean(",".join(device.throttled))
                device_rows.append(
                    (ids[device.device], key, interval, device.status.value, reasons,
                     *finite_all(_device_values(device)))
                )  # fmt: skip
        connection.executemany(_INSERT_SAMPLE, rows)
        connection.executemany(_INSERT_DEVICE, device_rows)

    return work


def _device_ids(connection: Connection, samples: list[Sample]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for name in {device.device for sample in samples for device in sample.devices}:
        connection.execute("INSERT OR IGNORE INTO devices(device) VALUES (?)", (clean(name),))
        row = connection.execute("SELECT id FROM devices WHERE device = ?", (clean(name),)).fetchone()
        ids[name] = row["id"]
    return ids

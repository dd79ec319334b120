"""Keeps what is measured: samples in batches, requests and marks as they come, and tidies what is old."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from codette_desktop.domain.events import EventBus, RequestEnded
from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.domain.telemetry import DeviceInfo, Flight, Mark, Sample
from codette_desktop.store import Store

log = logging.getLogger(__name__)

FLUSH_S = 10.0
TIDY_S = 60.0
MOST_WAITING = 600  # samples: of a disk that does not answer no more is wanted


class RequestKeeper:
    """Has the rows of the log and the flight records kept, and tells the bus. Any thread."""

    def __init__(self, store: Store, bus: EventBus) -> None:
        self._store = store
        self._bus = bus

    def keep(self, rows: Sequence[RequestRecord], flight: Flight | None) -> None:
        """Of one request: those that failed before, and the last."""
        self._store.requests.add(rows).add_done_callback(log_failure)
        if flight is not None:
            self._store.flights.keep(flight).add_done_callback(log_failure)
        for row in rows:
            self._bus.publish(RequestEnded(row))


class SampleRecorder:
    """Writes samples every ten seconds, and once a minute has the database make minutes and hours of them.

    One thread. Only the first process on a data folder records: two would count everything twice.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._waiting: list[Sample] = []
        self._write: Future[None] | None = None
        self._devices: tuple[DeviceInfo, ...] = ()
        self._flushed = self._tidied = 0.0

    def add(self, sample: Sample, devices: tuple[DeviceInfo, ...]) -> None:
        """Take the newest one."""
        now = self._clock()
        if not self._store.is_primary and not self._takes_over(now):
            return
        self._waiting.append(sample)
        del self._waiting[:-MOST_WAITING]
        if devices != self._devices:
            self._devices = devices
            self._store.telemetry.note_devices(devices).add_done_callback(log_failure)
        if abs(now - self._flushed) >= FLUSH_S:
            self._flushed = now
            self.flush()
        if self._is_due(now):
            self._tidied = now
            self._store.telemetry.roll_up(now).add_done_callback(log_failure)

    def mark(self, mark: Mark) -> None:
        """Something happened. Any thread."""
        if self._store.is_primary:
            self._store.telemetry.add_marks([mark]).add_done_callback(log_failure)

    def flush(self, *, last: bool = False) -> None:
        """Write what waits. While the last write has not come back it waits on, and the oldest leave, unless this is
        the `last`."""
        if not self._waiting or not (last or self._write is None or self._write.done()):
            return
        samples, self._waiting = self._waiting, []
        self._write = self._store.telemetry.add(samples)
        self._write.add_done_callback(log_failure)

    def _takes_over(self, now: float) -> bool:
        """Whether the process that recorded has ended, so that this one does from now on."""
        if not self._is_due(now):
            return False
        self._tidied = now
        return self._store.take_over()

    def _is_due(self, now: float) -> bool:
        """Once a minute: to tidy, or to ask whether the process that did has ended."""
        return abs(now - self._tidied) >= TIDY_S


def log_failure(write: "Future[Any]") -> None:
    """What is measured may be lost where the disk is full; what the person wrote comes first."""
    if (error := write.exception()) is not None:
        log.info("something that was measured could not be kept: %s", error)

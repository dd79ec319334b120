"""The sampler: reads all sensors at a steady pace and tells its subscribers. No sensor can stop it."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from codette_desktop.domain.telemetry import DeviceInfo, DeviceSample, EngineSample, HostSample, Sample
from codette_desktop.hardware.sensors.cadence import Cadence, Clock, SystemClock
from codette_desktop.hardware.sensors.device_list import DeviceList
from codette_desktop.hardware.sensors.reader import GpuReader
from codette_desktop.hardware.sensors.worker import Worker

log = logging.getLogger(__name__)

INTERVAL_S = (0.5, 10.0)
HIDDEN_INTERVAL_S = 5.0
TIMEOUT_S = 0.8
_CLOSE_S = 0.5

_Answer = tuple[tuple[DeviceInfo, ...], tuple[DeviceSample, ...]]


class Host(Protocol):
    """Reads the computer itself. The same rules as for `GpuReader`."""

    def sample(self) -> HostSample: ...
    def close(self) -> None: ...


class _Subscription:
    def __init__(self, listener: Callable[[Sample], object]) -> None:
        self.listener = listener
        self.failed = False


class Sampler:
    """Publishes a `Sample` every interval, on a thread of its own. Its methods may be called from any thread.

    Every reader has a thread too. One that does not answer within `timeout_s` is waited for no longer: its devices are
    stale, without values, until it answers in time again. While one hangs nobody waits for it at all.
    """

    def __init__(
        self,
        readers: Sequence[GpuReader],
        host: Host,
        engine: Callable[[float], EngineSample] = lambda _interval_s: EngineSample(),
        *,
        interval_s: float = 1.0,
        timeout_s: float = TIMEOUT_S,
        clock: Clock | None = None,
    ) -> None:
        """`engine` is asked, on the sampler's thread, for what was done in the given seconds since the last sample."""
        self._engine = engine
        self._engine_failed = False
        self._interval_s = _within(interval_s)
        self._hidden = False
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()
        self._changed = threading.Condition()
        self._cadence = Cadence(self._interval_s)
        self._devices = DeviceList()
        self._host = Worker("host", host.sample, host.close, self._changed)
        self._readers = [_worker(reader, self._changed) for reader in readers]
        self._subscriptions: tuple[_Subscription, ...] = ()
        self._latest: Sample | None = None
        self._sampled_at: float | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="codette-sampler", daemon=True)

    @property
    def devices(self) -> tuple[DeviceInfo, ...]:
        """Every graphics device seen so far, numbered "gpu:0" on in the order in which they were found."""
        with self._changed:
            return self._devices.infos

    @property
    def latest(self) -> Sample | None:
        """The last sample published."""
        return self._latest

    def subscribe(self, listener: Callable[[Sample], object]) -> Callable[[], None]:
        """Have `listener` called with every sample, on the sampler's thread. Returns what ends that.

        It must be quick. If it raises, that is logged once, and it is called again with the next sample.
        """
        subscription = _Subscription(listener)
        with self._changed:
            self._subscriptions = (*self._subscriptions, subscription)

        def unsubscribe() -> None:
            with self._changed:
                self._subscriptions = tuple(kept for kept in self._subscriptions if kept is not subscription)

        return unsubscribe

    def set_interval(self, interval_s: float) -> None:
        """From now on this many seconds between samples (0.5 to 10)."""
        with self._changed:
            self._interval_s = _within(interval_s)
            self._change_pace()

    def set_hidden(self, hidden: bool) -> None:
        """While nobody looks, a sample every five seconds is enough."""
        with self._changed:
            self._hidden = hidden
            self._change_pace()

    def start(self) -> None:
        """Begin; the first sample is taken at once."""
        for worker in (self._host, *self._readers):
            worker.start()
        self._thread.start()

    def close(self) -> None:
        """End it, within a second even when a sensor hangs. Twice is fine. A sampler once closed stays closed."""
        with self._changed:
            first, self._closing = not self._closing, True
            self._changed.notify_all()
        if not first:
            return
        started = self._thread.ident is not None
        workers: list[Worker[HostSample] | Worker[_Answer]] = [self._host, *self._readers]
        if not started:
            for worker in workers:
                worker.start()
        elif self._thread is not threading.current_thread():
            self._thread.join(_CLOSE_S)
        for worker in workers:
            worker.end()
        deadline = time.monotonic() + _CLOSE_S
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))

    def _change_pace(self) -> None:
        self._cadence.change(max(self._interval_s, HIDDEN_INTERVAL_S) if self._hidden else self._interval_s)
        self._changed.notify_all()

    def _run(self) -> None:
        while self._wait_until_due():
            sample = self._take()
            if sample is not None:
                self._publish(sample)

    def _wait_until_due(self) -> bool:
        """False when it is time to end."""
        with self._changed:
            while not self._closing:
                now = self._clock.monotonic()
                if now >= self._cadence.due:
                    self._cadence.turn(now)
                    return True
                self._clock.wait(self._changed, self._cadence.due - now)
            return False

    def _take(self) -> Sample | None:
        """Ask all sensors at once, and wait for those that answer. None when told to end meanwhile."""
        at, now = self._clock.time(), self._clock.monotonic()
        interval_s = now - self._sampled_at if self._sampled_at is not None else self._interval_s
        self._sampled_at = now
        with self._changed:
            workers: list[Worker[HostSample] | Worker[_Answer]] = [self._host, *self._readers]
            awaited = [worker for worker in workers if worker.ask()]
            self._changed.wait_for(
                lambda: self._closing or not any(worker.busy for worker in awaited),
                min(self._timeout_s, TIMEOUT_S * self._interval_s),
            )
            if self._closing:
                return None
            host = self._host.take() or HostSample()
            devices = self._take_devices()
        return Sample(at, interval_s, host, devices, self._ask_engine(interval_s))

    def _take_devices(self) -> tuple[DeviceSample, ...]:
        samples: list[DeviceSample] = []
        for number, worker in enumerate(self._readers):
            answer = worker.take()
            samples += self._devices.silent(number) if answer is None else self._devices.take(number, *answer)
        return tuple(sorted(samples, key=lambda sample: int(sample.device.removeprefix("gpu:"))))

    def _ask_engine(self, interval_s: float) -> EngineSample:
        try:
            return self._engine(interval_s)
        except Exception:  # the sensors' figures must not be lost for it
            if not self._engine_failed:
                log.warning("the engine does not tell what it does", exc_info=True)
            self._engine_failed = True
            return EngineSample()

    def _publish(self, sample: Sample) -> None:
        self._latest = sample
        for subscription in self._subscriptions:
            try:
                subscription.listener(sample)
            except Exception:  # one that fails must not keep the others from their sample
                if not subscription.failed:
                    log.warning("a subscriber of the sensors fails", exc_info=True)
                subscription.failed = True


def _within(interval_s: float) -> float:
    return min(max(interval_s, INTERVAL_S[0]), INTERVAL_S[1])


def _worker(reader: GpuReader, changed: threading.Condition) -> Worker[_Answer]:
    return Worker(reader.vendor, lambda: (reader.info(), reader.sample()), reader.close, changed)

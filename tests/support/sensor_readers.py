"""Readers of graphics devices that do what a test tells them. Not devices."""

import queue
import threading
from collections.abc import Callable
from dataclasses import replace

from codette_desktop.domain.telemetry import DeviceInfo, DeviceSample, HostSample, Sample, SensorStatus

PATIENCE_S = 10.0  # for what must come; nothing waits that long


class ScriptedReader:
    """A `GpuReader` with the named devices, whose utilisation counts the samples in hundredths.

    Between `hang` and `answer` it does not come back from a question.
    """

    def __init__(self, *devices: str, vendor: str = "nvidia") -> None:
        self.vendor = vendor
        self.devices = list(devices)
        self.error: Exception | None = None
        self.missing: set[str] = set()
        self.samples = 0
        self.closed = 0
        self.hanging = threading.Event()
        self._go = threading.Event()
        self._go.set()

    def hang(self) -> None:
        """From the next question on."""
        self._go.clear()

    def answer(self) -> None:
        """Come back."""
        self._go.set()

    def info(self) -> tuple[DeviceInfo, ...]:
        return tuple(DeviceInfo(name, f"Card {name}", self.vendor) for name in self.devices)

    def sample(self) -> tuple[DeviceSample, ...]:
        if not self._go.is_set():
            self.hanging.set()
            assert self._go.wait(PATIENCE_S)
            self.hanging.clear()
        if self.error is not None:
            raise self.error
        self.samples += 1
        well = (DeviceSample(name, utilisation=self.samples / 100) for name in self.devices)
        return tuple(
            replace(sample, status=SensorStatus.MISSING, utilisation=None) if sample.device in self.missing else sample
            for sample in well
        )

    def close(self) -> None:
        self.closed += 1


class ScriptedHost:
    """The computer, whose cpu counts the samples in hundredths; `reader` is what it does as a reader does."""

    def __init__(self) -> None:
        self.reader = ScriptedReader()

    def sample(self) -> HostSample:
        self.reader.sample()
        return HostSample(cpu=self.reader.samples / 100)

    def close(self) -> None:
        self.reader.close()


class Samples:
    """A subscriber that a test can wait for."""

    def __init__(self) -> None:
        self._came: queue.Queue[Sample] = queue.Queue()

    def __call__(self, sample: Sample) -> None:
        self._came.put(sample)

    def next(self) -> Sample:
        """The next one."""
        return self._came.get(timeout=PATIENCE_S)

    def until(self, wanted: Callable[[Sample], bool], advance: Callable[[], object]) -> Sample:
        """The first that is as wanted, within some samples."""
        for _ in range(20):
            advance()
            if wanted(sample := self.next()):
                return sample
        raise AssertionError("no such sample came")

    @property
    def empty(self) -> bool:
        return self._came.empty()

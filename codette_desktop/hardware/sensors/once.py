"""One look at all sensors, for who does not watch."""

import threading
from pathlib import Path

from codette_desktop.domain.telemetry import DeviceInfo, Sample
from codette_desktop.hardware.sensors.available import sensors
from codette_desktop.hardware.sensors.sampler import INTERVAL_S, Sampler

_LONGEST_S = 3.0


def sample_once(folder: Path) -> tuple[Sample | None, tuple[DeviceInfo, ...]]:
    """A sample and the devices it is of; `folder` chooses the disk. None where nothing answers within 3 seconds.

    Takes about half a second: it is the second sample, for the first knows no rates.
    """
    readers, host = sensors(folder)
    sampler = Sampler(readers, host, interval_s=INTERVAL_S[0])
    seen: list[Sample] = []
    enough = threading.Event()

    def take(sample: Sample) -> None:
        seen.append(sample)
        if len(seen) >= 2:
            enough.set()

    sampler.subscribe(take)
    sampler.start()
    try:
        enough.wait(_LONGEST_S)
    finally:
        sampler.close()
    return (seen[-1] if seen else None), sampler.devices

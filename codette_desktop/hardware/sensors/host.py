"""The computer itself, through psutil: processor, memory, disk, network, and this application's share of them.

In a container the figures are those of the whole computer, except for our own processes; what it hides is None.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from codette_desktop.domain.telemetry import HostSample
from codette_desktop.hardware.sensors.disk import Disk
from codette_desktop.hardware.sensors.family import Family
from codette_desktop.hardware.sensors.network import Network
from codette_desktop.hardware.sensors.processor import CpuShare, CpuTemperature
from codette_desktop.hardware.sensors.rates import Rates

log = logging.getLogger(__name__)


class HostReader:
    """Reads the computer that holds `folder`, whose disk is measured. Used by one thread at a time; never raises."""

    def __init__(self, folder: Path, family: Family, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._family = family
        self._clock = clock
        self._cpu = CpuShare()
        self._temperature = CpuTemperature()
        self._disk = Disk(folder)
        self._network = Network()
        self._our_cpu = Rates()

    def sample(self) -> HostSample:
        """The computer now. Rates and shares are None at the first call, and when a counter was reset."""
        now = self._clock()
        memory, swap = _ask(psutil.virtual_memory), _ask(psutil.swap_memory)
        disk, network = self._disk.use(now), self._network.use(now)
        our_cpu, our_memory = self._ours(now)
        return HostSample(
            cpu=self._cpu.now(),
            cpu_temperature_c=self._temperature.now(),
            # What is not available, as "used" leaves out what the system could not give back either.
            memory_used_bytes=memory.total - memory.available if memory else None,
            memory_total_bytes=memory.total if memory else None,
            swap_used_bytes=swap.used if swap else None,
            disk_free_bytes=disk.free_bytes,
            disk_read_bytes_s=disk.read_bytes_s,
            disk_write_bytes_s=disk.write_bytes_s,
            net_rx_bytes_s=network.rx_bytes_s,
            net_tx_bytes_s=network.tx_bytes_s,
            our_cpu=our_cpu,
            our_memory_bytes=our_memory,
        )

    def close(self) -> None:
        """Nothing is held."""

    def _ours(self, at: float) -> tuple[float | None, int | None]:
        """Cores and resident bytes of all our processes. Memory they share is counted for each of them."""
        seconds: dict[str, float] = {}
        resident: list[int] = []
        for process in self._family.processes():
            times, memory = _ask(process.cpu_times), _ask(process.memory_info)
            if times:
                seconds[str(process.pid)] = times.user + times.system
            if memory:
                resident.append(memory.rss)
        return self._our_cpu.per_second(seconds, at), sum(resident) if resident else None


def _ask(question: Callable[[], Any]) -> Any:
    """The answer, or None: containers lack files that psutil reads, processes end while they are looked at."""
    try:
        return question()
    except Exception as error:  # noqa: BLE001 - psutil's errors differ by system, and this one sensor is all that is lost
        log.debug("not readable: %s", error)
        return None

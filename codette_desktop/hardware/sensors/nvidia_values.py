"""What one NVIDIA card says, each value asked for by itself. Numbers of functions and bits are those of nvml.h."""

from dataclasses import dataclass
from typing import Any

from codette_desktop.domain.telemetry import DeviceProcess, DeviceSample
from codette_desktop.hardware.nvml import Nvml
from codette_desktop.hardware.sensors.process_names import ProcessNames

_TEMPERATURE_GPU = 0
_CLOCK_GRAPHICS, _CLOCK_MEMORY = 0, 2
_PCIE_TX, _PCIE_RX = 0, 1
_PCIE_EVERY = 5
_UNKNOWN_MEMORY = 1 << 63  # NVML says "not available" with all bits set
_HARDWARE_SLOWDOWN, _ITS_CAUSES = 0x8, 0x40 | 0x80
_REASONS = {
    0x02: "clock setting",
    0x04: "power cap",
    0x10: "sync boost",
    0x20: "thermal",
    0x40: "thermal",
    0x80: "power brake",
    0x100: "display clock",
    0x200: "board limit",
    0x400: "reliability",
}


@dataclass
class Pcie:
    """The traffic over the bus. Each direction blocks for some 20 ms, so they are read in turn, each every fifth time,
    and stand until they are read again."""

    turn: int = 0
    rx: float | None = None
    tx: float | None = None

    def read(self, nvml: Nvml, handle: Any) -> None:
        """Read one of them if it is its turn. Raises as `Nvml.ask`; in bytes per second, over the last 20 ms."""
        turn, self.turn = self.turn, (self.turn + 1) % _PCIE_EVERY
        if turn == 0:
            self.rx = _scaled(nvml.ask("nvmlDeviceGetPcieThroughput", handle, _PCIE_RX), 1024)
        elif turn == 1:
            self.tx = _scaled(nvml.ask("nvmlDeviceGetPcieThroughput", handle, _PCIE_TX), 1024)


def card_sample(
    nvml: Nvml, handle: Any, key: str, pcie: Pcie, ours: frozenset[int], names: ProcessNames | None
) -> DeviceSample:
    """One card now. Raises CardGone and DriverGone. Without `names` its processes cannot be told: there are none."""
    pcie.read(nvml, handle)
    use, memory = _utilisation(nvml, handle), nvml.memory(handle)
    processes = None if names is None else _processes(nvml, handle, ours, names)
    return DeviceSample(
        device=key,
        utilisation=_share(use.gpu) if use else None,
        memory_utilisation=_share(use.memory) if use else None,
        memory_used_bytes=int(memory.used) if memory else None,
        memory_total_bytes=int(memory.total) if memory else None,
        our_memory_bytes=None if processes is None else _sum_of_ours(processes),
        temperature_c=_scaled(_temperature(nvml, handle), 1),
        power_w=_scaled(nvml.ask("nvmlDeviceGetPowerUsage", handle), 1e-3),
        power_limit_w=_scaled(nvml.ask("nvmlDeviceGetEnforcedPowerLimit", handle), 1e-3),
        energy_j=_scaled(nvml.ask("nvmlDeviceGetTotalEnergyConsumption", handle), 1e-3),
        clock_mhz=_scaled(nvml.ask("nvmlDeviceGetClockInfo", handle, _CLOCK_GRAPHICS), 1),
        memory_clock_mhz=_scaled(nvml.ask("nvmlDeviceGetClockInfo", handle, _CLOCK_MEMORY), 1),
        fan=_share(nvml.ask("nvmlDeviceGetFanSpeed", handle)),
        pcie_rx_bytes_s=pcie.rx,
        pcie_tx_bytes_s=pcie.tx,
        throttled=_throttled(nvml, handle),
        processes=processes or (),
    )


def _scaled(value: Any, factor: float) -> float | None:
    return None if value is None else float(value) * factor


def _share(percent: Any) -> float | None:
    return None if percent is None else min(1.0, float(percent) / 100)  # a fan may run above its nominal speed


def _utilisation(nvml: Nvml, handle: Any) -> Any:
    """None for a card divided by MIG, of which the driver measures no utilisation, whatever it answers."""
    mig = nvml.ask("nvmlDeviceGetMigMode", handle)
    return None if mig and mig[0] else nvml.ask("nvmlDeviceGetUtilizationRates", handle)


def _temperature(nvml: Nvml, handle: Any) -> Any:
    return nvml.first("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature", arguments=(handle, _TEMPERATURE_GPU))


def _throttled(nvml: Nvml, handle: Any) -> tuple[str, ...] | None:
    """In words, each once. An idle card is not throttled."""
    bits = nvml.first(
        "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons", arguments=(handle,)
    )
    if bits is None:
        return None
    words = [word for bit, word in _REASONS.items() if bits & bit]
    if bits & _HARDWARE_SLOWDOWN and not bits & _ITS_CAUSES:
        words.append("hardware slowdown")
    return tuple(dict.fromkeys(words))


def _processes(nvml: Nvml, handle: Any, ours: frozenset[int], names: ProcessNames) -> tuple[DeviceProcess, ...] | None:
    """Programs that compute and that draw; None where the driver tells of neither. One that does both is told twice,
    each time with all of its memory."""
    lists = [
        nvml.first(
            *(f"nvmlDeviceGet{kind}RunningProcesses{version}" for version in ("_v3", "_v2", "")), arguments=(handle,)
        )
        for kind in ("Compute", "Graphics")
    ]
    if all(found is None for found in lists):
        return None
    memory: dict[int, int | None] = {}
    for process in (process for found in lists for process in found or ()):
        pid, used = int(process.pid), process.usedGpuMemory
        known = None if used is None or used >= _UNKNOWN_MEMORY else int(used)
        memory[pid] = max((value for value in (memory.get(pid), known) if value is not None), default=None)
    named = names.of(frozenset(memory))
    return tuple(DeviceProcess(pid, named[pid], used, pid in ours) for pid, used in sorted(memory.items()))


def _sum_of_ours(processes: tuple[DeviceProcess, ...]) -> int | None:
    """None if one of ours cannot be measured, as on Windows' desktop driver; 0 if none of ours is there."""
    amounts = [process.memory_bytes for process in processes if process.ours]
    return None if None in amounts else sum(amount for amount in amounts if amount is not None)

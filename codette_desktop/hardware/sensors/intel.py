"""Intel graphics on Linux, from the files of the drivers i915 and xe. By their documentation; untried on a real card.

Without special rights neither driver tells how much memory is in use, and how busy the device is only program by
program: see `EngineUse`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from codette_desktop.domain.telemetry import DeviceInfo, DeviceSample
from codette_desktop.hardware.sensors import sysfs
from codette_desktop.hardware.sensors.card_reader import CardReader
from codette_desktop.hardware.sensors.drm_clients import Client, EngineUse
from codette_desktop.hardware.sensors.family import Family
from codette_desktop.hardware.sensors.pci_names import device_name
from codette_desktop.hardware.sensors.rates import Rate
from codette_desktop.hardware.sensors.sysfs import Card

_OWN_MEMORY = ("local", "vram")  # i915 and xe
_SHARED_MEMORY = ("system", "gtt", "stolen")
_CLOCKS = ("device/tile0/gt0/freq0/cur_freq", "gt_cur_freq_mhz", "gt/gt0/rps_cur_freq_mhz")
_MEMORY_SIZES = ("device/tile0/physical_vram_size_bytes", "device/lmem_total_bytes")
_THROTTLING = (
    ("device/tile0/gt0/freq0/throttle", "status", "reason_"),  # xe
    ("gt/gt0", "throttle_reason_status", "throttle_reason_"),  # i915
)
_REASONS = {
    "thermal": "thermal",
    "prochot": "thermal",
    "vr_thermalert": "thermal",
    "ratl": "thermal",
    "soc_thermal": "thermal",
    "mem_thermal": "thermal",
    "pl1": "power cap",
    "pl2": "power cap",
    "pl4": "power cap",
    "vr_tdc": "current limit",
}


@dataclass
class _Counters:
    """What must be remembered of a card between samples."""

    engines: EngineUse = field(default_factory=EngineUse)
    energy: Rate = field(default_factory=Rate)


class IntelReader(CardReader):
    """A `GpuReader`. Power is what the energy counter grew by."""

    vendor = "intel"
    vendor_id = 0x8086

    def __init__(self, family: Family, *, root: Path = Path("/"), clock: Callable[[], float] = time.monotonic) -> None:
        """As for `CardReader`."""
        super().__init__(family, root=root, clock=clock)
        self._counters: dict[str, _Counters] = {}

    def describe(self, card: Card) -> DeviceInfo:
        """Its name from the system's list of devices; the memory where the driver tells it to everybody."""
        return DeviceInfo(
            device=card.slot,
            name=device_name(self.root, card.vendor_id, card.device_id),
            vendor=self.vendor,
            driver=card.driver,
            memory_total_bytes=None if card.asleep else _memory_size(card.folder),
        )

    def measure(self, card: Card, clients: list[Client]) -> DeviceSample:
        """The card now."""
        at = self.clock()
        hwmon, counters = card.hwmon, self._counters.setdefault(card.slot, _Counters())
        energy = _energy(hwmon) if hwmon else None
        total, free = _memory_size(card.folder), sysfs.whole(card.device / "lmem_avail_bytes")
        sample = DeviceSample(
            device=card.slot,
            utilisation=counters.engines.share(clients, at),
            memory_used_bytes=total - free if total is not None and free is not None and free <= total else None,
            memory_total_bytes=total,
            temperature_c=_temperature(hwmon) if hwmon else None,
            power_w=counters.energy.per_second(energy, at),
            power_limit_w=_power_limit(hwmon) if hwmon else None,
            energy_j=energy,
            clock_mhz=_clock(card.folder),
            throttled=_throttled(card.folder),
        )
        own = any(client.memory_on(_OWN_MEMORY) is not None for client in clients)
        return self.with_processes(sample, clients, _OWN_MEMORY if own else _SHARED_MEMORY)


def _memory_size(folder: Path) -> int | None:
    return next((size for place in _MEMORY_SIZES if (size := sysfs.whole(folder / place))), None)


def _clock(folder: Path) -> float | None:
    return next((clock for place in _CLOCKS if (clock := sysfs.number(folder / place)) is not None), None)


def _energy(hwmon: Path) -> float | None:
    """In joules, of the whole card where that is counted, else of the chip."""
    path = sysfs.labelled(hwmon, "energy", "card", "pkg")
    return sysfs.number(path, 1e-6) if path else None


def _temperature(hwmon: Path) -> float | None:
    """Of the chip: i915 calls it temp1, xe temp2 with the label "pkg"."""
    path = sysfs.labelled(hwmon, "temp", "pkg")
    return sysfs.number(path, 1e-3) if path else None


def _power_limit(hwmon: Path) -> float | None:
    """The sustained limit; 0 means that it is switched off."""
    limits = (sysfs.number(hwmon / name, 1e-6) for name in ("power1_max", "power2_max", "power1_cap"))
    return next((limit for limit in limits if limit), None)


def _throttled(folder: Path) -> tuple[str, ...] | None:
    for place, status, prefix in _THROTTLING:
        if (slowed := sysfs.whole(folder / place / status)) is None:
            continue
        if not slowed:
            return ()
        files = sysfs.folders(folder / place, f"{prefix}*")
        active = [path.name.removeprefix(prefix) for path in files if path.name != status and sysfs.whole(path)]
        return tuple(dict.fromkeys(_REASONS.get(name, name.replace("_", " ")) for name in active)) or ("other",)
    return None

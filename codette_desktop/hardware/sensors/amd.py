"""AMD cards on Linux, from the files of the driver amdgpu. By its documentation; untried on a real card."""

import re
from pathlib import Path

from codette_desktop.domain.telemetry import DeviceInfo, DeviceSample
from codette_desktop.hardware.sensors import sysfs
from codette_desktop.hardware.sensors.card_reader import CardReader
from codette_desktop.hardware.sensors.drm_clients import Client
from codette_desktop.hardware.sensors.pci_names import device_name
from codette_desktop.hardware.sensors.sysfs import Card

_CURRENT_CLOCK = re.compile(r"(\d+)\s*mhz\s*\*", re.IGNORECASE)  # "1: 2371Mhz *"


class AmdReader(CardReader):
    """A `GpuReader`. Processors with graphics have no memory of their own: what they take of the computer's counts."""

    vendor = "amd"
    vendor_id = 0x1002

    def describe(self, card: Card) -> DeviceInfo:
        """Its name, as AMD writes it where the system has AMD's list."""
        revision = sysfs.hexadecimal(card.device / "revision")
        return DeviceInfo(
            device=card.slot,
            name=sysfs.text(card.device / "product_name")
            or device_name(self.root, card.vendor_id, card.device_id, revision),
            vendor=self.vendor,
            uuid=sysfs.text(card.device / "unique_id") or "",
            driver=card.driver,
            memory_total_bytes=None if card.asleep else _memory(card, "total"),
        )

    def measure(self, card: Card, clients: list[Client]) -> DeviceSample:
        """The card now."""
        device, hwmon = card.device, card.hwmon
        sample = DeviceSample(
            device=card.slot,
            utilisation=_share(device / "gpu_busy_percent"),
            memory_utilisation=_share(device / "mem_busy_percent"),
            memory_used_bytes=_memory(card, "used"),
            memory_total_bytes=_memory(card, "total"),
            temperature_c=_temperature(hwmon) if hwmon else None,
            power_w=_power(hwmon) if hwmon else None,
            power_limit_w=(sysfs.number(hwmon / "power1_cap", 1e-6) or None) if hwmon else None,
            clock_mhz=_clock(device / "pp_dpm_sclk", hwmon / "freq1_input" if hwmon else None),
            memory_clock_mhz=_clock(device / "pp_dpm_mclk", hwmon / "freq2_input" if hwmon else None),
            fan=_fan(hwmon) if hwmon else None,
        )
        return self.with_processes(sample, clients, ("vram", "gtt") if _integrated(card) else ("vram",))


def _share(path: Path) -> float | None:
    value = sysfs.number(path, 0.01)
    return value if value is not None and 0 <= value <= 1 else None


def _integrated(card: Card) -> bool:
    """Only a card with memory of its own measures how busy that is."""
    return not (card.device / "mem_busy_percent").exists()


def _memory(card: Card, what: str) -> int | None:
    own = sysfs.whole(card.device / f"mem_info_vram_{what}")
    if own is None or not _integrated(card):
        return own
    shared = sysfs.whole(card.device / f"mem_info_gtt_{what}")
    return None if shared is None else own + shared


def _temperature(hwmon: Path) -> float | None:
    path = sysfs.labelled(hwmon, "temp", "edge", "junction")
    return sysfs.number(path, 1e-3) if path else None


def _power(hwmon: Path) -> float | None:
    """The average where the card tells it, else what it draws this moment, as newer ones do."""
    average = sysfs.number(hwmon / "power1_average", 1e-6)
    return average if average is not None else sysfs.number(hwmon / "power1_input", 1e-6)


def _clock(levels: Path, hwmon: Path | None) -> float | None:
    """In MHz: the level marked as the current one, or what the monitor says in Hz."""
    if current := _CURRENT_CLOCK.search(sysfs.text(levels) or ""):
        return float(current[1])
    return sysfs.number(hwmon, 1e-6) if hwmon else None


def _fan(hwmon: Path) -> float | None:
    speed, fastest = sysfs.number(hwmon / "fan1_input"), sysfs.number(hwmon / "fan1_max")
    return min(1.0, speed / fastest) if speed is not None and fastest else None

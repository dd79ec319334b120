"""How busy and how warm the processor is."""

from pathlib import Path
from typing import Any

import psutil

from codette_desktop.hardware.sensors import sysfs

_CHIPS = {
    "coretemp": ("Package id 0",),
    "k10temp": ("Tdie", "Tctl"),
    "zenpower": ("Tdie", "Tctl"),
    "cpu_thermal": (),
    "soc_thermal": (),
}
_ZONES = {"x86_pkg_temp", "cpu-thermal", "cpu_thermal", "soc-thermal", "TCPU"}


class CpuShare:
    """The share of all cores' time that was worked since the last call."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None

    def now(self) -> float | None:
        """From 0 to 1. None at first and when a counter was reset."""
        try:
            times: Any = psutil.cpu_times()
        except (psutil.Error, OSError, RuntimeError, NotImplementedError):
            self._last = None
            return None
        # Linux counts guests' time within user's already.
        total = sum(times) - getattr(times, "guest", 0) - getattr(times, "guest_nice", 0)
        idle = times.idle + getattr(times, "iowait", 0)
        last, self._last = self._last, (total, idle)
        if last is None or total <= last[0] or idle < last[1]:
            return None
        return min(1.0, max(0.0, 1 - (idle - last[1]) / (total - last[0])))


class CpuTemperature:
    """The processor's temperature, on Linux alone: no other system tells it without special rights."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._file: Path | None = None
        self._looked = False

    def now(self) -> float | None:
        """In degrees Celsius. The file is sought once: looking at all sensors would take longer than all else."""
        if not self._looked:
            self._looked, self._file = True, self._find()
        return sysfs.number(self._file, 1e-3) if self._file else None

    def _find(self) -> Path | None:
        for hwmon in sysfs.folders(self._root / "sys/class/hwmon", "hwmon*"):
            chip = sysfs.text(hwmon / "name")
            if chip in _CHIPS and (found := sysfs.labelled(hwmon, "temp", *_CHIPS[chip])):
                return found
        for zone in sysfs.folders(self._root / "sys/class/thermal", "thermal_zone*"):
            if sysfs.text(zone / "type") in _ZONES:
                return zone / "temp"
        return None

"""The disk that holds the application's data: how much is free, and what goes to and from it."""

import logging
import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import psutil

from codette_desktop.hardware.sensors.rates import Rate

log = logging.getLogger(__name__)


class DiskUse(NamedTuple):
    """In bytes, and bytes per second over the whole disk, not of this application alone."""

    free_bytes: int | None = None
    read_bytes_s: float | None = None
    write_bytes_s: float | None = None


class Disk:
    """The disk under a folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name: str | None = None
        self._looked = False
        self._read, self._write = Rate(), Rate()

    def use(self, at: float) -> DiskUse:
        """Now; `at` in seconds. Rates are None where the system does not tell which disk it is (overlays, networks)."""
        if not self._looked:
            self._looked, self._name = True, _device_of(_existing(self._folder))
        counters = _counters(self._name)
        return DiskUse(
            free_bytes=_free(self._folder),
            read_bytes_s=self._read.per_second(counters and counters[0], at),
            write_bytes_s=self._write.per_second(counters and counters[1], at),
        )


def _existing(folder: Path) -> Path:
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(_existing(folder)).free
    except OSError:
        return None


def _counters(name: str | None) -> tuple[int, int] | None:
    """Bytes read and written. Without a name only where there is one disk, so that it must be this one."""
    try:
        disks = psutil.disk_io_counters(perdisk=True, nowrap=False)
    except Exception as error:  # noqa: BLE001 - containers lack the files it reads, and its errors differ by system
        log.debug("the disks do not tell: %s", error)
        return None
    if not disks:
        return None
    found = disks.get(name) if name else None
    if found is None and len(disks) == 1 and sys.platform != "linux":
        found = next(iter(disks.values()))
    return (found.read_bytes, found.write_bytes) if found else None


def _device_of(folder: Path) -> str | None:
    """The name by which the counters know the disk: Linux's block device. Elsewhere they count disks, not volumes."""
    if sys.platform != "linux":
        return None
    try:
        number = folder.stat().st_dev
        block = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
        if block.exists():
            return block.resolve().name
        # btrfs, ZFS and overlays have no number of their own, but the first has a device among the mounts.
        mounts = {mount.mountpoint: mount.device for mount in psutil.disk_partitions(all=False)}
        place = next(str(parent) for parent in (folder, *folder.parents) if str(parent) in mounts)
        return Path(mounts[place]).resolve().name
    except (OSError, ValueError, StopIteration):
        return None

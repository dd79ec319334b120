"""The readers that make sense on this computer."""

import platform
from pathlib import Path

from codette_desktop.hardware.machine import processor_name
from codette_desktop.hardware.sensors.amd import AmdReader
from codette_desktop.hardware.sensors.apple import AppleReader
from codette_desktop.hardware.sensors.family import Family, drivers_pids_are_ours
from codette_desktop.hardware.sensors.host import HostReader
from codette_desktop.hardware.sensors.intel import IntelReader
from codette_desktop.hardware.sensors.nvidia import NvidiaReader
from codette_desktop.hardware.sensors.reader import GpuReader


def available_readers(family: Family) -> tuple[GpuReader, ...]:
    """By the operating system alone: each finds out for itself whether it has devices, and may find them later.

    Graphics of AMD and Intel on Windows have no reader.
    """
    system = platform.system()
    if system == "Darwin":
        return (AppleReader(name=processor_name),) if platform.machine() == "arm64" else ()
    nvidia = NvidiaReader(family, same_pids=drivers_pids_are_ours())
    if system == "Linux":
        return nvidia, AmdReader(family), IntelReader(family)
    return (nvidia,)


def sensors(folder: Path) -> tuple[tuple[GpuReader, ...], HostReader]:
    """What a `Sampler` needs; `folder` chooses the disk."""
    family = Family()
    return available_readers(family), HostReader(folder, family)

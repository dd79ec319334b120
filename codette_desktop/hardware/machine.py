"""What this computer is: processor, memory, disk, graphics. Nothing here raises; what cannot be read is absent."""

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from codette_desktop.hardware.nvidia import Gpu, nvidia_gpus


@dataclass(frozen=True, slots=True)
class Processor:
    """The CPU. `features` are the instruction sets that matter to the engine, as the system reports them."""

    name: str
    physical_cores: int
    logical_cores: int
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """A snapshot. Sizes in bytes; `disk_free_bytes` is that of the disk that holds the folder asked about.

    `numa_nodes` counts the processors with memory of their own; 1 where the system does not tell.
    """

    system: str
    processor: Processor
    memory_bytes: int
    memory_available_bytes: int
    disk_free_bytes: int | None
    gpus: tuple[Gpu, ...]
    numa_nodes: int = 1


_FEATURES = ("sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "amx_tile", "amx_int8", "asimd", "sve")


def inspect(folder: Path) -> Machine:
    """Look at the computer now; `folder` chooses the disk."""
    memory = psutil.virtual_memory()
    return Machine(
        system=f"{platform.system()} {platform.release()} ({platform.machine()})",
        processor=Processor(
            name=processor_name(),
            physical_cores=psutil.cpu_count(logical=False) or 1,
            logical_cores=os.cpu_count() or 1,
            features=_processor_features(),
        ),
        memory_bytes=memory.total,
        memory_available_bytes=memory.available,
        disk_free_bytes=_disk_free(folder),
        gpus=nvidia_gpus(),
        numa_nodes=_numa_nodes(),
    )


def _disk_free(folder: Path) -> int | None:
    existing = next((place for place in (folder, *folder.parents) if place.exists()), None)
    try:
        return shutil.disk_usage(existing).free if existing else None
    except OSError:
        return None


def _numa_nodes(folder: Path = Path("/sys/devices/system/node")) -> int:
    try:
        return max(1, sum(1 for node in folder.iterdir() if node.name[:4] == "node" and node.name[4:].isdigit()))
    except OSError:
        return 1


def _cpuinfo(key: str) -> str:
    """The first value of `key` in Linux's list of processors; "" elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == key), "")


def processor_name() -> str:
    """What the maker calls the processor, such as "Apple M3 Pro"; "" where the system does not tell."""
    if sys.platform == "darwin":
        try:
            asked = subprocess.run(
                ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"],
                capture_output=True,
                text=True,
                timeout=5,
                check=False,
            )
            return asked.stdout.strip() or platform.processor()
        except (OSError, subprocess.SubprocessError):
            return platform.processor()
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _processor_features() -> tuple[str, ...]:
    words = set((_cpuinfo("flags") or _cpuinfo("Features")).split())
    return tuple(name for name in _FEATURES if name in words)

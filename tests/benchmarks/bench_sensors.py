"""What watching the computer costs: one sample of each sensor, and the share of a core at one sample a second.

    python -m pytest tests/benchmarks/bench_sensors.py -s        CODETTE_SECONDS=60 for a longer look

The yardstick, in the same run: one `psutil.cpu_percent()`, the least that any monitor does. Cards that are not there
are read from files as their drivers would show them, which costs what files on a disk in memory cost, not what a driver
takes to fill them.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from codette_desktop.hardware.sensors.amd import AmdReader
from codette_desktop.hardware.sensors.available import available_readers
from codette_desktop.hardware.sensors.family import Family
from codette_desktop.hardware.sensors.host import HostReader
from codette_desktop.hardware.sensors.intel import IntelReader
from codette_desktop.hardware.sensors.nvidia import NvidiaReader
from codette_desktop.hardware.sensors.reader import GpuReader
from codette_desktop.hardware.sensors.sampler import Sampler
from tests.support import sensor_trees
from tests.support.stand_in_nvml import StandInNvml, rtx_4090

SECONDS = float(os.environ.get("CODETTE_SECONDS", "12"))
GOAL = 0.005  # of one core


def cost_ms(work: Callable[[], object], rounds: int = 200) -> float:
    """Of processor time, each on average: what waits costs nobody anything."""
    work()
    started = time.thread_time()
    for _ in range(rounds):
        work()
    return (time.thread_time() - started) / rounds * 1e3


def read(reader: GpuReader) -> Callable[[], object]:
    return lambda: (reader.info(), reader.sample())


def test_one_sample_of_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family = Family()
    yardstick = cost_ms(psutil.cpu_percent)
    print(f"\none psutil.cpu_percent(): {yardstick:.3f} ms; {len(psutil.pids())} processes run")
    looked = cost_ms(lambda: Family().processes(), 30)
    print(f"looking for our children, every 5 s: {looked:.2f} ms")
    costs = {"the computer": cost_ms(HostReader(tmp_path, family).sample)}
    costs |= {f"{reader.vendor} as it is here": cost_ms(read(reader)) for reader in available_readers(family)}

    monkeypatch.setitem(sys.modules, "pynvml", StandInNvml(rtx_4090()))
    sensor_trees.radeon_7900(tmp_path / "amd")
    sensor_trees.arc_xe(tmp_path / "intel")
    client = sensor_trees.amdgpu_client(1, 1 << 20)
    sensor_trees.program(tmp_path / "amd", os.getpid(), "codette", **{"3": client})
    sensor_trees.program(tmp_path / "intel", os.getpid(), "codette", **{"3": sensor_trees.xe_client(1, 1, 2)})
    costs["a GeForce without its driver's time"] = cost_ms(read(NvidiaReader(family)))
    costs["a Radeon from files"] = cost_ms(read(AmdReader(family, root=tmp_path / "amd")))
    costs["an Arc from files"] = cost_ms(read(IntelReader(family, root=tmp_path / "intel")))
    for name, cost in costs.items():
        print(f"{name}: {cost:.3f} ms = {cost / yardstick:.1f} x")


def test_the_share_of_a_core_at_one_sample_a_second(tmp_path: Path) -> None:
    family = Family()
    sampler = Sampler(available_readers(family), HostReader(tmp_path, family))
    late: list[float] = []
    sampler.subscribe(lambda sample: late.append(sample.interval_s - 1))
    sampler.start()
    time.sleep(2.1)  # what is done once: looking for cards, importing
    del late[:]
    worked, started = time.process_time(), time.perf_counter()
    time.sleep(SECONDS)
    share = (time.process_time() - worked) / (time.perf_counter() - started)
    sampler.close()
    spread = max(abs(one) for one in late) * 1e3
    print(f"\n{len(late)} samples in {SECONDS:g} s, off the second by {spread:.1f} ms at most")
    print(f"{share:.3%} of one core (goal: less than {GOAL:.1%})")

"""Intel's devices from the files of both drivers."""

import os
import sys
from pathlib import Path

import pytest

from codette_desktop.domain.telemetry import DeviceSample
from codette_desktop.hardware.sensors.family import Family
from codette_desktop.hardware.sensors.intel import IntelReader
from tests.support import sensor_trees
from tests.support.sensor_times import ManualClock
from tests.support.sensor_trees import GIB, i915_client, write, xe_client

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Linux's files hold links")
MIB = 1 << 20
S = 1_000_000_000


def reader(root: Path, clock: ManualClock | None = None) -> IntelReader:
    return IntelReader(Family(), root=root, clock=clock or ManualClock())


def test_an_arc_with_i915(tmp_path: Path) -> None:
    card = sensor_trees.arc_i915(tmp_path)
    sensor_trees.lists(tmp_path)
    clock = ManualClock()
    intel = reader(tmp_path, clock)
    (info,) = intel.info()
    assert (info.name, info.driver, info.memory_total_bytes) == ("Intel Arc A770", "i915", None)
    assert intel.sample()[0].power_w is None
    write(card, **{"device/hwmon/hwmon3/energy1_input": "800000000\n"})
    clock.now += 2
    assert intel.sample() == (
        DeviceSample(
            device=info.device,
            temperature_c=66,
            power_w=150,
            power_limit_w=190,
            energy_j=800,
            clock_mhz=2400,
            throttled=("power cap",),
        ),
    )


def test_an_arc_with_xe(tmp_path: Path) -> None:
    sensor_trees.arc_xe(tmp_path)
    (sample,) = reader(tmp_path).sample()
    assert (sample.temperature_c, sample.energy_j, sample.clock_mhz) == (58, 900, 2850)
    assert (sample.power_limit_w, sample.throttled, sample.utilisation) == (190, (), None)


def test_energy_that_begins_anew_is_no_power(tmp_path: Path) -> None:
    card = sensor_trees.arc_xe(tmp_path)
    clock = ManualClock()
    intel = reader(tmp_path, clock)
    intel.sample()
    powers: list[float | None] = []
    for micro_j in ("5000000", "65000000", "garbage", "70000000", "75000000"):
        write(card, **{"device/hwmon/hwmon3/energy1_input": micro_j})
        clock.now += 1
        powers.append(intel.sample()[0].power_w)
    assert powers == [None, 60, None, None, 5]


def test_the_chips_energy_where_the_cards_is_not_counted(tmp_path: Path) -> None:
    card = sensor_trees.arc_xe(tmp_path)
    for name in ("energy1_input", "energy1_label"):
        (card / "device/hwmon/hwmon3" / name).unlink()
    assert reader(tmp_path).sample()[0].energy_j == 700


@pytest.mark.parametrize(
    ("active", "words"),
    [
        (("pl1", "pl2"), ("power cap",)),
        (("thermal", "pl4"), ("power cap", "thermal")),
        (("fastvmode",), ("fastvmode",)),
        ((), ("other",)),
    ],
)
def test_why_it_is_slow_in_words(tmp_path: Path, active: tuple[str, ...], words: tuple[str, ...]) -> None:
    throttle = sensor_trees.arc_xe(tmp_path) / "device/tile0/gt0/freq0/throttle"
    write(throttle, status="1\n", **{f"reason_{name}": "1\n" for name in active})
    assert reader(tmp_path).sample()[0].throttled == words


def test_without_files_of_its_driver_nothing_is_known(tmp_path: Path) -> None:
    sensor_trees.card(tmp_path, 0, "0x8086", "0x46a6", "0000:00:02.0", "i915")
    (sample,) = reader(tmp_path).sample()
    assert sample == DeviceSample("0000:00:02.0")


def test_memory_where_the_driver_tells_everybody(tmp_path: Path) -> None:
    files = {"device/lmem_total_bytes": f"{16 * GIB}", "device/lmem_avail_bytes": f"{10 * GIB}"}
    write(sensor_trees.arc_i915(tmp_path), **files)
    intel = reader(tmp_path)
    (sample,) = intel.sample()
    assert intel.info()[0].memory_total_bytes == sample.memory_total_bytes == 16 * GIB
    assert sample.memory_used_bytes == 6 * GIB


def busy(root: Path, **clients: str) -> None:
    sensor_trees.program(root, os.getpid(), "codette", **clients)


def test_how_busy_from_what_was_done_for_each_program(tmp_path: Path) -> None:
    sensor_trees.arc_i915(tmp_path)
    clock = ManualClock()
    intel = reader(tmp_path, clock)
    busy(tmp_path, **{"3": i915_client(1, 10 * S), "4": i915_client(1, 10 * S)})
    sensor_trees.program(tmp_path, 4_000_000, "game", **{"3": i915_client(2, 50 * S)})
    assert intel.sample()[0].utilisation is None  # seen for the first time
    clock.now += 2
    busy(tmp_path, **{"3": i915_client(1, 11 * S), "4": i915_client(1, 11 * S)})
    sensor_trees.program(tmp_path, 4_000_000, "game", **{"3": i915_client(2, 50 * S + S // 2)})
    (sample,) = intel.sample()
    assert sample.utilisation == pytest.approx(0.75)
    assert sample.our_memory_bytes == 300 * MIB
    assert [(found.name, found.memory_bytes) for found in sample.processes] == [
        ("codette", 300 * MIB),
        ("game", 300 * MIB),
    ]


def test_two_engines_of_a_kind_are_busy_when_both_are(tmp_path: Path) -> None:
    sensor_trees.arc_i915(tmp_path)
    clock = ManualClock()
    intel = reader(tmp_path, clock)
    shares: list[float | None] = []
    for video_ns in (0, S, 3 * S, 2 * S, 9 * S):
        busy(tmp_path, **{"3": i915_client(1, 0, video_ns)})
        shares.append(intel.sample()[0].utilisation)
        clock.now += 1
    assert shares == [None, 0.5, 1.0, 0.0, 1.0]  # counters may fall behind, and never run ahead of time


def test_xe_counts_cycles(tmp_path: Path) -> None:
    sensor_trees.arc_xe(tmp_path)
    intel = reader(tmp_path)
    busy(tmp_path, **{"3": xe_client(7, 1_000, 10_000)})
    assert intel.sample()[0].utilisation is None
    busy(tmp_path, **{"3": xe_client(7, 4_000, 20_000)})
    (sample,) = intel.sample()
    assert sample.utilisation == pytest.approx(0.3)
    assert sample.our_memory_bytes == GIB


def test_graphics_without_memory_of_its_own_is_given_the_computers(tmp_path: Path) -> None:
    sensor_trees.card(tmp_path, 0, "0x8086", "0x46a6", "0000:03:00.0", "i915")
    busy(tmp_path, **{"3": i915_client(1, 0, local_mib=None)})
    assert reader(tmp_path).sample()[0].our_memory_bytes == 70 * MIB


def test_programs_that_begin_later_are_found_ours_first(tmp_path: Path) -> None:
    sensor_trees.arc_i915(tmp_path)
    clock = ManualClock()
    intel = reader(tmp_path, clock)
    intel.sample()
    busy(tmp_path, **{"3": i915_client(1, 0)})
    sensor_trees.program(tmp_path, 4_000_000, "game", **{"3": i915_client(2, 0)})
    found: list[list[str]] = []
    for seconds in (1, 5, 25):
        clock.now += seconds
        found.append([program.name for program in intel.sample()[0].processes])
    assert found == [[], ["codette"], ["codette", "game"]]

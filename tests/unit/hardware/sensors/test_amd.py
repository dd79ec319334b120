"""AMD's cards from their files."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from codette_desktop.domain.telemetry import DeviceProcess, DeviceSample, SensorStatus
from codette_desktop.hardware.sensors.amd import AmdReader
from codette_desktop.hardware.sensors.family import Family
from tests.support import sensor_trees
from tests.support.sensor_times import ManualClock
from tests.support.sensor_trees import GIB, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Linux's files hold links")
FILES = {
    "device/gpu_busy_percent": "utilisation",
    "device/mem_info_vram_used": "memory_used_bytes",
    "device/mem_info_vram_total": "memory_total_bytes",
    "device/pp_dpm_sclk": "clock_mhz",
    "device/pp_dpm_mclk": "memory_clock_mhz",
    "device/hwmon/hwmon4/power1_average": "power_w",
    "device/hwmon/hwmon4/power1_cap": "power_limit_w",
    "device/hwmon/hwmon4/temp1_input": "temperature_c",
    "device/hwmon/hwmon4/fan1_input": "fan",
}


def reader(root: Path, clock: ManualClock | None = None) -> AmdReader:
    return AmdReader(Family(), root=root, clock=clock or ManualClock())


def test_a_card_at_work(tmp_path: Path) -> None:
    sensor_trees.radeon_7900(tmp_path)
    sensor_trees.lists(tmp_path)
    amd = reader(tmp_path)
    (info,) = amd.info()
    assert (info.name, info.vendor, info.driver) == ("AMD Radeon RX 7900 XTX", "amd", "amdgpu")
    assert (info.uuid, info.memory_total_bytes) == ("f4c1a6d2e8b03957", 24 * GIB)
    assert amd.sample() == (
        DeviceSample(
            device=info.device,
            utilisation=0.88,
            memory_utilisation=0.4,
            memory_used_bytes=11 * GIB,
            memory_total_bytes=24 * GIB,
            temperature_c=62,
            power_w=303,
            power_limit_w=339,
            clock_mhz=2371,
            memory_clock_mhz=1249,
            fan=0.4,
        ),
    )


@pytest.mark.parametrize("content", [None, "", "\n", "n/a\n", "\0\0\0\xff", "12 W\n", "nan\n", "inf\n"])
@pytest.mark.parametrize("file", FILES)
def test_a_file_that_cannot_be_read_is_one_value_not_known(tmp_path: Path, file: str, content: str | None) -> None:
    card = sensor_trees.radeon_7900(tmp_path)
    (whole,) = reader(tmp_path).sample()
    if content is None:
        (card / file).unlink()
        (card / file).mkdir()  # cannot be read, whoever asks
    else:
        (card / file).write_bytes(content.encode("latin-1"))
    (sample,) = reader(tmp_path).sample()
    changed = {name for name in DeviceSample.__slots__ if getattr(sample, name) != getattr(whole, name)}
    assert changed == {FILES[file]}
    assert getattr(sample, FILES[file]) is None


@pytest.mark.parametrize("percent", ["101", "-1", "65535"])
def test_a_share_that_cannot_be_is_not_known(tmp_path: Path, percent: str) -> None:
    write(sensor_trees.radeon_7900(tmp_path), **{"device/gpu_busy_percent": percent})
    assert reader(tmp_path).sample()[0].utilisation is None


def test_a_card_without_monitor(tmp_path: Path) -> None:
    shutil.rmtree(sensor_trees.radeon_7900(tmp_path) / "device/hwmon")
    (sample,) = reader(tmp_path).sample()
    assert (sample.temperature_c, sample.power_w, sample.power_limit_w, sample.fan) == (None, None, None, None)
    assert (sample.utilisation, sample.clock_mhz) == (pytest.approx(0.88), 2371)


def test_graphics_inside_a_processor_uses_the_computers_memory(tmp_path: Path) -> None:
    sensor_trees.radeon_in_processor(tmp_path)
    (sample,) = reader(tmp_path).sample()
    assert (sample.memory_used_bytes, sample.memory_total_bytes) == (GIB // 4 + 2 * GIB, GIB // 2 + 15 * GIB)
    assert (sample.power_w, sample.clock_mhz, sample.temperature_c) == (pytest.approx(9.107), 800, 44)
    assert (sample.memory_utilisation, sample.power_limit_w, sample.fan) == (None, None, None)


def test_a_laptop_with_two_cards_lets_the_sleeping_one_sleep(tmp_path: Path) -> None:
    large = sensor_trees.radeon_7900(tmp_path)
    sensor_trees.radeon_in_processor(tmp_path)
    sensor_trees.arc_xe(tmp_path, 2)  # another reader's
    write(large, **{"device/power/runtime_status": "suspended\n"})
    clock = ManualClock()
    amd = reader(tmp_path, clock)
    slots = [info.device for info in amd.info()]
    assert [info.memory_total_bytes for info in amd.info()] == [None, 15 * GIB + GIB // 2]
    asleep, awake = amd.sample()
    assert asleep == DeviceSample(slots[0])
    assert awake.utilisation == pytest.approx(0.03)
    write(large, **{"device/power/runtime_status": "active\n"})
    assert amd.sample()[0].utilisation == pytest.approx(0.88)
    clock.now += 11
    assert amd.info()[0].memory_total_bytes == 24 * GIB


def test_a_card_that_is_unplugged_is_missing_and_returns_under_another_number(tmp_path: Path) -> None:
    first, second = sensor_trees.radeon_7900(tmp_path, 0), sensor_trees.radeon_in_processor(tmp_path, 1)
    clock = ManualClock()
    amd = reader(tmp_path, clock)
    names = [info.name for info in amd.info()]
    shutil.rmtree(first)
    assert [sample.status for sample in amd.sample()] == [SensorStatus.MISSING, SensorStatus.OK]
    shutil.move(second, tmp_path / "sys/class/drm/card7")
    sensor_trees.radeon_7900(tmp_path, 12)
    clock.now += 11
    assert [sample.utilisation for sample in amd.sample()] == [pytest.approx(0.88), pytest.approx(0.03)]
    assert [info.name for info in amd.info()] == names


def test_programs_on_a_card_and_our_share_of_its_memory(tmp_path: Path) -> None:
    sensor_trees.radeon_7900(tmp_path)
    two, other = sensor_trees.amdgpu_client(1, 2 << 20), sensor_trees.amdgpu_client(9, 1 << 20, "0000:c1:00.0")
    sensor_trees.program(tmp_path, os.getpid(), "codette", **{"3": two, "4": two, "5": other})
    sensor_trees.program(tmp_path, 4_000_000, "game", **{"3": sensor_trees.amdgpu_client(2, 1 << 20)})
    sensor_trees.program(tmp_path, 4_000_001, "editor")
    (sample,) = reader(tmp_path).sample()
    assert sample.our_memory_bytes == 2 * GIB
    assert sample.processes == (
        DeviceProcess(os.getpid(), "codette", 2 * GIB, ours=True),
        DeviceProcess(4_000_000, "game", GIB, ours=False),
    )


def test_without_cards_nothing_is_read(tmp_path: Path) -> None:
    assert (reader(tmp_path).info(), reader(tmp_path).sample()) == ((), ())
    sensor_trees.card(tmp_path, 0, "garbage", "", "0000:03:00.0", "amdgpu")
    assert reader(tmp_path).info() == ()


def test_a_card_of_which_the_system_tells_nothing(tmp_path: Path) -> None:
    write(tmp_path / "sys/class/drm/card3/device", vendor="0x1002\n")
    (info,) = reader(tmp_path).info()
    assert (info.device, info.name, info.memory_total_bytes) == ("card3", "AMD graphics 0000", None)
    assert reader(tmp_path).sample() == (DeviceSample("card3"),)


@pytest.mark.parametrize(
    ("revision", "name"), [("0xc4", "AMD Radeon RX 7900 XT"), ("0xff", "AMD Radeon RX 7900 XT/7900 XTX")]
)
def test_the_name_is_amds_own_else_that_of_the_general_list(tmp_path: Path, revision: str, name: str) -> None:
    write(sensor_trees.radeon_7900(tmp_path), **{"device/revision": revision})
    sensor_trees.lists(tmp_path)
    assert reader(tmp_path).info()[0].name == name


def test_a_name_without_trade_name(tmp_path: Path) -> None:
    sensor_trees.radeon_in_processor(tmp_path)
    sensor_trees.lists(tmp_path)
    assert reader(tmp_path).info()[0].name == "AMD Phoenix3"

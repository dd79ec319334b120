"""Apple's graphics, from lines as macmon's documentation shows them, of two of its versions."""

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from codette_desktop.domain.telemetry import DeviceSample, SensorStatus
from codette_desktop.hardware.sensors.apple import AppleReader, macmon_command, parse
from tests.support.sensor_times import ManualClock

OLD: dict[str, Any] = {
    "timestamp": "2025-02-24T20:38:15.427569+00:00",
    "temp": {"cpu_temp_avg": 43.73614, "gpu_temp_avg": 36.95167},
    "memory": {
        "ram_total": 25769803776,
        "ram_usage": 20985479168,
        "swap_total": 4294967296,
        "swap_usage": 2602434560,
    },
    "ecpu_usage": [1181, 0.082656614],
    "pcpu_usage": [1974, 0.015181795],
    "gpu_usage": [461, 0.021497859],
    "cpu_power": 0.20486385,
    "gpu_power": 0.017451683,
    "ane_power": 0.0,
    "all_power": 0.22231553,
    "sys_power": 5.876533,
}
NEW: dict[str, Any] = {
    **{key: value for key, value in OLD.items() if not key.endswith("usage")},
    "fans": [{"name": "fan0", "rpm": 980, "max_rpm": 4900}, {"name": "fan1", "rpm": 1300, "max_rpm": 5200}],
    "gpu_freq_mhz": 461,
    "gpu_scaled_ratio": 0.021497859,
    "gpu_active_ratio": 0.09,
}
READ = DeviceSample(
    device="apple",
    utilisation=0.021497859,
    memory_used_bytes=20985479168,
    memory_total_bytes=25769803776,
    temperature_c=36.95167,
    power_w=0.017451683,
    clock_mhz=461,
)
# Writes the lines it is given and then stays, as macmon does.
MACMON = "import sys,time\nfor line in sys.argv[1:]: print(line, flush=True)\ntime.sleep(30)"


def stand_in(*lines: str) -> Callable[[], tuple[str, ...]]:
    return lambda: (sys.executable, "-S", "-c", MACMON, *lines)


def first_answer(reader: AppleReader) -> DeviceSample:
    """The first sample that is not empty-handed."""
    end = time.monotonic() + 10
    while (sample := reader.sample()[0]).status is SensorStatus.STALE and time.monotonic() < end:
        time.sleep(0.01)
    return sample


def test_lines_of_both_versions() -> None:
    assert parse(json.dumps(OLD)) == READ
    new = parse(json.dumps(NEW).encode())
    assert (new.utilisation, new.clock_mhz, new.fan, new.power_w) == (0.09, 461, 0.25, 0.017451683)


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "null", "7", '"{}"', "error: no such thing", b"\xff\xfe", '{"gpu_power"']
)
def test_a_line_that_is_none_is_no_answer(line: str | bytes) -> None:
    assert parse(line) == DeviceSample("apple", SensorStatus.STALE)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"gpu_usage": None}, {"utilisation", "clock_mhz"}),
        ({"gpu_usage": [461]}, {"utilisation"}),
        ({"gpu_usage": [461, 1.7]}, {"utilisation"}),
        ({"gpu_usage": {"0": 1}}, {"utilisation", "clock_mhz"}),
        ({"gpu_power": "much"}, {"power_w"}),
        ({"gpu_power": True}, {"power_w"}),
        ({"gpu_power": -1}, {"power_w"}),
        ({"temp": []}, {"temperature_c"}),
        ({"temp": {"gpu_temp_avg": 0.0}}, {"temperature_c"}),
        ({"memory": {"ram_total": 25769803776}}, {"memory_used_bytes"}),
        ({"fans": [{"name": "fan0", "rpm": 100}, 5]}, set()),
    ],
)
def test_one_value_that_is_none_is_not_known(changed: dict[str, Any], field: set[str]) -> None:
    sample = parse(json.dumps(OLD | changed))
    assert {name for name in DeviceSample.__slots__ if getattr(sample, name) != getattr(READ, name)} == field
    assert all(getattr(sample, name) is None for name in field)


def test_macmon_is_started_heard_and_ended() -> None:
    reader = AppleReader(name=lambda: "Apple M3 Pro", command=stand_in("not JSON", json.dumps(OLD)))
    try:
        assert reader.info()[0].name == "Apple M3 Pro GPU"
        assert first_answer(reader) == READ
    finally:
        reader.close()
        reader.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "codette-sensor-macmon"]
    assert reader.sample()[0].status is SensorStatus.MISSING


def test_what_macmon_said_long_ago_is_not_said_again() -> None:
    clock = ManualClock()
    reader = AppleReader(command=stand_in(json.dumps(OLD)), clock=clock)
    try:
        assert first_answer(reader) == READ
        clock.now += 2.9
        assert reader.sample() == (READ,)
        clock.now += 0.2
        assert reader.sample() == (DeviceSample("apple", SensorStatus.STALE),)
    finally:
        reader.close()


def test_without_macmon_nothing_is_known_until_it_is_installed() -> None:
    clock, commands = ManualClock(), [None, stand_in(json.dumps(OLD))()]
    reader = AppleReader(command=lambda: commands.pop(0), clock=clock)
    try:
        assert [reader.sample()[0].status for _ in range(3)] == [SensorStatus.MISSING] * 3
        clock.now += 61
        assert first_answer(reader) == READ
    finally:
        reader.close()


def test_a_macmon_that_ends_is_started_again_but_not_at_once() -> None:
    clock, started = ManualClock(), list[int]()

    def command() -> tuple[str, ...]:
        started.append(1)
        return sys.executable, "-S", "-c", "raise SystemExit(2)"

    reader = AppleReader(command=command, clock=clock)
    try:
        first_answer(reader)
        assert reader.sample()[0].status is SensorStatus.MISSING
        assert len(started) == 1
        clock.now += 61
        reader.sample()
        assert len(started) == 2
    finally:
        reader.close()


def test_a_macmon_that_cannot_be_started() -> None:
    reader = AppleReader(command=lambda: ("/nowhere/macmon", "pipe"))
    assert reader.sample() == (DeviceSample("apple", SensorStatus.MISSING),)
    reader.close()


def test_macmon_is_asked_for_a_line_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"/opt/homebrew/bin:/usr/local/bin:/opt/local/bin": "/opt/homebrew/bin/macmon"}
    monkeypatch.setattr("shutil.which", lambda name, path=None: places.get(path or ""))
    assert macmon_command() == ("/opt/homebrew/bin/macmon", "pipe", "-i", "1000")
    places.clear()
    assert macmon_command() is None

"""NVIDIA cards: every value by itself, and cards and drivers that go and return."""

import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from codette_desktop.domain.telemetry import DeviceProcess, DeviceSample, SensorStatus
from codette_desktop.hardware.sensors.family import Family
from codette_desktop.hardware.sensors.nvidia import NvidiaReader
from tests.support.sensor_times import ManualClock
from tests.support.stand_in_nvml import (
    GIB,
    OLD_DRIVER_LACKS,
    StandInNvml,
    a100_mig,
    nvml_error,
    process,
    rtx_4090,
)

MISSING = SensorStatus.MISSING
VALUES = {
    "nvmlDeviceGetUtilizationRates": {"utilisation", "memory_utilisation"},
    "nvmlDeviceGetMemoryInfo": {"memory_used_bytes", "memory_total_bytes"},
    "nvmlDeviceGetPowerUsage": {"power_w"},
    "nvmlDeviceGetEnforcedPowerLimit": {"power_limit_w"},
    "nvmlDeviceGetTotalEnergyConsumption": {"energy_j"},
    "nvmlDeviceGetClockInfo": {"clock_mhz", "memory_clock_mhz"},
    "nvmlDeviceGetFanSpeed": {"fan"},
    "nvmlDeviceGetPcieThroughput": {"pcie_rx_bytes_s", "pcie_tx_bytes_s"},
}


def read(monkeypatch: pytest.MonkeyPatch, library: StandInNvml, **settings: Any) -> NvidiaReader:
    monkeypatch.setitem(sys.modules, "pynvml", library)
    return NvidiaReader(Family(), **settings)


def second_sample(reader: NvidiaReader) -> DeviceSample:
    """The second, since each direction of the bus is read at its own turn."""
    reader.sample()
    return reader.sample()[0]


def test_a_card_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = read(monkeypatch, StandInNvml(rtx_4090()))
    (info,) = reader.info()
    assert (info.name, info.vendor, info.uuid) == ("NVIDIA GeForce RTX 4090", "nvidia", "GPU-4090")
    assert (info.driver, info.memory_total_bytes) == ("580.95", 24 * GIB)
    assert second_sample(reader) == DeviceSample(
        device=info.device,
        utilisation=0.97,
        memory_utilisation=0.61,
        memory_used_bytes=9 * GIB,
        memory_total_bytes=24 * GIB,
        our_memory_bytes=0,
        temperature_c=71,
        power_w=441.25,
        power_limit_w=450,
        energy_j=98_765.432,
        clock_mhz=2520,
        memory_clock_mhz=10_501,
        fan=0.54,
        pcie_rx_bytes_s=30_000 * 1024,
        pcie_tx_bytes_s=2_000 * 1024,
        throttled=("power cap",),
        processes=(DeviceProcess(4_000_000, "", 7 * GIB, ours=False),),
    )


@pytest.mark.parametrize("error", ["NOT_SUPPORTED", "FUNCTION_NOT_FOUND", "NO_PERMISSION", "UNKNOWN"])
@pytest.mark.parametrize("function", VALUES)
def test_one_value_that_cannot_be_read_is_not_known_and_the_others_are(
    monkeypatch: pytest.MonkeyPatch, function: str, error: str
) -> None:
    whole = second_sample(read(monkeypatch, StandInNvml(rtx_4090())))
    sample = second_sample(read(monkeypatch, StandInNvml(rtx_4090(**{function: nvml_error(error)}))))
    changed = {name for name in DeviceSample.__slots__ if getattr(sample, name) != getattr(whole, name)}
    assert changed == VALUES[function]
    assert all(getattr(sample, name) is None for name in changed)


def test_what_is_no_answer_at_all_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("exception: access violation reading 0x0")

    assert read(monkeypatch, StandInNvml(rtx_4090(nvmlDeviceGetPowerUsage=broken))).sample()[0].power_w is None


def test_an_old_driver_is_asked_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def first_version_only(version: int | None = None) -> Any:
        if version:
            raise nvml_error("FUNCTION_NOT_FOUND")
        return SimpleNamespace(total=8 * GIB, used=3 * GIB, free=5 * GIB)

    old = rtx_4090(
        nvmlDeviceGetMemoryInfo=first_version_only,
        nvmlDeviceGetComputeRunningProcesses_v2=[process(4_000_000, GIB)],
        nvmlDeviceGetGraphicsRunningProcesses=[process(4_000_001, 2 * GIB)],
    )
    (sample,) = read(monkeypatch, StandInNvml(old, lacks=OLD_DRIVER_LACKS, driver="470.57")).sample()
    assert (sample.temperature_c, sample.throttled, sample.memory_used_bytes) == (70, ("thermal",), 3 * GIB)
    assert [(found.pid, found.memory_bytes) for found in sample.processes] == [(4_000_000, GIB), (4_000_001, 2 * GIB)]


def test_a_card_divided_by_mig_has_no_utilisation_and_the_driver_may_hide_its_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = read(monkeypatch, StandInNvml(a100_mig()))
    (sample,) = reader.sample()
    assert reader.info()[0].name == "NVIDIA A100-SXM4-80GB"
    assert (sample.utilisation, sample.memory_utilisation, sample.fan) == (None, None, None)
    assert (sample.memory_used_bytes, sample.throttled) == (GIB, ())
    assert (sample.processes, sample.our_memory_bytes) == ((), None)


def test_mig_switched_off_is_a_card_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, StandInNvml(rtx_4090(nvmlDeviceGetMigMode=[0, 0]))).sample()[0].utilisation == 0.97


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0, ()),
        (0x1, ()),
        (0x20 | 0x40 | 0x8, ("thermal",)),
        (0x4 | 0x20, ("power cap", "thermal")),
        (0x8, ("hardware slowdown",)),
        (0x8 | 0x80, ("power brake",)),
    ],
)
def test_why_a_card_is_slow_in_words(monkeypatch: pytest.MonkeyPatch, bits: int, words: tuple[str, ...]) -> None:
    library = StandInNvml(rtx_4090(nvmlDeviceGetCurrentClocksEventReasons=bits))
    assert read(monkeypatch, library).sample()[0].throttled == words


def test_a_fan_above_its_nominal_speed_is_at_its_full_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, StandInNvml(rtx_4090(nvmlDeviceGetFanSpeed=104))).sample()[0].fan == 1


def test_which_programs_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.getpid()
    card = rtx_4090(
        nvmlDeviceGetComputeRunningProcesses_v3=[process(mine, 5 * GIB), process(4_000_000, GIB)],
        nvmlDeviceGetGraphicsRunningProcesses_v3=[process(mine, 5 * GIB)],
    )
    (sample,) = read(monkeypatch, StandInNvml(card)).sample()
    assert sample.our_memory_bytes == 5 * GIB
    assert [(found.pid, found.ours) for found in sample.processes] == [(mine, True), (4_000_000, False)]
    assert sample.processes[0].name


@pytest.mark.parametrize("unknown", [None, (1 << 64) - 1])
def test_memory_of_ours_that_windows_does_not_tell_is_not_known(
    monkeypatch: pytest.MonkeyPatch, unknown: int | None
) -> None:
    card = rtx_4090(nvmlDeviceGetComputeRunningProcesses_v3=[process(os.getpid(), unknown)])
    (sample,) = read(monkeypatch, StandInNvml(card)).sample()
    assert sample.our_memory_bytes is None
    assert [found.memory_bytes for found in sample.processes] == [None]


def test_in_a_container_the_numbers_of_processes_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    card = rtx_4090(nvmlDeviceGetComputeRunningProcesses_v3=[process(os.getpid(), GIB)])
    (sample,) = read(monkeypatch, StandInNvml(card), same_pids=False).sample()
    assert (sample.processes, sample.our_memory_bytes) == ((), None)


def test_the_bus_is_read_seldom_as_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    library = StandInNvml(rtx_4090())
    reader = read(monkeypatch, library)
    samples = [reader.sample()[0] for _ in range(10)]
    assert library.asked.count("nvmlDeviceGetPcieThroughput") == 4
    assert {sample.pcie_rx_bytes_s for sample in samples} == {30_000 * 1024}


def test_a_lost_card_is_missing_the_others_go_on_and_it_may_return(monkeypatch: pytest.MonkeyPatch) -> None:
    lost, well = rtx_4090(), a100_mig()
    library, clock = StandInNvml(lost, well), ManualClock()
    reader = read(monkeypatch, library, clock=clock)
    names = [info.name for info in reader.info()]

    lost["lost"] = True
    first, second = reader.sample()
    assert first == DeviceSample("GPU-4090", MISSING)
    assert (second.status, second.memory_used_bytes) == (SensorStatus.OK, GIB)

    clock.now += 31
    library.cards = [well]  # the driver no longer counts it
    assert [sample.status for sample in reader.sample()] == [MISSING, SensorStatus.OK]

    lost["lost"] = False
    library.cards = [well, lost]  # and puts it last when it is back
    assert reader.sample()[0].status == MISSING
    clock.now += 31
    assert [sample.utilisation for sample in reader.sample()] == [0.97, None]
    assert [info.name for info in reader.info()] == names
    assert library.open == 1


def test_a_whole_set_of_cards_is_not_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    library, clock = StandInNvml(rtx_4090()), ManualClock()
    reader = read(monkeypatch, library, clock=clock)
    for _ in range(5):
        reader.sample()
        clock.now += 60
    assert library.opened == 1


@pytest.mark.parametrize("error", ["UNINITIALIZED", "DRIVER_NOT_LOADED", "LIB_RM_VERSION_MISMATCH"])
def test_a_driver_that_is_replaced_while_it_is_used(monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    library, clock = StandInNvml(rtx_4090()), ManualClock()
    reader = read(monkeypatch, library, clock=clock)
    reader.sample()
    library.dead = error
    assert [sample.status for sample in reader.sample()] == [MISSING]
    clock.now += 31
    assert [sample.status for sample in reader.sample()] == [MISSING]
    library.dead = ""
    clock.now += 31
    assert [sample.status for sample in reader.sample()] == [SensorStatus.OK]


@pytest.mark.parametrize("error", ["LIBRARY_NOT_FOUND", "DRIVER_NOT_LOADED"])
def test_without_a_driver_there_are_no_cards_until_one_is_loaded(monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    library, clock = StandInNvml(rtx_4090(), dead=error), ManualClock()
    reader = read(monkeypatch, library, clock=clock)
    assert (reader.info(), reader.sample()) == ((), ())
    library.dead = ""
    assert reader.info() == ()
    clock.now += 31
    assert len(reader.info()) == len(reader.sample()) == 1


def test_closed_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    library, clock = StandInNvml(rtx_4090()), ManualClock()
    reader = read(monkeypatch, library, clock=clock)
    reader.sample()
    reader.close()
    reader.close()
    clock.now += 60
    assert [sample.status for sample in reader.sample()] == [MISSING]
    assert (library.open, library.opened) == (0, 1)


def test_without_the_package_there_are_no_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert NvidiaReader(Family()).sample() == ()

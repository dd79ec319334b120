"""The computer: what psutil says, put into shares and rates; and what it does not say."""

import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from codette_desktop.domain.telemetry import HostSample
from codette_desktop.hardware.sensors import disk
from codette_desktop.hardware.sensors.family import Family, drivers_pids_are_ours
from codette_desktop.hardware.sensors.host import HostReader
from codette_desktop.hardware.sensors.network import Network, worth_counting
from codette_desktop.hardware.sensors.processor import CpuShare, CpuTemperature
from tests.support.sensor_times import ManualClock
from tests.support.sensor_trees import write

LinuxTimes = namedtuple("LinuxTimes", "user nice system idle iowait irq softirq steal guest guest_nice")
WindowsTimes = namedtuple("WindowsTimes", "user system idle interrupt dpc")


def test_this_computer(tmp_path: Path) -> None:
    reader = HostReader(tmp_path / "not" / "yet", Family())
    first, second = reader.sample(), reader.sample()
    reader.close()
    assert (first.cpu, first.our_cpu, first.disk_read_bytes_s, first.net_rx_bytes_s) == (None, None, None, None)
    for sample in (first, second):
        assert sample.memory_total_bytes is not None
        assert 0 < (sample.memory_used_bytes or 0) < sample.memory_total_bytes
        assert (sample.disk_free_bytes or 0) > 0
        assert (sample.our_memory_bytes or 0) > 1 << 20
    assert second.our_cpu is not None
    assert second.our_cpu >= 0


def test_where_psutil_can_read_nothing_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unreadable(*_args: Any, **_kwargs: Any) -> Any:
        raise FileNotFoundError("/proc/stat")

    names = "cpu_times virtual_memory swap_memory disk_io_counters net_io_counters"
    for name in names.split():
        monkeypatch.setattr(psutil, name, unreadable)
    monkeypatch.setattr(psutil.Process, "cpu_times", unreadable)
    monkeypatch.setattr(psutil.Process, "memory_info", unreadable)
    monkeypatch.setattr("shutil.disk_usage", unreadable)
    reader = HostReader(tmp_path, Family())
    samples = [reader.sample() for _ in range(2)]
    assert [HostSample(cpu_temperature_c=sample.cpu_temperature_c) for sample in samples] == samples


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_computer_without_disks_and_networks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, nothing: Any) -> None:
    monkeypatch.setattr(psutil, "disk_io_counters", lambda **_: nothing)
    monkeypatch.setattr(psutil, "net_io_counters", lambda **_: nothing)
    reader = HostReader(tmp_path, Family())
    reader.sample()
    sample = reader.sample()
    assert (sample.disk_read_bytes_s, sample.disk_write_bytes_s) == (None, None)
    assert (sample.net_rx_bytes_s, sample.net_tx_bytes_s) == (None, None)
    assert sample.disk_free_bytes


def replay(monkeypatch: pytest.MonkeyPatch, name: str, *answers: Any) -> None:
    left = list(answers)
    monkeypatch.setattr(psutil, name, lambda **_: left.pop(0))


def test_the_share_of_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [
        LinuxTimes(100, 0, 50, 800, 50, 0, 0, 0, 40, 0),
        LinuxTimes(125, 0, 55, 860, 60, 0, 0, 0, 65, 0),  # of 100 s 30 were worked, 25 of them for a guest
        LinuxTimes(125, 0, 55, 860, 60, 0, 0, 0, 65, 0),  # no time has passed
        LinuxTimes(10, 0, 5, 80, 5, 0, 0, 0, 0, 0),  # counted anew
        LinuxTimes(20, 0, 5, 80, 5, 0, 0, 0, 0, 0),
        LinuxTimes(30, 0, 5, 85, 4, 0, 0, 0, 0, 0),  # waiting was counted back a little, as Linux may
        LinuxTimes(50, 0, 5, 80, 5, 0, 0, 0, 0, 0),  # what cannot be
    ]
    replay(monkeypatch, "cpu_times", *times)
    share = CpuShare()
    expected = [None, pytest.approx(0.3), None, None, 1.0, pytest.approx(10 / 14), None]
    assert [share.now() for _ in times] == expected


def test_windows_counts_interrupts_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    replay(monkeypatch, "cpu_times", WindowsTimes(10, 10, 80, 0, 0), WindowsTimes(15, 15, 165, 3, 2))
    share = CpuShare()
    assert [share.now(), share.now()] == [None, pytest.approx(0.15)]


def hwmon(root: Path, number: int, chip: str, **files: str) -> None:
    write(root / f"sys/class/hwmon/hwmon{number}", name=f"{chip}\n", **files)


def temperature(root: Path) -> float | None:
    return CpuTemperature(root).now()


def test_the_processors_temperature_among_all_others(tmp_path: Path) -> None:
    assert temperature(tmp_path) is None
    write(tmp_path / "sys/class/thermal/thermal_zone0", type="acpitz\n", temp="27800\n")
    assert temperature(tmp_path) is None
    write(tmp_path / "sys/class/thermal/thermal_zone1", type="x86_pkg_temp\n", temp="61000\n")
    assert temperature(tmp_path) == 61
    hwmon(tmp_path, 0, "nvme", temp1_input="40000\n")
    hwmon(
        tmp_path, 2, "k10temp", temp1_input="65000\n", temp1_label="Tctl\n", temp3_input="55000\n", temp3_label="Tdie\n"
    )
    assert temperature(tmp_path) == 55
    hwmon(tmp_path, 1, "coretemp", temp2_input="50000\n", temp1_input="58000\n", temp1_label="Package id 0\n")
    assert temperature(tmp_path) == 58


def test_a_temperature_that_stops_is_not_known(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "cpu_thermal", temp1_input="48300\n")
    sensor = CpuTemperature(tmp_path)
    assert sensor.now() == pytest.approx(48.3)
    hwmon(tmp_path, 0, "cpu_thermal", temp1_input="")
    assert sensor.now() is None


def io(read: int, written: int) -> Any:
    return SimpleNamespace(read_bytes=read, write_bytes=written, bytes_recv=read, bytes_sent=written)


def test_the_disk_that_holds_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(disk, "_device_of", lambda _folder: "nvme0n1p2")
    answers = [(1000, 500), (3000, 500), (100, 600), (1100, 700)]
    replay(monkeypatch, "disk_io_counters", *({"sda1": io(9, 9), "nvme0n1p2": io(*answer)} for answer in answers))
    place = disk.Disk(tmp_path)
    uses = [place.use(at) for at in (0, 2, 4, 5)]
    assert [use.read_bytes_s for use in uses] == [None, 1000, None, 1000]
    assert [use.write_bytes_s for use in uses] == [None, 0, 50, 100]


@pytest.mark.parametrize(
    ("platform", "names", "found"),
    [("linux", ["sda"], False), ("win32", ["PhysicalDrive0"], True), ("darwin", ["disk0", "disk4"], False)],
)
def test_a_disk_without_name_is_known_only_if_there_is_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, names: list[str], found: bool
) -> None:
    monkeypatch.setattr(disk, "_device_of", lambda _folder: None)
    monkeypatch.setattr(disk.sys, "platform", platform)
    replay(monkeypatch, "disk_io_counters", *({name: io(at, at) for name in names} for at in (0, 10)))
    place = disk.Disk(tmp_path)
    place.use(0)
    assert place.use(1).read_bytes_s == (10 if found else None)


@pytest.mark.skipif(sys.platform != "linux", reason="the counters of other systems are not those of volumes")
def test_the_disk_of_this_computer_has_counters() -> None:
    found = disk._device_of(Path("/"))  # pyright: ignore[reportPrivateUsage]
    assert found is None or found in psutil.disk_io_counters(perdisk=True)


def test_the_network_without_what_stays_inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    replay(
        monkeypatch,
        "net_io_counters",
        {"lo": io(0, 0), "eth0": io(100, 100), "wlan0": io(7, 7)},
        {"lo": io(9000, 9000), "eth0": io(300, 100), "wlan0": io(17, 9)},
        {"lo": io(9000, 9000), "eth0": io(0, 0), "wlan0": io(17, 9)},
    )
    network = Network(tmp_path)
    rates = [tuple(network.use(at)) for at in (0, 2, 4)]
    assert rates == [(None, None), (105, 1), (None, None)]


def test_bridges_and_tunnels_count_what_the_cards_have_counted(tmp_path: Path) -> None:
    names = ["lo", "Loopback Pseudo-Interface 1", "lo0", "eth0", "docker0", "wg0"]
    assert worth_counting(names, tmp_path) == {"eth0", "docker0", "wg0"}
    (tmp_path / "eth0" / "device").mkdir(parents=True)
    assert worth_counting(names, tmp_path) == {"eth0"}


class FamilyOf:
    """Stands in for `Family`: processes whose counters a test sets."""

    def __init__(self, *processes: Any) -> None:
        self.members = processes

    def processes(self) -> tuple[Any, ...]:
        return self.members


def running(pid: int, seconds: float, resident: int) -> Any:
    return SimpleNamespace(
        pid=pid,
        cpu_times=lambda: SimpleNamespace(user=seconds / 2, system=seconds / 2),
        memory_info=lambda: SimpleNamespace(rss=resident),
    )


def ended(pid: int) -> Any:
    def gone() -> Any:
        raise psutil.NoSuchProcess(pid)

    return SimpleNamespace(pid=pid, cpu_times=gone, memory_info=gone)


def test_our_share_counts_cores_and_children(tmp_path: Path) -> None:
    clock = ManualClock()
    family: Any = FamilyOf(running(1, 10, 100), running(2, 4, 50))
    reader = HostReader(tmp_path, family, clock=clock)
    reader.sample()
    clock.now += 2
    family.members = (running(1, 11, 120), running(2, 6, 60), running(3, 500, 5))
    sample = reader.sample()
    assert (sample.our_cpu, sample.our_memory_bytes) == (1.5, 185)
    clock.now += 2
    family.members = (running(1, 12, 120), ended(2), running(3, 500, 5))
    sample = reader.sample()
    assert (sample.our_cpu, sample.our_memory_bytes) == (0.5, 125)


def test_a_child_belongs_to_the_family_while_it_runs() -> None:
    clock = ManualClock()
    family = Family(clock)
    before = family.processes()
    assert before[0].pid == psutil.Process().pid
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as child:
        clock.now += 4
        assert child.pid not in family.pids()  # looking is dear: not at every sample
        clock.now += 2
        assert child.pid in family.pids()
        assert family.processes()[0] is before[0]
        child.communicate(b"\n")
    clock.now += 6
    assert child.pid not in family.pids()


@pytest.mark.skipif(sys.platform != "linux", reason="no other system has name spaces of processes")
def test_whether_the_driver_counts_processes_as_we_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert drivers_pids_are_ours(tmp_path)
    write(tmp_path / "proc/self/ns", pid="")  # a name space of its own, as in a container
    assert not drivers_pids_are_ours(tmp_path)
    monkeypatch.setattr(sys, "platform", "win32")
    assert drivers_pids_are_ours(tmp_path)

"""Which readers there are, by system; and that they run here as they are."""

from pathlib import Path

import pytest

from codette_desktop.domain.telemetry import SensorStatus
from codette_desktop.hardware.sensors.available import available_readers, sensors
from codette_desktop.hardware.sensors.family import Family
from codette_desktop.hardware.sensors.sampler import Sampler
from tests.support.sensor_readers import Samples


@pytest.mark.parametrize(
    ("system", "machine", "vendors"),
    [
        ("Linux", "x86_64", ["nvidia", "amd", "intel"]),
        ("Windows", "AMD64", ["nvidia"]),
        ("Darwin", "arm64", ["apple"]),
        ("Darwin", "x86_64", []),
    ],
)
def test_the_readers_of_a_system(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, vendors: list[str]
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert [reader.vendor for reader in available_readers(Family())] == vendors


def test_this_computers_sensors(tmp_path: Path) -> None:
    sampler, samples = Sampler(*sensors(tmp_path)), Samples()
    sampler.subscribe(samples)
    sampler.start()
    try:
        sample = samples.next()
    finally:
        sampler.close()
    assert sample.host.memory_total_bytes
    assert all(device.status in set(SensorStatus) for device in sample.devices)

"""Joules between two moments, from counters and from power."""

import pytest

from codette_desktop.domain.telemetry import DeviceSample, Sample, SensorStatus
from codette_desktop.monitoring.energy import EnergyMeter, integrated


def sample(at: float, **device: float) -> Sample:
    return Sample(at, 1.0, devices=(DeviceSample("gpu:0", **device),))  # type: ignore[arg-type]


def test_a_counter_is_exact_between_its_values() -> None:
    meter = EnergyMeter()
    for second in range(11):
        meter.add(sample(100.0 + second, energy_j=1000 + 50 * second, power_w=999))
    assert meter.between(102, 105) == pytest.approx(150)
    assert meter.between(102.5, 102.75) == pytest.approx(12.5)
    assert meter.between(109, 110.5) is None  # the next sample will tell


def test_power_is_integrated_where_there_is_no_counter() -> None:
    meter = EnergyMeter()
    for second in range(11):
        meter.add(sample(float(second), power_w=10.0 * second))
    assert meter.between(2, 6) == pytest.approx(10 * (6**2 - 2**2) / 2)


@pytest.mark.parametrize(("start", "end"), [(0.0, 2.0), (130.0, 140.0), (95.0, 130.0)])
def test_beyond_what_was_measured_nothing_is_known(start: float, end: float) -> None:
    points = [(100.0 + second, 50.0) for second in range(11)]
    assert integrated(points, start, end) is None


def test_a_gap_in_between_is_not_filled() -> None:
    assert integrated([(0.0, 50.0), (40.0, 50.0)], 0, 40) is None
    assert integrated([(0.0, 50.0), (10.0, 50.0)], 0, 10) == 500


def test_devices_are_added_up_and_those_that_tell_nothing_left_out() -> None:
    meter = EnergyMeter()
    for second in range(3):
        devices = (
            DeviceSample("gpu:0", power_w=10.0),
            DeviceSample("gpu:1", energy_j=100.0 + 5 * second),
            DeviceSample("gpu:2"),
            DeviceSample("gpu:3", SensorStatus.STALE, power_w=1e9),
        )
        meter.add(Sample(float(second), 1.0, devices=devices))
    assert meter.between(0, 2) == pytest.approx(30)
    assert EnergyMeter().between(0, 2) is None


def test_a_counter_that_began_anew_is_not_negative() -> None:
    meter = EnergyMeter()
    for at, joules in ((0.0, 900.0), (1.0, 950.0), (2.0, 10.0), (3.0, 2000.0)):
        meter.add(sample(at, energy_j=joules))
    assert meter.between(0.5, 3) is None  # though it has overtaken where it was
    assert meter.between(0.5, 1) == pytest.approx(25)
    assert meter.between(2, 3) == pytest.approx(1990)

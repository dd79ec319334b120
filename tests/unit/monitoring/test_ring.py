"""The last hour in memory."""

import math

from codette_desktop.domain.series import ENGINE, HOST, Series, SeriesName
from codette_desktop.domain.telemetry import DeviceSample, EngineSample, HostSample, Sample
from codette_desktop.monitoring.history import grouped, joined
from codette_desktop.monitoring.ring import SampleRing

CPU = SeriesName(HOST, "cpu")
POWER = SeriesName("gpu:0", "power_w")


def sample(at: float, cpu: float | None = 0.5, *, power: float | None = None) -> Sample:
    devices = () if power is None else (DeviceSample("gpu:0", power_w=power),)
    return Sample(at, 1.0, HostSample(cpu=cpu), devices, EngineSample(tokens=3))


def test_what_is_not_known_is_a_gap_and_late_devices_begin_with_one() -> None:
    ring = SampleRing()
    ring.add(sample(1.0))
    ring.add(sample(2.0, None, power=20.0))
    found = ring.series([CPU, POWER, SeriesName("gpu:9", "power_w")], 0, 10)
    assert found[CPU].at.tolist() == [1.0, 2.0]
    assert found[CPU].mean[0] == 0.5
    assert math.isnan(found[CPU].mean[1])
    assert math.isnan(found[POWER].mean[0])
    assert found[POWER].high[1] == 20.0
    assert found[SeriesName("gpu:9", "power_w")] == Series()
    assert found[CPU].step_s == 1.0


def test_periods_are_half_open_and_old_samples_leave() -> None:
    ring = SampleRing(capacity=10)
    for second in range(100):
        ring.add(sample(float(second)))
    found = ring.series([CPU], 92, 95)[CPU]
    assert found.at.tolist() == [92.0, 93.0, 94.0]
    assert ring.start is not None
    assert 85 <= ring.start <= 90
    assert ring.version == 100
    assert ring.series([SeriesName(ENGINE, "tokens")], 98, 200)[SeriesName(ENGINE, "tokens")].mean.tolist() == [3, 3]


def test_a_clock_set_back_leaves_no_disorder() -> None:
    ring = SampleRing()
    for at in (10.0, 11.0, 12.0, 11.0, 11.5):
        ring.add(sample(at))
    assert ring.series([CPU], 0, 99)[CPU].at.tolist() == [10.0, 11.0, 11.5]


def test_steps_are_grouped_with_their_lowest_and_highest() -> None:
    ring = SampleRing()
    for second in range(120, 240):
        ring.add(sample(float(second), None if second >= 180 else second / 100))
    made = grouped(ring.series([CPU], 0, 999)[CPU], 60)
    assert made.at.tolist() == [120.0, 180.0]
    assert made.low[0] == 1.2
    assert made.high[0] == 1.79
    assert math.isclose(made.mean[0], 1.495)
    assert math.isnan(made.mean[1])
    both = joined(made, grouped(ring.series([CPU], 200, 240)[CPU], 60))
    assert both.at.tolist() == [120.0, 180.0, 180.0]
    assert both.step_s == 60


def test_what_is_counted_is_told_per_second_however_far_apart_samples_are() -> None:
    ring, tokens = SampleRing(), SeriesName(ENGINE, "tokens")
    for at, interval in ((1.0, 1.0), (6.0, 5.0), (6.5, 0.5), (7.0, 0.0)):
        ring.add(Sample(at, interval, engine=EngineSample(running=2, tokens=10)))
    found = ring.series([tokens, SeriesName(ENGINE, "running")], 0, 10)
    assert found[tokens].mean.tolist() == [10.0, 2.0, 20.0, 10.0]
    assert set(found[SeriesName(ENGINE, "running")].mean) == {2.0}

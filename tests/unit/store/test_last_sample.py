"""The newest sample comes back as it was."""

from dataclasses import replace

from codette_desktop.domain.telemetry import DeviceSample, HostSample, Sample, SensorStatus
from codette_desktop.store import Store
from tests.support.measured_examples import AT, DEVICE, SAMPLE


def test_the_newest_is_read_with_its_devices_and_all_that_is_not_known(store: Store) -> None:
    assert store.telemetry.last(AT) is None
    other = DeviceSample("gpu:10", SensorStatus.STALE)
    second = replace(DEVICE, device="gpu:2", throttled=(), power_w=None)
    newest = replace(SAMPLE, at=AT + 0.25, host=HostSample(cpu=0.5), devices=(DEVICE, second, other))
    store.telemetry.add([newest, SAMPLE]).result()
    assert store.telemetry.last(AT + 0.25) == newest
    store.telemetry.add([Sample(AT + 1, 1.0)]).result()
    assert store.telemetry.last(AT + 2) == Sample(AT + 1, 1.0)


def test_what_a_clock_that_was_ahead_sampled_is_not_the_present(store: Store) -> None:
    store.telemetry.add([SAMPLE, replace(SAMPLE, at=AT + 86_400)]).result()
    assert store.telemetry.last(AT + 1) == SAMPLE
    assert store.telemetry.last(AT - 1) is None

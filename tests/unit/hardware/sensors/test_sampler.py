"""The sampler keeps its pace and publishes, whatever its sensors and subscribers do."""

import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from codette_desktop.domain.telemetry import DeviceSample, EngineSample, HostSample, Sample, SensorStatus
from codette_desktop.hardware.sensors.sampler import Sampler
from tests.support.sensor_readers import PATIENCE_S, Samples, ScriptedHost, ScriptedReader
from tests.support.sensor_times import ManualClock

OK, STALE, MISSING = SensorStatus.OK, SensorStatus.STALE, SensorStatus.MISSING
Make = Callable[..., tuple[Sampler, Samples]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def host() -> ScriptedHost:
    return ScriptedHost()


@pytest.fixture
def make(clock: ManualClock, host: ScriptedHost) -> Iterator[Make]:
    """Makes samplers on the test's clock, and closes them."""
    made: list[Sampler] = []

    def sampler(*readers: ScriptedReader, **settings: Any) -> tuple[Sampler, Samples]:
        made.append(Sampler(readers, host, **{"clock": clock, **settings}))
        samples = Samples()
        made[-1].subscribe(samples)
        return made[-1], samples

    yield sampler
    for one in made:
        one.close()


def statuses(sample: Sample) -> list[SensorStatus]:
    return [device.status for device in sample.devices]


def test_all_sensors_in_one_sample(make: Make, clock: ManualClock) -> None:
    sampler, samples = make(ScriptedReader("a", "b"), ScriptedReader("a", vendor="amd"))
    assert (sampler.latest, sampler.devices) == (None, ())
    sampler.start()
    first = samples.next()
    assert first == Sample(
        at=1.7e9 + 1000,
        interval_s=1,
        host=HostSample(cpu=0.01),
        devices=tuple(DeviceSample(f"gpu:{number}", utilisation=0.01) for number in range(3)),
    )
    assert [(info.device, info.name, info.vendor) for info in sampler.devices] == [
        ("gpu:0", "Card a", "nvidia"),
        ("gpu:1", "Card b", "nvidia"),
        ("gpu:2", "Card a", "amd"),
    ]
    clock.advance(1)
    assert samples.next().host == HostSample(cpu=0.02)
    assert sampler.latest is not None
    assert sampler.latest.at == 1.7e9 + 1001


def test_the_pace_does_not_drift(make: Make, clock: ManualClock) -> None:
    sampler, samples = make()
    sampler.start()
    came = [samples.next()]
    for late in (1.03, 0.99, 1.01, 0.98, 1.02):
        clock.advance(late)
        came.append(samples.next())
    assert [sample.at - 1.7e9 - 1000 for sample in came] == pytest.approx([0, 1.03, 2.02, 3.03, 4.01, 5.03])
    assert [sample.interval_s for sample in came] == pytest.approx([1, 1.03, 0.99, 1.01, 0.98, 1.02])
    clock.advance(0.96)
    time.sleep(0.05)
    assert samples.empty
    clock.advance(0.02)
    samples.next()


def test_samples_missed_while_the_computer_slept_are_not_made_up_for(make: Make, clock: ManualClock) -> None:
    sampler, samples = make()
    sampler.start()
    samples.next()
    clock.advance(3600.5)
    assert samples.next().interval_s == 3600.5
    clock.advance(0.4)
    time.sleep(0.05)
    assert samples.empty
    clock.advance(0.1)
    assert samples.next().interval_s == pytest.approx(0.5)


def test_another_interval_counts_from_the_last_sample(make: Make, clock: ManualClock) -> None:
    sampler, samples = make(interval_s=10)
    sampler.start()
    samples.next()
    clock.advance(4)
    sampler.set_interval(5)
    clock.advance(1)
    assert samples.next().interval_s == 5
    clock.advance(2)
    sampler.set_interval(1)
    assert samples.next().interval_s == 2
    clock.advance(1)
    assert samples.next().interval_s == 1


@pytest.mark.parametrize(("wanted", "kept"), [(0.01, 0.5), (99, 10.0)])
def test_an_interval_has_its_limits(make: Make, clock: ManualClock, wanted: float, kept: float) -> None:
    sampler, samples = make()
    sampler.set_interval(wanted)
    sampler.start()
    samples.next()
    clock.advance(kept - 0.1)
    time.sleep(0.05)
    assert samples.empty
    clock.advance(0.1)
    assert samples.next().interval_s == pytest.approx(kept)


def test_nobody_looks(make: Make, clock: ManualClock) -> None:
    sampler, samples = make()
    sampler.start()
    samples.next()
    sampler.set_hidden(True)
    clock.advance(4.9)
    time.sleep(0.05)
    assert samples.empty
    clock.advance(0.1)
    assert samples.next().interval_s == pytest.approx(5)
    clock.advance(1.5)
    sampler.set_hidden(False)
    assert samples.next().interval_s == pytest.approx(1.5)  # at once, as somebody looks again


def test_a_slow_interval_is_not_made_faster_by_hiding(make: Make, clock: ManualClock) -> None:
    sampler, samples = make(interval_s=10)
    sampler.set_hidden(True)
    sampler.start()
    samples.next()
    clock.advance(9)
    time.sleep(0.05)
    assert samples.empty
    clock.advance(1)
    samples.next()


def test_a_reader_that_hangs_is_stale_and_holds_up_nobody(make: Make, clock: ManualClock) -> None:
    hangs, well = ScriptedReader("a", "b"), ScriptedReader("c", vendor="amd")
    sampler, samples = make(hangs, well, timeout_s=0.05)
    sampler.start()
    assert statuses(samples.next()) == [OK, OK, OK]
    hangs.hang()
    clock.advance(1)
    sample = samples.next()
    assert sample.devices[:2] == (DeviceSample("gpu:0", STALE), DeviceSample("gpu:1", STALE))
    assert sample.devices[2] == DeviceSample("gpu:2", utilisation=0.02)

    started = time.monotonic()
    for _ in range(20):
        clock.advance(1)
        assert statuses(samples.next()) == [STALE, STALE, OK]
    assert time.monotonic() - started < 20 * 0.05  # it is not waited for again

    hangs.answer()
    back = samples.until(lambda sample: statuses(sample) == [OK, OK, OK], lambda: clock.advance(1))
    assert back.devices[0].utilisation is not None
    assert back.devices[0].utilisation > 0.01


def test_an_answer_that_came_too_late_is_thrown_away(make: Make, clock: ManualClock) -> None:
    reader = ScriptedReader("a")
    sampler, samples = make(reader, timeout_s=0.05)
    reader.hang()
    sampler.start()
    assert samples.next().devices == ()  # it has not even said what it has
    reader.answer()
    while reader.samples < 1:
        time.sleep(0.001)
    time.sleep(0.01)
    clock.advance(1)
    assert samples.next().devices == (DeviceSample("gpu:0", utilisation=0.02),)


def test_a_computer_that_hangs_is_not_known(make: Make, clock: ManualClock, host: ScriptedHost) -> None:
    host.reader.hang()
    sampler, samples = make(ScriptedReader("a"), timeout_s=0.05)
    sampler.start()
    sample = samples.next()
    assert (sample.host, statuses(sample)) == (HostSample(), [OK])
    host.reader.answer()
    samples.until(lambda sample: sample.host.cpu is not None, lambda: clock.advance(1))


def test_all_read_at_the_same_time(make: Make) -> None:
    """Two that wait for each other can answer only if both have been asked."""
    meeting = threading.Barrier(2, timeout=PATIENCE_S)

    class Meets(ScriptedReader):
        def sample(self) -> tuple[DeviceSample, ...]:
            meeting.wait()
            return super().sample()

    sampler, samples = make(Meets("a"), Meets("b"))
    sampler.start()
    assert statuses(samples.next()) == [OK, OK]


@pytest.mark.allow_log("the sensor nvidia fails")
def test_a_reader_that_raises_is_stale_and_said_so_once(
    make: Make, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    raises, well = ScriptedReader("a"), ScriptedReader("b", vendor="amd")
    sampler, samples = make(raises, well)
    sampler.start()
    samples.next()
    raises.error = ZeroDivisionError("no such thing")
    for _ in range(3):
        clock.advance(1)
        assert statuses(samples.next()) == [STALE, OK]
    raises.error = None
    clock.advance(1)
    assert statuses(samples.next()) == [OK, OK]
    assert len([record for record in caplog.records if "fails" in record.getMessage()]) == 1


def test_devices_keep_their_numbers_when_others_come_and_go(make: Make, clock: ManualClock) -> None:
    first, second = ScriptedReader("a", "b"), ScriptedReader(vendor="amd")
    sampler, samples = make(first, second)
    sampler.start()
    samples.next()
    second.devices = ["c"]
    clock.advance(1)
    samples.next()
    first.devices = ["d", "b"]
    first.missing = {"b"}
    clock.advance(1)
    sample = samples.next()
    assert [device.device for device in sample.devices] == ["gpu:0", "gpu:1", "gpu:2", "gpu:3"]
    assert statuses(sample) == [MISSING, MISSING, OK, OK]
    assert [info.name for info in sampler.devices] == ["Card a", "Card b", "Card c", "Card d"]


def test_the_engine_is_asked_for_the_time_since_the_last_sample(make: Make, clock: ManualClock) -> None:
    asked: list[float] = []

    def engine(interval_s: float) -> EngineSample:
        asked.append(interval_s)
        return EngineSample(tokens=len(asked))

    sampler, samples = make(engine=engine)
    sampler.start()
    first = samples.next()
    clock.advance(1.25)
    assert (first.engine.tokens, samples.next().engine.tokens) == (1, 2)
    assert asked == [1, 1.25]


@pytest.mark.allow_log("the engine does not tell")
def test_an_engine_that_raises_costs_its_own_figures_alone(
    make: Make, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def engine(_interval_s: float) -> EngineSample:
        raise RuntimeError("closed")

    sampler, samples = make(ScriptedReader("a"), engine=engine)
    sampler.start()
    samples.next()
    clock.advance(1)
    sample = samples.next()
    assert (sample.engine, statuses(sample), sample.host.cpu) == (EngineSample(), [OK], 0.02)
    assert len(caplog.records) == 1


@pytest.mark.allow_log("a subscriber of the sensors fails")
def test_a_subscriber_that_raises_stops_nobody_and_is_called_again(
    make: Make, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    sampler, _ = make()
    called: list[Sample] = []

    def raises(sample: Sample) -> None:
        called.append(sample)
        raise ValueError("cannot draw")

    sampler.subscribe(raises)
    after = Samples()
    sampler.subscribe(after)
    sampler.start()
    after.next()
    for _ in range(2):
        clock.advance(1)
        after.next()
    assert len(called) == 3
    assert len(caplog.records) == 1


def test_who_unsubscribed_hears_no_more_and_the_others_do(make: Make, clock: ManualClock) -> None:
    sampler, samples = make()
    gone = Samples()
    unsubscribe = sampler.subscribe(gone)
    sampler.start()
    samples.next()
    gone.next()
    unsubscribe()
    unsubscribe()
    clock.advance(1)
    samples.next()
    assert gone.empty


def test_closing_ends_all_threads_and_sensors_and_publishes_no_more(host: ScriptedHost) -> None:
    before = set(threading.enumerate())
    readers = ScriptedReader("a"), ScriptedReader("b", vendor="amd")
    sampler, samples = Sampler(readers, host), Samples()
    sampler.subscribe(samples)
    sampler.start()
    samples.next()
    sampler.close()
    assert set(threading.enumerate()) == before
    assert [readers[0].closed, readers[1].closed, host.reader.closed] == [1, 1, 1]
    sampler.close()
    assert readers[0].closed == 1
    assert samples.empty


def test_closing_while_a_sensor_hangs_does_not_wait_for_it(host: ScriptedHost) -> None:
    hangs, well = ScriptedReader("a"), ScriptedReader("b", vendor="amd")
    sampler, samples = Sampler((hangs, well), host, timeout_s=0.05), Samples()
    sampler.subscribe(samples)
    hangs.hang()
    sampler.start()
    samples.next()
    started = time.monotonic()
    sampler.close()
    assert time.monotonic() - started < 0.9
    assert (hangs.closed, well.closed, host.reader.closed) == (0, 1, 1)
    hangs.answer()  # left behind: it ends, and closes its sensor, when it comes to
    end = time.monotonic() + PATIENCE_S
    while not hangs.closed and time.monotonic() < end:
        time.sleep(0.001)
    assert hangs.closed == 1


def test_closing_in_the_middle_of_a_sample(host: ScriptedHost) -> None:
    hangs = ScriptedReader("a")
    sampler, samples = Sampler((hangs,), host, interval_s=10, timeout_s=5), Samples()
    sampler.subscribe(samples)
    hangs.hang()
    sampler.start()
    assert hangs.hanging.wait(PATIENCE_S)
    started = time.monotonic()
    sampler.close()
    assert time.monotonic() - started < 1.4  # not the five seconds it would have waited
    assert samples.empty
    hangs.answer()


def test_closing_from_a_subscriber(host: ScriptedHost) -> None:
    sampler, closed = Sampler((), host), threading.Event()

    def close(_sample: Sample) -> None:
        sampler.close()
        closed.set()

    sampler.subscribe(close)
    sampler.start()
    assert closed.wait(PATIENCE_S)


def test_a_sampler_that_never_started_closes_its_sensors(host: ScriptedHost) -> None:
    reader = ScriptedReader("a")
    Sampler((reader,), host).close()
    assert (reader.closed, host.reader.closed, reader.samples) == (1, 1, 0)


def test_a_sampler_in_real_time(host: ScriptedHost) -> None:
    sampler, samples = Sampler((ScriptedReader("a"),), host), Samples()
    sampler.subscribe(samples)
    sampler.start()
    first = samples.next()
    time.sleep(0.1)
    sampler.set_interval(0.5)
    second = samples.next()
    sampler.close()
    assert abs(first.at - time.time()) < PATIENCE_S
    assert 0.4 < second.interval_s < PATIENCE_S
    gc.collect()

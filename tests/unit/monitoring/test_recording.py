"""Samples on their way to the database: in batches, by one process, and no more of them than a slow disk bears."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.domain.series import HOST, SeriesName
from codette_desktop.domain.telemetry import DeviceInfo, HostSample, Mark, MarkKind, Sample
from codette_desktop.monitoring.recording import FLUSH_S, MOST_WAITING, SampleRecorder
from codette_desktop.store import Store

CPU = SeriesName(HOST, "cpu")
START = 1_700_000_000.0


class Clock:
    now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def sample(at: float) -> Sample:
    return Sample(at, 1.0, HostSample(cpu=0.5))


def taken(recorder: SampleRecorder, clock: Clock, seconds: int, devices: tuple[DeviceInfo, ...] = ()) -> None:
    for _ in range(seconds):
        clock.now += 1
        recorder.add(sample(clock.now), devices)


def kept(store: Store) -> int:
    return len(store.telemetry.series([CPU], START, START + 100_000, points=100_000)[CPU].at)


def held(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], Callable[[], None]]:
    """A disk that does not answer: how many samples each write had, and what lets the first write come back."""
    sizes: list[int] = []
    writes: list[Future[None]] = []

    def add(samples: Any) -> "Future[None]":
        sizes.append(len(samples))
        writes.append(Future())
        return writes[-1]

    monkeypatch.setattr(store.telemetry, "add", add)
    return sizes, lambda: writes[0].set_result(None)


def test_samples_are_written_every_ten_seconds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def add(samples: Any) -> "Future[None]":
        sizes.append(len(samples))
        done: Future[None] = Future()
        done.set_result(None)
        return done

    monkeypatch.setattr(store.telemetry, "add", add)
    clock = Clock()
    taken(SampleRecorder(store, clock), clock, 35)
    assert sizes == [1, FLUSH_S, FLUSH_S, FLUSH_S]


def test_all_that_was_taken_is_kept_after_the_last_flush(tmp_path: Path) -> None:
    clock = Clock()
    with Store.open(tmp_path) as store:
        recorder = SampleRecorder(store, clock)
        taken(recorder, clock, 25, (DeviceInfo("gpu:0", "Card", "nvidia"),))
        recorder.mark(Mark(clock.now, MarkKind.JOB, "Done"))
        recorder.flush(last=True)
    with Store.open(tmp_path) as store:
        assert kept(store) == 25
        assert [info.name for info in store.telemetry.devices()] == ["Card"]
        assert [mark.text for mark in store.telemetry.marks(START, clock.now + 1)] == ["Done"]


def test_a_disk_that_does_not_answer_is_given_nothing_more_and_the_oldest_leave(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    recorder = SampleRecorder(store, clock)
    sizes, answer = held(store, monkeypatch)
    taken(recorder, clock, 2 * MOST_WAITING)
    assert sizes == [1]  # the first sample; nothing piles up behind it
    answer()
    taken(recorder, clock, int(FLUSH_S))
    assert sizes == [1, MOST_WAITING]
    recorder.add(sample(clock.now + 1), ())
    recorder.flush(last=True)
    assert len(sizes) == 3  # at the end it does not wait


def test_a_clock_set_back_holds_nothing_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    recorder = SampleRecorder(store, clock)
    taken(recorder, clock, 30)
    clock.now -= 3600
    sizes, _answer = held(store, monkeypatch)
    recorder._write = None
    recorder.add(sample(clock.now), ())
    assert sizes


def test_minutes_are_made_once_a_minute(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    rolled: list[float] = []

    def roll_up(now: float) -> "Future[None]":
        rolled.append(now - START)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    monkeypatch.setattr(store.telemetry, "roll_up", roll_up)
    taken(SampleRecorder(store, clock), clock, 130)
    assert rolled == [1, 61, 121]


def test_a_second_process_records_nothing_until_the_first_has_ended(tmp_path: Path) -> None:
    clock = Clock()
    first = Store.open(tmp_path)
    second = Store.open(tmp_path)
    try:
        recorder = SampleRecorder(second, clock)
        taken(recorder, clock, 100)
        recorder.mark(Mark(clock.now, MarkKind.JOB, "Done"))
        recorder.flush(last=True)
        assert not second.is_primary
        first.close()
        taken(recorder, clock, 70)
        assert second.is_primary
        recorder.flush(last=True)
    finally:
        first.close()
        second.close()
    with Store.open(tmp_path) as store:
        assert 10 <= kept(store) <= 70
        assert store.telemetry.marks(START, clock.now + 1) == []

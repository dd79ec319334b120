"""Samples: kept, read as curves and sums, reckoned up and removed."""

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.domain.errors import InvalidRequest, StoreError, StoreFull
from codette_desktop.domain.series import (
    COUNTED_FIELDS,
    DEVICE_FIELDS,
    ENGINE,
    ENGINE_FIELDS,
    HOST,
    HOST_FIELDS,
    Series,
    SeriesName,
)
from codette_desktop.domain.telemetry import (
    DeviceInfo,
    DeviceSample,
    EngineSample,
    HostSample,
    Mark,
    MarkKind,
    Sample,
    SensorStatus,
    TelemetrySums,
)
from codette_desktop.store import Store, access, removal, telemetry_schema

CPU, TOKENS = SeriesName(HOST, "cpu"), SeriesName(ENGINE, "tokens")
POWER = SeriesName("gpu:0", "power_w")
T0 = 1_800_000_000.0  # a whole hour
HOUR, DAY = 3_600.0, 86_400.0


def sample(at: float, cpu: float | None = 0.5, tokens: int = 0, interval: float = 1.0, **device: Any) -> Sample:
    devices = (DeviceSample("gpu:0", **device),) if device else ()
    return Sample(at, interval, HostSample(cpu=cpu), devices, EngineSample(tokens=tokens))


def keep(store: Store, samples: Sequence[Sample]) -> None:
    store.telemetry.add(samples).result()


def curve(store: Store, name: SeriesName, start: float, end: float, points: int = 720) -> Series:
    return store.telemetry.series([name], start, end, points)[name]


def rows(store: Store, table: str) -> int:
    with store._access.read() as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_there_is_a_column_for_everything_that_is_sampled() -> None:
    """Who adds a field has to add a migration, too: the tables of others do not grow by themselves."""
    assert telemetry_schema.HOST_COLUMNS == HOST_FIELDS
    assert telemetry_schema.ENGINE_COLUMNS == ENGINE_FIELDS
    assert telemetry_schema.DEVICE_COLUMNS == DEVICE_FIELDS
    assert not set(HOST_FIELDS) & set(ENGINE_FIELDS)
    assert set(COUNTED_FIELDS) <= set(ENGINE_FIELDS)


def test_samples_come_back_as_curves(store: Store) -> None:
    keep(store, [sample(T0 + second, second / 10, power_w=100.0 + second) for second in range(5)])
    found = store.telemetry.series([CPU, POWER], T0 + 1, T0 + 4)
    assert list(found[CPU].at) == [T0 + 1, T0 + 2, T0 + 3]
    assert list(found[CPU].mean) == list(found[CPU].low) == list(found[CPU].high) == [0.1, 0.2, 0.3]
    assert list(found[POWER].mean) == [101.0, 102.0, 103.0]
    assert found[CPU].step_s == 1.0


def test_all_fields_are_kept(store: Store) -> None:
    host = HostSample(*range(len(HOST_FIELDS)))
    engine = EngineSample(*range(20, 20 + len(ENGINE_FIELDS)))
    values: dict[str, Any] = {name: 40 + place for place, name in enumerate(DEVICE_FIELDS)}
    device = DeviceSample("gpu:1", SensorStatus.STALE, **values, throttled=("power", "heat"))
    keep(store, [Sample(T0, 1.0, host, (device,), engine)])
    wanted = {SeriesName(HOST, name): getattr(host, name) for name in HOST_FIELDS}
    wanted |= {SeriesName(ENGINE, name): getattr(engine, name) for name in ENGINE_FIELDS}
    wanted |= {SeriesName("gpu:1", name): value for name, value in values.items()}
    found = store.telemetry.series(list(wanted), T0, T0 + 1)
    assert {name: found[name].mean[0] for name in wanted} == wanted
    with store._access.read() as connection:
        row = connection.execute("SELECT status, throttled FROM device_samples").fetchone()
    assert tuple(row) == ("stale", "power,heat")


def test_what_is_no_number_is_not_known(store: Store) -> None:
    keep(store, [sample(T0, math.nan), sample(T0 + 1, math.inf), sample(T0 + 2, -math.inf), sample(T0 + 3, None)])
    keep(store, [sample(T0 + 4, 0.5, interval=math.nan)])
    assert [math.isnan(value) for value in curve(store, CPU, T0, T0 + 9).mean] == [True] * 4 + [False]
    refused = store.telemetry.add([sample(math.nan)])
    assert isinstance(refused.exception(), InvalidRequest)


def test_samples_of_the_same_moment_are_all_kept(store: Store, tmp_path: Path) -> None:
    same = [sample(T0, 0.0), sample(T0, 1.0), sample(T0 + 1e-6, 2.0)]
    keep(store, same)
    with Store.open(tmp_path) as other:
        keep(other, same)
    assert rows(store, "samples") == 6
    found = curve(store, CPU, T0, T0 + 1)
    assert (list(found.low), list(found.mean), list(found.high)) == ([0.0], [1.0], [2.0])


def test_steps_hold_what_lies_in_them_and_stand_still_while_time_goes_on(store: Store) -> None:
    keep(store, [sample(T0 + second, float(second)) for second in range(100)])
    found = curve(store, CPU, T0, T0 + 100, points=10)
    assert found.step_s == 10.0
    assert list(found.at) == [T0 + 10 * step for step in range(10)]
    assert list(found.mean) == [10 * step + 4.5 for step in range(10)]
    assert (found.low[3], found.high[3]) == (30.0, 39.0)
    later = curve(store, CPU, T0 + 3, T0 + 103, points=10)
    assert list(later.at)[1:] == list(found.at)[1:]
    assert list(later.mean)[1:] == list(found.mean)[1:]


def test_a_curve_has_a_gap_where_nothing_was_sampled_but_none_where_it_was_sampled_seldom(store: Store) -> None:
    keep(store, [sample(T0 + 5 * number, 1.0, interval=5.0) for number in range(4)])
    assert list(curve(store, CPU, T0, T0 + 60).mean) == [1.0] * 4
    keep(store, [sample(T0 + 50, 2.0, interval=5.0)])
    found = curve(store, CPU, T0, T0 + 60)
    assert [None if math.isnan(value) else value for value in found.mean] == [1.0] * 4 + [None, 2.0]
    assert list(found.at) == sorted(found.at)


def test_counts_are_told_per_second(store: Store) -> None:
    keep(store, [sample(T0 + 5 * number, tokens=50, interval=5.0) for number in range(1, 13)])
    assert set(curve(store, TOKENS, T0, T0 + 61).mean) == {10.0}
    assert set(curve(store, TOKENS, T0, T0 + 61, points=3).mean) == {10.0}
    keep(store, [sample(T0 + HOUR, tokens=0)])
    store.telemetry.roll_up(T0 + 2 * HOUR).result()
    found = curve(store, TOKENS, T0, T0 + DAY)
    assert found.mean[0] == 10.0


def test_what_two_processes_counted_is_added(store: Store) -> None:
    for _process in range(2):
        keep(store, [sample(T0 + second, tokens=5) for second in range(60)])
    assert curve(store, TOKENS, T0, T0 + 60, points=6).mean[0] == 10.0
    before = store.telemetry.sums(T0, T0 + 60)
    store.telemetry.roll_up(T0 + HOUR).result()
    assert rows(store, "sample_minutes") == 1
    assert before == store.telemetry.sums(T0, T0 + 60) == TelemetrySums(seconds=60.0, tokens=600)


def test_unknown_devices_have_empty_curves_and_unknown_fields_are_refused(store: Store) -> None:
    keep(store, [sample(T0)])
    found = store.telemetry.series([CPU, SeriesName("gpu:7", "fan")], T0, T0 + 1)
    assert len(found[SeriesName("gpu:7", "fan")].at) == 0
    assert len(found[CPU].at) == 1
    assert len(curve(store, CPU, T0 + 1, T0).at) == 0
    for name in (SeriesName(HOST, "fan"), SeriesName("gpu:0", "cpu"), SeriesName(ENGINE, "x; DROP TABLE samples")):
        with pytest.raises(InvalidRequest):
            store.telemetry.series([name], T0, T0 + 1)


def test_minutes_and_hours_that_have_ended_are_reckoned(store: Store) -> None:
    keep(store, [sample(T0 + second, float(second % 100), power_w=float(second)) for second in range(2 * 3_600)])
    store.telemetry.roll_up(T0 + 1.5 * HOUR).result()
    assert rows(store, "sample_minutes") == 89  # one more minute may still be written
    assert rows(store, "sample_hours") == 1
    with store._access.read() as connection:
        hour = connection.execute("SELECT * FROM sample_hours").fetchone()
        device = connection.execute("SELECT * FROM device_minutes ORDER BY at").fetchone()
    assert (hour["at"], hour["count"], hour["seconds"]) == (T0, 3_600, 3_600.0)
    assert (hour["cpu_min"], hour["cpu_max"], hour["cpu_mean"]) == (0.0, 99.0, pytest.approx(49.5))
    assert hour["cpu_p95"] == pytest.approx(94.0, abs=0.1)
    assert hour["cpu_temperature_c_mean"] is None
    assert (device["power_w_min"], device["power_w_max"], device["power_w_p95"]) == (0.0, 59.0, pytest.approx(56.05))


def test_a_mean_is_that_over_time(store: Store) -> None:
    seldom = [sample(T0 + 5 * number, 0.0, interval=5.0) for number in range(6)]
    often = [sample(T0 + 30 + second, 1.0) for second in range(30)]
    keep(store, [*seldom, *often, sample(T0 + HOUR)])
    store.telemetry.roll_up(T0 + HOUR).result()
    with store._access.read() as connection:
        assert connection.execute("SELECT cpu_mean FROM sample_minutes ORDER BY at").fetchone()[0] == 0.5


def test_a_curve_goes_through_hours_minutes_and_samples_without_a_seam(store: Store) -> None:
    """Old hours, minutes of which the samples are gone, and the last minutes that are not reckoned yet."""
    end = T0 + 100 * HOUR
    for hours in range(0, 99, 33):
        start = T0 + hours * HOUR
        keep(store, [sample(start + 10 * number, 1.0, interval=10.0) for number in range(33 * 360)])
        store.telemetry.roll_up(start + 33 * HOUR).result()
    keep(store, [sample(end - HOUR + 10 * number, 1.0, interval=10.0) for number in range(360)])
    for span, points in ((100 * HOUR, 100), (100 * HOUR, 5_000), (30 * HOUR, 720), (HOUR, 360)):
        found = curve(store, CPU, end - span, end, points)
        assert set(found.mean) == {1.0}, span
        assert list(found.at) == sorted(set(found.at))
        assert found.at[0] <= end - span + found.step_s
        assert found.at[-1] >= end - max(found.step_s, 10.0)
        assert len(found.at) <= points + 1


def test_what_is_too_old_is_removed_but_only_once_the_next_tier_tells_of_it(store: Store) -> None:
    keep(store, [sample(T0 + 60 * number, power_w=1.0) for number in range(180)])
    store.telemetry.roll_up(T0 + 3 * HOUR + 120).result()
    assert (rows(store, "samples"), rows(store, "sample_minutes"), rows(store, "sample_hours")) == (180, 180, 3)
    store.telemetry.roll_up(T0 + DAY + HOUR).result()
    assert (rows(store, "samples"), rows(store, "device_samples")) == (120, 120)
    store.telemetry.roll_up(T0 + 90 * DAY + HOUR).result()
    assert (rows(store, "samples"), rows(store, "sample_minutes"), rows(store, "device_minutes")) == (0, 120, 120)
    store.telemetry.roll_up(T0 + 800 * DAY).result()
    assert [rows(store, table) for table in ("sample_minutes", "sample_hours", "device_hours")] == [0, 0, 0]


def test_a_short_period_of_long_ago_is_told_by_what_is_left_of_it(store: Store) -> None:
    keep(store, [sample(T0 + 10 * number, 0.75, power_w=5.0) for number in range(720)])
    store.telemetry.roll_up(T0 + 3 * DAY).result()
    minutes = store.telemetry.series([CPU, POWER], T0 + 600, T0 + 1_200)
    assert list(minutes[CPU].at) == list(minutes[POWER].at) == [T0 + 600 + 60 * n for n in range(10)]
    assert set(minutes[CPU].mean) == {0.75}
    store.telemetry.roll_up(T0 + 100 * DAY).result()
    assert list(curve(store, CPU, T0, T0 + 2 * HOUR).at) == [T0, T0 + HOUR]


def test_nothing_is_removed_that_only_it_tells(store: Store) -> None:
    keep(store, [sample(T0)])
    with store._access.read() as connection:
        assert removal.REMOVALS[0](connection, T0 + 30 * DAY) is None
    store.telemetry.roll_up(T0 + 2 * HOUR).result()
    with store._access.read() as connection:
        assert removal.REMOVALS[0](connection, T0 + DAY) is None
        assert removal.REMOVALS[0](connection, T0 + 30 * DAY) is not None


def test_samples_nobody_reckoned_are_not_lost_after_a_long_pause(store: Store) -> None:
    keep(store, [sample(T0 + 60 * number, 0.25) for number in range(60)])
    store.telemetry.roll_up(T0 + 30 * DAY).result()
    assert (rows(store, "samples"), rows(store, "sample_hours")) == (0, 1)
    assert curve(store, CPU, T0 - DAY, T0 + 30 * DAY).mean[0] == 0.25


def test_a_clock_that_was_wrong_for_a_while_stops_nothing(store: Store) -> None:
    keep(store, [sample(T0 + 400 * DAY)])
    store.telemetry.roll_up(T0 + 400 * DAY + HOUR).result()
    keep(store, [sample(T0 + second) for second in range(0, 7_200, 10)])
    store.telemetry.roll_up(T0 + 2 * HOUR + 120).result()
    with store._access.read() as connection:
        counted = connection.execute("SELECT count(*) FROM sample_hours WHERE at < ?", (T0 + DAY,)).fetchone()[0]
    assert counted == 2


def test_hours_whose_samples_are_gone_are_reckoned_from_minutes(store: Store) -> None:
    keep(store, [sample(T0 + second, second / 3_600, power_w=2.0) for second in range(3_600)])
    store.telemetry.roll_up(T0 + 0.9 * HOUR).result()
    store._access.write(lambda connection: connection.execute("DELETE FROM samples")).result()
    keep(store, [sample(T0 + HOUR + second) for second in range(60)])
    store.telemetry.roll_up(T0 + 2 * HOUR).result()
    with store._access.read() as connection:
        hour = connection.execute("SELECT * FROM sample_hours").fetchone()
        used = connection.execute("SELECT used_j, power_w_mean FROM device_hours").fetchone()
    assert (hour["cpu_min"], hour["cpu_mean"]) == (0.0, pytest.approx(0.44, abs=0.01))
    assert tuple(used) == (pytest.approx(2 * 53 * 60, abs=1), 2.0)


def test_a_process_that_was_not_the_first_reckons_nothing(store: Store, tmp_path: Path) -> None:
    keep(store, [sample(T0 + second) for second in range(0, 7_200, 10)])
    with Store.open(tmp_path) as other:
        assert not other.is_primary
        other.telemetry.roll_up(T0 + 30 * DAY).result()
    assert (rows(store, "samples"), rows(store, "sample_minutes")) == (720, 0)


def test_energy_is_what_the_counter_grew_by_or_the_power_over_the_time(store: Store) -> None:
    counters = [1_000.0, 1_100.0, 1_300.0, 50.0, 80.0]  # the driver was loaded anew
    two = [
        Sample(T0 + 60 * n, 60.0, devices=(DeviceSample("gpu:0", energy_j=joules), DeviceSample("gpu:1", power_w=10.0)))
        for n, joules in enumerate(counters)
    ]
    keep(store, two)
    raw = store.telemetry.sums(T0, T0 + 300)
    assert raw.energy_j == (("gpu:0", 330.0), ("gpu:1", 5 * 600.0))
    assert raw.total_energy_j == 3_330.0
    store.telemetry.roll_up(T0 + DAY).result()
    assert store.telemetry.sums(T0, T0 + 300) == raw
    assert store.telemetry.sums(T0 - 100 * DAY, T0 + DAY) == raw
    assert store.telemetry.sums(T0 + DAY, T0 + 2 * DAY) == TelemetrySums()
    assert TelemetrySums().total_energy_j is None


def test_energy_is_not_lost_around_a_reading_that_did_not_come(store: Store) -> None:
    def reading(n: int) -> Sample:
        told = DeviceSample("gpu:0", energy_j=1_000.0 + 100 * n)
        return Sample(
            T0 + 20 * n, 20.0, devices=(DeviceSample("gpu:0", SensorStatus.STALE) if n in (3, 5, 6) else told,)
        )

    keep(store, [reading(n) for n in range(12)])  # across the minutes, too
    assert store.telemetry.sums(T0, T0 + 240).energy_j == (("gpu:0", 1_100.0),)
    store.telemetry.roll_up(T0 + DAY).result()
    assert rows(store, "device_minutes") == 4
    assert store.telemetry.sums(T0 - 100 * DAY, T0 + DAY).energy_j == (("gpu:0", 1_100.0),)


def test_sums_count_what_the_engine_did(store: Store) -> None:
    done = EngineSample(tokens=7, requests=3, failed=1, cache_hits=2, cache_lookups=4)
    keep(store, [Sample(T0 + second, 1.0, engine=done) for second in range(200)])
    wanted = TelemetrySums((), 200.0, 1_400, 600, 200, 400, 800)
    assert store.telemetry.sums(T0, T0 + HOUR) == wanted
    store.telemetry.roll_up(T0 + 2 * HOUR).result()
    assert store.telemetry.sums(T0, T0 + HOUR) == wanted


def test_marks_and_devices_are_kept(store: Store) -> None:
    marks = [Mark(T0, MarkKind.LOADED, "tiny \ud800 loaded", "tiny"), Mark(T0 + 5, MarkKind.ALERT, "hot")]
    store.telemetry.add_marks(marks[::-1]).result()
    assert [mark.text for mark in store.telemetry.marks(T0, T0 + 6)] == ["tiny \ufffd loaded", "hot"]
    assert store.telemetry.marks(T0 + 5, T0 + 6) == [marks[1]]
    assert store.telemetry.marks(T0 + 1, T0 + 5) == []
    store.telemetry.note_devices([DeviceInfo("gpu:10", "Ten", "amd"), DeviceInfo("gpu:2", "Two", "nvidia")]).result()
    changed = DeviceInfo("gpu:2", "Two", "nvidia", "GPU-1", "580.1", 2**34)
    store.telemetry.note_devices([changed]).result()
    assert store.telemetry.devices() == (changed, DeviceInfo("gpu:10", "Ten", "amd"))
    store.telemetry.roll_up(T0 + 800 * DAY).result()
    assert store.telemetry.marks(0, T0 + DAY) == []


def test_on_a_disk_that_is_almost_full_nothing_is_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[StoreError] = []
    store.failures.on_write_error = told.append
    monkeypatch.setattr(access, "RESERVE_BYTES", 2**62)
    assert isinstance(store.telemetry.add([sample(T0)]).exception(), StoreFull)
    store.settings.set("still", 1).result()
    assert (rows(store, "samples"), store.settings.get("still"), told) == (0, 1, [])


def test_a_full_disk_costs_samples_and_nothing_else(store: Store) -> None:
    told: list[StoreError] = []
    store.failures.on_write_error = told.append
    limit = "PRAGMA max_page_count = {}"
    store._access.write(lambda connection: connection.execute(limit.format(1)).fetchone()).result()
    writes = [store.telemetry.add([sample(T0 + 1_000 * day + n) for n in range(1_000)]) for day in range(3)]
    kept = store.settings.set("kept", 1)
    assert [type(write.exception()) for write in writes] == [StoreFull] * 3
    assert (kept.exception(), told) == (None, [])
    store._access.write(lambda connection: connection.execute(limit.format(10**6)).fetchone()).result()
    keep(store, [sample(T0)])
    assert store.check() == []


def test_roll_ups_do_not_pile_up_behind_a_slow_writer(store: Store) -> None:
    keep(store, [sample(T0 + second) for second in range(0, 600, 10)])
    go_on, held = threading.Event(), threading.Event()

    def hold(_connection: object) -> None:
        held.set()
        go_on.wait()

    slow = store._access.write(hold)
    assert held.wait(30)
    try:
        going = [store.telemetry.roll_up(T0 + HOUR + 60 * minute) for minute in range(5)]
        alive = [thread for thread in threading.enumerate() if thread.name == "codette-store-rollup"]
    finally:
        go_on.set()
    slow.result()
    assert len(alive) == 1
    assert all(future is going[0] for future in going)
    going[0].result()
    assert rows(store, "sample_minutes") == 10
    assert store.telemetry.roll_up(T0 + HOUR) is not going[0]


def test_closing_ends_a_roll_up_and_refuses_another(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    keep(store, [sample(T0 + 10 * number) for number in range(10_000)])
    going = store.telemetry.roll_up(T0 + 2 * DAY)
    store.close()
    assert going.done()
    assert isinstance(store.telemetry.roll_up(T0).exception(), StoreError)
    with Store.open(tmp_path) as again:
        again.telemetry.roll_up(T0 + 2 * DAY).result()
        assert rows(again, "sample_hours") == 28
        assert again.telemetry.size() > 100_000

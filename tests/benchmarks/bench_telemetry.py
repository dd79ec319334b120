"""What is watched, by the day and by the million: writing it in bursts beside chats, and opening any range.

    python -m pytest tests/benchmarks/bench_telemetry.py -s        CODETTE_REQUESTS=100000 for a quick look

The yardstick of writing, in the same run: sqlite3's executemany of the same rows into the same kind of table.
"""

import os
import random
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.request_log import Purpose, RequestFilter, RequestOrder, RequestRecord
from codette_desktop.domain.series import ENGINE, HOST, SeriesName
from codette_desktop.domain.telemetry import DeviceSample, EngineSample, HostSample, Sample
from codette_desktop.store import Store, request_rows
from codette_desktop.store.telemetry_schema import DEVICE_COLUMNS, M010_TELEMETRY, SAMPLE_COLUMNS, tier_columns

REQUESTS = int(os.environ.get("CODETTE_REQUESTS", "1000000"))
Rows = list[tuple[Any, ...]]
NOW = 1_800_000_000.0
DAY_S = 86_400
YEAR_S = 365 * DAY_S
CURVES = [
    *(SeriesName(HOST, name) for name in ("cpu", "memory_used_bytes")),
    *(SeriesName(ENGINE, name) for name in ("tokens", "running")),
    *(SeriesName("gpu:0", name) for name in ("utilisation", "memory_used_bytes", "temperature_c", "power_w")),
]
RANGES = {
    "1 min": 60, "5 min": 300, "1 h": 3_600, "5.9 h": 21_240, "6 h": 21_600, "24 h": DAY_S, "7 d": 7 * DAY_S,
    "14.9 d": 14.9 * DAY_S, "30 d": 30 * DAY_S, "90 d": 90 * DAY_S, "1 y": YEAR_S, "2 y": 2 * YEAR_S,
}  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("watched")) as opened:
        fill_samples(opened)
        fill_tiers(opened)
        fill_requests(opened)
        yield opened


def sample(at: float, chance: random.Random, devices: int = 1) -> Sample:
    host = HostSample(
        chance.random(), 55.5, chance.randrange(2**34), 2**34, 0, 2**38, chance.random() * 1e7, chance.random() * 1e7,
        chance.random() * 1e5, chance.random() * 1e5, chance.random() * 4, chance.randrange(2**33),
    )  # fmt: skip
    cards = tuple(
        DeviceSample(
            f"gpu:{number}", utilisation=chance.random(), memory_utilisation=chance.random(),
            memory_used_bytes=chance.randrange(2**34), memory_total_bytes=2**34, our_memory_bytes=2**33,
            temperature_c=60 + chance.random(), power_w=chance.random() * 300, power_limit_w=300.0,
            energy_j=(at - NOW + YEAR_S) * 150, clock_mhz=1_500.0, memory_clock_mhz=7_000.0, fan=0.4,
            pcie_rx_bytes_s=chance.random() * 1e9, pcie_tx_bytes_s=chance.random() * 1e9, throttled=(),
        )
        for number in range(devices)
    )  # fmt: skip
    return Sample(at, 1.0, host, cards, EngineSample(1, 0, chance.randrange(100), 0, 0, 0, 0, 1, 2**32))


def fill_samples(store: Store) -> None:
    chance = random.Random(1)
    for start in range(0, DAY_S, 3_600):
        store.telemetry.add([sample(NOW - DAY_S + start + second, chance) for second in range(3_600)]).result()


def fill_tiers(store: Store) -> None:
    """Minutes of 90 days and hours of two years, up to two minutes and two hours ago."""
    chance = random.Random(2)
    for name, length, span in (("minutes", 60, 90 * DAY_S), ("hours", 3_600, 2 * YEAR_S)):
        moments = range(int(NOW - span) // length * length, int(NOW) // length * length - 2 * length, length)
        own = [chance.random() for _ in range(10_000)]

        def some(count: int, own: list[float] = own) -> list[float]:
            start = chance.randrange(len(own) - count)
            return own[start : start + count]

        rows = [(at, length, float(length), *some(4 * len(SAMPLE_COLUMNS))) for at in moments]
        device_rows = [(1, at, length, float(length), 1.0, "", *some(4 * len(DEVICE_COLUMNS))) for at in moments]

        def work(
            connection: sqlite3.Connection, name: str = name, rows: Rows = rows, device_rows: Rows = device_rows
        ) -> None:
            marks = ", ?" * len(tier_columns(SAMPLE_COLUMNS))
            connection.executemany(f"INSERT INTO sample_{name} VALUES (?, ?, ?{marks})", rows)
            marks = ", ?" * len(tier_columns(DEVICE_COLUMNS))
            connection.executemany(f"INSERT INTO device_{name} VALUES (?, ?, ?, ?, ?, ?{marks})", device_rows)

        store._access.write(work).result()


def records() -> Iterator[RequestRecord]:
    """A million in a year, in the order of time."""
    chance = random.Random(3)
    reasons = [FinishReason.STOP] * 17 + [FinishReason.LENGTH, FinishReason.CANCELLED, FinishReason.FAILED]
    for number in range(REQUESTS):
        model, reason = chance.randrange(6), chance.choice(reasons)
        failed = reason is FinishReason.FAILED
        error = f"it broke at {chance.randrange(50)}" if failed else ""
        yield RequestRecord(
            f"{chance.getrandbits(128):032x}", NOW - YEAR_S + YEAR_S * number / REQUESTS, f"model-{model}",
            f"Model {model} · Q4_K_M", f"{model:064x}", "local" if model < 4 else "server",
            chance.choice(list(Purpose)), reason, "EngineFailure" if failed else "", error,
            chance.randrange(4_000), chance.randrange(1_000), None if failed else chance.lognormvariate(5, 0.7),
            None if failed else chance.gauss(30 + model, 3), chance.lognormvariate(9, 0.7),
            chance.choice((0.0, 0.0, 0.0, 900.0)), chance.random() * 10, chance.random() * 200, 0,
            chance.random() < 0.1, False, chance.random() * 500,
        )  # fmt: skip


def fill_requests(store: Store) -> None:
    """All but the newest hundredth with the indexes set aside, for it would take minutes more."""
    items = list(records())
    bulk, rest = items[: -REQUESTS // 100], items[-REQUESTS // 100 :]
    indexes = [statement for statement in M010_TELEMETRY if "INDEX requests_by_" in statement]

    def without(connection: sqlite3.Connection) -> None:
        for statement in indexes:
            connection.execute(f"DROP INDEX {statement.split()[2]}")

    def again(connection: sqlite3.Connection) -> None:
        for statement in indexes:
            connection.execute(statement)

    store._access.write(without).result()
    for low in range(0, len(bulk), 10_000):
        block = bulk[low : low + 10_000]
        store._access.write(lambda connection, block=block: request_rows.insert(connection, block)).result()
    store._access.write(again).result()
    started = time.perf_counter()
    store.requests.add(rest).result()
    took = time.perf_counter() - started
    print(f"\n{len(rest):,} requests added to {len(bulk):,}: {len(rest) / took:,.0f}/s")
    started = time.perf_counter()
    store.telemetry.roll_up(NOW).result()
    print(f"the hours of a year of them reckoned in {time.perf_counter() - started:.1f} s")


def took(work: Callable[[], object]) -> str:
    """At the first time, the median of five more, and the least processor time: the one that a busy machine tells."""
    times: list[float] = []
    processor: list[float] = []
    for _ in range(6):
        started, used = time.perf_counter(), time.thread_time()
        work()
        times.append((time.perf_counter() - started) * 1e3)
        processor.append((time.thread_time() - used) * 1e3)
    return f"{times[0]:.1f} ms, {statistics.median(times[1:]):.1f} ms, processor {min(processor):.1f} ms"


def worst_page(store: Store, wanted: RequestFilter) -> str:
    """The slowest of the first pages in all orders."""
    found: list[tuple[float, str]] = []
    for order in RequestOrder:
        for descending in (False, True):
            started = time.perf_counter()
            told = took(lambda order=order, way=descending: store.requests.page(wanted, order, way, 100, 0))
            found.append((time.perf_counter() - started, f"{order.value}: {told}"))
    return max(found)[1]


def test_a_burst_is_written_as_fast_as_plain_sqlite_nearly_and_delays_no_chat(tmp_path: Path) -> None:
    chance = random.Random(4)
    burst = [sample(NOW + second, chance) for second in range(100_000)]
    plain = plain_rows_s(tmp_path, burst)
    with Store.open(tmp_path / "store") as store:
        started = time.perf_counter()
        store.telemetry.add(burst).result()
        ours = 2 * len(burst) / (time.perf_counter() - started)
        print(f"\nsamples: {ours:,.0f} rows/s; plain executemany {plain:,.0f} rows/s; ratio {ours / plain:.2f}")
        tell_chats("alone", chat_ms(store, 1_000))
        later = [sample(NOW + 200_000 + second, chance) for second in range(200_000)]
        tell_chats("in a burst", chats_until(store, store.telemetry.add(later)))
        tell_chats("beside the roll-up of days", chats_until(store, store.telemetry.roll_up(NOW + 500_000)))
        asked = [next(items) for items in [records()] for _ in range(min(REQUESTS, 20_000))]
        tell_chats("beside thousands of requests", chats_until(store, store.requests.add(asked)))
        tell_chats("beside their removal", chats_until(store, store.requests.remove_before(NOW)))


def chats_until(store: Store, write: "Future[None]") -> list[float]:
    """How long messages take while something else is written."""
    times: list[float] = []
    while not write.done():
        times += chat_ms(store, 1)
    write.result()
    return times


def tell_chats(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    middle, p95 = ordered[len(ordered) // 2], ordered[int(0.95 * len(ordered))]
    print(f"a message {name}: median {middle:.1f} ms, p95 {p95:.1f} ms, worst {ordered[-1]:.1f} ms of {len(ordered)}")


def plain_rows_s(folder: Path, burst: list[Sample]) -> float:
    """One wide row for each sample and one for each device, read out of the same objects, a thousand a transaction."""
    connection = sqlite3.connect(folder / "plain.sqlite3", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"CREATE TABLE s (id INTEGER PRIMARY KEY, i REAL, {', '.join(SAMPLE_COLUMNS)})")
    connection.execute(f"CREATE TABLE d (id INTEGER PRIMARY KEY, n INTEGER, {', '.join(DEVICE_COLUMNS)})")
    started = time.perf_counter()
    for low in range(0, len(burst), 500):
        block = burst[low : low + 500]
        rows = [
            (
                low + place,
                item.interval_s,
                *(getattr(item.host if hasattr(item.host, name) else item.engine, name) for name in SAMPLE_COLUMNS),
            )
            for place, item in enumerate(block)
        ]
        device_rows = [
            (low + place, 1, *(getattr(item.devices[0], name) for name in DEVICE_COLUMNS))
            for place, item in enumerate(block)
        ]
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO s VALUES (?, ?{', ?' * len(SAMPLE_COLUMNS)})", rows)
        connection.executemany(f"INSERT INTO d VALUES (?, ?{', ?' * len(DEVICE_COLUMNS)})", device_rows)
        connection.execute("COMMIT")
    took = time.perf_counter() - started
    connection.close()
    return 2 * len(burst) / took


def chat_ms(store: Store, count: int) -> list[float]:
    """How long messages take until they are on the disk, one after the other."""
    made = store.conversations.create("chat").result()
    times: list[float] = []
    parent: str | None = None
    for number in range(count):
        started = time.perf_counter()
        message = Message(Role.USER, f"message {number}")
        parent = store.conversations.add_message(made.id, parent, message).result().id
        times.append((time.perf_counter() - started) * 1e3)
        threading.Event().wait(0.005)
    return times


def test_any_range_opens_at_once(filled: Store) -> None:
    print(f"\nthe file has {filled.telemetry.size() / 2**20:,.0f} MiB; 8 curves (first, median of 5, processor):")
    for name, span in RANGES.items():
        told = took(lambda span=span: filled.telemetry.series(CURVES, NOW - span, NOW))
        found = filled.telemetry.series(CURVES, NOW - span, NOW)
        print(f"  {name:>7}: {told}, {len(found[CURVES[0]].at)} steps")
        assert found[CURVES[0]].at
        assert found[CURVES[4]].at
    for name, span in (("1 d", DAY_S), ("7 d", 7 * DAY_S), ("1 y", YEAR_S)):
        print(f"  sums of {name}: {took(lambda span=span: filled.telemetry.sums(NOW - span, NOW))}")


def test_a_million_requests_are_searched_at_once(filled: Store) -> None:
    print(f"\n{REQUESTS:,} requests (first, median of 5, processor):")
    filters = {
        "all": RequestFilter(),
        "a model": RequestFilter(model="model-2"),
        "a backend": RequestFilter(backend="server"),
        "failed": RequestFilter(reasons=(FinishReason.FAILED,)),
        "a week": RequestFilter(start=NOW - 7 * DAY_S),
        "a text": RequestFilter(text="BROKE AT 7"),
        "nothing": RequestFilter(text="no such text"),
        "chat, not cached": RequestFilter(purpose=Purpose.CHAT, cached=False),
    }
    for name, wanted in filters.items():
        told = took(lambda wanted=wanted: filled.requests.count(wanted))
        print(f"  count of {name}: {told} ({filled.requests.count(wanted):,})")
        print(f"  page of {name}, worst order {worst_page(filled, wanted)}")
    deep = REQUESTS // 2
    for order in RequestOrder:
        told = took(lambda order=order: filled.requests.page(RequestFilter(), order, True, 100, deep))
        print(f"  page {deep // 100:,} by {order.value}: {told}")
    for name, span in (("1 d", DAY_S), ("7 d", 7 * DAY_S), ("30 d", 30 * DAY_S), ("1 y", YEAR_S)):
        start = NOW - span
        told = took(lambda start=start: filled.requests.series("time_to_first_token_ms", start, NOW))
        print(f"  curve of {name}: {told}")
        print(f"  figures of {name}: {took(lambda start=start: filled.requests.figures(start, NOW))}")

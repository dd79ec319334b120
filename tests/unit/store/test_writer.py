"""The writer: order, acknowledgement, failures, and the readers beside it."""

import sqlite3
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from codette_desktop.domain.errors import StoreError, StoreFull
from codette_desktop.domain.messages import Message, Role
from codette_desktop.store import Store


def hold(store: Store) -> tuple[threading.Event, Future[bool]]:
    """Keep the writer busy until the event is set, so that what follows queues up."""
    gate = threading.Event()
    return gate, store._access.write(lambda _: gate.wait(10))


def test_queued_writes_share_a_transaction_and_one_that_fails_undoes_itself_alone(store: Store) -> None:
    seen: list[int] = []
    gate, _ = hold(store)

    def failing(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO settings VALUES ('bad', '1')")
        raise StoreError("on purpose")

    def counting(connection: sqlite3.Connection) -> None:
        seen.append(connection.execute("SELECT count(*) FROM settings").fetchone()[0])

    first, bad, broken = store.settings.set("a", 1), store._access.write(failing), store.settings.set("b", object())
    second, counted = store.settings.set("c", 2), store._access.write(counting)
    gate.set()
    first.result()
    second.result()
    counted.result()
    with pytest.raises(StoreError, match="on purpose"):
        bad.result()
    assert broken.exception() is not None
    assert seen == [2]
    assert (store.settings.get("a"), store.settings.get("bad"), store.settings.get("c")) == (1, None, 2)


@pytest.mark.parametrize("queued", [1, 3])
def test_a_function_that_ends_the_transaction_and_raises_does_not_end_the_writer(store: Store, queued: int) -> None:
    gate, _ = hold(store)

    def breaking(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise ValueError("on purpose")

    bad = store._access.write(breaking)
    others = [store.settings.set(f"k{number}", number) for number in range(queued - 1)]
    gate.set()
    with pytest.raises(ValueError, match="on purpose"):
        bad.result(10)
    for other in others:
        other.result(10)
    store.settings.set("after", 1).result(10)
    assert store.settings.get("after") == 1


def test_a_write_cannot_be_cancelled_once_it_is_asked_for(store: Store) -> None:
    gate, _ = hold(store)
    write = store.settings.set("kept", True)
    assert not write.cancel()
    gate.set()
    write.result()
    assert store.settings.get("kept") is True


def test_closing_finishes_what_is_queued_and_then_refuses(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    gate, _ = hold(store)
    writes = [store.settings.set(f"k{number}", number) for number in range(600)]
    gate.set()
    store.close()
    store.close()
    assert all(write.done() and write.exception() is None for write in writes)
    with pytest.raises(StoreError, match="closed"):
        store.settings.set("late", 1).result()
    with pytest.raises(StoreError, match="closed"):
        store.settings.get("k1")
    with Store.open(tmp_path) as again:
        assert again.settings.get("k599") == 599


def test_no_thread_and_no_log_file_is_left_after_closing(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.settings.get("x")
    store.close()
    assert not any("codette-store" in thread.name for thread in threading.enumerate())
    assert not list(tmp_path.glob("*-wal"))


def test_many_threads_read_while_one_writes(store: Store) -> None:
    made = store.conversations.create().result()
    failures: list[Exception] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                branch = store.conversations.branch(made.id)
                assert [node.message.content for node in branch] == [str(number) for number in range(len(branch))]
        except (AssertionError, StoreError) as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    parent = None
    for number in range(30):
        parent = store.conversations.add_message(made.id, parent, Message(Role.USER, str(number))).result().id
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_closing_interrupts_a_long_read(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    started, outcome = threading.Event(), []

    def read() -> None:
        try:
            with store._access.read() as connection:
                started.set()
                endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
                connection.execute(endless).fetchone()
        except StoreError as error:
            outcome.append(error.message)

    thread = threading.Thread(target=read)
    thread.start()
    started.wait(5)
    threading.Event().wait(0.1)
    store.close()
    thread.join(5)
    assert outcome == ["The database is closed."]


def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError), store._access.read() as connection:
        connection.execute("INSERT INTO settings VALUES ('a', '1')")


def test_chats_are_synced_to_the_disk_and_what_can_be_found_again_is_not(store: Store, tmp_path: Path) -> None:
    levels: list[int] = []

    def level(connection: sqlite3.Connection) -> None:
        levels.append(connection.execute("PRAGMA synchronous").fetchone()[0])

    for durable in (True, False, True):
        store._access.write(level, durable=durable).result()
    assert levels == [2, 1, 2]


def test_a_full_disk_is_told_and_what_was_saved_stays(store: Store) -> None:
    events: list[str] = []
    store.failures.on_write_error = lambda error: events.append(type(error).__name__)
    store.failures.on_write_ok = lambda: events.append("ok")
    made = store.conversations.create("kept").result()
    kept = store.conversations.add_message(made.id, None, Message(Role.USER, "kept")).result()
    _limit(store, 1)
    with pytest.raises(StoreFull) as failure:
        store.conversations.add_message(made.id, kept.id, Message(Role.USER, "x" * 500_000)).result()
    assert failure.value.retryable
    assert store.conversations.branch(made.id) == [kept]
    _limit(store, 1_000_000)
    after = store.conversations.add_message(made.id, kept.id, Message(Role.USER, "after")).result()
    store.settings.set("one", 1).result()
    assert events == ["StoreFull", "ok"]
    assert store.conversations.branch(made.id) == [kept, after]
    assert store.check() == []


def test_one_write_too_large_for_the_disk_does_not_take_its_neighbours_with_it(store: Store) -> None:
    made = store.conversations.create().result()
    with store._access.read() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    _limit(store, pages + 20)
    gate, _ = hold(store)
    before = store.settings.set("before", 1)
    large = store.conversations.add_message(made.id, None, Message(Role.USER, "x" * 500_000))
    after = store.settings.set("after", 2)
    gate.set()
    before.result()
    after.result()
    assert isinstance(large.exception(), StoreFull)
    assert (store.settings.get("before"), store.settings.get("after")) == (1, 2)


def test_a_write_that_loses_the_whole_transaction_does_not_take_its_neighbours_with_it(store: Store) -> None:
    """SQLite itself rolls back everything on some errors of the disk."""

    def losing(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

    gate, _ = hold(store)
    before, lost, after = store.settings.set("before", 1), store._access.write(losing), store.settings.set("after", 2)
    gate.set()
    before.result()
    after.result()
    assert isinstance(lost.exception(), StoreError)
    assert (store.settings.get("before"), store.settings.get("after")) == (1, 2)


def test_a_refused_write_is_no_failure_of_the_disk(store: Store) -> None:
    told: list[StoreError] = []
    store.failures.on_write_error = told.append
    assert store.conversations.rename("nothing", "x").exception() is not None
    broken = store._access.write(lambda connection: connection.execute("INSERT INTO settings VALUES (1, NULL)"))
    assert isinstance(broken.exception(), StoreError)
    assert told == []


def test_background_work_waits_for_everything_else(store: Store) -> None:
    done: list[str] = []
    gate, _ = hold(store)
    background = [store._access.write_later(lambda _, n=n: done.append(f"later {n}")) for n in range(3)]
    core = [store._access.write(lambda _, n=n: done.append(f"core {n}")) for n in range(3)]
    gate.set()
    for write in (*background, *core):
        write.result(10)
    assert done == ["core 0", "core 1", "core 2", "later 0", "later 1", "later 2"]


def test_a_chat_waits_for_one_piece_of_background_work_at_most(store: Store) -> None:
    done: list[str] = []
    asked = threading.Event()
    core: list[Future[None]] = []

    def first(_: sqlite3.Connection) -> None:
        done.append("first")
        core.append(store._access.write(lambda _: done.append("core")))
        asked.set()

    gate, _ = hold(store)
    writes = [store._access.write_later(first)]
    writes += [store._access.write_later(lambda _, n=n: done.append(f"later {n}")) for n in range(20)]
    gate.set()
    for write in writes:
        write.result(10)
    assert asked.is_set()
    assert done == ["first", "core", *(f"later {n}" for n in range(20))]
    assert core[0].done()


def test_background_work_shares_no_transaction_with_the_rest(store: Store) -> None:
    levels: list[int] = []
    gate, _ = hold(store)

    def level(connection: sqlite3.Connection) -> None:
        levels.append(connection.execute("PRAGMA synchronous").fetchone()[0])

    writes = [store._access.write_later(level), store._access.write(level), store._access.write_later(level)]
    gate.set()
    for write in writes:
        write.result(10)
    assert levels == [2, 1, 1]


def test_a_full_disk_that_only_background_work_meets_raises_no_banner(store: Store) -> None:
    events: list[str] = []
    store.failures.on_write_error = lambda error: events.append(type(error).__name__)
    store.failures.on_write_ok = lambda: events.append("ok")
    _limit(store, 1)
    large = "INSERT INTO settings VALUES ('a', hex(zeroblob(500000)))"
    gate, _ = hold(store)
    failing = [store._access.write_later(lambda connection: connection.execute(large)) for _ in range(5)]
    small = store.settings.set("kept", 1)
    gate.set()
    assert [type(write.exception(10)) for write in failing] == [StoreFull] * 5
    small.result()
    assert (events, store.settings.get("kept")) == ([], 1)


def test_a_background_write_that_succeeds_takes_no_banner_away(store: Store) -> None:
    events: list[str] = []
    store.failures.on_write_error = lambda error: events.append(type(error).__name__)
    store.failures.on_write_ok = lambda: events.append("ok")
    _limit(store, 1)
    assert isinstance(store.settings.set("a", "x" * 500_000).exception(10), StoreFull)
    small = "INSERT INTO settings VALUES ('b', '1')"
    store._access.write_later(lambda connection: connection.execute(small)).result(10)
    assert events == ["StoreFull"]
    store.settings.set("c", 1).result(10)
    assert events == ["StoreFull", "ok"]


def test_closing_finishes_background_work_too(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    gate, _ = hold(store)
    writes = [
        store._access.write_later(lambda connection, n=n: connection.execute(f"INSERT INTO settings VALUES ({n}, '1')"))
        for n in range(100)
    ]
    gate.set()
    store.close()
    assert all(write.done() and write.exception() is None for write in writes)


def _limit(store: Store, pages: int) -> None:
    store._access.write(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()).result()

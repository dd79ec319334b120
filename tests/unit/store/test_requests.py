"""The log of requests: filtered, sorted, added up, and what becomes of it in time."""

import math
import random
import sqlite3
import statistics
from array import array
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.errors import InvalidRequest, StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.request_log import (
    ModelTotals,
    Purpose,
    RequestFilter,
    RequestOrder,
    RequestPlace,
    RequestRecord,
)
from codette_desktop.store import Store, request_figures, request_query

T0 = 1_800_000_000.0  # a whole hour
HOUR, DAY = 3_600.0, 86_400.0


def asked(number: int, at: float = T0, **more: object) -> RequestRecord:
    return replace(RequestRecord(f"id-{number}", at, "tiny", "Tiny · Q8_0", "ab" * 32), **more)  # type: ignore[arg-type]


def keep(store: Store, *records: RequestRecord) -> None:
    store.requests.add(records).result()


def some(count: int, span: float = DAY) -> list[RequestRecord]:
    """Requests of all kinds, some of whose figures are not known."""
    chance = random.Random(count)

    def maybe(value: float) -> float | None:
        return None if chance.random() < 0.2 else value

    found: list[RequestRecord] = []
    for number in range(count):
        model, failed = chance.randrange(3), chance.random() < 0.2
        found.append(
            RequestRecord(
                f"id-{number}", T0 + chance.random() * span, f"model-{model}", ("b", "A", "c")[model], "cd" * 32,
                chance.choice(("local", "attic")), chance.choice(list(Purpose)),
                FinishReason.FAILED if failed else chance.choice((FinishReason.STOP, FinishReason.CANCELLED)),
                "EngineFailure" if failed else "", "Der Speicher ist VOLL" if failed else "",
                None if failed else chance.randrange(5), chance.randrange(5), maybe(chance.randrange(5) * 1.5),
                maybe(chance.random() * 50), chance.random() * 1e3, chance.choice((0.0, 0.0, 70.0)), maybe(3.0),
                maybe(2.0), chance.randrange(3), chance.random() < 0.2, chance.random() < 0.1, maybe(chance.random()),
            )
        )  # fmt: skip
    return found


def test_a_request_comes_back_as_it_was(store: Store) -> None:
    whole = RequestRecord(
        "g-1/2", T0 + 0.123456, "tiny", "Tiny", "ef" * 32, "attic", Purpose.RATE, FinishReason.FAILED, "ServerFailed",
        "it broke", 12, 34, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11, True, True, 12.5,
    )  # fmt: skip
    bare = asked(2, T0 + 1)
    keep(store, whole, bare)
    assert store.requests.get("g-1/2") == whole
    assert store.requests.get("id-2") == bare
    assert store.requests.get("id-3") is None
    keep(store, replace(bare, completion_tokens=9, at=T0 - DAY))
    assert store.requests.count(RequestFilter()) == 2
    assert store.requests.get("id-2") == replace(bare, completion_tokens=9, at=T0 - DAY)


def test_what_is_no_number_is_not_known_and_texts_are_cleaned(store: Store) -> None:
    keep(store, asked(1, total_ms=math.inf, tokens_per_second=math.nan, energy_j=-math.inf, error="a\ud800\0"))
    found = store.requests.get("id-1")
    assert found is not None
    assert (found.total_ms, found.tokens_per_second, found.energy_j, found.error) == (0.0, None, None, "a\ufffd\ufffd")
    assert isinstance(store.requests.add([asked(2, math.inf)]).exception(), InvalidRequest)


def test_requests_of_the_same_moment_are_all_kept(store: Store, tmp_path: Path) -> None:
    keep(store, asked(1), asked(2))
    with Store.open(tmp_path) as other:
        keep(other, asked(3))
    page = store.requests.page(RequestFilter(), RequestOrder.AT, False, 10, 0)
    assert [(item.id, item.at) for item in page] == [("id-1", T0), ("id-2", T0), ("id-3", T0)]


FILTERS: dict[str, tuple[RequestFilter, Callable[[RequestRecord], bool]]] = {
    "all": (RequestFilter(), lambda _item: True),
    "model": (RequestFilter(model="model-1"), lambda item: item.model == "model-1"),
    "backend": (RequestFilter(backend="attic"), lambda item: item.backend == "attic"),
    "purpose": (RequestFilter(purpose=Purpose.OTHER), lambda item: item.purpose is Purpose.OTHER),
    "reasons": (
        RequestFilter(reasons=(FinishReason.FAILED, FinishReason.CANCELLED)),
        lambda item: item.reason is not FinishReason.STOP,
    ),
    "cached": (RequestFilter(cached=True), lambda item: item.cached),
    "not cached": (RequestFilter(cached=False), lambda item: not item.cached),
    "error": (RequestFilter(text=" ist voll"), lambda item: bool(item.error)),
    "label": (RequestFilter(text="MODEL-2"), lambda item: item.model == "model-2"),
    "no text": (RequestFilter(text="%"), lambda item: False),
    "period": (
        RequestFilter(start=T0 + HOUR, end=T0 + 5 * HOUR),
        lambda item: T0 + HOUR <= item.at < T0 + 5 * HOUR,
    ),
    "several": (
        RequestFilter(start=T0 + HOUR, model="A", backend="local", cached=False, text="voll"),
        lambda item: item.at >= T0 + HOUR and item.model_label == "A" and item.backend == "local" and not item.cached
        and bool(item.error),
    ),
}  # fmt: skip


@pytest.mark.parametrize("few", [10, 5_000])
def test_pages_are_what_filtering_and_sorting_give(store: Store, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(request_query, "_FEW", few)
    records = some(400)
    keep(store, *records)
    for name, (wanted, meets) in FILTERS.items():
        left = [item for item in records if meets(item)]
        assert store.requests.count(wanted) == len(left), name
        for order in RequestOrder:
            for descending in (False, True):
                page = store.requests.page(wanted, order, descending, 1_000, 0)
                assert page == _sorted(left, order, descending), (name, order, descending)
    part = store.requests.page(RequestFilter(), RequestOrder.TOTAL, True, 7, 50)
    assert part == _sorted(records, RequestOrder.TOTAL, True)[50:57]


def _sorted(records: list[RequestRecord], order: RequestOrder, descending: bool) -> list[RequestRecord]:
    def value(item: RequestRecord) -> object:
        found = getattr(item, order.value)
        return found.casefold() if order is RequestOrder.MODEL else found

    known = [item for item in records if value(item) is not None]
    unknown = [item for item in records if value(item) is None]
    known.sort(key=lambda item: (value(item), item.at), reverse=descending)
    return known + sorted(unknown, key=lambda item: item.at, reverse=descending)


def test_keys_are_those_of_one_moment(store: Store) -> None:
    records = some(100)
    keep(store, *records)
    keys = store.requests.keys(RequestFilter(backend="attic"), RequestOrder.SPEED, True)
    wanted = _sorted([item for item in records if item.backend == "attic"], RequestOrder.SPEED, True)
    store.requests.remove_before(T0 + HOUR).result()
    keep(store, asked(1_000, T0 + 2 * HOUR, backend="attic", tokens_per_second=90.0))
    assert store.requests.with_keys(keys[:20]) == [item for item in wanted[:20] if item.at >= T0 + HOUR]
    assert store.requests.with_keys(keys[20:]) == [item for item in wanted[20:] if item.at >= T0 + HOUR]
    assert store.requests.keys(RequestFilter(text="%"), RequestOrder.AT, False) == array("q")


def test_every_order_is_read_from_its_index_without_sorting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is filtered by: else a page of a million would read them all."""
    monkeypatch.setattr(request_query, "_FEW", 5)
    keep(store, *some(50))
    plans: list[str] = []
    with store._access.read() as connection:
        query = request_query.Query(connection, RequestFilter(cached=False, text="e", start=T0, purpose=Purpose.OTHER))

        class Explaining:
            def execute(self, sql: str, values: tuple[object, ...]) -> sqlite3.Cursor:
                if "ORDER BY" in sql:
                    explained = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)
                    plans.append(" ".join(row["detail"] for row in explained))
                return connection.execute(sql, values)

        query._connection = Explaining()  # type: ignore[assignment]
        for order in RequestOrder:
            for descending in (True, False):
                assert query.page(order, descending, 10, 0)
    assert len(plans) == 2 * len(RequestOrder)
    assert not [plan for plan in plans if "TEMP B-TREE" in plan or "COVERING INDEX" not in plan]


def test_models_and_backends_that_appear(store: Store) -> None:
    keep(store, asked(1), asked(2, model_label="a tiny one"), asked(3, backend="attic", model_hash="x"))
    assert store.requests.models() == [("tiny", "a tiny one"), ("tiny", "Tiny · Q8_0")]
    assert store.requests.backends() == ["attic", "local"]


def test_since_tells_the_newest_in_the_order_of_time(store: Store) -> None:
    keep(store, *(asked(number, T0 + number) for number in range(10)))
    assert [item.id for item in store.requests.since(T0 + 5)] == [f"id-{number}" for number in range(5, 10)]
    assert [item.id for item in store.requests.since(T0, limit=2)] == ["id-8", "id-9"]
    assert [item.id for item in store.requests.since(T0 + 2, limit=2, end=T0 + 5)] == ["id-3", "id-4"]


def test_what_was_measured_is_that_of_the_requests(store: Store) -> None:
    keep(store, *some(200))
    whole = store.requests.since(T0 + HOUR, end=T0 + 20 * HOUR)
    found = store.requests.measured(T0 + HOUR, T0 + 20 * HOUR, 1_000)
    assert len(found) == len(whole) > 100
    for item, request in zip(found, whole, strict=True):
        assert item._asdict() == {name: getattr(request, name) for name in item._fields}
    assert store.requests.measured(T0 + HOUR, T0 + 20 * HOUR, 7) == found[-7:]


def test_the_words_of_errors_go_with_their_conversation(store: Store, generation: Generation) -> None:
    made = store.conversations.create("chat").result()
    asking = store.conversations.add_message(made.id, None, Message(Role.USER, "My secret")).result()
    store.generations.start(made.id, asking.id, generation).result()
    quoting = {"reason": FinishReason.FAILED, "error_type": "ServerFailed", "error": 'It cannot read "My secret".'}
    names = [generation.id, f"{generation.id}/1", f"{generation.id}0", f"{generation.id}-1"]
    shared = {**quoting, "error": "It is gone."}
    classless = {**quoting, "error_type": "", "error": "My secret is out"}
    keep(store, *(asked(n, id=name, **quoting) for n, name in enumerate(names[:2])))
    keep(store, *(asked(n, id=name, **shared) for n, name in enumerate((f"{generation.id}/2", *names[2:]))))
    keep(store, asked(9, id=f"{generation.id}/3", **classless))
    totals, figures = store.totals.all(), store.requests.figures(T0, T0 + HOUR)
    store.conversations.delete(made.id).result()
    assert store.requests.count(RequestFilter(text="secret")) == 3
    store.conversations.purge_deleted(datetime.now(UTC) + timedelta(days=1)).result()
    found = {item.id: (item.error_type, item.error) for item in store.requests.since(T0)}
    assert found == {
        generation.id: ("ServerFailed", ""), f"{generation.id}/1": ("ServerFailed", ""),
        f"{generation.id}/2": ("ServerFailed", ""), f"{generation.id}/3": ("", ""),
        f"{generation.id}0": ("ServerFailed", "It is gone."), f"{generation.id}-1": ("ServerFailed", "It is gone."),
    }  # fmt: skip
    with store._access.read() as connection:
        assert "secret" not in str([tuple(row) for row in connection.execute("SELECT * FROM request_errors")])
    assert store.requests.count(RequestFilter(text="secret")) == 0
    assert (store.totals.all(), store.requests.figures(T0, T0 + HOUR)) == (totals, figures)


def test_the_place_of_an_answer(store: Store, generation: Generation) -> None:
    made = store.conversations.create("chat").result()
    asking = store.conversations.add_message(made.id, None, Message(Role.USER, "?")).result()
    store.generations.start(made.id, asking.id, generation).result()
    assert store.requests.place(generation.id) == RequestPlace(generation.id, made.id, None, "chat")
    assert store.requests.place(f"{generation.id}/1").conversation_id == made.id
    assert store.requests.place("elsewhere") == RequestPlace("elsewhere")
    store.conversations.delete(made.id).result()
    assert store.requests.place(generation.id) == RequestPlace(generation.id)


def exact(records: list[RequestRecord], model: str) -> ModelTotals:
    own = [item for item in records if item.model == model]
    good = [item for item in own if item.reason is not FinishReason.FAILED and not item.cached]
    warm = [item for item in good if not item.load_ms]

    def median(values: list[float]) -> float | None:
        return statistics.median(values) if values else None

    first = sorted(item.time_to_first_token_ms for item in warm if item.time_to_first_token_ms is not None)
    place = 0.95 * (len(first) - 1)
    low = int(place)
    energies = [item.energy_j for item in own if item.energy_j is not None]
    return ModelTotals(
        model, own[0].model_label, len(own),
        sum(item.reason is FinishReason.FAILED for item in own),
        sum(item.reason is FinishReason.CANCELLED for item in own),
        sum(item.cached for item in own), sum(item.truncated for item in own),
        sum(item.prompt_tokens or 0 for item in own), sum(item.completion_tokens for item in own),
        median(first), first[low] + (place - low) * (first[min(low + 1, len(first) - 1)] - first[low]),
        median([item.tokens_per_second for item in warm if item.tokens_per_second]),
        median([item.total_ms for item in good]), median([item.load_ms for item in own if item.load_ms]),
        sum(energies),
    )  # fmt: skip


def close(found: ModelTotals, wanted: ModelTotals, off: float) -> None:
    for name in ModelTotals.__dataclass_fields__:
        value = getattr(wanted, name)
        assert getattr(found, name) == (pytest.approx(value, rel=off) if isinstance(value, float) else value), name


def test_figures_of_few_requests_are_exact(store: Store) -> None:
    records = some(400)
    keep(store, *records)
    found = store.requests.figures(T0, T0 + DAY)
    assert [item.requests for item in found] == sorted((item.requests for item in found), reverse=True)
    assert len(found) == 3
    for item in found:
        close(item, exact(records, item.model), 1e-9)
    part = [item for item in records if T0 + HOUR <= item.at < T0 + 3 * HOUR]
    for item in store.requests.figures(T0 + HOUR, T0 + 3 * HOUR):
        close(item, exact(part, item.model), 1e-9)
    assert store.requests.figures(T0 - DAY, T0) == []


@pytest.mark.parametrize("rolled", [True, False])
def test_figures_of_many_come_from_hours_and_are_as_right(
    store: Store, monkeypatch: pytest.MonkeyPatch, rolled: bool
) -> None:
    records = [replace(item, time_to_first_token_ms=100 + item.total_ms) for item in some(3_000, 3 * DAY)]
    keep(store, *records[:2_900])
    if rolled:
        store.telemetry.roll_up(T0 + 2 * DAY).result()
    keep(store, *records[2_900:])  # opens many of these hours again
    monkeypatch.setattr(request_figures, "MOST_SINGLE", 100)
    start, end = T0 + 0.5 * HOUR, T0 + 2.7 * DAY
    part = [item for item in records if start <= item.at < end]
    for item in store.requests.figures(start, end):
        close(item, exact(part, item.model), 0.012)


def test_curves_are_medians_of_what_says_something(store: Store) -> None:
    figures = [10.0, 20.0, 90.0]
    keep(store, *(asked(n, T0 + n, time_to_first_token_ms=value, total_ms=value) for n, value in enumerate(figures)))
    keep(
        store,
        asked(10, T0, time_to_first_token_ms=1.0, cached=True),
        asked(11, T0, time_to_first_token_ms=1.0, load_ms=5.0, total_ms=9.0),
        asked(12, T0, time_to_first_token_ms=1.0, reason=FinishReason.FAILED, total_ms=1.0),
        asked(13, T0, tokens_per_second=0.0),
        asked(14, T0 + 500, model_label="Other", time_to_first_token_ms=7.0, queue_ms=2.0),
    )
    found = store.requests.series("time_to_first_token_ms", T0, T0 + HOUR, points=60)
    assert set(found) == {"Tiny · Q8_0", "Other"}
    tiny = found["Tiny · Q8_0"]
    assert (list(tiny.at), list(tiny.mean), tiny.step_s) == ([T0], [20.0], 60.0)
    assert (tiny.low[0], tiny.high[0]) == (pytest.approx(12.0), pytest.approx(76.0))
    assert list(found["Other"].at) == [T0 + 480]
    assert store.requests.series("tokens_per_second", T0, T0 + HOUR) == {}
    assert set(store.requests.series("queue_ms", T0, T0 + HOUR)) == {"Other"}
    assert store.requests.series("total_ms", T0 + HOUR, T0) == {}
    with pytest.raises(InvalidRequest):
        store.requests.series("error", T0, T0 + HOUR)


@pytest.mark.parametrize("rolled", [True, False])
def test_long_curves_are_the_same_from_hours_and_from_requests(store: Store, rolled: bool) -> None:
    keep(store, *some(2_000, 10 * DAY))
    wanted = {name: store.requests.series(name, T0, T0 + 10 * DAY) for name in ("total_ms", "tokens_per_second")}
    if rolled:
        store.telemetry.roll_up(T0 + 9 * DAY).result()
        with store._access.read() as connection:
            assert connection.execute("SELECT count(*) FROM request_hours").fetchone()[0] > 100
    for name, curves in wanted.items():
        found = store.requests.series(name, T0, T0 + 10 * DAY)
        assert found.keys() == curves.keys()
        for label, curve in curves.items():
            assert list(found[label].at) == list(curve.at)
            assert list(found[label].mean) == pytest.approx(list(curve.mean))
            assert list(found[label].high) == pytest.approx(list(curve.high))


def test_what_changes_while_an_hour_is_reckoned_is_not_forgotten(store: Store) -> None:
    from codette_desktop.store import request_rollup

    keep(store, asked(1, total_ms=5.0))
    with store._access.read() as connection:
        write = request_rollup.step(connection, T0 + DAY)
    assert write is not None
    keep(store, asked(2, T0 + 1, total_ms=7.0))
    store._access.write(write).result()
    store.telemetry.roll_up(T0 + DAY).result()
    (curve,) = store.requests.series("total_ms", T0 - DAY, T0 + 3 * DAY).values()
    assert list(curve.mean) == [6.0]


def test_old_requests_are_removed_with_all_that_only_they_hold(store: Store) -> None:
    keep(store, *(asked(number, T0 + number * 10, error=f"e{number}", backend="old") for number in range(1_200)))
    keep(store, asked(5_000, T0 + 10 * HOUR, error="new"))
    store.telemetry.roll_up(T0 + 20 * HOUR).result()
    store.requests.remove_before(T0 + 3_000).result()
    assert store.requests.count(RequestFilter()) == 1_200 - 300 + 1
    store.requests.remove_before(T0 + 9 * HOUR).result()
    with store._access.read() as connection:
        tables = ("requests", "request_models", "request_errors", "request_hours", "request_hours_open")
        left = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    assert left == [1, 1, 1, 1, 0]
    assert store.requests.backends() == ["local"]
    store.telemetry.roll_up(T0 + 800 * DAY).result()
    assert store.requests.count(RequestFilter()) == 0
    assert store.requests.figures(0, T0 + DAY) == []


def test_an_error_of_the_disk_reaches_who_waits_for_the_removal(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.close()
    assert isinstance(store.requests.remove_before(T0).exception(), StoreError)

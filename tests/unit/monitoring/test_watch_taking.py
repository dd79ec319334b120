"""The watch, given samples and requests one by one: energy, marks, alerts, and what is restored."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.request_log import RequestFilter, RequestRecord
from codette_desktop.domain.telemetry import DeviceSample, EngineSample, HostSample, MarkKind, Sample
from codette_desktop.inference.activity import Activity
from codette_desktop.monitoring.watch import Watch, WatchServices
from codette_desktop.store import Store

START = 1_700_000_000.0


class Clock:
    now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def watch_of(store: Store, clock: Clock) -> Watch:
    services = WatchServices(store.path.parent, store, EventBus(), Activity(), EngineSample, lambda: None)
    return Watch(services, clock)


def sample(at: float, watts: float | None = 100.0, memory: int = 10) -> Sample:
    devices = () if watts is None else (DeviceSample("gpu:0", power_w=watts),)
    return Sample(at, 1.0, HostSample(memory_used_bytes=memory, memory_total_bytes=100), devices)


def request(at: float, request_id: str = "r", **more: object) -> RequestRecord:
    values = {"completion_tokens": 10, "total_ms": 2000.0, **more}
    return RequestRecord(request_id, at, "m", "M", **values)  # type: ignore[arg-type]


def logged(store: Store) -> dict[str, RequestRecord]:
    return {row.id: row for row in store.requests.since(START - 1, 100)}


def test_the_energy_of_an_answer_is_known_with_the_sample_after_its_end(store: Store) -> None:
    clock = Clock()
    watch = watch_of(store, clock)
    watch._take(sample(START))
    made = request(START + 0.5)
    store.requests.add([made]).result()
    watch._on_request(made)
    watch._take(sample(START + 1))
    assert logged(store)["r"].energy_j is None
    watch._take(sample(START + 3))
    store.flights.get("r")
    deadline = store.requests.add([request(START + 9, "later")])
    deadline.result()  # background writes are done in their order
    assert logged(store)["r"].energy_j == pytest.approx(200)


def test_where_no_device_tells_nothing_waits(store: Store) -> None:
    watch = watch_of(store, Clock())
    watch._take(sample(START, None))
    watch._on_request(request(START))
    assert watch._uncounted == []


def test_a_model_that_was_stood_in_for_leaves_a_mark_without_the_servers_words(store: Store) -> None:
    watch = watch_of(store, Clock())
    failed = request(START, "g/1", reason=FinishReason.FAILED, error="secret words", error_type="ServerRefused")
    watch._on_request(failed)
    store.requests.add([failed]).result()
    [mark] = watch.history.marks(START - 10, START + 10)
    assert mark.kind is MarkKind.FALLBACK
    assert "M" in mark.text


def test_two_windows_keep_each_alert_once(tmp_path: Path) -> None:
    clock = Clock()
    with Store.open(tmp_path) as first, Store.open(tmp_path) as second:
        watches = [watch_of(first, clock), watch_of(second, clock)]
        for _ in range(20):
            clock.now += 5
            for watch in watches:
                watch._take(sample(clock.now, None, memory=99))
        assert all(alert.rule == "memory" for watch in watches for alert in watch.alerts())
        assert all(watch.alerts() for watch in watches)
        first.requests.add([request(START)]).result()
        second.requests.add([request(START, "b")]).result()
        assert len([event for event in first.alerts.history() if event.alert.rule == "memory"]) == 1


def test_requests_heard_before_the_restored_ones_are_counted_once_and_in_order(store: Store) -> None:
    clock = Clock()
    store.requests.add([
        request(START - 500, "long", total_ms=450_000.0),
        request(START - 400, "short"),
        request(START + 86_400, "ahead"),
    ]).result()  # fmt: skip
    watch = watch_of(store, clock)
    new = request(START - 3, "new")
    store.requests.add([new]).result()
    watch._on_request(new)
    watch._restore()
    assert [one.id for one in watch._judge.recent(300)] == ["long", "new"]
    assert watch.now().requests == 2


def test_what_was_usual_of_a_model_is_known_after_a_restart(store: Store) -> None:
    clock = Clock()
    watch = watch_of(store, clock)
    for number in range(80):
        clock.now += 10
        made = request(
            clock.now - 2, str(number), prompt_tokens=200, time_to_first_token_ms=100.0 + number % 7,
            tokens_per_second=50.0 + number % 5,
        )  # fmt: skip
        store.requests.add([made]).result()
        watch._on_request(made)
    assert watch.shifts()["M", "speed"] == 0.0
    watch._keep_state()
    store.requests.add([request(START, "z")]).result()
    again = watch_of(store, clock)
    assert ("M", "speed") not in again.shifts()
    again._restore()
    assert again.shifts()["M", "speed"] == 0.0


@pytest.mark.allow_log("is damaged, and begins anew")
def test_a_damaged_state_costs_what_was_learnt_but_not_the_requests(store: Store) -> None:
    clock = Clock()
    store.requests.add([request(START - 10)]).result()
    store.alerts.keep_state({"alerts": 3, "usual": []}).result()
    watch = watch_of(store, clock)
    watch._restore()
    assert watch.now().requests == 1


def test_a_rule_of_the_persons_own_is_in_force_at_once_and_until_it_is_reset(store: Store) -> None:
    watch = watch_of(store, Clock())
    own = replace(watch.default_rule("memory"), warning=50.0, clear=40.0)
    watch.change_rule(own).result()
    assert own in watch.rules()
    assert own in watch._judge.rules
    watch.reset_rule("memory").result()
    assert watch.default_rule("memory") in watch.rules()


def test_cancelled_requests_are_no_failures_of_health(store: Store) -> None:
    watch = watch_of(store, Clock())
    for number in range(6):
        watch._on_request(request(START - 5, str(number), reason=FinishReason.CANCELLED))
    watch._take(sample(START, None))
    assert {part.name: part.value for part in watch.model_health("m").parts}["errors"] is None
    assert store.requests.count(RequestFilter()) == 0

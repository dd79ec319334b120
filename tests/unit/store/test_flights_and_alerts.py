"""Records of answers, and what became of alerts."""

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.alerts import Alert, AlertEvent, AlertState, Rule, Severity
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.telemetry import Flight
from codette_desktop.store import Store, flights

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RULE = Rule("gpu_hot", "Graphics device hot", "gpu_temperature", "°C", 83.0, None, 78.0, inhibited_by=("a", "b"))


def flight(name: str, **more: object) -> Flight:
    return replace(Flight(name, 1_800_000_000.5), **more)  # type: ignore[arg-type]


def event(minute: float, state: AlertState = AlertState.FIRING, since: float = 0.0, **more: object) -> AlertEvent:
    at, began = NOON + timedelta(minutes=minute), NOON + timedelta(minutes=since)
    ended = at if state is AlertState.RESOLVED else None
    labels = (("device", "gpu:0"), ("model", "ü"))
    alert = Alert("k", "gpu_hot", labels, state, Severity.WARNING, 90.0, began, "hot", ended)
    return AlertEvent(at, replace(alert, **more))  # type: ignore[arg-type]


def test_a_flight_comes_back_as_it_was(store: Store) -> None:
    whole = flight(
        "g", token_times_ms=(1.0, 2.5, 2.5, 4_096.25), token_counts=(1, 0, 300, 70_000), queue_ms=1.5, prefill_ms=2.5,
        route=("fast", "ü"), fallbacks=(("a", "broke"),), settings=(("threads", "4"),), energy_j=12.25,
    )  # fmt: skip
    store.flights.keep(whole).result()
    store.flights.keep(flight("bare")).result()
    assert store.flights.get("g") == whole
    assert store.flights.get("bare") == flight("bare")
    assert store.flights.get("none") is None
    store.flights.keep(flight("g", energy_j=math.nan, queue_ms=math.inf, route=("\ud800",))).result()
    assert store.flights.get("g") == flight("g", route=("\ufffd",))


def test_the_times_of_a_long_answer_do_not_drift() -> None:
    chance = random.Random(1)
    times = [0.0]
    for _ in range(20_000):
        times.append(times[-1] + chance.random() * 50)
    packed = flights.times_to_bytes(times)
    assert len(packed) == 4 * len(times)
    assert max(abs(a - b) for a, b in zip(times, flights.times_from_bytes(packed), strict=True)) < 0.001
    assert flights.times_from_bytes(flights.times_to_bytes([1.0, math.nan, math.inf, 2.0])) == (1.0, 1.0, 1.0, 2.0)


@given(st.lists(st.integers(0, 2**40)))
def test_counts_are_packed_without_loss(counts: list[int]) -> None:
    assert flights.counts_from_bytes(flights.counts_to_bytes(counts)) == tuple(counts)


def test_flights_go_with_their_conversation(store: Store, generation: Generation) -> None:
    made = store.conversations.create("chat").result()
    asking = store.conversations.add_message(made.id, None, Message(Role.USER, "?")).result()
    store.generations.start(made.id, asking.id, generation).result()
    for name in (generation.id, f"{generation.id}/1", f"{generation.id}0", "another"):
        store.flights.keep(flight(name)).result()
    store.conversations.delete(made.id).result()
    assert store.flights.get(generation.id) is not None
    store.conversations.purge_deleted(datetime.now(UTC) + timedelta(days=1)).result()
    gone = [store.flights.get(name) is None for name in (generation.id, f"{generation.id}/1", f"{generation.id}0")]
    assert gone == [True, True, False]
    assert store.flights.get("another") is not None


def test_old_flights_and_events_are_removed(store: Store) -> None:
    store.flights.keep(flight("g")).result()
    store.alerts.add([event(0)]).result()
    store.telemetry.roll_up(1_800_000_000.0 + 700 * 86_400).result()
    assert store.flights.get("g") is not None
    store.telemetry.roll_up(1_800_000_000.0 + 732 * 86_400).result()
    assert store.flights.get("g") is None
    assert store.alerts.history() == []


def test_events_come_back_newest_first(store: Store) -> None:
    events = [event(0), replace(event(5), told=True), event(9, AlertState.RESOLVED)]
    other = event(7, rule="disk", key="d", snoozed_until=NOON, severity=Severity.CRITICAL)
    store.alerts.add(events).result()
    store.alerts.add([other]).result()
    assert store.alerts.history() == [events[2], other, events[1], events[0]]
    assert store.alerts.history(rule="disk") == [other]
    assert store.alerts.history(2, before=events[2].at) == [other, events[1]]
    store.alerts.add([event(20, value=math.inf)]).result()
    assert math.isnan(store.alerts.history(1)[0].alert.value)


def test_an_incident_has_its_worst_and_its_end(store: Store) -> None:
    worse = event(2, severity=Severity.CRITICAL)
    store.alerts.add([event(1), worse, event(8, AlertState.RESOLVED)]).result()
    (found,) = store.alerts.incidents(NOON, NOON + timedelta(hours=1))
    assert (found.severity, found.state) == (Severity.CRITICAL, AlertState.RESOLVED)
    assert found.resolved_at == NOON + timedelta(minutes=8)


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [(-60, 0, 0), (-60, 2, 1), (2, 5, 1), (9, 11, 2), (12, 18, 0), (25, 60, 1), (0, 60, 3)],
)
def test_incidents_are_those_that_fired_in_the_period(store: Store, start: int, end: int, count: int) -> None:
    store.alerts.add([event(1), event(10, AlertState.RESOLVED)]).result()
    store.alerts.add([event(10, since=10, key="lost"), event(20, since=19, key="lost")]).result()
    bounds = [NOON + timedelta(minutes=minute) for minute in (start, end)]
    assert len(store.alerts.incidents(*bounds)) == count


def test_changed_rules_are_kept_until_they_are_reset(store: Store) -> None:
    changed = replace(RULE, warning=95.0, enabled=False)
    other = replace(RULE, name="another")
    for rule in (RULE, other, changed):
        store.alerts.keep_rule(rule).result()
    assert store.alerts.changed_rules() == (other, changed)
    store.alerts.reset_rule("gpu_hot").result()
    store.alerts.reset_rule("never changed").result()
    assert store.alerts.changed_rules() == (other,)


def test_the_state_of_the_watch_is_one(store: Store) -> None:
    assert store.alerts.state() is None
    store.alerts.keep_state({"version": 1, "rows": [1.5, None, "ü\ud800"]}).result()
    store.alerts.keep_state({"version": 2, "rows": [math.inf], "text": "ü"}).result()
    assert store.alerts.state() == {"version": 2, "rows": [math.inf], "text": "ü"}
    with pytest.raises(TypeError):
        store.alerts.keep_state({"no": object()})

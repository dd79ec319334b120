"""The engine of alerts: every transition, by an injected clock; and what it promises whatever happens."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from codette_desktop.domain.alerts import AlertEvent, AlertState, Rule, Severity
from codette_desktop.domain.telemetry import DeviceSample, HostSample, SensorStatus
from codette_desktop.monitoring.alert_record import alert_key
from codette_desktop.monitoring.alerts import AlertEngine
from codette_desktop.monitoring.observation import BackendWindow, ModelWindow, Observation, Outcomes
from codette_desktop.monitoring.rules import RULES
from tests.support.alert_watching import by_name, told

START = 1_800_000_000.0
HOT = by_name("gpu-temperature")
GPU = (("device", "gpu:0"),)
KEY = alert_key("gpu-temperature", GPU)


class Watched:
    """An engine, a clock, and what it is shown."""

    def __init__(self, *rules: Rule) -> None:
        self.now = START
        self.engine = AlertEngine(rules or RULES, clock=lambda: self.now)

    def heat(self, *values: float | None, every_s: float = 10.0) -> list[AlertEvent]:
        """Show temperatures, one each `every_s` from now on; None: the reader is late."""
        events: list[AlertEvent] = []
        for value in values:
            status = SensorStatus.OK if value is not None else SensorStatus.STALE
            events += self.engine.evaluate(
                Observation(self.now, devices=(DeviceSample("gpu:0", status, temperature_c=value),))
            )
            self.now += every_s
        return events

    @property
    def state(self) -> AlertState | None:
        return next((alert.state for alert in self.engine.active()), None)


def states(events: list[AlertEvent]) -> list[tuple[AlertState, Severity, bool]]:
    return [(event.alert.state, event.alert.severity, event.told) for event in events]


def test_it_fires_once_its_condition_has_held_for_long_enough() -> None:
    watched = Watched(HOT)
    assert watched.heat(88, 88, 88) == []
    assert watched.state is AlertState.PENDING
    (event,) = watched.heat(88.4)
    assert states([event]) == [(AlertState.FIRING, Severity.WARNING, True)]
    assert event.alert.since == datetime.fromtimestamp(START, UTC)
    assert event.alert.text == "Graphics device hot (gpu:0): 88.4 °C"
    assert event.alert.labels == GPU
    assert watched.heat(88, 89) == []


def test_what_is_over_too_soon_is_told_to_nobody() -> None:
    watched = Watched(HOT)
    assert watched.heat(88, 88, 86.9, 88, 88, 88) == []
    assert watched.heat(88) != []
    assert Watched(HOT).heat(88, 88, None, 88, 88) == []


def test_it_clears_lower_than_it_is_raised_and_keeps_firing_for_a_while() -> None:
    watched = Watched(HOT)
    watched.heat(88, 88, 88, 88)
    assert watched.heat(*[83.0] * 30) == []
    assert watched.state is AlertState.FIRING
    assert watched.heat(81, 83, 83) == []
    assert watched.state is AlertState.RESOLVING
    assert watched.heat(87) == []
    assert watched.state is AlertState.FIRING
    assert watched.heat(*[81.0] * 6) == []
    (event,) = watched.heat(81)
    assert states([event]) == [(AlertState.RESOLVED, Severity.WARNING, False)]
    assert event.alert.resolved_at == datetime.fromtimestamp(watched.now - 10, UTC)
    assert watched.engine.active() == ()


def test_becoming_critical_is_told_even_within_the_cooldown_but_only_once() -> None:
    watched = Watched(HOT)
    watched.heat(88, 88, 88, 88)
    assert watched.heat(94, 94, 94) == []
    assert states(watched.heat(94)) == [(AlertState.FIRING, Severity.CRITICAL, True)]
    assert watched.heat(90) == []  # still as hot as a warning is raised at
    assert states(watched.heat(86)) == [(AlertState.FIRING, Severity.WARNING, False)]
    assert states(watched.heat(94, 94, 94, 94)) == [(AlertState.FIRING, Severity.CRITICAL, False)]
    assert told(watched.heat(*[94.0] * 83)) == []
    assert len(told(watched.heat(*[94.0] * 3))) == 1


def test_nobody_is_told_twice_within_the_cooldown_but_after_it_if_it_fires_still() -> None:
    watched = Watched(HOT)
    assert len(told(watched.heat(88, 88, 88, 88))) == 1
    first = watched.now - 10
    assert states(watched.heat(*[70.0] * 7)) == [(AlertState.RESOLVED, Severity.WARNING, False)]
    again = watched.heat(88, 88, 88, 88)
    assert states(again) == [(AlertState.FIRING, Severity.WARNING, False)]
    later = told(watched.heat(*[88.0] * 90))
    assert [event.at.timestamp() for event in later] == [first + HOT.cooldown_s]


def test_who_knows_the_worse_is_not_told_of_the_less_bad() -> None:
    watched = Watched(HOT)
    assert states(watched.heat(94, 94, 94, 94)) == [(AlertState.FIRING, Severity.CRITICAL, True)]
    watched.heat(*[70.0] * 7)
    assert states(watched.heat(88, 88, 88, 88)) == [(AlertState.FIRING, Severity.WARNING, False)]


def test_a_snooze_keeps_it_quiet_and_it_is_told_when_that_ends() -> None:
    watched = Watched(HOT)
    watched.heat(88)
    watched.engine.snooze(KEY, START + 600)
    events = watched.heat(*[88.0] * 40)
    assert states(events) == [(AlertState.FIRING, Severity.WARNING, False)]
    assert watched.engine.active()[0].snoozed_until == datetime.fromtimestamp(START + 600, UTC)
    events = watched.heat(*[88.0] * 30)
    assert [event.at.timestamp() for event in told(events)] == [START + 600]

    watched.engine.snooze(KEY, START + 100_000)
    watched.engine.wake(KEY)
    assert watched.engine.active()[0].snoozed_until is None
    watched.engine.wake("unknown")
    with pytest.raises(KeyError):
        watched.engine.snooze("unknown", START)


def test_who_snoozed_a_critical_alert_is_told_of_the_warning_it_has_become() -> None:
    watched = Watched(HOT)
    watched.heat(94)
    watched.engine.snooze(KEY, START + 100)
    watched.heat(94, 94, 94, 86, 86)
    events = told(watched.heat(*[86.0] * 10))
    assert states(events) == [(AlertState.FIRING, Severity.WARNING, True)]


def test_what_is_measured_no_longer_ends_after_a_while() -> None:
    watched = Watched(HOT)
    watched.heat(88, 88, 88, 88)
    assert watched.heat(*[None] * 29) == []
    assert states(watched.heat(None)) == [(AlertState.RESOLVED, Severity.WARNING, False)]


def test_a_gap_is_not_taken_for_a_condition_that_held() -> None:
    watched = Watched(HOT)
    watched.heat(88)
    watched.now += 8 * 3600  # the computer slept
    assert watched.heat(88, 88, 88) == []
    assert watched.heat(88) != []
    watched.heat(80)
    watched.now += 8 * 3600
    assert watched.heat(80, 80) == []
    assert watched.state is AlertState.RESOLVING


def test_a_clock_that_is_set_back_changes_nothing() -> None:
    watched = Watched(HOT)
    watched.heat(88, 88)
    watched.now -= 3600
    assert len(watched.heat(88, 88, 88)) == 1
    watched.now -= 7200
    watched.heat(*[70.0] * 9)
    assert told(watched.heat(*[88.0] * 10)) == []  # the cooldown goes on
    assert len(told(watched.heat(*[88.0] * 80))) == 1


def test_a_restart_goes_on_where_it_was() -> None:
    watched = Watched(HOT)
    watched.heat(88, 88, 88, 88)
    watched.engine.snooze(KEY, START + 5000)
    kept = json.loads(json.dumps(watched.engine.to_dict()))
    again = Watched(HOT)
    again.now = watched.now
    again.engine.restore(kept)
    assert again.engine.active() == watched.engine.active()
    assert again.heat(88) == []
    assert again.engine.to_dict()["records"][0]["told_at"] == {"warning": START + 30}
    for damaged in ({}, {"last": None, "records": [{}]}, {"last": "x", "records": []}, {"last": 1, "records": [3]}):
        with pytest.raises(ValueError, match=r"state|could not convert"):
            again.engine.restore(damaged)
    assert again.engine.active() != ()


def test_rules_that_are_gone_or_disabled_end_their_alerts() -> None:
    watched = Watched(HOT)
    watched.heat(88, 88, 88, 88)
    watched.engine.use([replace(HOT, enabled=False)])
    assert states(watched.heat(88)) == [(AlertState.RESOLVED, Severity.WARNING, False)]
    assert watched.heat(88, 88, 88, 88, 88) == []
    other = Watched(HOT)
    other.heat(88, 88, 88, 88)
    other.engine.use([])
    assert states(other.heat(88)) == [(AlertState.RESOLVED, Severity.WARNING, False)]


def test_a_server_that_is_down_silences_the_alerts_of_its_models_alone() -> None:
    engine, bad = AlertEngine(), Outcomes(40, 30)
    models = tuple(
        ModelWindow(name, backend, last_5m=bad, last_1h=bad, last_30m=bad, last_6h=bad, first_token_shift=0.5)
        for name, backend in (("hall/qwen", "hall"), ("guide", "local"))
    )
    down = (BackendWindow("hall", failed_in_a_row=5), BackendWindow("local", good_in_a_row=9))
    events = [event for step in range(6) for event in engine.evaluate(Observation(0, backends=down), START + 10 * step)]
    assert [(event.alert.rule, event.alert.severity) for event in told(events)] == [("backend-down", Severity.CRITICAL)]
    events = engine.evaluate(Observation(0, models=models, backends=down), START + 60)
    assert {event.alert.rule for event in events} == {"error-burn-fast", "error-burn-slow", "first-token-shift"}
    assert {dict(event.alert.labels)["model"] for event in told(events)} == {"guide"}
    up = (BackendWindow("hall", good_in_a_row=1), BackendWindow("local", good_in_a_row=10))
    assert engine.evaluate(Observation(0, models=models, backends=up), START + 70) == []
    up = (BackendWindow("hall", good_in_a_row=2), BackendWindow("local", good_in_a_row=11))
    events = engine.evaluate(Observation(0, models=models, backends=up), START + 80)
    assert "backend-down" in {event.alert.rule for event in events if event.alert.state is AlertState.RESOLVED}
    assert {dict(event.alert.labels).get("model") for event in told(events)} == {"hall/qwen"}


def test_small_values_can_be_the_bad_ones() -> None:
    watched, events = Watched(), list[AlertEvent]()
    for step in range(7):
        sample = HostSample(disk_free_bytes=1_500_000_000)
        events = watched.engine.evaluate(Observation(0, host=sample), START + 10 * step)
    assert [(event.alert.rule, event.alert.severity) for event in events] == [("disk-free", Severity.WARNING)]
    assert events[0].alert.text == "Little disk space left: 1.5 GB"
    for step in range(7, 60):
        watched.engine.evaluate(Observation(0, host=HostSample(disk_free_bytes=3_000_000_000)), START + 10 * step)
    assert watched.state is AlertState.FIRING


def test_the_most_severe_stand_first() -> None:
    engine = AlertEngine()
    devices = (DeviceSample("gpu:0", temperature_c=88.0), DeviceSample("gpu:1", temperature_c=95.0))
    for step in range(5):
        engine.evaluate(Observation(0, devices=devices), START + 10 * step)
    assert [dict(alert.labels)["device"] for alert in engine.active()] == ["gpu:1", "gpu:0"]


def test_keys_tell_labels_apart() -> None:
    assert alert_key("a", (("x", "1"), ("y", "2"))) == alert_key("a", (("y", "2"), ("x", "1")))
    assert alert_key("a", (("x", "1\ny=2"),)) != alert_key("a", (("x", "1"), ("y", "2")))
    assert alert_key("a", ()) != alert_key("b", ())

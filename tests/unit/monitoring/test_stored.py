"""The present as another process left it: what was learnt, how well all is, and no alerts that nobody would end."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.domain.alerts import Alert, AlertEvent, AlertState, Severity
from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.monitoring.judging import Judge
from codette_desktop.monitoring.rules import RULES, with_changes
from codette_desktop.monitoring.stored import rules_in_force, stored_now
from codette_desktop.store import Store
from tests.support.measured_examples import AT, LABEL, SAMPLE, WARM

HOT = replace(SAMPLE, devices=(replace(SAMPLE.devices[0], temperature_c=99.0),))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def slower() -> list[RequestRecord]:
    """A hundred of a model, of which the last forty took twice as long to begin."""
    times = [80.0 + number % 3 for number in range(60)] + [160.0 + number % 3 for number in range(40)]
    return [
        replace(WARM, id=str(number), at=AT - 2000 + 10 * number, time_to_first_token_ms=ms)
        for number, ms in enumerate(times)
    ]


def left_by_another(store: Store) -> dict[str, Any]:
    """What a process that watched has kept: a shift it found, and an alert that fires."""
    judge = Judge(RULES, lambda: AT)
    for request in slower():
        judge.heard(lambda windows, request=request: windows.add_request(request))
    store.requests.add(slower()).result()
    store.alerts.keep_state(judge.to_dict()).result()
    moment = datetime.fromtimestamp(AT, UTC)
    alert = Alert("k", "gpu-temperature", (("device", "gpu:0"),), AlertState.FIRING, Severity.CRITICAL, 99, moment, "")
    store.alerts.add([AlertEvent(moment, alert)]).result()
    return judge.to_dict()


def test_what_was_learnt_is_known_again(store: Store) -> None:
    left_by_another(store)
    found = stored_now(store, AT + 1)
    assert found.observation is not None
    [model] = found.observation.models
    assert (model.model, model.backend) == (LABEL, "local")
    assert model.first_token_shift == pytest.approx(1.0, abs=0.1)
    assert found.health is not None
    assert {part.name for part in found.health.parts if part.value is not None} == {"speed", "errors"}


def test_alerts_are_those_of_a_process_that_watches(store: Store) -> None:
    left_by_another(store)
    assert stored_now(store, AT + 1).alerts is None
    store.telemetry.add([SAMPLE]).result()
    alerts = stored_now(store, AT + 1).alerts
    assert alerts is not None
    assert [alert.rule for alert in alerts] == ["gpu-temperature"]
    assert stored_now(store, AT + 3600).alerts is None


def test_a_sample_that_was_just_taken_is_judged(store: Store) -> None:
    full = replace(SAMPLE, at=AT, host=replace(SAMPLE.host, memory_used_bytes=16_000_000_000))
    found = stored_now(store, AT + 1, full, ())
    assert (found.sample, found.devices) == (full, ())
    assert found.health is not None
    assert found.health.band == "unhealthy"
    assert stored_now(store, AT + 3600, full, ()).health is None  # says nothing of now


def test_an_empty_store_knows_nothing(store: Store) -> None:
    found = stored_now(store, AT)
    assert (found.sample, found.devices, found.alerts, found.health, found.loaded) == (None, (), None, None, ())
    assert found.observation is not None
    assert found.observation.models == ()


def test_a_state_that_is_none_costs_what_was_learnt_alone(store: Store) -> None:
    store.requests.add(slower()).result()
    store.alerts.keep_state({"usual": {"detectors": [{"model": 3}]}, "alerts": {}}).result()
    found = stored_now(store, AT + 1)
    assert found.observation is not None
    assert [model.first_token_shift for model in found.observation.models] == [None]
    assert found.observation.models[0].last_1h.requests == 100


def test_the_rules_are_the_persons(store: Store) -> None:
    assert rules_in_force(store) == RULES
    mine = with_changes(RULES[0], warning=70.0, clear=60.0)
    store.alerts.keep_rule(mine).result()
    assert rules_in_force(store) == (mine, *RULES[1:])

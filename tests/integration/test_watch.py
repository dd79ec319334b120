"""Watching for real: the starter models answer, sensors of this computer are read, and all of it is kept."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codette_desktop.application import Application
from codette_desktop.domain.alerts import AlertState
from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.events import AlertChanged, RequestEnded
from codette_desktop.domain.request_log import LOCAL, Purpose, RequestFilter, RequestOrder, RequestRecord
from codette_desktop.domain.series import ENGINE, HOST, SeriesName
from codette_desktop.domain.telemetry import MarkKind

GUIDE = "guide-s-q8_0"


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


async def asked(application: Application, text: str = "What is a LoRA adapter?", model: str = GUIDE) -> str:
    """Ask in a chat of its own; gives the generation's id."""
    conversation = await asyncio.wrap_future(application.store.conversations.create(model=model))
    node = None
    async for part in application.chat.send(conversation.id, text):
        node = part
    assert node is not None
    return node.generation.id  # type: ignore[union-attr]


async def until(true: object) -> None:
    async with asyncio.timeout(30):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.02)


def logged(application: Application) -> list[RequestRecord]:
    return application.store.requests.page(RequestFilter(), RequestOrder.AT, False, 50, 0)


async def test_an_answer_has_a_row_and_a_flight_record(application: Application) -> None:
    heard: list[RequestRecord] = []
    application.bus.subscribe(RequestEnded, lambda event: heard.append(event.request))
    generation_id = await asked(application)
    await until(lambda: application.store.flights.get(generation_id))
    [row] = logged(application)
    generation = application.store.generations.get(generation_id)
    flight = application.store.flights.get(generation_id)
    assert heard == [row]
    assert generation is not None
    assert generation.figures is not None
    assert flight is not None
    assert (row.id, row.model, row.backend, row.purpose) == (generation_id, GUIDE, LOCAL, Purpose.CHAT)
    assert (row.reason, row.model_hash) == (FinishReason.STOP, generation.model_hash)
    assert row.completion_tokens == generation.figures.completion_tokens == sum(flight.token_counts)
    assert row.time_to_first_token_ms == pytest.approx(generation.figures.time_to_first_token_ms)
    assert row.load_ms > 0
    assert row.queue_ms is not None
    assert row.prefill_ms is not None
    assert row.load_ms + row.queue_ms + row.prefill_ms == pytest.approx(flight.token_times_ms[0])
    assert set(flight.token_counts) == {1}  # each has a time of its own, though they come in pieces
    assert len(set(flight.token_times_ms)) == len(flight.token_times_ms)
    assert list(flight.token_times_ms) == sorted(flight.token_times_ms)
    assert flight.token_times_ms[-1] <= row.total_ms
    assert dict(flight.settings)["Context length"] == "Automatic"
    place = application.store.requests.place(generation_id)
    assert (place.kind, place.node_id is not None) == ("chat", True)


async def test_members_of_an_ensemble_and_answers_written_together_are_noted(application: Application) -> None:
    from codette_desktop.domain.comparisons import ComparisonSetup
    from codette_desktop.domain.ensembles import Method

    members = application.members.read_all([GUIDE, "guide-m-q8_0"])
    for method in (Method.NONE, Method.TOKEN):
        setup = ComparisonSetup(tuple(members), method)
        run = application.comparisons.start("What is 14 + 27?", setup)
        _ = [part async for part in run.parts()]
    await until(lambda: len(logged(application)) >= 3)
    rows = logged(application)
    assert {row.purpose for row in rows} == {Purpose.COMPARE}
    kept = [row for row in rows if application.store.generations.get(row.id)]
    assert {row.model for row in kept} == {GUIDE, "guide-m-q8_0"}
    assert all(application.store.flights.get(row.id) for row in kept)
    [together] = [row for row in rows if "+" in row.model]
    assert together.completion_tokens > 0
    assert " + " in together.model_label


async def test_a_model_that_is_not_there_is_noted_as_failed(application: Application) -> None:
    with pytest.raises(CodetteError):
        await asked(application, model="no-such-model")
    assert logged(application) == []  # it was never asked: the name is refused before


async def test_sensors_are_read_kept_and_drawn_together_with_what_happened(application: Application) -> None:
    application.watch.set_interval(0.5)
    application.watch.set_visible(True)
    application.watch.start()
    await asked(application)
    await until(lambda: application.watch.history.samples.version >= 3)
    await until(lambda: application.watch.now().requests == 1)
    sample = application.watch.latest
    assert sample is not None
    assert sample.host.memory_total_bytes
    tokens = SeriesName(ENGINE, "tokens")
    memory = SeriesName(HOST, "memory_used_bytes")
    live = application.watch.history.samples.series([tokens, memory], 0, sample.at + 10)
    assert application.watch.now().tokens_per_second
    await application.watch.aclose()
    period = (sample.at - 60, sample.at + 10)
    await until(lambda: sum(application.store.telemetry.series([tokens], *period)[tokens].mean) > 0)
    assert min(application.store.telemetry.series([memory], *period)[memory].mean) > 1e6
    assert len(live[memory].at) >= 3
    marks = application.watch.history.marks(sample.at - 60, sample.at + 60)
    assert MarkKind.LOADED in {mark.kind for mark in marks}


async def test_where_another_stood_in_the_mark_does_not_say_what_the_server_said(application: Application) -> None:
    failed = RequestRecord(
        "answer/0", time.time(), "far", "Far · Q8_0", backend="attic", reason=FinishReason.FAILED,
        error_type="ServerUnreachable", error="Nothing answers to “My secret”.",
    )  # fmt: skip
    application.watch.start()
    application.bus.publish(RequestEnded(failed))
    await application.watch.aclose()
    await until(lambda: application.store.telemetry.marks(0, time.time() + 60))
    marks = application.store.telemetry.marks(0, time.time() + 60)
    assert [mark.text for mark in marks] == ["Far · Q8_0 failed: server unreachable"]


async def test_an_alert_is_raised_told_and_kept(application: Application) -> None:
    told: list[AlertChanged] = []
    application.bus.subscribe(AlertChanged, told.append)
    rule = application.watch.default_rule("memory")
    changed = type(rule)(**{name: getattr(rule, name) for name in rule.__slots__} | {
        "warning": 0.1, "critical": None, "clear": 0.05, "for_s": 0.0,
    })  # fmt: skip
    await asyncio.wrap_future(application.watch.change_rule(changed))
    application.watch.start()
    await until(lambda: told)
    assert told[0].change.told
    [alert] = [one for one in application.watch.alerts() if one.rule == "memory"]
    assert alert.state is AlertState.FIRING
    await until(lambda: application.store.alerts.history())
    [event] = application.store.alerts.history()
    assert event.alert.key == alert.key
    application.watch.snooze(alert.key, 3600)
    [snoozed] = [one for one in application.watch.alerts() if one.rule == "memory"]
    assert snoozed.snoozed_until is not None
    application.watch.wake(alert.key)
    assert application.watch.alerts()[0].snoozed_until is None
    await asyncio.wrap_future(application.watch.reset_rule("memory"))
    assert rule in application.watch.rules()


async def test_what_was_learnt_is_known_after_a_restart(codette_home: Path) -> None:
    first = Application.open(codette_home)
    first.watch.start()
    await asked(first)
    await until(lambda: first.watch.history.samples.version >= 1)
    await first.aclose()
    again = Application.open(codette_home)
    try:
        again.watch.start()
        await until(lambda: again.watch.history.samples.version >= 1)
        assert again.watch.now().requests == 1
        assert again.store.alerts.state() is not None
    finally:
        await again.aclose()

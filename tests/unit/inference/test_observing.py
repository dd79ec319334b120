"""Every request is noted: how it ended, who failed before, when each piece came. Providers fail as a script says."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from codette_desktop.domain.answers import (
    AnswerEnd,
    AnswerFigures,
    AnswerPart,
    ContextUse,
    FinishReason,
    PromptRead,
    SwitchedModel,
    TextChunk,
)
from codette_desktop.domain.errors import Cancelled, CodetteError, EngineFailure, ModelNotFound, ServerRefused
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import AnyModel, ModelInfo, ServerModel
from codette_desktop.domain.request_log import LOCAL, Purpose, RequestRecord
from codette_desktop.domain.requests import ChatRequest, RequestOrigin
from codette_desktop.domain.telemetry import Flight
from codette_desktop.inference.activity import Activity
from codette_desktop.inference.fallback import FallbackProvider
from codette_desktop.inference.observing import ObservedProvider, Observers
from tests.unit.inference.test_fallback import Several

FILE = ModelInfo("first", "First", Path("first.gguf"), "llama", "Q8_0", 1, 1, 1024, 32, file_hash="ab")
SERVER = ServerModel("shed/second", "second", "shed")


def find(name: str) -> AnyModel:
    if name == "gone":
        raise ModelNotFound("It is gone.")
    return SERVER if name.startswith("shed/") else replace(FILE, name=name, display_name=name.title())


class Kept:
    def __init__(self, script: Several) -> None:
        self.rows: list[RequestRecord] = []
        self.flights: list[Flight | None] = []
        self.activity = Activity()
        observers = Observers(find, self._keep, lambda model: (("Threads", model.name),))
        self.provider = ObservedProvider(FallbackProvider(script), self.activity, observers)

    def _keep(self, rows: Sequence[RequestRecord], flight: Flight | None) -> None:
        self.rows += rows
        self.flights.append(flight)

    async def ask(self, model: str = "first", *alternatives: str, answer_id: str = "g1") -> list[AnswerPart]:
        origin = RequestOrigin(answer_id, Purpose.CHAT, ("it is small",))
        messages = (Message(Role.USER, "Well?"),)
        request = ChatRequest(model, messages, alternatives=alternatives, origin=origin)
        try:
            return [part async for part in self.provider.stream(request)]
        finally:
            await self.noted()

    async def noted(self) -> None:
        while not self.flights:
            await asyncio.sleep(0.001)


async def test_an_answer_is_noted_with_its_times_and_settings() -> None:
    kept = Kept(Several())
    parts = await kept.ask()
    [row], [flight] = kept.rows, kept.flights
    assert (row.id, row.purpose, row.reason, row.backend) == ("g1", Purpose.CHAT, FinishReason.STOP, LOCAL)
    assert row.error == row.error_type == ""
    assert flight is not None
    chunks = [part for part in parts if isinstance(part, TextChunk)]
    assert flight.token_counts == tuple(chunk.tokens for chunk in chunks)
    assert list(flight.token_times_ms) == sorted(flight.token_times_ms)
    assert flight.generation_id == "g1"
    assert flight.route == ("it is small",)
    assert flight.settings == (("Threads", "first"),)
    assert not kept.activity.busy
    assert kept.activity.sample(0, 0, 0, 0).requests == 1


async def test_waiting_loading_and_reading_add_up_to_the_first_token_that_the_person_waited_for() -> None:
    class LateEngine(Several):
        """Its clock starts late, as that of an engine does which a busy window reaches late."""

        async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
            asked = time.perf_counter()
            while time.perf_counter() < asked + 0.03:
                await asyncio.sleep(0)
            yield PromptRead(ContextUse(9, 0, 0, 10))
            first = time.perf_counter()
            yield TextChunk("Well.", 2, (first, first + 0.001))
            figures = AnswerFigures(9, 2, 5.0, 1000.0, 6.0, load_ms=10.0)
            yield AnswerEnd(FinishReason.STOP, figures, ContextUse(9, 0, 0, 10), 1, "first", "First", "ab", "b")

    kept = Kept(LateEngine())
    *_, end = await kept.ask()
    [row] = kept.rows
    assert row.time_to_first_token_ms is not None
    assert row.time_to_first_token_ms >= 30
    assert row.queue_ms is not None
    assert row.prefill_ms is not None
    assert row.queue_ms + row.load_ms + row.prefill_ms == pytest.approx(row.time_to_first_token_ms)
    assert isinstance(end, AnswerEnd)
    assert end.figures.time_to_first_token_ms == row.time_to_first_token_ms  # the chat says what the log says
    assert row.time_to_first_token_ms <= end.figures.total_ms <= row.total_ms


async def test_who_failed_before_has_a_row_of_its_own_and_what_it_wrote_is_not_the_answers() -> None:
    kept = Kept(Several(first=EngineFailure("It broke.")))
    parts = await kept.ask("first", "shed/second")
    failed, answered = kept.rows
    assert any(isinstance(part, SwitchedModel) for part in parts)
    assert (failed.id, failed.model, failed.reason) == ("g1/1", "first", FinishReason.FAILED)
    assert (failed.error, failed.error_type, failed.model_label) == ("It broke.", "EngineFailure", "First · Q8_0")
    assert failed.model_hash == "ab"
    assert (answered.id, answered.reason, answered.backend) == ("g1", FinishReason.STOP, "shed")
    assert answered.queue_ms is answered.prefill_ms is None  # a server does not tell
    [flight] = kept.flights
    assert flight is not None
    assert flight.fallbacks == (("first", "It broke."),)
    assert flight.settings == ()
    assert answered.at >= failed.at


async def test_where_all_fail_each_has_a_row_and_the_error_is_told() -> None:
    kept = Kept(Several(first=EngineFailure("It broke."), second=ServerRefused("It wants a token.")))
    with pytest.raises(CodetteError):
        await kept.ask("first", "second")
    assert [(row.id, row.reason) for row in kept.rows] == [("g1/1", FinishReason.FAILED), ("g1", FinishReason.FAILED)]
    assert kept.activity.sample(0, 0, 0, 0).failed == 1
    assert kept.rows[-1].total_ms > 0


async def test_what_the_person_stopped_is_no_failure() -> None:
    kept = Kept(Several())
    request = ChatRequest("first", (Message(Role.USER, "Well?"),))
    async with aclosing(kept.provider.stream(request)) as parts:
        async for part in parts:
            if isinstance(part, TextChunk):
                break
    await kept.noted()
    [row] = kept.rows
    assert row.reason is FinishReason.CANCELLED
    assert row.completion_tokens > 0
    assert kept.flights == [None]  # it is not kept, so that nobody can open its record
    assert len(row.id) == 32
    sample = kept.activity.sample(0, 0, 0, 0)
    assert (sample.failed, sample.running, sample.waiting) == (0, 0, 0)


async def test_cancelled_by_the_engine_is_no_failure_either() -> None:
    kept = Kept(Several(first=Cancelled("It was stopped.")))
    with pytest.raises(Cancelled):
        await kept.ask()
    assert (kept.rows[0].reason, kept.rows[0].error) == (FinishReason.CANCELLED, "")


async def test_a_model_nobody_knows_is_noted_by_its_name() -> None:
    kept = Kept(Several(gone=ModelNotFound("It is gone.")))
    with pytest.raises(ModelNotFound):
        await kept.ask("gone")
    assert (kept.rows[0].model, kept.rows[0].model_label, kept.rows[0].error) == ("gone", "gone", "It is gone.")


@pytest.mark.allow_log("a request could not be noted")
async def test_an_observer_that_fails_costs_the_note_alone() -> None:
    def broken(_rows: Sequence[RequestRecord], _flight: Flight | None) -> None:
        raise RuntimeError("no")

    provider = ObservedProvider(FallbackProvider(Several()), Activity(), Observers(find, broken))
    request = ChatRequest("first", (Message(Role.USER, "Well?"),))
    parts = [part async for part in provider.stream(request)]
    parts += [part async for part in provider.stream(request)]  # its name is known: noted before the end
    assert len(parts) > 2


async def test_names_are_looked_up_once_until_they_may_have_changed() -> None:
    asked: list[str] = []
    done: list[object] = []

    def counted(name: str) -> AnyModel:
        asked.append(name)
        return find(name)

    observers = Observers(counted, lambda rows, _flight: done.append(rows))
    provider = ObservedProvider(FallbackProvider(Several()), Activity(), observers)
    request = ChatRequest("first", (Message(Role.USER, "Well?"),))
    for number in (1, 2, 3):
        if number == 3:
            provider.forget_names()
        _ = [part async for part in provider.stream(request)]
        while len(done) < number:
            await asyncio.sleep(0.001)
    assert asked == ["first", "first"]

"""Candidates in turn, with providers that fail as a script says: what is told, and to whom the answer is credited."""

from contextlib import aclosing

import pytest

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, SwitchedModel, TextChunk
from codette_desktop.domain.errors import (
    Cancelled,
    CodetteError,
    EngineFailure,
    InvalidRequest,
    ModelLoadFailed,
    PromptTooLong,
    ServerRefused,
)
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.fallback import FallbackProvider
from codette_desktop.inference.provider import ModelIdentity
from tests.support.scripted_provider import ScriptedProvider


class Several(ScriptedProvider):
    """A script whose models fail each with an error of their own."""

    def __init__(self, **errors: CodetteError) -> None:
        super().__init__()
        self.errors = errors

    def stream(self, request: ChatRequest):
        """See `Provider.stream`."""
        self.error = self.errors.get(request.model)
        return super().stream(request)

    def identity(self, model: str) -> ModelIdentity | None:
        """Nothing is cached."""
        return None


def request(*alternatives: str) -> ChatRequest:
    return ChatRequest("first", (Message(Role.USER, "Well?"),), alternatives=alternatives)


async def asked(provider: FallbackProvider, *alternatives: str) -> list[AnswerPart]:
    return [part async for part in provider.stream(request(*alternatives))]


async def test_without_a_failure_nobody_else_is_asked_and_nothing_is_noted() -> None:
    script = Several()
    parts = await asked(FallbackProvider(script), "second")
    assert [item.model for item in script.requests] == ["first"]
    end = parts[-1]
    assert isinstance(end, AnswerEnd)
    assert end.note == ""


async def test_each_is_asked_once_in_order_and_the_note_names_all_that_failed() -> None:
    script = Several(first=EngineFailure("It broke."), second=ServerRefused("It wants a token."))
    waits: list[float] = []
    provider = FallbackProvider(script, lambda name: name.title(), waits.append)
    parts = await asked(provider, "second", "first", "third", "fourth")
    assert [item.model for item in script.requests] == ["first", "second", "third"]
    assert all(not item.alternatives for item in script.requests)
    switches = [part for part in parts if isinstance(part, SwitchedModel)]
    assert [(item.failed, item.model) for item in switches] == [("first", "second"), ("second", "third")]
    end = parts[-1]
    assert isinstance(end, AnswerEnd)
    assert end.note == (
        "First could not answer: It broke. Second could not answer: It wants a token. Scripted · F32 answered instead."
    )
    assert len(waits) == 2


@pytest.mark.parametrize("error", [InvalidRequest("The grammar is wrong."), Cancelled("It was stopped.")])
async def test_what_no_other_model_can_mend_is_told_at_once(error: CodetteError) -> None:
    script = Several(first=error)
    with pytest.raises(type(error)):
        await asked(FallbackProvider(script), "second")
    assert len(script.requests) == 1


async def test_a_prompt_too_long_for_one_may_fit_another() -> None:
    script = Several(first=PromptTooLong("It holds 1,024 tokens."))
    assert isinstance((await asked(FallbackProvider(script), "second"))[-1], AnswerEnd)


async def test_where_all_fail_the_first_error_is_told_with_the_others() -> None:
    script = Several(first=ModelLoadFailed("It needs 5 GB.", "Close something."), second=EngineFailure("It broke."))
    with pytest.raises(ModelLoadFailed) as raised:
        await asked(FallbackProvider(script, str.title), "second")
    assert raised.value.message == "It needs 5 GB. Second could not answer either: It broke."
    assert raised.value.hint == "Close something."


async def test_closing_it_stops_the_candidate_and_begins_no_other() -> None:
    script = Several(first=EngineFailure("It broke."))
    async with aclosing(FallbackProvider(script).stream(request("second", "third"))) as parts:
        async for part in parts:
            if isinstance(part, SwitchedModel):
                async for inner in parts:
                    if isinstance(inner, TextChunk):
                        break
                break
    assert [item.model for item in script.requests] == ["first", "second"]

"""One answer written by several models, as the engine does it: equal to one alone where they are the same."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.application import Application
from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.errors import CodetteError, InvalidRequest
from codette_desktop.domain.joint import JointBegun, JointDropped, JointToken
from codette_desktop.domain.requests import Sampling
from tests.support.adapter_files import write_adapter
from tests.support.joint_writing import ENDLESS, GREEDY, MEDIUM, QUESTIONS, SMALL, alone, asked, joint, write_models


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    write_models(codette_home / "models")
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize("other", ["twin", "rotated"])
async def test_a_model_and_its_like_write_what_it_writes_alone(
    application: Application, other: str, gated: bool
) -> None:
    for question in QUESTIONS:
        expected, _end = await alone(application, question, SMALL)
        parts, text, end = await joint(application, asked(question, SMALL, other, gated=gated))
        assert text == expected
        assert end.reason is FinishReason.STOP
        begun = next(part for part in parts if isinstance(part, JointBegun))
        assert begun.same_vocabulary == (other == "twin")
        tokens = [part for part in parts if isinstance(part, JointToken)]
        assert all(token.decided_by == (0, 1) for token in tokens)
        assert all(token.fused != gated or token.probability < 1 for token in tokens)


@pytest.mark.parametrize("models", [(SMALL, "rotated"), (SMALL, MEDIUM), (SMALL, "rotated", MEDIUM)])
async def test_every_token_is_computed_once_by_each(application: Application, models: tuple[str, ...]) -> None:
    question = QUESTIONS[1]
    prompts = [(await application.engine.count(asked(question, model).requests[0])).prompt for model in models]
    _parts, _text, end = await joint(application, asked(question, *models, gated=False))
    spent = [decoded - prompt for decoded, prompt in zip(end.decoded, prompts, strict=True)]
    if MEDIUM not in models:
        assert spent == [end.tokens, end.tokens]
    assert all(one <= 1.3 * end.tokens for one in spent)  # a piece may be two tokens of another's
    assert end.fused == end.tokens + 1  # and the end


async def test_drafts_are_asked_about_in_one_go_and_only_what_is_unsure_is_decided_together(
    application: Application,
) -> None:
    _parts, text, end = await joint(application, asked(QUESTIONS[1], SMALL, "rotated"))
    assert text
    assert end.fused < end.tokens / 4


async def test_models_of_other_tokenizers_can_write_anything_together(application: Application) -> None:
    """Random weights say random bytes: what one says the other has to follow, in the middle of characters too."""
    for seed in range(3):
        sampling = Sampling(temperature=1.5, seed=seed, max_tokens=120)
        for gated in (True, False):
            request = asked("hello", "bytes", "pieces", gated=gated, sampling=sampling)
            parts, text, end = await joint(application, request)
            assert not any(isinstance(part, JointDropped) for part in parts)
            assert (end.tokens, end.reason) == (120, FinishReason.LENGTH) or end.reason is FinishReason.STOP
            assert all(part.text for part in parts if isinstance(part, JointToken))
            again = await joint(application, request)
            assert again[1] == text  # equal seeds, equal answers


async def test_closing_it_stops_the_engine_and_lets_go_of_the_models(application: Application) -> None:
    async with aclosing(
        application.engine.write_together(asked("Go on.", "bytes", "pieces", sampling=ENDLESS))
    ) as parts:
        async for part in parts:
            if isinstance(part, JointToken):
                break
    assert await application.engine.unload("bytes")
    assert await application.engine.unload("pieces")


async def test_chats_and_other_answers_go_on_meanwhile(application: Application) -> None:
    expected = await alone(application, QUESTIONS[1], SMALL)
    together = await joint(application, asked(QUESTIONS[1], SMALL, "rotated"))
    at_once = await asyncio.gather(
        joint(application, asked(QUESTIONS[1], SMALL, "rotated")),
        *(alone(application, QUESTIONS[1], SMALL) for _ in range(3)),
        joint(application, asked(QUESTIONS[2], "rotated", SMALL)),
    )
    assert at_once[0][1] == together[1] == expected[0]
    assert [one[0] for one in at_once[1:4]] == [expected[0]] * 3
    assert at_once[4][1] == (await alone(application, QUESTIONS[2], SMALL))[0]


async def test_where_there_is_room_for_one_they_take_turns_with_chats(application: Application) -> None:
    await asyncio.wrap_future(application.store.settings.set("engine", {"parallel": 1, "context_length": 512}))
    sampling = GREEDY.with_changes(max_tokens=60)
    questions = [" ".join(f"{word} {at}" for at in range(60)) for word in ("export", "chat", "compare")]
    assert 256 < (await application.engine.count(asked(questions[0], SMALL).requests[0])).prompt < 450  # no two fit

    async def together(question: str) -> str:
        parts, text, _end = await joint(application, asked(question, SMALL, "rotated", sampling=sampling))
        assert not any(isinstance(part, JointDropped) for part in parts)
        return text

    async def later(work: Coroutine[Any, Any, str]) -> str:
        await asyncio.sleep(0.06)
        return await work

    async def chat(question: str) -> str:
        return (await alone(application, question, SMALL))[0]

    expected = [await together(questions[0]), await chat(questions[1]), await together(questions[2])]
    for order in range(3):
        work = [together(questions[0]), chat(questions[1]), together(questions[2])]
        said = await asyncio.gather(*(later(one) if at == order else one for at, one in enumerate(work)))
        assert said == expected


async def test_contexts_with_other_adapters_are_made_as_far_as_may_be(
    application: Application, codette_home: Path
) -> None:
    for at in range(3):
        write_adapter(codette_home / "models" / f"a{at}.gguf", seed=at + 1)
    names = ("bytes", "bytes+a0", "bytes+a1")
    parts, text, _end = await joint(application, asked("hello", *names, sampling=GREEDY.with_changes(max_tokens=8)))
    (dropped,) = [part for part in parts if isinstance(part, JointDropped)]
    assert dropped.place == 2
    assert "2 sets of adapters" in dropped.error.message
    assert text


async def test_more_that_write_together_than_there_is_room_for_take_turns(application: Application) -> None:
    expected = (await alone(application, QUESTIONS[2], SMALL))[0]
    orders = [(SMALL, "twin"), ("twin", SMALL)] * 10
    answers = await asyncio.gather(*(joint(application, asked(QUESTIONS[2], *order)) for order in orders))
    assert [answer[1] for answer in answers] == [expected] * 20


async def test_a_stop_string_and_the_longest_answer_hold(application: Application) -> None:
    text = (await alone(application, QUESTIONS[1], SMALL))[0]
    request = asked(QUESTIONS[1], SMALL, "rotated", sampling=replace(GREEDY, stop=(text[30:36],)))
    _parts, said, end = await joint(application, request)
    assert said == text[: text.index(text[30:36])]
    assert end.reason is FinishReason.STOP
    _parts, said, end = await joint(
        application, asked(QUESTIONS[1], SMALL, "rotated", sampling=GREEDY.with_changes(max_tokens=5))
    )
    assert (end.tokens, end.reason) == (5, FinishReason.LENGTH)
    assert text.startswith(said)


async def test_what_cannot_be_written_together_is_refused(application: Application) -> None:
    with pytest.raises(InvalidRequest, match="grammar"):
        await joint(application, asked("Hi", SMALL, sampling=Sampling(grammar='root ::= "a"')))
    with pytest.raises(CodetteError):
        await joint(application, asked("Hi", "no-such-model"))


async def test_a_full_context_ends_the_answer(application: Application) -> None:
    request = asked("Go on.", "bytes", "pieces", sampling=Sampling(temperature=1.5, seed=2))
    _parts, _text, end = await joint(application, request)
    assert end.reason in (FinishReason.LENGTH, FinishReason.STOP)
    assert end.tokens < 512

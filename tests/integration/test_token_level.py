"""One answer written by several models, token by token, on real models: equal to one alone where they are the same."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from codette_desktop.application import Application
from codette_desktop.cli import main
from codette_desktop.domain.answers import AnswerEnd, FinishReason, TextChunk
from codette_desktop.domain.comparisons import ComparisonSetup, OpenedComparison
from codette_desktop.domain.ensembles import (
    EnsemblePart,
    EnsembleRequest,
    Member,
    MemberDropped,
    Method,
    Outcome,
    Working,
)
from codette_desktop.domain.errors import Cancelled, CodetteError, InvalidRequest, ModelLoadFailed, UnsupportedModel
from codette_desktop.domain.joint import JointBegun, JointDropped, JointEnd, JointPart, JointRequest, JointToken
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import ChatRequest, Sampling
from codette_desktop.domain.servers import Server
from codette_desktop.ensemble import comparisons
from codette_desktop.ensemble.service import EnsembleRun, EnsembleService
from codette_desktop.ensemble.turns import Turns
from tests.support.adapter_files import write_adapter
from tests.support.gguf_files import write_model
from tests.support.llama_server import STARTER
from tests.support.rotated_vocabulary import rotate_vocabulary

SMALL, MEDIUM = "guide-s-q8_0", "guide-m-q8_0"
QUESTIONS = (
    "Which is larger? A) 12 B) 21 C) 7 D) 9",
    "How do I export a chat?",
    "What is 48 + 57?",
    "Was ist größer, 3 oder 5? 日本語 🙂",
)
GREEDY = Sampling(temperature=0, max_tokens=64)
ENDLESS = Sampling(temperature=1.5, seed=1, max_tokens=900)


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    (codette_home / "models").mkdir(parents=True)
    rotate_vocabulary(STARTER, codette_home / "models" / "rotated.gguf")
    shutil.copy(STARTER, codette_home / "models" / "twin.gguf")
    write_model(codette_home / "models" / "bytes.gguf", tokenizer="gpt2", seed=3)
    write_model(codette_home / "models" / "pieces.gguf", tokenizer="llama", seed=4)
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


def asked(question: str, *models: str, gated: bool = True, sampling: Sampling = GREEDY) -> JointRequest:
    requests = tuple(ChatRequest(model, (Message(Role.USER, question),), sampling) for model in models)
    return JointRequest(requests, (1 / len(models),) * len(models), gated)


async def joint(application: Application, request: JointRequest) -> tuple[list[JointPart], str, JointEnd]:
    parts = [part async for part in application.engine.write_together(request)]
    end = parts[-1]
    assert isinstance(end, JointEnd)
    return parts, "".join(part.text for part in parts if isinstance(part, JointToken)), end


async def alone(application: Application, question: str, model: str) -> tuple[str, AnswerEnd]:
    request = ChatRequest(model, (Message(Role.USER, question),), GREEDY)
    parts = [part async for part in application.engine.stream(request)]
    end = parts[-1]
    assert isinstance(end, AnswerEnd)
    return "".join(part.text for part in parts if isinstance(part, TextChunk)), end


def ensemble(application: Application, question: str, *specs: str, **more: object) -> EnsembleRun:
    members = application.members.read_all(specs, sampling={"temperature": 0.0, "max_tokens": 64})
    request = EnsembleRequest((Message(Role.USER, question),), members, Method.TOKEN)
    return application.ensembles.start(replace(request, **more))  # type: ignore[arg-type]


async def parts_of(
    run: EnsembleRun, on_part: Callable[[EnsemblePart], object] = lambda _part: None
) -> tuple[list[EnsemblePart], Outcome]:
    found: list[EnsemblePart] = []
    async for part in run.parts():
        found.append(part)
        on_part(part)
    outcome = found[-1]
    assert isinstance(outcome, Outcome)
    return found, outcome


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


async def test_the_outcome_tells_how_it_came_about(application: Application) -> None:
    parts, outcome = await parts_of(ensemble(application, QUESTIONS[0], SMALL, MEDIUM))
    assert outcome.used is Method.TOKEN
    assert outcome.text == "".join(part.text for part in parts if isinstance(part, JointToken))
    assert outcome.tokens == tuple(part for part in parts if isinstance(part, JointToken))
    assert outcome.weights == (0.5, 0.5)
    words = " ".join(outcome.reasons)
    assert "Guide S · Q8_0 drafted" in words
    assert "so bytes were compared" in words
    assert any(isinstance(part, Working) for part in parts)
    assert 0 <= outcome.agreement <= 1
    assert 0 < outcome.quality <= 1


async def test_who_was_right_more_often_counts_more_and_drafts(application: Application) -> None:
    members = application.members.read_all((SMALL, MEDIUM))
    application.ensembles.learn(members[1], "choice", 38, 40)
    application.ensembles.learn(members[0], "choice", 12, 40)
    _parts, outcome = await parts_of(ensemble(application, QUESTIONS[0], SMALL, MEDIUM))
    assert outcome.weights[1] > 0.8
    assert "Guide M · Q8_0 drafted: it counts most." in outcome.reasons


async def test_weights_that_are_given_hold(application: Application) -> None:
    _parts, outcome = await parts_of(ensemble(application, QUESTIONS[0], SMALL, MEDIUM, weights=(0.1, 0.9)))
    assert outcome.weights == (0.1, 0.9)
    assert "Guide M · Q8_0 drafted: it counts most." in outcome.reasons


async def test_a_member_on_a_server_is_told_apart_and_the_others_write(application: Application) -> None:
    await application.servers.add(Server("there", "http://127.0.0.1:9/v1"))
    parts, outcome = await parts_of(ensemble(application, QUESTIONS[2], "there/model", SMALL, MEDIUM))
    dropped = [part for part in parts if isinstance(part, MemberDropped)]
    assert [part.place for part in dropped] == [0]
    assert isinstance(dropped[0].error, UnsupportedModel)
    assert "server" in dropped[0].error.message
    assert outcome.weights[0] == 0
    assert {place for token in outcome.tokens for place in token.decided_by} == {1, 2}
    with pytest.raises(UnsupportedModel, match="server"):
        await parts_of(ensemble(application, QUESTIONS[2], "there/model", "there/other"))


async def test_a_model_in_a_process_of_its_own_takes_no_part(application: Application) -> None:
    await asyncio.wrap_future(application.keep_apart(application.catalogue.find_file(MEDIUM), True))
    parts, outcome = await parts_of(ensemble(application, QUESTIONS[2], SMALL, MEDIUM, "rotated"))
    assert [part.place for part in parts if isinstance(part, MemberDropped)] == [1]
    assert outcome.text
    assert any("process of its own" in reason for reason in outcome.reasons)


async def test_who_cannot_write_takes_no_memory_from_who_can(application: Application) -> None:
    await asyncio.wrap_future(application.keep_apart(application.catalogue.find_file(MEDIUM), True))
    asked_of: list[list[str]] = []

    def plan(members: Sequence[Member]) -> Turns:
        asked_of.append([member.model for member in members])
        return Turns((tuple(range(len(members))),), {})

    services = replace(application.ensembles._services, plan=plan)  # pyright: ignore[reportPrivateUsage]
    request = ensemble(application, QUESTIONS[2], MEDIUM, SMALL, "rotated").request
    parts, outcome = await parts_of(EnsembleService(services).start(request))
    assert asked_of == [[SMALL, "rotated"]]
    assert [part.place for part in parts if isinstance(part, MemberDropped)] == [0]
    assert {place for token in outcome.tokens for place in token.decided_by} == {1, 2}


async def test_one_that_is_left_writes_alone(application: Application, codette_home: Path) -> None:
    run = ensemble(application, QUESTIONS[2], SMALL, "twin")
    (codette_home / "models" / "twin.gguf").unlink()
    parts, outcome = await parts_of(run)
    assert [part.place for part in parts if isinstance(part, MemberDropped)] == [1]
    assert outcome.text == (await alone(application, QUESTIONS[2], SMALL))[0]
    assert "Guide S · Q8_0 wrote it alone." in outcome.reasons


async def test_those_that_do_not_fit_beside_the_others_are_left_out(application: Application) -> None:
    def plan(_members: object) -> Turns:
        return Turns(((0, 1), (2,)), {2: "It needs 9 GB."})

    services = replace(application.ensembles._services, plan=plan)  # pyright: ignore[reportPrivateUsage]
    request = ensemble(application, QUESTIONS[2], SMALL, MEDIUM, "rotated").request
    parts, outcome = await parts_of(EnsembleService(services).start(request))
    (dropped,) = [part for part in parts if isinstance(part, MemberDropped)]
    assert dropped.place == 2
    assert isinstance(dropped.error, ModelLoadFailed)
    assert "9 GB" in dropped.error.message
    assert outcome.text


async def test_a_member_that_is_stopped_leaves_the_others_writing(application: Application) -> None:
    run = ensemble(application, "Tell me everything.", "bytes?temperature=1&max_tokens=300&seed=1", "pieces", SMALL)
    seen: list[EnsemblePart] = []

    def stop(part: EnsemblePart) -> None:
        seen.append(part)
        if isinstance(part, JointToken) and len(seen) == 20:
            run.drop(0)

    _parts, outcome = await parts_of(run, stop)
    (dropped,) = [part for part in seen if isinstance(part, MemberDropped)]
    assert dropped.place == 0
    assert isinstance(dropped.error, Cancelled)
    assert outcome.weights[0] == 0


async def test_closing_it_stops_the_engine_and_lets_go_of_the_models(application: Application) -> None:
    async with aclosing(
        application.engine.write_together(asked("Go on.", "bytes", "pieces", sampling=ENDLESS))
    ) as parts:
        async for part in parts:
            if isinstance(part, JointToken):
                break
    assert await application.engine.unload("bytes")
    assert await application.engine.unload("pieces")


async def test_what_was_written_of_one_that_is_stopped_is_kept(application: Application) -> None:
    members = application.members.read_all((SMALL, MEDIUM), sampling={"temperature": 0.0})
    run = application.comparisons.start(QUESTIONS[1], ComparisonSetup(members, Method.TOKEN))
    said, kept_id = "", ""
    async with aclosing(run.parts()) as parts:
        async for part in parts:
            if isinstance(part, OpenedComparison):
                kept_id = part.comparison.id
            elif isinstance(part, JointToken):
                said += part.text
                if len(said) > 20:
                    break
    outcome = application.comparisons.open(kept_id).comparison.outcome
    assert outcome is not None
    assert outcome.text == said
    assert "stopped" in outcome.reasons[0]


async def test_what_was_written_is_kept_now_and_then_for_a_killed_process(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "CHECKPOINT_S", 0.0)
    members = application.members.read_all((SMALL, MEDIUM), sampling={"temperature": 0.0})
    run = application.comparisons.start(QUESTIONS[1], ComparisonSetup(members, Method.TOKEN))
    said, kept_id = "", ""
    async for part in run.parts():
        if isinstance(part, OpenedComparison):
            kept_id = part.comparison.id
        elif isinstance(part, JointToken):
            outcome = application.comparisons.open(kept_id).comparison.outcome
            assert (outcome.text if outcome else "") == said + part.text
            said += part.text
    assert said


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


def test_the_command_prints_the_answer_and_who_decided() -> None:
    run = CliRunner()
    told = run.invoke(
        main,
        ["compare", QUESTIONS[0], "--models", f"{SMALL},{MEDIUM}", "--method", "token", "--temperature", "0", "--json"],
    )
    assert told.exit_code == 0
    found = json.loads(told.stdout)
    assert found["answer"] == "".join(token["text"] for token in found["tokens"])
    assert {place for token in found["tokens"] for place in token["by"]} <= {0, 1}
    assert any(token["fused"] for token in found["tokens"])
    assert all(member["asked"] for member in found["members"])
    shown = run.invoke(main, ["comparisons", "show", found["id"]])
    assert found["answer"].strip() in shown.stdout

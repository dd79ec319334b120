"""Comparisons with the starter models: everything said is kept, whatever happens, and can be gone on with."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.application import Application
from codette_desktop.domain.answers import FinishReason, TextChunk
from codette_desktop.domain.comparisons import TOGETHER, ComparisonSetup, OpenedComparison, Origin
from codette_desktop.domain.ensembles import MemberBegins, MemberDropped, MemberPart, Method, Outcome
from codette_desktop.domain.errors import InvalidRequest, StoreError
from codette_desktop.domain.events import AnswerFinished, AnswerStarted, ComparisonsChanged, ProviderFailed
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.ensemble.comparisons import ComparisonRun
from tests.support.llama_server import STARTER

SHORT = ("guide-s-q8_0?temperature=0&max_tokens=20", "guide-m-q8_0?temperature=0&max_tokens=20")
LONG = Sampling(temperature=1.5, min_p=0.0, max_tokens=900, grammar="root ::= [a-z ]{500,900}")


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


def setup_of(application: Application, *specs: str, method: Method = Method.NONE) -> ComparisonSetup:
    return ComparisonSetup(application.members.read_all(specs or SHORT), method)


def with_endless_first(setup: ComparisonSetup) -> ComparisonSetup:
    """The first member takes so long that it can be stopped in the middle."""
    return replace(setup, members=(replace(setup.members[0], sampling=LONG), *setup.members[1:]))


async def all_of(run: ComparisonRun) -> tuple[list[Any], OpenedComparison]:
    parts = [part async for part in run.parts()]
    assert isinstance(parts[-1], OpenedComparison)
    return parts, parts[-1]


async def asked(application: Application, *specs: str, **more: Any) -> OpenedComparison:
    setup = setup_of(application, *specs, method=more.pop("method", Method.NONE))
    return (await all_of(application.comparisons.start("How do I compare two models?", setup, **more)))[1]


def texts(opened: OpenedComparison) -> list[str | None]:
    return [node.message.content if node else None for node in opened.answers]


def reasons(opened: OpenedComparison) -> list[FinishReason | None]:
    return [node.generation.reason if node and node.generation else None for node in opened.answers]


def streamed(parts: list[Any], place: int) -> str:
    mine = [part.part for part in parts if isinstance(part, MemberPart) and part.place == place]
    return "".join(part.text for part in mine if isinstance(part, TextChunk))


async def test_every_word_is_kept_with_how_it_came_to_be(application: Application) -> None:
    events: list[object] = []
    for kind in (AnswerStarted, AnswerFinished, ComparisonsChanged):
        application.bus.subscribe(kind, events.append)
    run = application.comparisons.start("How do I compare two models?", setup_of(application))
    parts, ended = await all_of(run)
    assert isinstance(parts[0], OpenedComparison)
    assert parts[0].answers == (None, None)
    assert parts[0].comparison.id == ended.comparison.id
    assert texts(ended) == [streamed(parts, 0), streamed(parts, 1)]
    assert all(texts(ended))
    assert application.comparisons.open(ended.comparison.id) == ended
    for node, model in zip(ended.answers, ("guide-s-q8_0", "guide-m-q8_0"), strict=True):
        assert node is not None
        generation = node.generation
        assert generation is not None
        assert (generation.model, len(generation.model_hash), generation.quantisation) == (model, 64, "Q8_0")
        assert generation.figures is not None
        assert generation.figures.completion_tokens > 0
    kinds = [type(event) for event in events]
    assert (kinds.count(AnswerStarted), kinds.count(AnswerFinished)) == (2, 2)
    assert kinds[-1] is ComparisonsChanged
    assert [item.id for item in application.comparisons.list("compare models")] == [ended.comparison.id]
    assert application.store.conversations.list() == []


async def test_what_came_of_a_method_is_kept(application: Application) -> None:
    ended = await asked(application, method=Method.CONSENSUS)
    outcome = ended.comparison.outcome
    assert outcome is not None
    assert outcome.text in texts(ended)
    assert application.comparisons.open(ended.comparison.id).comparison.outcome == outcome


async def test_one_member_is_asked_again_and_the_others_stay(application: Application) -> None:
    before = await asked(application, SHORT[0], "guide-m-q8_0?temperature=1.5&max_tokens=20", method=Method.CONSENSUS)
    parts, after = await all_of(application.comparisons.again(before.comparison.id, 1))
    assert {part.place for part in parts if isinstance(part, MemberBegins | MemberPart)} == {1}
    assert before.answers[0] is not None
    assert after.answers[0] is not None
    assert after.answers[0].id == before.answers[0].id
    assert after.answers[1] is not None
    assert before.answers[1] is not None
    assert after.answers[1].id != before.answers[1].id
    assert texts(after)[1] == streamed(parts, 1)
    (outcome,) = [part for part in parts if isinstance(part, Outcome)]
    assert outcome.text in texts(after)
    assert after.comparison.outcome == outcome
    assert application.comparisons.open(before.comparison.id) == after


async def test_what_takes_more_than_texts_no_longer_stands_when_a_member_was_asked_again(
    application: Application,
) -> None:
    before = await asked(application, method=Method.WEIGHTED)
    assert before.comparison.outcome is not None
    _parts, after = await all_of(application.comparisons.again(before.comparison.id, 0))
    assert after.comparison.outcome is None
    assert application.comparisons.open(before.comparison.id).comparison.outcome is None


async def test_what_a_member_said_stays_where_it_cannot_say_it_again(
    application: Application, codette_home: Path
) -> None:
    model = codette_home / "models" / "leaving.gguf"
    model.parent.mkdir(exist_ok=True)
    shutil.copy(STARTER, model)
    before = await asked(application, "leaving?max_tokens=20", SHORT[1], method=Method.WEIGHTED)
    assert texts(before)[0]
    model.unlink()
    parts, after = await all_of(application.comparisons.again(before.comparison.id, 0))
    assert [part.place for part in parts if isinstance(part, MemberDropped)] == [0]
    assert after == application.comparisons.open(before.comparison.id)
    assert texts(after) == texts(before)
    assert after.comparison.outcome == before.comparison.outcome  # nothing has changed that it was made of


async def test_members_that_are_not_there_cannot_be_asked_again_or_taken(application: Application) -> None:
    ended = await asked(application)
    for place in (-2, -1, 2):
        with pytest.raises(InvalidRequest, match="no such member"):
            application.comparisons.again(ended.comparison.id, place)
    with pytest.raises(InvalidRequest, match="No answer was made of theirs"):
        await application.comparisons.choose(ended.comparison.id, TOGETHER)
    for place in (-2, 2):
        with pytest.raises(InvalidRequest, match="has not answered"):
            await application.comparisons.choose(ended.comparison.id, place)
        with pytest.raises(InvalidRequest, match="has not answered"):
            await application.comparisons.continue_as_chat(ended.comparison.id, place)
    assert application.comparisons.open(ended.comparison.id).comparison.chosen is None
    assert application.store.conversations.count() == 0


async def test_an_answer_is_taken_into_the_chat_it_was_asked_from(application: Application) -> None:
    conversations = application.store.conversations
    chat = await asyncio.wrap_future(conversations.create(model="guide-s-q8_0"))
    leaf = await asyncio.wrap_future(conversations.add_message(chat.id, None, Message(Role.USER, "Hello")))
    await asyncio.wrap_future(
        conversations.add_message(chat.id, leaf.id, Message(Role.ASSISTANT, "A branch of its own"))
    )
    ended = await asked(application, origin=Origin(chat.id, leaf.id))
    use = ended.answers[0].generation.use if ended.answers[0] and ended.answers[0].generation else None
    assert use is not None
    assert use.history > 0  # what was said before was asked with it

    assert await application.comparisons.choose(ended.comparison.id, 1) == chat.id
    branch = conversations.branch(chat.id)
    assert [node.message.content for node in branch] == ["Hello", "How do I compare two models?", texts(ended)[1]]
    told, kept = branch[-1].generation, ended.answers[1] and ended.answers[1].generation
    assert told is not None
    assert kept is not None
    assert replace(told, id=kept.id) == kept  # the chat can tell who said it, and how fast
    assert application.comparisons.open(ended.comparison.id).comparison.chosen == 1

    await application.comparisons.choose(ended.comparison.id, 1)
    assert conversations.branch(chat.id) == branch  # not said twice
    assert await application.comparisons.choose(ended.comparison.id, None) == ""
    assert application.comparisons.open(ended.comparison.id).comparison.chosen is None
    assert application.store.check() == []


async def test_an_answer_is_taken_where_there_is_no_chat_any_more(application: Application) -> None:
    chat = await asyncio.wrap_future(application.store.conversations.create())
    ended = await asked(application, origin=Origin(chat.id, None))
    await asyncio.wrap_future(application.store.conversations.delete(chat.id))
    assert await application.comparisons.choose(ended.comparison.id, 0) == ""
    assert application.comparisons.open(ended.comparison.id).comparison.chosen == 0


async def test_a_chat_goes_on_with_a_member_and_outlives_the_comparison(application: Application) -> None:
    ended = await asked(application, SHORT[0], "guide-m-q8_0#devops-specialist?max_tokens=20")
    chat_id = await application.comparisons.continue_as_chat(ended.comparison.id, 1)
    chat = application.store.conversations.get(chat_id)
    member = ended.comparison.setup.members[1]
    assert chat is not None
    assert (chat.model, chat.system_prompt, chat.sampling) == (member.model, member.system, member.sampling)
    assert member.system
    branch = application.store.conversations.branch(chat_id)
    assert [node.message.content for node in branch] == ["How do I compare two models?", texts(ended)[1]]
    await asyncio.wrap_future(application.store.comparisons.remove(ended.comparison.id))
    assert application.store.conversations.branch(chat_id) == branch
    parts = [part async for part in application.chat.send(chat_id, "And then?")]
    assert parts
    assert application.store.check() == []


async def test_a_deleted_comparison_comes_back(application: Application) -> None:
    ended = await asked(application)
    await application.comparisons.delete(ended.comparison.id)
    assert application.comparisons.list() == []
    with pytest.raises(StoreError, match="no longer exists"):
        application.comparisons.open(ended.comparison.id)
    await application.comparisons.restore(ended.comparison.id)
    assert application.comparisons.open(ended.comparison.id) == ended


async def test_a_member_that_does_not_exist_says_so_when_it_is_opened_again(application: Application) -> None:
    setup = setup_of(application)
    gone = replace(setup.members[0], model="gone", spec="gone", label="Gone")
    run = application.comparisons.start("Hello", replace(setup, members=(gone, setup.members[1])))
    parts, ended = await all_of(run)
    assert [part.place for part in parts if isinstance(part, MemberDropped)] == [0]
    assert reasons(ended)[0] is FinishReason.FAILED
    assert ended.answers[0] is not None
    assert ended.answers[0].generation is not None
    assert "gone" in ended.answers[0].generation.error
    assert texts(ended)[1]
    assert application.comparisons.open(ended.comparison.id) == ended


async def test_a_member_that_is_stopped_keeps_what_it_said_and_the_other_goes_on(application: Application) -> None:
    failures: list[object] = []
    application.bus.subscribe(ProviderFailed, failures.append)
    run = application.comparisons.start("Hello", with_endless_first(setup_of(application)))
    parts: list[Any] = []
    async for part in run.parts():
        parts.append(part)
        if isinstance(part, MemberPart) and part.place == 0 and isinstance(part.part, TextChunk):
            run.drop(0)
    ended = parts[-1]
    assert texts(ended) == [streamed(parts, 0), streamed(parts, 1)]
    assert texts(ended)[0]
    assert reasons(ended)[0] is FinishReason.CANCELLED
    assert reasons(ended)[1] in (FinishReason.STOP, FinishReason.LENGTH)
    assert application.comparisons.open(ended.comparison.id) == ended
    assert failures == []


@pytest.mark.parametrize("closing", [False, True])
async def test_what_is_stopped_in_the_middle_is_kept_as_stopped_or_interrupted(
    application: Application, closing: bool
) -> None:
    run = application.comparisons.start("Hello", with_endless_first(setup_of(application, SHORT[0])))
    opened: OpenedComparison | None = None
    async with aclosing(run.parts()) as parts:
        async for part in parts:
            opened = opened or (part if isinstance(part, OpenedComparison) else None)
            if isinstance(part, MemberPart) and isinstance(part.part, TextChunk):
                break
        if closing:
            application.begin_closing()
    assert opened is not None
    ended = application.comparisons.open(opened.comparison.id)
    assert reasons(ended) == [FinishReason.INTERRUPTED if closing else FinishReason.CANCELLED]
    assert texts(ended)[0]


async def test_a_comparison_deleted_while_it_is_asked_ends_in_peace(application: Application) -> None:
    run = application.comparisons.start("Hello", setup_of(application))
    parts: list[Any] = []
    async for part in run.parts():
        if not parts:
            await application.comparisons.delete(part.comparison.id)  # type: ignore[union-attr]
        parts.append(part)
    assert all(texts(parts[-1]))
    await application.comparisons.restore(parts[0].comparison.id)
    assert texts(application.comparisons.open(parts[0].comparison.id)) == texts(parts[-1])


async def test_what_fails_in_between_is_kept_as_failed(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here what notes the end of the short answer breaks, while the long one is written."""

    async def breaks(*_arguments: object) -> None:
        raise ZeroDivisionError

    setup = with_endless_first(setup_of(application, *SHORT, method=Method.VOTE))
    run = application.comparisons.start("Hello", setup)
    recorder = application.comparisons.recorder
    kept: list[str] = []

    def breaking(opened: OpenedComparison) -> Any:
        kept.append(opened.comparison.id)
        made = recorder(opened)
        monkeypatch.setattr(made, "_end", breaks)
        return made

    monkeypatch.setattr(application.comparisons, "recorder", breaking)
    with pytest.raises(ZeroDivisionError):
        await all_of(run)
    assert reasons(application.comparisons.open(kept[0]))[0] is FinishReason.FAILED


@pytest.mark.parametrize(
    ("prompt", "method", "members", "says"),
    [("  ", Method.NONE, 2, "empty"), ("Hello", Method.VOTE, 1, "no ensemble"), ("Hello", Method.NONE, 0, "Nobody")],
)
async def test_what_cannot_be_asked_leaves_nothing(
    application: Application, prompt: str, method: Method, members: int, says: str
) -> None:
    setup = setup_of(application, method=method)
    with pytest.raises(InvalidRequest, match=says):
        application.comparisons.start(prompt, replace(setup, members=setup.members[:members]))
    assert application.comparisons.list() == []

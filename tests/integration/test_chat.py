"""The chat with the real engine, the real store, and the smallest starter model."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codette_desktop.application import Application
from codette_desktop.domain.answers import AnswerEnd, FinishReason, PromptRead, TextChunk
from codette_desktop.domain.conversations import Conversation, Node
from codette_desktop.domain.errors import CodetteError, InvalidRequest, ModelNotFound, StoreError
from codette_desktop.domain.events import AnswerFinished, StoreFailed, StoreRecovered
from codette_desktop.domain.messages import Role
from codette_desktop.domain.requests import Sampling

SMALL = "guide-s-q8_0"
LONG = Sampling(temperature=1.5, min_p=0.0, max_tokens=600, seed=3, grammar="root ::= [a-z ]{500,600}")


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


async def start(application: Application, **fields: object) -> Conversation:
    chosen = {"model": SMALL, "sampling": Sampling(temperature=0.0, max_tokens=60), **fields}
    return await asyncio.wrap_future(application.store.conversations.create(**chosen))  # type: ignore[arg-type]


async def say(application: Application, conversation: Conversation, text: str) -> list[Node]:
    return [part async for part in application.chat.send(conversation.id, text) if isinstance(part, Node)]


async def test_an_answer_is_streamed_and_kept_with_everything_needed_to_produce_it_again(
    application: Application,
) -> None:
    conversation = await start(application)
    parts = [part async for part in application.chat.send(conversation.id, "How do I compare two models?")]

    assert [type(part) for part in (*parts[:3], *parts[-2:])] == [Node, PromptRead, TextChunk, AnswerEnd, Node]
    question, answer = application.store.conversations.branch(conversation.id)
    assert (question, answer) == (parts[0], parts[-1])
    assert answer.message.content == "".join(part.text for part in parts if isinstance(part, TextChunk))
    generation = answer.generation
    assert generation is not None
    assert generation.reason in (FinishReason.STOP, FinishReason.LENGTH)
    assert len(generation.model_hash) == 64
    assert generation.quantisation == "Q8_0"
    assert "llama.cpp" in generation.engine_build
    assert generation.figures is not None
    assert generation.figures.completion_tokens == sum(p.tokens for p in parts if isinstance(p, TextChunk))
    kept = application.store.conversations.get(conversation.id)
    assert kept is not None
    assert kept.title == "How do I compare two models?"


async def test_the_same_seed_gives_the_same_answer_again(application: Application) -> None:
    conversation = await start(application, sampling=Sampling(temperature=1.2, max_tokens=40, seed=77))
    _, first = await say(application, conversation, "what is a token")
    again = [part async for part in application.chat.regenerate(conversation.id, first.id)]
    assert isinstance(again[-1], Node)
    assert again[-1].message.content == first.message.content
    assert again[-1].generation is not None
    assert again[-1].generation.seed == 77


async def test_regenerating_and_editing_add_branches_and_overwrite_nothing(application: Application) -> None:
    conversation = await start(application)
    question, first = await say(application, conversation, "hello")
    second = [part async for part in application.chat.regenerate(conversation.id, first.id)][-1]
    assert isinstance(second, Node)
    assert second.sibling_ids == (first.id, second.id)

    parts = [part async for part in application.chat.edit(conversation.id, question.id, "what is a seed?")]
    assert isinstance(parts[0], Node)
    assert parts[0].sibling_ids == (question.id, parts[0].id)
    assert application.chat.branch(conversation.id)[0].message.content == "what is a seed?"
    await asyncio.wrap_future(application.store.conversations.select_leaf_under(question.id))
    assert [node.id for node in application.chat.branch(conversation.id)] == [question.id, second.id]


async def test_a_stopped_answer_is_kept_as_far_as_it_was_written(application: Application) -> None:
    conversation = await start(application, sampling=LONG)
    answering = application.chat.send(conversation.id, "write")
    written = ""
    async for part in answering:
        if isinstance(part, TextChunk):
            written += part.text
            if len(written) > 60:
                break
    await answering.aclose()

    _, answer = application.chat.branch(conversation.id)
    assert answer.message.content == written
    assert answer.generation is not None
    assert answer.generation.reason is FinishReason.CANCELLED
    assert answer.generation.figures is not None
    assert answer.generation.figures.completion_tokens > 5


async def test_cancelling_the_task_that_reads_an_answer_stops_it_too(application: Application) -> None:
    conversation = await start(application, sampling=LONG)
    task = asyncio.create_task(say(application, conversation, "write"))
    while not application.store.conversations.branch(conversation.id):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    branch = application.chat.branch(conversation.id)
    assert [node.generation.reason for node in branch if node.generation] == [FinishReason.CANCELLED]
    assert application.store.generations.recover() == []  # nothing is left running


async def test_an_answer_stopped_by_the_end_of_the_application_is_told_apart(application: Application) -> None:
    conversation = await start(application, sampling=LONG)
    answering = application.chat.send(conversation.id, "write")
    async for part in answering:
        if isinstance(part, TextChunk):
            break
    application.chat.begin_closing()
    await answering.aclose()
    generation = application.chat.branch(conversation.id)[-1].generation
    assert generation is not None
    assert generation.reason is FinishReason.INTERRUPTED


async def test_a_busy_database_costs_nothing_that_was_said(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codette_desktop.inference.unsaved.RETRY_S", 0.05)
    conversation = await start(application)
    application.store._access.writer.submit(lambda connection: connection.execute("PRAGMA busy_timeout = 10")).result()
    other = sqlite3.connect(application.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    nodes = await say(application, conversation, "hello")
    assert len(nodes) == 2
    assert application.store.conversations.branch(conversation.id) == []
    other.execute("ROLLBACK")
    other.close()
    async with asyncio.timeout(20):
        while len(application.store.conversations.branch(conversation.id)) < 2:
            await asyncio.sleep(0.02)
    saved = [node.message for node in application.store.conversations.branch(conversation.id)]
    assert saved == [node.message for node in nodes]


async def test_saving_what_waits_from_two_sides_writes_nothing_twice(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codette_desktop.inference.unsaved.RETRY_S", 60)
    conversation = await start(application)
    limit_pages(application, 1)
    nodes = await say(application, conversation, "full " + "conversation " * 350)
    limit_pages(application, 1_000_000)
    unsaved = application.chat._unsaved
    assert await asyncio.gather(unsaved.flush(), unsaved.flush(), unsaved.flush()) == [True] * 3
    saved = application.store.conversations.branch(conversation.id)
    assert [node.message for node in saved] == [node.message for node in nodes]
    assert [node.sibling_ids for node in saved] == [(node.id,) for node in saved]


async def test_a_failed_answer_keeps_its_error_and_does_not_disturb_the_next(application: Application) -> None:
    conversation = await start(application, sampling=Sampling(grammar="this is no grammar"))
    with pytest.raises(CodetteError):
        await say(application, conversation, "hello")
    question, answer = application.chat.branch(conversation.id)
    assert question.message.content == "hello"
    assert answer.generation is not None
    assert answer.generation.reason is FinishReason.FAILED
    assert answer.generation.error

    await asyncio.wrap_future(
        application.store.conversations.set_settings(conversation.id, sampling=Sampling(temperature=0, max_tokens=20))
    )
    _, good = await say(application, conversation, "hello")
    assert good.generation is not None
    assert good.generation.use is not None
    assert good.generation.use.history == 0  # the failed question is not part of what the model is told


async def test_what_cannot_be_asked_is_refused_before_anything_is_saved(application: Application) -> None:
    conversation = await start(application)
    with pytest.raises(InvalidRequest):
        await say(application, conversation, "  \n ")
    gone = await start(application, model="no such model")
    with pytest.raises(ModelNotFound):
        await say(application, gone, "hello")
    with pytest.raises(StoreError):
        await say(application, Conversation("nowhere", "", conversation.created_at, conversation.updated_at), "hello")
    assert application.chat.branch(conversation.id) == application.chat.branch(gone.id) == []


async def test_measuring_a_draft_tells_exactly_what_sending_it_reports(application: Application) -> None:
    conversation = await start(application, system_prompt="Answer briefly.")
    await say(application, conversation, "hello")
    expected = await application.chat.measure(conversation, "what is a token?")
    _, answer = await say(application, conversation, "what is a token?")
    assert answer.generation is not None
    assert answer.generation.use == expected
    assert expected.system > 0
    assert expected.history > 0


async def test_several_conversations_are_answered_at_once(application: Application) -> None:
    conversations = [await start(application) for _ in range(4)]
    answers = await asyncio.gather(*(say(application, one, f"hello {n}") for n, one in enumerate(conversations)))
    assert [nodes[0].message.content for nodes in answers] == [f"hello {n}" for n in range(4)]
    assert all(nodes[1].message.role is Role.ASSISTANT for nodes in answers)


async def test_a_full_disk_costs_nothing_that_was_said(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codette_desktop.inference.unsaved.RETRY_S", 0.05)
    conversation = await start(application)
    await say(application, conversation, "saved before")
    heard: list[type] = []
    for kind in (StoreFailed, StoreRecovered, AnswerFinished):
        application.bus.subscribe(kind, lambda event: heard.append(type(event)))

    limit_pages(application, 1)
    answers = [await say(application, conversation, f"full {n} " + "conversation " * 350) for n in range(2)]
    assert all(len(nodes) == 2 and nodes[1].message.content for nodes in answers)
    assert heard.count(AnswerFinished) == 2
    assert StoreFailed in heard
    shown = [node.message.content for node in application.chat.branch(conversation.id)]
    assert len(shown) == 6
    assert len(application.store.conversations.branch(conversation.id)) == 2

    limit_pages(application, 1_000_000)
    async with asyncio.timeout(20):
        while heard[-1] is not StoreRecovered or len(application.store.conversations.branch(conversation.id)) < 6:
            await asyncio.sleep(0.02)
    saved = application.store.conversations.branch(conversation.id)
    assert [node.message.content for node in saved] == shown
    assert all(node.generation for node in saved if node.message.role is Role.ASSISTANT)
    _, after = await say(application, conversation, "afterwards")
    assert after.parent_id is not None
    assert len(application.store.conversations.branch(conversation.id)) == 8


def limit_pages(application: Application, pages: int) -> None:
    """Let the database grow to this many pages only, as a full disk would."""

    def work(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    application.store._access.writer.submit(work).result()


async def test_an_answer_that_closing_cuts_off_is_interrupted_not_stopped_by_the_person(
    application: Application,
) -> None:
    conversation = await start(application, sampling=LONG)
    answering = application.chat.send(conversation.id, "write")
    async for part in answering:
        if isinstance(part, TextChunk):
            break
    application.chat.begin_closing()
    await answering.aclose()

    _, answer = application.chat.branch(conversation.id)
    assert answer.generation is not None
    assert answer.generation.reason is FinishReason.INTERRUPTED
    assert answer.message.content

"""Cancels end their own answer at once, and no other answer's work is done twice for them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from codette_desktop.domain.answers import PromptRead, TextChunk
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import EngineSettings
from codette_desktop.inference.llama.context import Context, Feed
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.models.identity import info_from_header
from tests.integration.provider_contract import answer, ask, text_of
from tests.support.gguf_files import write_model

WRITES_LONG = {"max_tokens": 900, "grammar": "root ::= [a-z ]*  [A]"}
LONG_PROMPT = Message(Role.USER, "time of day " * 550)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny.gguf", context_length=4096)


@pytest.fixture
async def provider(path: Path) -> AsyncIterator[LlamaProvider]:
    settings = EngineSettings(context_length=4096, threads=1)
    opened = LlamaProvider(lambda _name: info_from_header(path), EventBus(), settings=lambda _info: settings)
    await opened.load("tiny")
    yield opened
    await opened.aclose()


class Watched:
    """Counts the decodes of a context, and holds them up where it is told to."""

    def __init__(self, context: Context) -> None:
        self.tokens: list[int] = []
        self.stopped = 0
        self.before: Callable[[], object] = lambda: None
        decode, decode_one = context.decode, context.decode_one

        def watched(feeds: Sequence[Feed]) -> bool:
            self.before()
            done = decode(feeds)
            self.stopped += not done
            self.tokens.append(sum(len(feed.tokens) for feed in feeds))
            return done

        def watched_one(sequence: int, token: int) -> bool:
            self.before()
            done = decode_one(sequence, token)
            self.stopped += not done
            return done

        context.decode = watched  # type: ignore[method-assign]
        context.decode_one = watched_one  # type: ignore[method-assign]


def watch(provider: LlamaProvider, path: Path) -> Watched:
    resident = provider._residents.hold(info_from_header(path))
    assert resident is not None
    provider._residents.release(resident)
    return Watched(resident.context)


async def test_cancels_that_follow_each_other_have_no_prompt_read_twice(provider: LlamaProvider, path: Path) -> None:
    """Those who wait behind a long prompt give up, one after the other, at each of its chunks."""
    watched = watch(provider, path)
    loop, cancelled = asyncio.get_running_loop(), 0

    async def give_up() -> None:
        nonlocal cancelled
        task = asyncio.create_task(answer(provider, ask("tiny", **WRITES_LONG)))
        await asyncio.sleep(0.003)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        cancelled += 1

    watched.before = lambda: asyncio.run_coroutine_threadsafe(give_up(), loop).result(10)
    parts = await answer(provider, ask("tiny", LONG_PROMPT, max_tokens=1))
    watched.before = lambda: None
    prompt = next(part for part in parts if isinstance(part, PromptRead)).use.prompt
    assert cancelled == len(watched.tokens) > 3
    assert watched.stopped == 0
    assert sum(watched.tokens) == prompt


async def test_an_answer_cancelled_during_a_decode_it_shares_ends_at_once(provider: LlamaProvider, path: Path) -> None:
    watched = watch(provider, path)
    begun, gate, inside = asyncio.Event(), threading.Event(), threading.Event()

    async def read() -> None:
        async for part in provider.stream(ask("tiny", **WRITES_LONG)):
            if isinstance(part, TextChunk):
                begun.set()

    def hold() -> None:
        if shared.is_set() and not gate.is_set():
            inside.set()
            gate.wait(10)

    shared = threading.Event()
    leaves = asyncio.create_task(read())
    await begun.wait()
    watched.before = hold
    watched.tokens.clear()
    stays = asyncio.create_task(answer(provider, ask("tiny", LONG_PROMPT, max_tokens=5)))
    while not watched.tokens or watched.tokens[-1] < 20:  # a chunk of the prompt, and a token of the other answer
        await asyncio.sleep(0.001)
    shared.set()
    await asyncio.to_thread(inside.wait, 10)
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(leaves, 5)
    assert not gate.is_set()  # the decode it took part in goes on, for the other
    gate.set()
    assert text_of(await stays)
    assert watched.stopped == 0


async def test_the_decode_of_those_who_all_gave_up_is_stopped(provider: LlamaProvider, path: Path) -> None:
    watched = watch(provider, path)
    begun = asyncio.Event()
    for _ in range(3):
        begun.clear()

        async def read() -> None:
            async for part in provider.stream(ask("tiny", **WRITES_LONG)):
                if isinstance(part, TextChunk):
                    begun.set()

        both = [asyncio.create_task(read()) for _ in range(2)]
        await begun.wait()
        for task in both:
            task.cancel()
        assert all(
            isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*both, return_exceptions=True)
        )
    resident = provider._residents.hold(info_from_header(path))
    assert resident is not None
    provider._residents.release(resident)
    async with asyncio.timeout(5):
        while resident.batch.busy or resident.users:  # one that was still being prepared is let go of a little later
            await asyncio.sleep(0.001)
    assert len(watched.tokens) < 900  # nobody wrote to the end

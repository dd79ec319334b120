"""The cache before the real engine, a real library of models and a real database."""

import asyncio
import shutil
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from codette_desktop.domain.answers import FinishReason, PromptRead, TextChunk
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.cache.provider import CachingProvider
from codette_desktop.inference.cache.responses import ResponseCache
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.models.library import ModelLibrary
from codette_desktop.store import Store
from tests.integration.provider_contract import ProviderContract, answer, ask, end_of, text_of
from tests.support.gguf_files import write_model

SHORT = "root ::= [a-z ]{20,30}"  # an answer that the model ends


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    write_model(folder / "gpt2.gguf", context_length=2048)
    write_model(folder / "llama.gguf", tokenizer="llama", quantisation="Q8_0", context_length=1024)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "data") as opened:
        yield opened


class House:
    """A library, the engine and the cache on one store."""

    def __init__(self, store: Store, models: Path) -> None:
        self.library = ModelLibrary(store, [models], starter=models / "none")
        self.settings = EngineSettings()
        self.finds = 0
        self.engine = LlamaProvider(self.find, EventBus(), settings=lambda _info: self.settings)
        self.cache = ResponseCache(store)
        self.provider = CachingProvider(self.engine, self.cache)

    def find(self, name: str) -> ModelInfo:
        assert threading.current_thread() is not threading.main_thread()
        self.finds += 1
        return self.library.with_hash(self.library.find(name))


@pytest.fixture
async def house(store: Store, models: Path) -> AsyncIterator[House]:
    made = House(store, models)
    yield made
    await made.provider.aclose()


def short(model: str = "gpt2", text: str = "What is the time?", **sampling: object) -> ChatRequest:
    return ask(model, Message(Role.USER, text), **{"max_tokens": None, "grammar": SHORT, **sampling})


async def cached(house: House, request: ChatRequest) -> bool:
    return end_of(await answer(house.provider, request)).figures.cached


class TestCachingProvider(ProviderContract):
    """The cache changes nothing of what a provider promises."""

    @pytest.fixture
    def provider(self, house: House) -> CachingProvider:
        return house.provider

    @pytest.fixture(params=["gpt2", "llama"])
    def model(self, request: pytest.FixtureRequest) -> str:
        return request.param

    @pytest.fixture
    def greedy(self) -> bool:
        return True


async def test_the_second_answer_is_the_first_with_figures_of_its_own(house: House) -> None:
    first = await answer(house.provider, short())
    asked_at = time.perf_counter()
    again = await answer(house.provider, short())
    took_ms = (time.perf_counter() - asked_at) * 1000
    assert [type(part) for part in again] == [PromptRead, TextChunk, type(end_of(first))]
    assert text_of(again) == text_of(first)
    before, end = end_of(first), end_of(again)
    assert end.reason is before.reason is FinishReason.STOP
    assert not before.figures.cached
    assert end.figures.cached
    assert 0 < end.figures.time_to_first_token_ms <= end.figures.total_ms <= took_ms
    assert end.figures.tokens_per_second == end.figures.load_ms == end.figures.reused_tokens == 0
    assert abs(time.time() - end.figures.first_written_s) < 60
    assert replace(end, figures=before.figures) == before
    assert isinstance(again[0], PromptRead)
    assert (again[0].use, again[0].seed, again[0].engine_build) == (before.use, before.seed, before.engine_build)


async def test_it_survives_a_restart(house: House, store: Store, models: Path) -> None:
    first = text_of(await answer(house.provider, short(temperature=1.1, seed=4)))
    await house.provider.aclose()
    store.close()
    with Store.open(store.path.parent) as reopened:
        next_house = House(reopened, models)
        parts = await answer(next_house.provider, short(temperature=1.1, seed=4))
        loaded = next_house.provider.loaded()
        await next_house.provider.aclose()
        found = next_house.cache.statistics()
    assert (text_of(parts), end_of(parts).figures.cached, end_of(parts).seed) == (first, True, 4)
    assert loaded == []  # no model had to be read
    assert (found.hits, found.misses) == (1, 1)


async def test_a_model_file_with_other_content_is_another_model(house: House, models: Path) -> None:
    await answer(house.provider, short())
    assert await cached(house, short())
    write_model(models / "gpt2.gguf", context_length=2048, seed=9)
    changed = await answer(house.provider, short())
    assert not end_of(changed).figures.cached
    assert await cached(house, short())


async def test_a_copy_of_a_file_has_the_answers_of_the_original_under_its_own_name(house: House, models: Path) -> None:
    first = await answer(house.provider, short())
    shutil.copy(models / "gpt2.gguf", models / "copy.gguf")
    parts = await answer(house.provider, short("copy"))
    assert (end_of(parts).model, end_of(parts).figures.cached) == ("copy", True)
    assert text_of(parts) == text_of(first)


async def test_a_model_changed_while_it_answers_is_not_kept_under_the_old_name(house: House, models: Path) -> None:
    request = ask("gpt2", max_tokens=None, grammar="root ::= [a-z ]{300}")
    async with aclosing(house.provider.stream(request)) as parts:
        async for part in parts:
            if isinstance(part, PromptRead):
                other = write_model(models / "next", context_length=2048, seed=5)
                other.replace(models / "gpt2.gguf")
            end = part
    assert end.reason is FinishReason.STOP  # type: ignore[union-attr]
    await asyncio.wrap_future(house.cache.flush())
    assert house.cache.statistics().stores == 0


async def test_other_settings_of_the_engine_ask_the_model(house: House) -> None:
    await answer(house.provider, short())
    house.settings = EngineSettings(context_length=600)
    parts = await answer(house.provider, short())
    assert not end_of(parts).figures.cached
    assert end_of(parts).use.length == 600


async def test_an_answer_cut_short_is_not_kept(house: House) -> None:
    for _ in range(2):
        end = end_of(await answer(house.provider, short(max_tokens=5)))
        assert (end.reason, end.figures.cached) == (FinishReason.LENGTH, False)
    async with aclosing(house.provider.stream(short(grammar="root ::= [a-z ]{300}"))) as parts:
        async for part in parts:
            if isinstance(part, TextChunk):
                break
    with pytest.raises(InvalidRequest):
        await answer(house.provider, short(grammar="root ::= nowhere"))
    await asyncio.wrap_future(house.cache.flush())
    found = house.cache.statistics()
    assert (found.stores, found.entries, found.misses) == (0, 0, 4)


async def test_equal_questions_at_once_are_answered_once(house: House) -> None:
    asked: list[ChatRequest] = []
    inner = house.engine.stream
    house.engine.stream = lambda request: asked.append(request) or inner(request)  # type: ignore[method-assign]
    answers = await asyncio.gather(*(answer(house.provider, short()) for _ in range(8)))
    assert len({text_of(parts) for parts in answers}) == len(asked) == 1
    for parts in answers:
        figures = end_of(parts).figures
        assert figures.completion_tokens == sum(part.tokens for part in parts if isinstance(part, TextChunk))
        assert 0 < figures.time_to_first_token_ms <= figures.total_ms
        assert not figures.cached
    await asyncio.wrap_future(house.cache.flush())
    found = house.cache.statistics()
    assert (found.misses, found.shared, found.hits) == (1, 7, 0)


async def test_a_full_disk_does_not_keep_anybody_from_an_answer(house: House, store: Store) -> None:
    def limit(connection: sqlite3.Connection, pages: int) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    store._access.write(lambda connection: limit(connection, 1)).result()
    texts = [text_of(await answer(house.provider, short(text=f"number {n} " + "x" * 500))) for n in range(12)]
    assert all(texts)
    assert await cached(house, short(text="number 3 " + "x" * 500))  # from memory
    store._access.write(lambda connection: limit(connection, 1_000_000)).result()
    await answer(house.provider, short(text="afterwards"))
    await asyncio.wrap_future(house.cache.flush())
    found = house.cache.statistics()
    assert (found.misses, found.hits, found.stores) == (13, 1, 13)  # no count was lost either


async def test_the_loop_goes_on_while_a_slow_disk_is_read(house: House) -> None:
    inner, gate = house.library.find, threading.Event()

    def slow(name: str) -> object:
        gate.wait(5)
        return inner(name)

    house.library.find = slow  # type: ignore[method-assign,assignment]
    asking = asyncio.create_task(answer(house.provider, short()))
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert not asking.done()
    gate.set()
    assert text_of(await asking)

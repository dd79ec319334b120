"""The cache with a real database and a scripted model: for what depends on time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, FinishReason, TextChunk
from codette_desktop.domain.errors import EngineFailure
from codette_desktop.inference.cache.provider import CachingProvider
from codette_desktop.inference.cache.responses import ResponseCache
from codette_desktop.inference.cache.settings import CacheSettings
from codette_desktop.store import Store
from tests.support.caches import ScriptedModel, answer, is_cached, question


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 5, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(store: Store, clock: Clock) -> ResponseCache:
    return ResponseCache(store, now=clock)


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
async def provider(model: ScriptedModel, cache: ResponseCache) -> AsyncIterator[CachingProvider]:
    made = CachingProvider(model, cache)
    yield made
    await made.aclose()


async def forget_memory(cache: ResponseCache) -> None:
    """As a restart does."""
    await asyncio.wrap_future(cache.flush())  # and with it what was written before
    cache._memory.clear()
    cache._memory_bytes = 0


def texts(parts: list[AnswerPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextChunk))


# What is kept, and for how long


@pytest.mark.parametrize("memory", [True, False])
async def test_an_answer_is_given_again_until_it_is_too_old(
    provider: CachingProvider, cache: ResponseCache, clock: Clock, memory: bool
) -> None:
    assert not await is_cached(provider, question())
    await asyncio.wrap_future(cache.flush())
    clock.wait(cache.settings.ttl_s - 10)
    if not memory:
        await forget_memory(cache)
    assert await is_cached(provider, question())
    clock.wait(20)
    if not memory:
        await forget_memory(cache)
    assert not await is_cached(provider, question())  # and is written anew
    assert await is_cached(provider, question())


async def test_without_a_term_an_answer_is_kept_for_years(
    provider: CachingProvider, cache: ResponseCache, clock: Clock
) -> None:
    cache.configure(CacheSettings(ttl_s=0))
    await answer(provider, question())
    clock.wait(3e8)
    assert await is_cached(provider, question())


@pytest.mark.parametrize("memory", [True, False])
async def test_the_least_recently_used_answer_leaves_first(
    provider: CachingProvider, cache: ResponseCache, memory: bool
) -> None:
    cache.configure(CacheSettings(entries=3))
    for text in "abc":
        await answer(provider, question(text))
    assert await is_cached(provider, question("a"))
    await answer(provider, question("d"))
    await asyncio.wrap_future(cache.flush())
    found = cache.statistics()
    assert (found.entries, found.evictions) == (3, 1)
    if not memory:
        await forget_memory(cache)
    for text, kept in (("a", True), ("c", True), ("d", True), ("b", False)):
        assert await is_cached(provider, question(text)) is kept


async def test_no_more_bytes_are_kept_than_allowed(
    provider: CachingProvider, cache: ResponseCache, model: ScriptedModel
) -> None:
    most = 4_000
    cache.configure(CacheSettings(max_bytes=most))
    for number in range(40):
        model.chunks = [f"{hash((number, piece)):x}" for piece in range(20)]
        await answer(provider, question(str(number)))
    await asyncio.wrap_future(cache.flush())
    found = cache.statistics()
    assert 0 < found.size_bytes <= most
    assert 2 < found.entries < 40
    assert found.evictions == 40 - found.entries
    assert await is_cached(provider, question("39"))
    model.chunks = [f"{hash((1, piece)):x}" for piece in range(2_000)]
    assert not await is_cached(provider, question("too large"))
    assert not await is_cached(provider, question("too large"))


async def test_lower_limits_count_at_once(provider: CachingProvider, cache: ResponseCache, store: Store) -> None:
    for text in "abcd":
        await answer(provider, question(text))
    cache.configure(replace(cache.settings, entries=1))
    await asyncio.wrap_future(store.settings.set("anything", 1))  # written after what leaves the database
    assert [await is_cached(provider, question(text)) for text in "dc"] == [True, False]
    await asyncio.wrap_future(cache.flush())
    assert cache.statistics().entries == 1
    assert ResponseCache(store).settings.entries == 1


async def test_statistics_count_across_restarts(provider: CachingProvider, cache: ResponseCache, store: Store) -> None:
    for _ in range(4):
        await answer(provider, question())
    await asyncio.wrap_future(cache.flush())
    for found in (cache.statistics(), ResponseCache(store).statistics()):
        assert (found.hits, found.misses, found.stores, found.entries) == (3, 1, 1, 1)
        assert found.hit_rate == 0.75
        assert found.size_bytes > 100
    with store._access.read() as connection:
        assert connection.execute("SELECT hits FROM responses").fetchone()[0] == 3


async def test_a_hit_writes_nothing_by_itself(provider: CachingProvider, cache: ResponseCache, store: Store) -> None:
    await answer(provider, question())
    await asyncio.wrap_future(cache.flush())
    writes = 0
    inner = store.responses.write_use

    def counted(use: object) -> object:
        nonlocal writes
        writes += 1
        return inner(use)  # type: ignore[arg-type]

    store.responses.write_use = counted  # type: ignore[method-assign,assignment]
    for _ in range(50):
        assert await is_cached(provider, question())
    assert writes == 0


async def test_clearing_forgets_everything(provider: CachingProvider, cache: ResponseCache) -> None:
    for text in "abc":
        await answer(provider, question(text))
    assert await asyncio.wrap_future(cache.clear()) == 3
    found = cache.statistics()
    assert (found.entries, found.size_bytes, found.evictions) == (0, 0, 0)
    assert not await is_cached(provider, question("a"))


# What is asked of the model itself


async def test_a_fresh_request_asks_the_model_and_replaces_what_was_kept(
    provider: CachingProvider, cache: ResponseCache, model: ScriptedModel
) -> None:
    await answer(provider, question())
    model.chunks = ["Another."]
    assert texts(await answer(provider, question())) == "One two three."
    fresh = await answer(provider, question(fresh=True))
    assert texts(fresh) == "Another."
    again = await answer(provider, question())
    assert texts(again) == "Another."
    await forget_memory(cache)
    assert texts(await answer(provider, question())) == "Another."
    assert cache.statistics().entries == 1


async def test_a_fresh_request_does_not_share_an_answer_being_written(
    provider: CachingProvider, model: ScriptedModel
) -> None:
    model.hold = True
    first = asyncio.create_task(answer(provider, question()))
    await started(model, 1)
    fresh = asyncio.create_task(answer(provider, question(fresh=True)))
    await started(model, 2)
    model.release()
    await asyncio.gather(first, fresh)


async def test_sampled_answers_are_kept_only_where_the_settings_say_so(
    provider: CachingProvider, cache: ResponseCache
) -> None:
    sampled = question(temperature=0.8)
    assert [await is_cached(provider, sampled) for _ in range(2)] == [False, False]
    assert [await is_cached(provider, question(temperature=0.8, seed=5)) for _ in range(2)] == [False, True]
    cache.configure(CacheSettings(reuse_sampled=True))
    assert [await is_cached(provider, sampled) for _ in range(2)] == [False, True]
    cache.configure(CacheSettings(reuse_sampled=False))
    assert not await is_cached(provider, sampled)


async def test_a_cache_that_is_off_neither_gives_nor_keeps(provider: CachingProvider, cache: ResponseCache) -> None:
    await answer(provider, question("kept"))
    cache.configure(CacheSettings(enabled=False))
    assert not await is_cached(provider, question("kept"))
    await answer(provider, question("other"))
    cache.configure(CacheSettings())
    assert await is_cached(provider, question("kept"))
    assert not await is_cached(provider, question("other"))


async def test_a_model_that_cannot_be_told_apart_is_not_cached(
    provider: CachingProvider, model: ScriptedModel, cache: ResponseCache
) -> None:
    model.traits = None
    assert [await is_cached(provider, question()) for _ in range(2)] == [False, False]
    assert cache.statistics().misses == 0


@pytest.mark.allow_log("the response cache failed")
async def test_a_defect_in_the_cache_costs_no_answer(provider: CachingProvider, model: ScriptedModel) -> None:
    model.traits = {"threads": object()}
    assert texts(await answer(provider, question())) == "One two three."


@pytest.mark.parametrize("reason", [reason for reason in FinishReason if reason is not FinishReason.STOP])
async def test_only_whole_answers_are_kept(
    provider: CachingProvider, model: ScriptedModel, reason: FinishReason
) -> None:
    model.reason = reason
    assert [await is_cached(provider, question()) for _ in range(2)] == [False, False]


async def test_an_error_is_told_to_all_and_never_kept(
    provider: CachingProvider, cache: ResponseCache, model: ScriptedModel
) -> None:
    model.error, model.hold = EngineFailure("It failed."), True  # it fails when all three have joined
    asking = asyncio.gather(*(answer(provider, question()) for _ in range(3)), return_exceptions=True)
    while cache.statistics().shared < 2:
        await asyncio.sleep(0.01)
    model.release()
    results = await asking
    assert [str(result) for result in results] == ["It failed."] * 3
    assert len(model.requests) == 1
    model.error, model.hold = None, False
    assert not await is_cached(provider, question())


@pytest.mark.parametrize("damage", ["X'00'", "zeroblob(500)", "substr(payload, 1, length(payload) - 9)", "X''"])
async def test_a_damaged_row_is_dropped_and_the_model_asked(
    provider: CachingProvider, cache: ResponseCache, store: Store, damage: str
) -> None:
    await answer(provider, question())
    store._access.write(lambda connection: connection.execute(f"UPDATE responses SET payload = {damage}")).result()
    await forget_memory(cache)
    assert not await is_cached(provider, question())
    await forget_memory(cache)
    assert await is_cached(provider, question())
    assert cache.statistics().entries == 1


@pytest.mark.parametrize("key", ["enabled", "entries", "ttl_s"])
async def test_a_setting_that_makes_no_sense_has_its_default(store: Store, key: str) -> None:
    store.settings.set(f"cache.{key}", "nonsense").result()
    assert ResponseCache(store).settings == CacheSettings()


# One answer for several who ask


async def started(model: ScriptedModel, count: int) -> None:
    """Until the model has been asked so many times and has said its first word."""
    async with asyncio.timeout(5):
        while len(model.requests) < count:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)


async def two_readers(
    provider: CachingProvider, model: ScriptedModel
) -> tuple[AsyncGenerator[AnswerPart, None], AsyncGenerator[AnswerPart, None]]:
    """Two streams of one answer, both after its first word."""
    model.hold = True
    pair = provider.stream(question()), provider.stream(question())
    for stream in pair:
        await anext(stream)
        assert isinstance(await anext(stream), TextChunk)
    assert len(model.requests) == 1
    return pair


@pytest.mark.parametrize("goes", [0, 1])
async def test_who_asked_too_has_the_whole_answer_when_the_other_goes(
    provider: CachingProvider, model: ScriptedModel, goes: int
) -> None:
    pair = await two_readers(provider, model)
    await pair[goes].aclose()
    assert model.closed_early == 0
    model.release()
    rest = [part async for part in pair[1 - goes]]
    assert texts(rest) == "two three."
    assert isinstance(rest[-1], AnswerEnd)
    assert await is_cached(provider, question())


async def test_an_answer_nobody_waits_for_is_stopped_before_the_last_reader_returns(
    provider: CachingProvider, model: ScriptedModel
) -> None:
    pair = await two_readers(provider, model)
    await pair[0].aclose()
    await pair[1].aclose()
    assert model.closed_early == 1
    model.hold = False
    assert not await is_cached(provider, question())
    assert len(model.requests) == 2


async def test_cancelled_readers_stop_the_answer_too(provider: CachingProvider, model: ScriptedModel) -> None:
    model.hold = True
    tasks = [asyncio.create_task(answer(provider, question())) for _ in range(3)]
    await started(model, 1)
    for number, task in enumerate(tasks):
        assert model.closed_early == 0, number
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert model.closed_early == 1


async def test_a_late_reader_has_the_beginning_too_and_times_of_its_own(
    provider: CachingProvider, model: ScriptedModel
) -> None:
    model.hold = True
    first = asyncio.create_task(answer(provider, question()))
    await started(model, 1)
    await asyncio.sleep(0.15)
    late = asyncio.create_task(answer(provider, question()))
    await asyncio.sleep(0.02)
    model.release()
    parts, other = await first, await late
    assert texts(parts) == texts(other) == "One two three."
    end = other[-1]
    assert isinstance(end, AnswerEnd)
    assert end.figures.total_ms < 120
    assert end.figures.time_to_first_token_ms < 20


async def test_a_reader_that_leaves_after_the_end_loses_nothing(
    provider: CachingProvider, model: ScriptedModel
) -> None:
    async with aclosing(provider.stream(question())) as parts:
        async for part in parts:
            if isinstance(part, AnswerEnd):
                break
    assert await is_cached(provider, question())


async def test_closing_while_answers_are_shared(model: ScriptedModel, cache: ResponseCache) -> None:
    provider = CachingProvider(model, cache)
    model.hold = True
    tasks = [asyncio.create_task(answer(provider, question())) for _ in range(2)]
    await started(model, 1)
    await provider.aclose()
    assert [texts(await task) for task in tasks] == ["One two three."] * 2
    model.hold = False
    assert texts(await answer(provider, question())) == "One two three."  # by the inner provider

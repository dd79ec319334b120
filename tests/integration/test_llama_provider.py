"""The provider in this process, with real GGUF files: the contract, and what only it promises."""

import asyncio
import math
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codette_desktop.domain.answers import ContextUse, FinishReason, PromptRead, TextChunk
from codette_desktop.domain.errors import EngineFailure, InvalidRequest, ModelNotFound, UnsupportedModel
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.llama.context import Context, Feed
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.prompt import PromptWriter
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.inference.llama.sampler import Sampler
from codette_desktop.inference.llama.vocabularies import Vocabularies, file_state
from codette_desktop.inference.provider import Provider
from codette_desktop.models.identity import info_from_header
from tests.integration.provider_contract import QUESTION, SYSTEM, ProviderContract, answer, ask, end_of, text_of
from tests.support.gguf_files import write_model

Find = Callable[[str], ModelInfo]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_model(folder / "gpt2.gguf", context_length=2048)
    write_model(folder / "llama.gguf", tokenizer="llama", quantisation="Q8_0", context_length=1024)
    write_model(folder / "bare.gguf", tokenizer="llama", chat_template=None)
    write_model(folder / "refuses.gguf", chat_template="{{ raise_exception('no') }}")
    write_model(folder / "endless.gguf", chat_template="{% for a in range(99999) %}{{ range(99999)|list }}{% endfor %}")
    return folder


@pytest.fixture
def find(folder: Path) -> Find:
    def find(name: str) -> ModelInfo:
        path = folder / f"{name}.gguf"
        if not path.is_file():
            raise ModelNotFound(f"There is no model {name}.")
        return replace(info_from_header(path), file_hash=f"hash of {name}")

    return find


@pytest.fixture
async def provider(find: Find) -> AsyncIterator[LlamaProvider]:
    opened = LlamaProvider(find, EventBus())
    yield opened
    await opened.aclose()


class TestLlamaProvider(ProviderContract):
    """llama.cpp in process, with both kinds of tokenizer."""

    @pytest.fixture(params=["gpt2", "llama"])
    def model(self, request: pytest.FixtureRequest) -> str:
        return request.param

    @pytest.fixture
    def greedy(self) -> bool:
        return True


async def test_an_answer_says_what_made_it(provider: Provider) -> None:
    end = end_of(await answer(provider, ask("gpt2")))
    assert (end.model, end.model_hash, end.device) == ("gpt2", "hash of gpt2", "CPU")
    assert end.engine_build.startswith("llama.cpp ")
    assert "llama-cpp-python" in end.engine_build
    assert end.figures.load_ms > 0
    assert end.figures.time_to_first_token_ms > end.figures.load_ms
    assert end.figures.tokens_per_second > 0
    assert end_of(await answer(provider, ask("gpt2"))).figures.load_ms == 0


async def test_a_kept_prefix_changes_no_answer(provider: Provider, find: Find) -> None:
    first = await answer(provider, ask("gpt2", SYSTEM, QUESTION))
    follow = [
        SYSTEM,
        QUESTION,
        Message(Role.ASSISTANT, text_of(first).replace("\ufffd", "?")),
        Message(Role.USER, "why?"),
    ]
    warm = await answer(provider, ask("gpt2", *follow))
    again = await answer(provider, ask("gpt2", *follow))
    cold_provider = LlamaProvider(find, EventBus())
    cold = await answer(cold_provider, ask("gpt2", *follow))
    await cold_provider.aclose()

    assert text_of(warm) == text_of(cold) == text_of(again)
    assert end_of(cold).figures.reused_tokens == 0
    assert end_of(warm).figures.reused_tokens >= end_of(first).use.prompt - 5  # up to where the new turn differs
    assert end_of(again).figures.reused_tokens == end_of(again).use.prompt - 1
    assert isinstance(warm[0], PromptRead)
    assert warm[0].reused_tokens == end_of(warm).figures.reused_tokens


async def test_the_context_is_used_to_its_end_and_no_further(provider: Provider) -> None:
    settings = EngineSettings(context_length=300)
    bus = EventBus()
    small = LlamaProvider(provider._find, bus, settings=lambda _info: settings)  # type: ignore[attr-defined]
    parts = await answer(
        small, ask("gpt2", Message(Role.USER, "time " * 60), max_tokens=None, grammar="root ::= [a-z ]*  [A]")
    )
    await small.aclose()
    end = end_of(parts)
    assert end.use.length == 300
    assert end.reason is FinishReason.LENGTH
    assert end.use.prompt + end.figures.completion_tokens == 300


async def test_old_turns_are_left_out_and_counted(provider: Provider) -> None:
    turns = [Message(role, f"{role} {n} " + "words " * 20) for n in range(100) for role in (Role.USER, Role.ASSISTANT)]
    request = ask("gpt2", SYSTEM, *turns, QUESTION)
    use = end_of(await answer(provider, request)).use
    assert use.left_out_messages % 2 == 0
    assert 0 < use.left_out_messages < 200
    assert use.prompt <= use.length - 24
    assert use == await provider.count(request)


async def test_a_schema_binds_the_answer(provider: Provider) -> None:
    import json

    schema = json.dumps(
        {
            "type": "object",
            "properties": {"city": {"enum": ["Rome", "Oslo"]}, "sure": {"type": "boolean"}},
            "required": ["city", "sure"],
            "additionalProperties": False,
        }
    )
    for sampling in ({"temperature": 0.0}, {"temperature": 2.0, "seed": 5}):
        value = json.loads(text_of(await answer(provider, ask("gpt2", max_tokens=200, json_schema=schema, **sampling))))
        assert value["city"] in ("Rome", "Oslo")
        assert isinstance(value["sure"], bool)


async def test_a_bad_grammar_is_refused_and_the_next_request_answered(provider: Provider) -> None:
    with pytest.raises(InvalidRequest, match="grammar"):
        await answer(provider, ask("gpt2", grammar="root ::= nowhere"))
    assert text_of(await answer(provider, ask("gpt2")))


@pytest.mark.parametrize(("model", "error"), [("refuses", InvalidRequest), ("endless", UnsupportedModel)])
async def test_a_hostile_template_is_an_error_in_words(provider: Provider, model: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="chat template"):
        await answer(provider, ask(model))
    with pytest.raises(error, match="chat template"):
        await provider.count(ask(model))
    assert text_of(await answer(provider, ask("gpt2")))


async def test_a_model_without_a_template_answers(provider: Provider) -> None:
    parts = await answer(provider, ask("bare", SYSTEM, QUESTION))
    assert end_of(parts).use.system > 0
    assert "<|im_end|>" not in text_of(parts)


async def test_counting_does_not_wait_for_an_answer(provider: Provider) -> None:
    await provider.load("gpt2")
    long = ask("gpt2", max_tokens=1200, grammar="root ::= [a-z ]*  [A]")
    counted = 0
    async with aclosing(provider.stream(long)) as parts:
        async for part in parts:
            if isinstance(part, TextChunk):
                started = time.perf_counter()
                await provider.count(ask("gpt2"))
                await provider.count(ask("llama"))
                assert time.perf_counter() - started < 2
                counted += 1
                assert [item.busy for item in provider.loaded()] == [True]
                if counted == 3:
                    break
    assert counted == 3


@pytest.mark.parametrize("where", ["prompt", "answer"])
async def test_stopping_is_quick_and_leaves_a_sound_state(folder: Path, where: str) -> None:
    path = folder / "slow.gguf"
    if not path.exists():
        write_model(path, layers=8, width=512, heads=8, kv_heads=8, feed_forward=1024, context_length=2048)
    slow = LlamaProvider(lambda _name: info_from_header(path), EventBus())
    await slow.load("slow")
    prompt = Message(Role.USER, "time of day " * 350)
    question = prompt if where == "prompt" else QUESTION
    stream = slow.stream(ask("slow", question, max_tokens=500, grammar="root ::= [a-z ]*  [A]"))
    part = await anext(stream)
    while where == "answer" and not isinstance(part, TextChunk):
        part = await anext(stream)
    await asyncio.sleep(0.05)
    started = time.perf_counter()
    await stream.aclose()
    took_ms = (time.perf_counter() - started) * 1000
    print(f"stopping during the {where}: {took_ms:.1f} ms")  # noqa: T201
    assert took_ms < 1000
    again = await answer(slow, ask("slow", question, max_tokens=8))
    assert text_of(again)
    assert end_of(again).figures.reused_tokens < end_of(again).use.prompt
    await slow.aclose()


async def test_after_aclose_nothing_is_answered(find: Find) -> None:
    provider = LlamaProvider(find, EventBus())
    assert text_of(await answer(provider, ask("gpt2")))
    running = asyncio.create_task(answer(provider, ask("gpt2", max_tokens=1500, grammar="root ::= [a-z ]*  [A]")))
    await asyncio.sleep(0.05)
    await provider.aclose()
    await provider.aclose()
    end = end_of(await running)
    assert end.reason is FinishReason.CANCELLED
    assert provider.loaded() == []
    for attempt in (answer(provider, ask("gpt2")), provider.count(ask("gpt2")), provider.load("gpt2")):
        with pytest.raises(EngineFailure, match="has been shut down"):
            await attempt
    with pytest.raises(EngineFailure, match="has been shut down"):
        await provider.unload("gpt2")


async def test_closing_waits_for_helpers_without_blocking_and_drops_what_waits_for_them(find: Find) -> None:
    gate, entered = threading.Event(), threading.Semaphore(0)

    def slow(name: str) -> ModelInfo:
        entered.release()
        gate.wait(10)
        return find(name)

    provider = LlamaProvider(slow, EventBus())
    counts = [asyncio.create_task(provider.count(ask("gpt2"))) for _ in range(4)]
    for _ in range(2):  # as many as there are helpers
        assert await asyncio.to_thread(entered.acquire, timeout=5)
    closing = asyncio.create_task(provider.aclose())
    while not provider._closed:
        await asyncio.sleep(0.001)
    ticks = 0
    for _ in range(20):
        await asyncio.sleep(0.005)
        ticks += 1
    assert not closing.done()
    gate.set()
    await closing
    assert ticks == 20
    results = await asyncio.gather(*counts, return_exceptions=True)
    assert [type(result) for result in results] == [ContextUse, ContextUse, EngineFailure, EngineFailure]
    assert provider._residents._vocabularies._known == {}


async def test_a_cancelled_count_is_cancelled_and_not_called_a_shutdown(find: Find) -> None:
    gate = threading.Event()
    provider = LlamaProvider(lambda name: find(name) if gate.wait(10) else find(""), EventBus())
    task = asyncio.create_task(provider.count(ask("gpt2")))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    await provider.aclose()


async def test_the_speed_counts_the_time_between_tokens_that_are_counted(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token that ends an answer is none of them, however long it takes to come."""
    drawn = iter([300, 301, 302])

    def next_token(sampler: Sampler, context: Context, row: int) -> int:
        if (token := next(drawn, None)) is not None:
            return token
        time.sleep(0.5)
        return context.model.vocabulary.eos

    monkeypatch.setattr(Sampler, "next", next_token)
    figures = end_of(await answer(provider, ask("gpt2"))).figures
    assert figures.completion_tokens == 3
    assert figures.tokens_per_second > 2 / 0.4
    assert figures.total_ms > 500


async def test_the_first_part_tells_what_a_stopped_answer_was_made_with(provider: Provider) -> None:
    stream = provider.stream(ask("gpt2", temperature=1.0))
    first = await anext(stream)
    await stream.aclose()
    assert isinstance(first, PromptRead)
    assert first.seed is not None
    end = end_of(parts := await answer(provider, ask("gpt2", temperature=1.0, seed=first.seed)))
    again = parts[0]
    assert isinstance(again, PromptRead)
    assert (again.seed, again.model_hash, again.engine_build, again.device) == (
        end.seed,
        end.model_hash,
        end.engine_build,
        end.device,
    )
    assert (first.seed, first.model_hash, first.device) == (end.seed, "hash of gpt2", "CPU")


async def test_the_vocabularies_asked_for_last_are_kept(folder: Path, find: Find) -> None:
    vocabularies = Vocabularies()

    def borrow(name: str) -> None:
        info = find(name)
        vocabularies.borrow(info, file_state(info))[0].release()

    for name in ("gpt2", "llama", "gpt2", "bare"):
        borrow(name)
    assert [Path(key).stem for key in vocabularies._known] == ["gpt2", "bare"]
    vocabularies.close()


async def test_a_second_cancel_lets_go_of_nothing_the_decoder_still_uses(folder: Path) -> None:
    path = folder / "slow.gguf"
    if not path.exists():
        write_model(path, layers=8, width=512, heads=8, kv_heads=8, feed_forward=1024, context_length=2048)
    slow = LlamaProvider(lambda _name: info_from_header(path), EventBus())
    await slow.load("slow")
    resident = slow._residents.hold(info_from_header(path))
    assert resident is not None
    slow._residents.release(resident)
    for pause in (0.0, 0.002, 0.005, 0.01, 0.02):
        task = asyncio.create_task(answer(slow, ask("slow", Message(Role.USER, "time of day " * 300), max_tokens=500)))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.sleep(pause)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert resident.users > 0 or not resident.batch.busy
    await slow.unload("slow")
    assert resident.users == 0
    await slow.aclose()


async def test_a_cancel_stops_no_answer_on_another_model(folder: Path, find: Find) -> None:
    provider = LlamaProvider(find, EventBus())
    for name in ("gpt2", "llama"):
        await provider.load(name)  # or the first answer could have ended before the second begins
    both = [
        asyncio.create_task(answer(provider, ask(name, max_tokens=900, grammar="root ::= [a-z ]*  [A]")))
        for name in ("gpt2", "llama")
    ]
    while sum(item.busy for item in provider.loaded()) < 2:
        await asyncio.sleep(0.01)
    both[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await both[0]
    assert end_of(await both[1]).reason in (FinishReason.STOP, FinishReason.LENGTH)
    await provider.aclose()


@pytest.mark.parametrize("name", ["gpt2", "llama"])
@pytest.mark.parametrize("sampling", [{}, {"temperature": 0.8, "seed": 3}])
async def test_confidence_is_what_the_model_gives_its_answer_when_it_reads_it(
    provider: Provider, find: Find, name: str, sampling: dict[str, float]
) -> None:
    request = replace(ask(name, max_tokens=12, stop=("never said",), **sampling), scored=True)
    tokens: list[int] = []
    take = Sampler.next

    def noting(self: Sampler, context: Context, row: int = -1) -> int:
        tokens.append(take(self, context, row))
        return tokens[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sampler, "next", noting)
        found = end_of(await answer(provider, request)).confidence
    assert found is not None
    model = Model.load(find(name).path, EngineSettings(threads=1))
    context = Context(model, EngineSettings(threads=1), 512)
    prompt = PromptWriter(model.vocabulary).write(request, 512).tokens
    assert context.decode([Feed(0, prompt)])
    logs: list[float] = []
    for token in tokens:
        logits = context.logits().astype(np.float64)
        logs.append(logits[token] - logits.max() - np.log(np.exp(logits - logits.max()).sum()))
        context.decode_one(0, token)
    size = sum(len(model.vocabulary.piece(token)) for token in tokens)
    context.close()
    model.close()
    assert found.tokens == len(tokens)
    assert found.bits_per_byte == pytest.approx(-sum(logs) / math.log(2) / size, rel=1e-3)
    assert found.weakest == pytest.approx(sum(logs) / len(logs), rel=1e-3)

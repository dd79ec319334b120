"""What every provider must do, as tests. A provider's own test class inherits from `ProviderContract` and gives the
fixtures `provider`, `model` (the name of a model it has), and `greedy` (whether temperature 0 repeats itself there).
`counts_exactly` is False where the tokens of a prompt are known only after the answer: what is told before is then an
estimate and must say so.
"""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, FinishReason, PromptRead, TextChunk
from codette_desktop.domain.errors import InvalidRequest, ModelNotFound, PromptTooLong
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import ChatRequest, Sampling
from codette_desktop.inference.provider import Provider

QUESTION = Message(Role.USER, "What is the time of day?")
SYSTEM = Message(Role.SYSTEM, "You answer.")
LONG = {"temperature": 0.0, "max_tokens": 400}


def ask(model: str, *messages: Message, **sampling: Any) -> ChatRequest:
    return ChatRequest(model, messages or (QUESTION,), Sampling(**({"temperature": 0.0, "max_tokens": 24} | sampling)))


async def answer(provider: Provider, request: ChatRequest) -> list[AnswerPart]:
    return [part async for part in provider.stream(request)]


def text_of(parts: list[AnswerPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextChunk))


def end_of(parts: list[AnswerPart]) -> AnswerEnd:
    end = parts[-1]
    assert isinstance(end, AnswerEnd)
    return end


class ProviderContract:
    """Inherit, give the fixtures, and every test runs."""

    @pytest.fixture
    def counts_exactly(self) -> bool:
        """Whether the tokens of a prompt are known before it is answered."""
        return True

    @pytest.fixture
    def tells_confidence(self) -> bool:
        """Whether whoever answers can tell how probable it found the answer."""
        return True

    async def test_it_is_a_provider(self, provider: Provider) -> None:
        assert isinstance(provider, Provider)

    async def test_parts_come_in_order_and_add_up(self, provider: Provider, model: str, counts_exactly: bool) -> None:
        parts = await answer(provider, ask(model, SYSTEM, QUESTION))
        assert isinstance(parts[0], PromptRead)
        assert all(isinstance(part, TextChunk) for part in parts[1:-1])
        end = end_of(parts)
        assert end.figures.completion_tokens == sum(part.tokens for part in parts if isinstance(part, TextChunk)) > 0
        assert end.figures.prompt_tokens == end.use.prompt > 0
        if counts_exactly:
            assert parts[0].use == end.use
        assert parts[0].use.estimated is end.use.estimated is not counts_exactly
        assert end.use.system > 0
        assert end.use.question > 0
        assert 0 < end.figures.time_to_first_token_ms <= end.figures.total_ms
        assert end.reason in (FinishReason.STOP, FinishReason.LENGTH)
        assert end.model
        assert end.model_label
        assert end.engine_build
        assert end.device

    async def test_confidence_is_told_to_who_asks_for_it(
        self, provider: Provider, model: str, tells_confidence: bool
    ) -> None:
        request = ask(model, SYSTEM, QUESTION)
        plain = await answer(provider, request)
        scored = await answer(provider, replace(request, scored=True))
        assert end_of(plain).confidence is None
        found = end_of(scored).confidence
        assert (found is not None) is tells_confidence
        if found is not None:
            assert found.bits_per_byte >= 0
            assert found.weakest <= 0
            # A token that ends the answer, or is no whole character yet, may be told or not.
            assert abs(found.tokens - end_of(scored).figures.completion_tokens) <= 4

    async def test_counting_agrees_with_answering(self, provider: Provider, model: str, counts_exactly: bool) -> None:
        history = [Message(Role.USER, "Hello"), Message(Role.ASSISTANT, "Good day.")]
        request = ask(model, SYSTEM, *history, QUESTION)
        before = await provider.count(request)
        parts = await answer(provider, request)
        assert isinstance(parts[0], PromptRead)
        assert before == parts[0].use
        assert before.history > 0
        if counts_exactly:
            assert before == end_of(parts).use == await provider.count(request)

    async def test_temperature_zero_repeats_itself(self, provider: Provider, model: str, greedy: bool) -> None:
        if not greedy:
            pytest.skip("this provider does not promise it")
        first = text_of(await answer(provider, ask(model)))
        await answer(provider, ask(model, Message(Role.USER, "Something else entirely")))
        assert text_of(await answer(provider, ask(model))) == first != ""

    async def test_a_seed_repeats_itself_and_a_fresh_one_is_told(self, provider: Provider, model: str) -> None:
        free = end_of(await answer(provider, ask(model, temperature=1.2)))
        again = await answer(provider, ask(model, temperature=1.2, seed=free.seed))
        assert end_of(again).seed == free.seed
        assert text_of(again) == text_of(await answer(provider, ask(model, temperature=1.2, seed=free.seed)))

    async def test_max_tokens_is_kept(self, provider: Provider, model: str) -> None:
        end = end_of(await answer(provider, ask(model, max_tokens=3)))
        assert end.figures.completion_tokens <= 3

    async def test_nothing_follows_a_stop_string(self, provider: Provider, model: str) -> None:
        whole = text_of(await answer(provider, ask(model)))
        assert len(whole) > 4
        stop = whole[3:5]
        parts = await answer(provider, ask(model, stop=(stop,)))
        assert text_of(parts) == whole[: whole.index(stop)]
        assert end_of(parts).reason is FinishReason.STOP

    async def test_closing_the_stream_stops_the_answer(self, provider: Provider, model: str) -> None:
        async with aclosing(provider.stream(ask(model, **LONG))) as parts:
            async for part in parts:
                if isinstance(part, TextChunk):
                    break
        assert text_of(await asyncio.wait_for(answer(provider, ask(model)), 30))

    async def test_cancelling_the_reader_stops_the_answer(self, provider: Provider, model: str) -> None:
        begun = asyncio.Event()

        async def read() -> None:
            async for part in provider.stream(ask(model, **LONG)):
                if isinstance(part, TextChunk):
                    begun.set()

        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert text_of(await asyncio.wait_for(answer(provider, ask(model)), 30))

    async def test_several_may_ask_at_once(self, provider: Provider, model: str) -> None:
        alone = [
            text_of(await answer(provider, ask(model, Message(Role.USER, word)))) for word in ("one", "two", "many")
        ]
        answers = await asyncio.gather(
            *(answer(provider, ask(model, Message(Role.USER, w))) for w in ("one", "two", "many"))
        )
        assert [text_of(parts) for parts in answers] == alone

    async def test_a_waiting_request_can_be_given_up(self, provider: Provider, model: str) -> None:
        begun = asyncio.Event()

        async def run() -> list[AnswerPart]:
            parts: list[AnswerPart] = []
            async for part in provider.stream(ask(model, **LONG)):
                parts.append(part)
                begun.set()
            return parts

        running = asyncio.create_task(run())
        await begun.wait()
        waiting = asyncio.create_task(answer(provider, ask(model, **LONG)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert text_of(await running)

    async def test_an_unknown_model_is_told(self, provider: Provider) -> None:
        for attempt in (answer(provider, ask("no such model")), provider.count(ask("no such model"))):
            with pytest.raises(ModelNotFound):
                await attempt
        with pytest.raises(ModelNotFound):
            await provider.load("no such model")

    async def test_a_request_without_a_question_is_refused(self, provider: Provider, model: str) -> None:
        for messages in ((SYSTEM,), (QUESTION, Message(Role.ASSISTANT, "Noon."))):
            with pytest.raises(InvalidRequest):
                await answer(provider, ChatRequest(model, messages))
            with pytest.raises(InvalidRequest):
                await provider.count(ChatRequest(model, messages))

    async def test_a_question_longer_than_the_context_is_refused(self, provider: Provider, model: str) -> None:
        endless = ask(model, Message(Role.USER, "0123456789 " * 20_000))
        with pytest.raises(PromptTooLong, match=r"\d"):
            await answer(provider, endless)
        with pytest.raises(PromptTooLong):
            await provider.count(endless)

    async def test_loaded_models_are_listed(self, provider: Provider, model: str) -> None:
        loaded = await provider.load(model)
        assert loaded in provider.loaded()
        assert loaded.context_length > 0
        assert loaded.device
        assert await provider.unload(model)
        assert not await provider.unload(model)
        assert loaded.name not in [item.name for item in provider.loaded()]

"""The provider over Ollama's protocol against recorded exchanges: the contract, and what only it promises."""

import math
import os
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from codette_desktop.domain.answers import PromptRead
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.inference.http.provider import ServerProvider
from tests.integration.provider_contract import QUESTION, SYSTEM, ProviderContract, answer, ask, end_of, text_of
from tests.support.http_server import Exchange, Served, serve
from tests.support.ollama_replay import OllamaReplay

LIVE = os.environ.get("CODETTE_OLLAMA_URL", "")


@pytest.fixture
def replay() -> OllamaReplay:
    return OllamaReplay()


@pytest.fixture
async def served(replay: OllamaReplay) -> AsyncIterator[Served]:
    async with serve(replay) as served:
        yield served


@pytest.fixture
async def provider(served: Served) -> AsyncIterator[ServerProvider]:
    opened = ServerProvider(Server("House", served.url))
    await opened.models()
    yield opened
    await opened.aclose()


class OllamaContract(ProviderContract):
    """What holds for Ollama, recorded or live."""

    @pytest.fixture
    def greedy(self) -> bool:
        return True

    @pytest.fixture
    def counts_exactly(self) -> bool:
        return False


class TestRecordedOllama(OllamaContract):
    """Recorded from a real server."""

    @pytest.fixture
    def model(self) -> str:
        return "House/tiny"

    @pytest.fixture
    def tells_confidence(self) -> bool:
        return False  # it was recorded before Ollama told probabilities


@pytest.mark.skipif(not LIVE, reason="CODETTE_OLLAMA_URL names no running Ollama")
class TestLiveOllama(OllamaContract):
    """A real server, where somebody has one: the first model it lists."""

    @pytest.fixture
    async def provider(self) -> AsyncIterator[ServerProvider]:
        opened = ServerProvider(Server("Live", LIVE, ServerKind.OLLAMA))
        await opened.models()
        yield opened
        await opened.aclose()

    @pytest.fixture
    async def model(self, provider: ServerProvider) -> str:
        return (await provider.models())[0].name


async def test_the_context_and_every_limit_are_sent(provider: ServerProvider, served: Served) -> None:
    await answer(provider, ask("House/tiny", temperature=0.5, seed=7, max_tokens=5))
    (sent,) = [request.body for request in served.requests if request.path == "/api/chat"]
    options = sent["options"]
    assert (options["num_ctx"], options["num_predict"]) == (512, 5)
    assert (options["seed"], options["temperature"]) == (7, 0.5)
    assert sent["truncate"] is sent["shift"] is False
    assert sent["model"] == "tiny:latest"


async def test_the_answer_says_where_it_was_made(provider: ServerProvider) -> None:
    end = end_of(await answer(provider, ask("House/tiny")))
    assert (end.model, end.model_label) == ("House/tiny:latest", "tiny:latest · House")
    assert end.engine_build == "Ollama 0.0.0"
    assert end.device.startswith("House at 127.0.0.1:")
    assert "outside" not in end.device
    assert end.figures.load_ms == pytest.approx(1034.4, abs=0.1)
    assert end.figures.tokens_per_second == pytest.approx(12 / 2.318207, rel=1e-3)
    assert end.note == ""


async def test_a_prompt_cut_without_a_word_is_noticed_and_said(replay: OllamaReplay, provider: ServerProvider) -> None:
    replay.prompt_tokens = 130  # what Ollama told of a prompt of 2,000 words
    end = end_of(await answer(provider, ask("House/tiny", Message(Role.USER, "word " * 400))))
    assert "read only 130 of about 6" in end.note
    assert end.figures.prompt_tokens == 130


async def test_estimates_learn_from_what_the_server_tells(replay: OllamaReplay, provider: ServerProvider) -> None:
    question = Message(Role.USER, "word " * 60)
    before = await provider.count(ask("House/tiny", question))
    replay.prompt_tokens = 206
    await answer(provider, ask("House/tiny", question))
    after = await provider.count(ask("House/tiny", question))
    assert before.prompt == 96
    assert after.prompt == 206
    assert after.estimated


async def test_old_turns_are_left_out_and_counted(provider: ServerProvider, served: Served) -> None:
    turns = [Message(role, f"{role} {n} " + "words " * 20) for n in range(30) for role in (Role.USER, Role.ASSISTANT)]
    parts = await answer(provider, ask("House/tiny", SYSTEM, *turns, QUESTION))
    sent = served.requests[-1].body["messages"]
    assert isinstance(parts[0], PromptRead)
    assert parts[0].use.left_out_messages == 62 - len(sent)
    assert 2 < len(sent) < 30
    assert sent[0]["content"] == SYSTEM.content
    assert sent[-1]["content"] == QUESTION.content


async def test_a_grammar_is_refused_before_anything_is_sent(provider: ServerProvider, served: Served) -> None:
    with pytest.raises(InvalidRequest, match="grammar"):
        await answer(provider, ask("House/tiny", grammar='root ::= "a"'))
    assert "/api/chat" not in served.paths()
    parts = await answer(provider, ask("House/tiny", json_schema='{"type": "object"}'))
    assert text_of(parts)
    assert served.requests[-1].body["format"] == {"type": "object"}


async def test_what_a_model_thinks_stands_between_tags() -> None:
    async def thinks(exchange: Exchange) -> None:
        if exchange.path != "/api/chat":
            await OllamaReplay()(exchange)
            return
        await exchange.begin()
        for thought, text in (("Hm", ""), (" yes", ""), ("", "Noon"), ("", ".")):
            await exchange.chunk(f'{{"message": {{"thinking": "{thought}", "content": "{text}"}}, "done": false}}\n')
        await exchange.chunk('{"message": {"content": ""}, "done": true, "done_reason": "stop", "eval_count": 4}\n')
        await exchange.end()

    async with serve(thinks) as served:
        provider = ServerProvider(Server("House", served.url))
        parts = await answer(provider, ask("House/tiny"))
        await provider.aclose()
    assert text_of(parts) == "<think>\nHm yes\n</think>\n\nNoon."
    assert end_of(parts).figures.completion_tokens == 4


async def test_one_connection_serves_one_answer_after_the_other(provider: ServerProvider, served: Served) -> None:
    for _ in range(3):
        await answer(provider, ask("House/tiny"))
    assert served.connections == 1


async def test_nothing_is_sent_before_something_is_asked(served: Served) -> None:
    provider = ServerProvider(Server("House", served.url))
    assert provider.loaded() == []
    use = await provider.count(ask("House/tiny"))  # as for a conversation that is only looked at
    assert use.estimated
    await provider.aclose()
    assert served.connections == 0


async def test_what_a_server_here_passes_on_to_another_computer_says_so() -> None:
    async def handle(exchange: Exchange) -> None:
        details = {"context_length": 4096}
        models = [
            {"name": "qwen3:8b", "details": details},
            {"name": "house-name", "details": details, "remote_host": "https://ollama.com:443", "remote_model": "big"},
            {"name": "glm-4.6:cloud", "details": details},
        ]
        await exchange.json({"version": "1"} if exchange.path == "/api/version" else {"models": models})

    async with serve(handle) as served:
        provider = ServerProvider(Server("Box", served.url, ServerKind.OLLAMA))
        found = {model.display_name: model.remote for model in await provider.models()}
        await provider.aclose()
    assert found == {"qwen3:8b": False, "house-name": True, "glm-4.6:cloud": True}


async def test_probabilities_are_asked_for_and_read() -> None:
    asked: list[object] = []

    async def tells(exchange: Exchange) -> None:
        if exchange.path != "/api/chat":
            await OllamaReplay()(exchange)
            return
        asked.append(exchange.body.get("logprobs"))
        await exchange.begin()
        for text, value in (("No", -0.5), ("on", -1.5)):
            told = f'[{{"token": "{text}", "logprob": {value}}}]'
            line = f'{{"message": {{"content": "{text}"}}, "done": false, "logprobs": {told}}}\n'
            await exchange.chunk(line)
        await exchange.chunk('{"message": {"content": ""}, "done": true, "done_reason": "stop", "eval_count": 2}\n')
        await exchange.end()

    async with serve(tells) as served:
        provider = ServerProvider(Server("House", served.url))
        scored = await answer(provider, replace(ask("House/tiny"), scored=True))
        plain = await answer(provider, ask("House/tiny"))
        await provider.aclose()
    found = end_of(scored).confidence
    assert found is not None
    assert found.bits_per_byte == pytest.approx(2.0 / math.log(2) / 4)
    assert (found.weakest, found.tokens) == (-1.0, 2)
    assert end_of(plain).confidence is None
    assert asked == [True, None]

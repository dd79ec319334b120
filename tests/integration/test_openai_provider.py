"""The provider over OpenAI's protocol against llama.cpp's own server: the contract, and what only it promises."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from codette_desktop.domain.answers import TextChunk
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.inference.http.provider import ServerProvider
from tests.integration.provider_contract import ProviderContract, answer, ask, end_of, text_of
from tests.support.llama_server import llama_server

MODEL = "Bench/guide-s-q8_0.gguf"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with llama_server() as address:
        yield address


@pytest.fixture
async def provider(address: str) -> AsyncIterator[ServerProvider]:
    opened = ServerProvider(Server("Bench", address, ServerKind.AUTO))
    await opened.models()
    yield opened
    await opened.aclose()


class TestOpenAiProvider(ProviderContract):
    """llama.cpp's server, asked as any server that speaks OpenAI's protocol."""

    @pytest.fixture
    def model(self) -> str:
        return MODEL

    @pytest.fixture
    def greedy(self) -> bool:
        return True


async def test_closing_the_stream_frees_the_server(provider: ServerProvider, address: str) -> None:
    async with httpx.AsyncClient() as client:

        async def slot() -> dict[str, Any]:
            return (await client.get(f"{address}/slots")).json()[0]

        endless = ask(MODEL, max_tokens=None, grammar='root ::= "a" root')  # a thousand tokens, in most of a second
        async with aclosing(provider.stream(endless)) as parts:
            async for part in parts:
                if isinstance(part, TextChunk):
                    assert (await slot())["is_processing"]
                    break
        async with asyncio.timeout(0.3):
            while (left := await slot())["is_processing"]:
                await asyncio.sleep(0.01)
        assert left["next_token"][0]["has_next_token"]  # it was stopped, and had not come to its end


async def test_the_answer_says_who_made_it_and_a_grammar_holds(provider: ServerProvider) -> None:
    parts = await answer(provider, ask(MODEL, grammar='root ::= "yes" | "no"'))
    end = end_of(parts)
    assert text_of(parts) in ("yes", "no")
    assert end.engine_build.startswith("llama.cpp b")
    assert end.model_label == "guide-s-q8_0.gguf · Q8_0 · Bench"
    assert end.use.length == 1024
    assert not end.use.estimated
    assert end.figures.tokens_per_second > 0

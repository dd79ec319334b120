"""The provider over OpenAI's protocol against llama.cpp's own server: the contract, and what only it promises."""

from collections.abc import AsyncIterator, Iterator

import pytest

from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.inference.http.provider import ServerProvider
from tests.integration.provider_contract import ProviderContract
from tests.support.llama_server import llama_server

MODEL = "Bench/guide-s-q8_0.gguf"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with llama_server() as address:
        yield address


@pytest.fixture
async def provider(address: str) -> AsyncIterator[ServerProvider]:
    opened = ServerProvider(Server("Bench", address, ServerKind.AUTO))
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

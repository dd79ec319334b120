"""Ollama's own package as the measure: what it reads of a server is what the provider reads, and asks likewise.

The provider speaks for itself (see `inference/http/connection.py` for why), so it is held against the package here.
"""

import ollama
import pytest

from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.inference.http.provider import ServerProvider
from tests.integration.provider_contract import answer, ask, end_of, text_of
from tests.support.http_server import serve
from tests.support.ollama_replay import OllamaReplay

WORDS = [{"role": "user", "content": "What is the time of day?"}]
NOT_IN_THE_PACKAGE = {"min_p"}  # of the options; the server knows it


async def test_the_same_answer_and_figures_are_read() -> None:
    async with serve(OllamaReplay()) as served:
        client = ollama.AsyncClient(host=served.url)
        parts = [part async for part in await client.chat("tiny", WORDS, stream=True, options={"num_predict": 24})]
        provider = ServerProvider(Server("House", served.url, ServerKind.OLLAMA))
        ours = await answer(provider, ask("House/tiny", max_tokens=24))
        await provider.aclose()
        await client._client.aclose()
    assert text_of(ours) == "".join(part.message.content or "" for part in parts)
    figures = end_of(ours).figures
    assert figures.prompt_tokens == parts[-1].prompt_eval_count
    assert figures.completion_tokens == parts[-1].eval_count
    wanted = (parts[-1].eval_count or 0) / ((parts[-1].eval_duration or 1) / 1e9)
    assert figures.tokens_per_second == pytest.approx(wanted, rel=0.1)


async def test_the_same_models_are_listed() -> None:
    async with serve(OllamaReplay()) as served:
        client = ollama.AsyncClient(host=served.url)
        listed = (await client.list()).models
        provider = ServerProvider(Server("House", served.url, ServerKind.OLLAMA))
        ours = await provider.models()
        await provider.aclose()
        await client._client.aclose()
    assert [(model.display_name, model.size_bytes) for model in ours] == [(item.model, item.size) for item in listed]
    details = listed[0].details
    assert details is not None
    assert ours[0].quantisation in (details.quantization_level, "")


async def test_what_is_asked_is_what_the_package_can_ask() -> None:
    async with serve(OllamaReplay()) as served:
        provider = ServerProvider(Server("House", served.url, ServerKind.OLLAMA))
        await answer(provider, ask("House/tiny", stop=("x",), seed=7))
        await provider.aclose()
        body = next(request.body for request in served.requests if request.path == "/api/chat")
    options = body["options"]
    assert set(options) - set(ollama.Options.model_fields) == NOT_IN_THE_PACKAGE
    known = ollama.Options(**{name: value for name, value in options.items() if name not in NOT_IN_THE_PACKAGE})
    assert (known.seed, known.temperature, known.stop) == (7, 0.0, ["x"])
    assert [ollama.Message(**message).role for message in body["messages"]] == ["user"]

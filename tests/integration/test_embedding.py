"""Texts as vectors: in this process, apart from it, from servers; by encoders, decoders trained for it, and others."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from codette_desktop.application import Application
from codette_desktop.cli import main
from codette_desktop.domain.errors import CodetteError, InvalidRequest, ModelNotFound, UnsupportedModel
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.domain.servers import Server
from codette_desktop.inference.http.provider import ServerProvider
from codette_desktop.inference.isolation.provider import IsolatedProvider
from codette_desktop.inference.llama.embedding import Embedder
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.inference.provider import EmbeddingProvider
from codette_desktop.models.identity import info_from_header
from tests.integration.provider_contract import answer, ask, end_of, text_of
from tests.support.embedding_files import LENGTH, MEAN, RANK, write_bert, write_pooling_llama
from tests.support.gguf_files import write_model
from tests.support.http_server import Exchange, serve
from tests.support.llama_server import llama_server

TEXTS = ["the cat sat on the mat", "a dog ran by night", "what is a question?", "the time of day"]
POOLED = {"bert": "cls", "pooled": "last", "chat": "mean"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_bert(folder / "bert.gguf")
    write_bert(folder / "averaging.gguf", pooling=MEAN)
    write_bert(folder / "ranking.gguf", pooling=RANK)
    write_pooling_llama(folder / "pooled.gguf")
    write_model(folder / "chat.gguf", context_length=2048)
    return folder


class Finder:
    """Finds a model by the name of its file."""

    def __init__(self, models: Path) -> None:
        self.models = models

    def __call__(self, name: str) -> ModelInfo:
        path = self.models / f"{name}.gguf"
        if not path.is_file():
            raise ModelNotFound(f"There is no model {name}.")
        return info_from_header(path)


@pytest.fixture
async def inside(models: Path) -> AsyncIterator[LlamaProvider]:
    settings = EngineSettings(threads=1)
    opened = LlamaProvider(Finder(models), EventBus(), settings=lambda _info: settings)
    yield opened
    await opened.aclose()


@pytest.fixture
async def apart(models: Path) -> AsyncIterator[IsolatedProvider]:
    settings = EngineSettings(threads=1)
    opened = IsolatedProvider(Finder(models), EventBus(), settings=lambda _info: settings)
    yield opened
    await opened.aclose()


@pytest.fixture(params=["inside", "apart"])
def provider(request: pytest.FixtureRequest) -> EmbeddingProvider:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, EmbeddingProvider)
    return found


@pytest.mark.parametrize("model", list(POOLED))
async def test_equal_texts_have_equal_vectors_of_unit_length(provider: EmbeddingProvider, model: str) -> None:
    found = await provider.embed(model, [*TEXTS, TEXTS[0]])
    vectors = np.array(found.vectors)
    assert vectors.shape == (5, 64)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.allclose(vectors[4], vectors[0], atol=1e-5)
    assert np.abs(np.triu(vectors[:4] @ vectors[:4].T, 1)).max() < 0.999
    assert found.pooling == POOLED[model]
    assert found.tokens > 5 * 5
    assert vectors.astype(np.float32).tolist() == found.vectors  # float32 values, nothing finer


@pytest.mark.parametrize("model", list(POOLED))
async def test_a_text_has_the_same_vector_alone_and_among_many(inside: LlamaProvider, model: str) -> None:
    texts = [f"{text} {number}" for number in range(12) for text in TEXTS]
    together = (await inside.embed(model, texts)).vectors
    alone = [(await inside.embed(model, [text])).vectors[0] for text in texts]
    assert len(together) == 48
    assert (np.array(together) * np.array(alone)).sum(axis=1).min() > 0.99999  # sums are split otherwise


@pytest.mark.parametrize("model", ["bert", "averaging", "pooled"])
async def test_vectors_are_those_of_llama_cpps_own_server(inside: LlamaProvider, models: Path, model: str) -> None:
    with llama_server(models / f"{model}.gguf", embeds=True) as address:
        server = ServerProvider(Server("here", address))
        theirs = await server.embed((await server.models())[0].name, TEXTS)
        await server.aclose()
    ours = await inside.embed(model, TEXTS)
    cosines = (np.array(ours.vectors) * np.array(theirs.vectors)).sum(axis=1)
    assert cosines.min() > 0.9999
    assert theirs.tokens == ours.tokens


async def test_a_server_that_does_not_embed_says_so() -> None:
    with llama_server() as address:
        server = ServerProvider(Server("here", address))
        with pytest.raises(CodetteError, match="embedding"):
            await server.embed((await server.models())[0].name, TEXTS)
        await server.aclose()


async def test_a_text_too_long_is_refused_with_the_numbers(provider: EmbeddingProvider) -> None:
    with pytest.raises(InvalidRequest, match=rf"Text 2 of 2 has \d\d\d tokens.*reads {LENGTH} at most"):
        await provider.embed("bert", ["a cat", "the cat sat on the mat " * 40])
    assert (await provider.embed("bert", ["the cat sat on the mat " * 20])).tokens > 100
    assert (await provider.embed("chat", ["the time of day " * 300])).tokens > 1000  # more than is usual at once


@pytest.mark.parametrize("texts", [[], [""], ["a cat", " \n"]])
async def test_a_text_that_says_nothing_is_refused(inside: LlamaProvider, texts: list[str]) -> None:
    with pytest.raises(InvalidRequest):
        await inside.embed("bert", texts)


async def test_a_model_that_ranks_is_refused(provider: EmbeddingProvider) -> None:
    with pytest.raises(UnsupportedModel, match="ranks texts"):
        await provider.embed("ranking", TEXTS)
    with pytest.raises(ModelNotFound):
        await provider.embed("nowhere", TEXTS)


async def test_an_encoder_neither_answers_nor_counts(inside: LlamaProvider) -> None:
    for attempt in (answer(inside, ask("bert")), inside.count(ask("bert")), inside.load("bert")):
        with pytest.raises(UnsupportedModel, match="does not write text"):
            await attempt


async def test_it_goes_on_beside_answers(inside: LlamaProvider) -> None:
    long = asyncio.create_task(answer(inside, ask("chat", max_tokens=900, grammar="root ::= [a-z ]*  [A]")))
    alone = (await inside.embed("chat", TEXTS)).vectors
    many = await asyncio.gather(*(inside.embed(model, TEXTS) for model in ("bert", "chat", "bert", "chat")))
    assert np.allclose(many[1].vectors, alone, atol=1e-3)
    assert end_of(await long).figures.completion_tokens > 100


async def test_it_can_be_cancelled_and_unloaded(inside: LlamaProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    await inside.embed("bert", TEXTS)
    embed, inside_step, gate = Embedder.embed, threading.Event(), threading.Event()

    def slow(self: Embedder, texts: list[object]) -> object:
        inside_step.set()
        gate.wait(10)
        return embed(self, texts)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Embedder, "embed", slow)
        task = asyncio.create_task(inside.embed("bert", TEXTS * 30))
        await asyncio.to_thread(inside_step.wait, 10)
        waiting = asyncio.create_task(inside.embed("bert", TEXTS))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 2)  # it was not its turn yet
        task.cancel()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len((await inside.embed("bert", TEXTS)).vectors) == 4
    assert await inside.unload("bert")
    assert not await inside.unload("bert")
    assert len((await inside.embed("bert", TEXTS)).vectors) == 4


@pytest.fixture
def home(codette_home: Path) -> Path:
    (codette_home / "models").mkdir(parents=True)
    write_bert(codette_home / "models" / "encoder.gguf")
    return codette_home


@pytest.fixture
async def application(home: Path) -> AsyncIterator[Application]:
    opened = Application.open(home)
    yield opened
    await opened.aclose()


async def test_an_encoder_is_listed_for_what_it_is_and_tried_apart_first(application: Application) -> None:
    library = application.library
    assert [model.name for model in library.embedders()] == ["encoder"]
    assert "encoder" not in [model.name for model in library.list()]
    assert library.problems() == []
    model = application.catalogue.find_file("encoder")
    assert application.store.models.trust(model.file_hash) == (False, 0)
    assert isinstance(application.provider, EmbeddingProvider)
    found = await application.provider.embed("encoder", TEXTS)
    assert (len(found.vectors), found.pooling, found.model_hash) == (4, "cls", model.file_hash)
    assert application.store.models.trust(model.file_hash) == (True, 0)
    await asyncio.wrap_future(application.keep_apart(model, True))
    again = await application.provider.embed("encoder", TEXTS)
    assert np.allclose(again.vectors, found.vectors, atol=1e-6)
    with pytest.raises(UnsupportedModel, match="does not write"):
        await answer(application.provider, ask("encoder"))
    assert text_of(await answer(application.provider, ask("guide-s-q8_0")))


@pytest.fixture
def ran(home: Path) -> CliRunner:
    return CliRunner()


def test_the_command_gives_vectors_and_tells_what_is_alike(ran: CliRunner, home: Path) -> None:
    more = home / "more.txt"
    more.write_text("a dog ran\n\nthe cat sat on the mat\n", encoding="utf-8")
    told = ran.invoke(main, ["embed", TEXTS[0], "--file", str(more), "--model", "encoder", "--json"])
    fields = json.loads(told.stdout)
    assert (fields["model"], fields["dimensions"], fields["pooling"]) == ("encoder", 64, "cls")
    assert [len(vector) for vector in fields["vectors"]] == [64] * 3
    lines = ran.invoke(main, ["embed", TEXTS[0], "--file", str(more), "--model", "encoder"]).stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith(" 1.000")
    assert ran.invoke(main, ["embed"]).exit_code == 2
    listed = json.loads(ran.invoke(main, ["models", "list", "--json"]).stdout)
    assert [model["name"] for model in listed["embedders"]] == ["encoder"]


async def test_ollama_is_asked_as_its_documentation_says() -> None:
    """A stand-in: no exchange of `/api/embed` was recorded."""

    async def ollama(exchange: Exchange) -> None:
        if exchange.path == "/api/version":
            await exchange.json({"version": "0.33.0"})
        elif exchange.path == "/":
            await exchange.text("Ollama is running", kind="text/plain")
        elif exchange.body["model"] != "embedder":
            await exchange.json({"error": "this model does not support embeddings"}, 400)
        elif exchange.body["truncate"]:
            await exchange.json({"error": "truncate"}, 500)
        else:
            vectors = [[3.0, 4.0 + number] for number in range(len(exchange.body["input"]))]
            await exchange.json({"model": "embedder", "embeddings": vectors, "prompt_eval_count": 9})

    async with serve(ollama) as served:
        server = ServerProvider(Server("hall", served.url))
        found = await server.embed("hall/embedder", ["a", "b"])
        assert np.allclose(found.vectors[0], [0.6, 0.8])
        assert (found.pooling, found.model_hash, found.tokens, len(found.vectors)) == ("", "", 9, 2)
        with pytest.raises(UnsupportedModel, match="does not support embeddings"):
            await server.embed("hall/writer", ["a"])
        await server.aclose()


@pytest.mark.parametrize("vectors", [[], [[]], [[0.0, 0.0]], [[1.0], [1.0]], "none", [["x"]]])
async def test_what_a_server_sends_instead_of_vectors_is_refused(vectors: object) -> None:
    async def ollama(exchange: Exchange) -> None:
        await exchange.json({"version": "0.33.0"} if exchange.path == "/api/version" else {"embeddings": vectors})

    async with serve(ollama) as served:
        server = ServerProvider(Server("hall", served.url))
        with pytest.raises(UnsupportedModel):
            await server.embed("hall/embedder", ["a"])
        await server.aclose()

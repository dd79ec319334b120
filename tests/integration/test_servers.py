"""Servers in the whole application: added, listed, asked, removed, from the command line and in the services."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codette_desktop.application import Application
from codette_desktop.domain.answers import TextChunk
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.errors import InvalidRequest, ModelNotFound, ServerUnreachable
from codette_desktop.domain.events import ServerChecked, ServersChanged
from codette_desktop.domain.models import ServerModel
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.inference.http import discovery
from tests.support.http_server import Served, serve
from tests.support.llama_server import llama_server
from tests.support.ollama_replay import OllamaReplay

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serve(OllamaReplay()) as served:
        yield served


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "codette_desktop", *arguments],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_a_conversation_with_a_server_is_kept_like_any_other(application: Application, served: Served) -> None:
    await application.servers.add(Server("House", served.url))
    model = application.catalogue.find_model("house/tiny")
    assert model == ServerModel("House/tiny", "tiny", "House")
    assert served.connections == 0
    conversation = await asyncio.wrap_future(application.store.conversations.create(model="House/tiny"))
    parts = [part async for part in application.chat.send(conversation.id, "hello")]
    node = parts[-1]
    assert isinstance(node, Node)
    assert node.generation is not None
    assert node.message.content == "B" * 12 == "".join(part.text for part in parts if isinstance(part, TextChunk))
    assert node.generation.model_label == "tiny · House"
    assert node.generation.device == f"House at {served.url.removeprefix('http://')}"
    assert node.generation.use is not None
    assert node.generation.use.estimated
    kept = application.store.generations.get(node.generation.id)
    assert kept == node.generation


async def test_a_cut_prompt_is_kept_with_the_answer(application: Application) -> None:
    async with serve(OllamaReplay(prompt_tokens=30)) as served:
        await application.servers.add(Server("House", served.url))
        conversation = await asyncio.wrap_future(application.store.conversations.create(model="House/tiny"))
        *_rest, node = [part async for part in application.chat.send(conversation.id, "word " * 300)]
        assert isinstance(node, Node)
        (_question, answer) = application.chat.branch(conversation.id)
        assert answer.generation is not None
        assert "read only 30 of about" in answer.generation.note


async def test_what_servers_list_is_remembered(application: Application, served: Served, codette_home: Path) -> None:
    changes: list[ServersChanged] = []
    application.bus.subscribe(ServersChanged, changes.append)
    await application.servers.add(Server("House", served.url))
    (state,) = await application.servers.refresh()
    assert [model.name for model in state.models] == ["House/tiny:latest"]
    assert len(changes) == 2
    await application.servers.refresh()
    assert len(changes) == 2  # nothing new
    again = Application.open(codette_home)
    before = served.connections
    assert [model.label for model in again.servers.models()] == ["tiny:latest · House"]
    found = again.catalogue.find_model("tiny:latest · house")
    assert (found.name, found.size_bytes, found.context_length) == ("House/tiny:latest", 477592, 512)
    assert again.catalogue.name_for(found) == "House/tiny:latest"
    assert served.connections == before
    await again.aclose()


async def test_the_default_may_be_on_a_server_and_falls_back_when_it_is_removed(
    application: Application, served: Served
) -> None:
    await application.servers.add(Server("House", served.url))
    await asyncio.wrap_future(application.store.settings.set("model", "House/tiny"))
    assert application.catalogue.default_name() == "House/tiny"
    await application.servers.remove("House")
    assert application.catalogue.default_name() == "guide-m-q8_0" or "/" not in application.catalogue.default_name()
    with pytest.raises(ModelNotFound):
        application.catalogue.find_model("House/tiny")


async def test_loading_and_counting_go_to_the_right_place(application: Application, served: Served) -> None:
    await application.servers.add(Server("House", served.url))
    loaded = await application.provider.load("House/tiny")
    assert loaded in application.provider.loaded()
    own = application.catalogue.default_name()
    await application.provider.load(own)
    assert [item.name for item in application.provider.loaded()] == [own, "House/tiny:latest"]
    assert await application.provider.unload("House/tiny")


async def test_a_test_tells_what_is_there_and_counts_on_the_bus(application: Application, served: Served) -> None:
    heard: list[ServerChecked] = []
    application.bus.subscribe(ServerChecked, heard.append)
    state = await application.servers.test(Server("New", served.url))
    assert (state.product, len(state.models), state.error) == ("Ollama 0.0.0", 1, None)
    gone = await application.servers.test(Server("Gone", "http://127.0.0.1:9"))
    assert isinstance(gone.error, ServerUnreachable)
    assert [(event.server, bool(event.problem)) for event in heard] == [("New", False), ("Gone", True)]
    assert application.servers.servers() == []


async def test_a_server_added_anew_under_its_name_is_another_one(application: Application, served: Served) -> None:
    await application.servers.add(Server("House", "http://127.0.0.1:9"))
    await application.servers.remove("house")
    await application.servers.add(Server("House", served.url))
    with pytest.raises(InvalidRequest):
        await application.servers.add(Server("HOUSE", served.url))
    assert (await application.servers.refresh())[0].error is None


async def test_a_draft_is_not_sent_to_a_remote_server(application: Application) -> None:
    from codette_desktop.domain.messages import Message, Role
    from codette_desktop.domain.requests import ChatRequest

    await application.servers.add(Server("Far", "http://no-such-host.invalid:1"))
    use = await application.provider.count(ChatRequest("Far/m", (Message(Role.USER, "my secret draft"),)))
    assert use.estimated
    assert use.prompt > 0
    assert application.catalogue.find_model("Far/m").label == "m · Far"


async def test_local_servers_are_found_when_asked_for(application: Application, served: Served) -> None:
    async with serve(lambda exchange: exchange.text("<html>a web page</html>")) as page:
        ports = {name: int(url.rsplit(":", 1)[1]) for name, url in (("Ollama", served.url), ("LM Studio", page.url))}
        found = await discovery.find_local(ports)
    assert found == [Server("Ollama", served.url, ServerKind.OLLAMA)]


def test_the_command_line_adds_lists_tests_asks_and_removes() -> None:
    with llama_server(token="s3cret-of-the-test") as address:
        assert run("servers", "list").stdout == ""
        added = run("servers", "add", "Bench", f"{address}/v1/", "--token-env", "BENCH_TOKEN", "--json")
        assert added.returncode == 0, added.stderr
        wanted = {"name": "Bench", "url": address, "kind": "auto", "token_env": "BENCH_TOKEN", "remote": False}
        assert json.loads(added.stdout) == wanted
        assert json.loads(run("servers", "list", "--json").stdout) == {"servers": [wanted]}
        refused = run("servers", "test", "Bench")
        assert refused.returncode == 1
        assert "The variable BENCH_TOKEN, which should hold the token for Bench, is not set." in refused.stderr
        os.environ["BENCH_TOKEN"] = "s3cret-of-the-test"
        try:
            tested = json.loads(run("servers", "test", "Bench", "--json").stdout)
            assert tested["ok"]
            assert tested["models"] == ["Bench/guide-s-q8_0.gguf"]
            assert tested["product"].startswith("llama.cpp")
            listed = json.loads(run("models", "list", "--json").stdout)
            providers = {model["name"]: model["provider"] for model in listed["models"]}
            assert providers["Bench/guide-s-q8_0.gguf"] == "Bench"
            assert providers["guide-s-q8_0"] == "local"
            asked = run("ask", "What is a token?", "--model", "Bench/guide-s-q8_0.gguf", "--max-tokens", "9", "--json")
            answer = json.loads(asked.stdout)
            assert answer["answer"].strip()
            assert answer["completion_tokens"] == 9
            assert answer["model"] == "Bench/guide-s-q8_0.gguf"
        finally:
            del os.environ["BENCH_TOKEN"]
    gone = run("models", "list", "--json")
    assert gone.returncode == 0
    (problem,) = json.loads(gone.stdout)["problems"]
    assert problem["server"] == "Bench"
    assert run("servers", "remove", "bench").stdout == "Removed Bench.\n"
    missing = run("servers", "remove", "bench")
    assert missing.returncode == 1
    assert "There is no server 'bench'." in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a/b", "http://localhost"), "cannot be the name of a server"),
        (("A", "nonsense://x"), "is no address of a server"),
        (("A", "http://localhost", "--token-env", "sk-123"), "is no name of an environment variable"),
    ],
)
def test_wrong_servers_are_refused_in_words(arguments: tuple[str, ...], words: str) -> None:
    done = run("servers", "add", *arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr

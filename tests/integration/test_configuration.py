"""The configuration file in the whole application and on the command line."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codette_desktop.application import Application
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.events import ConfigurationChanged, ServersChanged
from codette_desktop.domain.models import ModelInfo, ServerModel
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.servers import Server
from codette_desktop.paths import resource
from tests.support.http_server import serve
from tests.support.ollama_replay import OllamaReplay

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def file(codette_home: Path) -> Path:
    codette_home.mkdir()
    path = codette_home / "codette.yaml"
    path.write_text("models:\n  writer: {model: guide-s-q8_0}\n")
    return path


@pytest.fixture
async def application(file: Path, codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "codette_desktop", *arguments],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


async def answered(application: Application, model: str, sampling: Sampling | None = None) -> Node:
    conversation = await asyncio.wrap_future(
        application.store.conversations.create(
            model=application.catalogue.name_to_ask(model), sampling=sampling or Sampling(temperature=0, max_tokens=4)
        )
    )
    *_parts, node = [part async for part in application.chat.send(conversation.id, "hello")]
    assert isinstance(node, Node)
    return node


async def test_a_name_changes_its_meaning_while_the_application_runs(application: Application, file: Path) -> None:
    heard: asyncio.Queue[ConfigurationChanged] = asyncio.Queue()
    application.bus.subscribe(ConfigurationChanged, heard.put_nowait)
    conversation = await asyncio.wrap_future(
        application.store.conversations.create(
            model=application.catalogue.name_to_ask("WRITER"), sampling=Sampling(temperature=0, max_tokens=3)
        )
    )
    assert conversation.model == "writer"
    application.start()
    await asyncio.sleep(0.1)
    models: list[str] = []
    for name in ("guide-s-q8_0", "guide-m-q8_0"):
        if name != "guide-s-q8_0":
            await asyncio.to_thread(file.write_text, f"models:\n  writer: {{model: {name}}}\n")
            assert (await asyncio.wait_for(heard.get(), 60)).problems == ()
        *_parts, node = [part async for part in application.chat.send(conversation.id, "hello")]
        assert isinstance(node, Node)
        assert node.generation is not None
        models.append(node.generation.model)
    assert models == ["guide-s-q8_0", "guide-m-q8_0"]


async def test_a_named_model_on_a_server_of_the_file_answers(application: Application, file: Path) -> None:
    changes: list[ServersChanged] = []
    application.bus.subscribe(ServersChanged, changes.append)
    async with serve(OllamaReplay()) as served:
        text = f"models:\n  far: {{model: House/tiny}}\nservers:\n  House: {{url: '{served.url}'}}\n"
        await asyncio.to_thread(file.write_text, text)
        application.configuration.reload()
        assert changes
        assert application.servers.servers() == [Server("House", served.url)] or application.servers.servers()
        node = await answered(application, "far", Sampling())
        assert node.generation is not None
        assert (node.message.content, node.generation.model) == ("B" * 12, "House/tiny")
        await application.servers.refresh()
        assert [model.name for model in application.servers.models()] == ["House/tiny:latest"]
        assert isinstance(application.catalogue.models()["House/tiny"], ServerModel)
        with pytest.raises(InvalidRequest, match="cannot be removed") as refused:
            await application.servers.remove("house")
        assert "line 4" in refused.value.hint
        with pytest.raises(InvalidRequest, match="already"):
            await application.servers.add(Server("HOUSE", "http://127.0.0.1:1"))


async def test_answers_of_a_model_that_wants_no_cache_are_not_kept(application: Application, file: Path) -> None:
    await answered(application, "writer")
    assert application.cache.statistics().misses == 1
    label = application.catalogue.find_model("guide-s-q8_0").label
    for model, name in itertools.product(("guide-s-q8_0", label), ("writer", "guide-s-q8_0")):
        text = f'models:\n  writer: {{model: "{model}", cache: false}}\n'
        await asyncio.to_thread(file.write_text, text)
        application.configuration.reload()
        node = await answered(application, name)
        assert node.generation is not None
        assert node.generation.figures is None or not node.generation.figures.cached
    counts = application.cache.statistics()
    assert (counts.misses, counts.hits) == (1, 0)


async def test_a_model_is_kept_apart_and_a_file_of_any_folder_has_a_name(
    application: Application, file: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.gguf"
    await asyncio.to_thread(outside.write_bytes, (resource("starter") / "guide-s-q8_0.gguf").read_bytes())
    await asyncio.to_thread(file.write_text, f"models:\n  mine: {{model: {outside}, apart: true, gpu: off}}\n")
    application.configuration.reload()
    model = application.catalogue.find_model("Mine")
    assert isinstance(model, ModelInfo)
    assert (model.path, application.catalogue.name_to_ask("MINE")) == (outside, "mine")
    assert application.is_kept_apart(model)
    assert application.configuration.engine_for(model) == {"gpu_layers": 0}
    assert application.catalogue.models()[str(outside)].name == model.name
    await asyncio.wrap_future(application.store.settings.set("model", "mine"))
    assert application.catalogue.default_name() == "mine"


def test_the_file_is_made_checked_shown_and_changed_from_the_command_line(codette_home: Path) -> None:
    assert "none is needed" in run("config", "check").stdout
    assert run("config", "init").returncode == 0
    assert run("config", "init").returncode == 1
    path = codette_home / "codette.yaml"
    assert run("config", "path").stdout.strip() == str(path)
    comments = path.read_text()
    for arguments in (("models.writer.model", "guide-s-q8_0"), ("models.writer.sampling.max_tokens", "${MOST:-5}")):
        assert run("config", "set", *arguments).returncode == 0
    assert run("config", "set", "models.writer.prioriy", "3").stderr.strip().endswith("Did you mean priority?")
    assert path.read_text().startswith(comments)
    assert run("config", "get", "models.writer.sampling.max_tokens").stdout.strip() == "${MOST:-5}"
    assert run("config", "unset", "models.writer.sampling.max_tokens").returncode == 0
    shown = json.loads(run("config", "show", "--json").stdout)
    assert shown["models"]["writer"]["model"] == "guide-s-q8_0"


def test_mistakes_are_told_with_file_line_and_column(file: Path) -> None:
    file.write_text("models:\n  writer:\n    model: nobody\n    prioriy: 1\n")
    checked = run("config", "check")
    assert checked.returncode == 1
    assert checked.stdout.splitlines() == [
        f"{file}:3:5: There is no model 'nobody'. There are: guide-m-q8_0, guide-s-q8_0.",
        f"{file}:4:5: models.writer.prioriy is not known here. Did you mean priority?",
    ]
    (first, second) = json.loads(run("config", "check", "--json").stdout)["problems"]
    assert first["path"] == "models.writer.model"
    assert (second["line"], second["column"], second["hint"]) == (4, 5, "Did you mean priority?")
    assert "codette.yaml, line 4" in run("doctor").stdout
    assert run("ask", "hello", "--max-tokens", "3").returncode == 0


def test_a_role_brings_its_prompt_its_model_and_its_sampling(file: Path) -> None:
    file.write_text(
        "models:\n  writer: {model: guide-s-q8_0, sampling: {max_tokens: 3, seed: 7}}\n"
        "roles:\n  poet: {prompt: You rhyme., model: writer, sampling: {max_tokens: 2}}\n"
    )
    asked = json.loads(run("ask", "--json", "--role", "poet", "hello").stdout)
    assert (asked["model"], asked["seed"], asked["completion_tokens"]) == ("guide-s-q8_0", 7, 2)
    told = run("ask", "--json", "--role", "poet", "--model", "guide-m-q8_0", "--max-tokens", "4", "hello")
    asked = json.loads(told.stdout)
    assert (asked["model"], asked["completion_tokens"]) == ("guide-m-q8_0", 4)
    listed = json.loads(run("roles", "list", "--json").stdout)["roles"]
    assert len(listed) == 6
    assert json.loads(run("roles", "show", "poet", "--json").stdout)["prompt"] == "You rhyme."
    assert "Did you mean poet?" in run("ask", "--role", "poett", "hello").stderr


def test_a_roles_prompt_stands_before_the_system_prompt(application: Application) -> None:
    from codette_desktop.commands.roles import asked_as

    asked = asked_as(application, "security-architect", "", "Be short.", {"temperature": 0.1})
    assert asked.system == f"{application.roles.find('security-architect').prompt}\n\nBe short."
    assert asked.sampling == Sampling(temperature=0.1)

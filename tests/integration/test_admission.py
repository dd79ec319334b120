"""A file nobody has run is tried in a process of its own; one that crashes there takes nothing down."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.application import FALLBACK_SETTING, Application
from codette_desktop.domain.errors import EngineFailure
from codette_desktop.domain.models import ModelInfo
from codette_desktop.inference.isolation import provider as isolation
from codette_desktop.inference.isolation.process import WorkerDied
from codette_desktop.inference.isolation.provider import IsolatedProvider
from tests.integration.provider_contract import answer, ask, text_of
from tests.support.adapter_files import write_adapter
from tests.support.gguf_files import write_model

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


class Hostile(isolation.WorkerProcess):
    """As with a hostile file: the process dies while it loads."""

    def ask(self, what: str, **message: Any) -> "tuple[int, asyncio.Queue[dict[str, Any]]]":
        asked = super().ask(what, **message)
        os.kill(self.pid, signal.SIGSEGV)
        return asked


@pytest.fixture
def path(codette_home: Path) -> Path:
    (codette_home / "models").mkdir(parents=True)
    return write_model(codette_home / "models" / "new.gguf", context_length=2048)


@pytest.fixture
async def application(codette_home: Path, path: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


@pytest.fixture
def model(application: Application) -> ModelInfo:
    return application.catalogue.find_file("new")


async def test_a_new_file_is_tried_apart_once_and_then_runs_inside(
    application: Application, model: ModelInfo, started: list[int]
) -> None:
    assert application.store.models.trust(model.file_hash) == (False, 0)
    both = await asyncio.gather(answer(application.engine, ask("new")), answer(application.engine, ask("new")))
    assert text_of(both[0]) == text_of(both[1]) != ""
    assert application.store.models.trust(model.file_hash) == (True, 0)
    await answer(application.engine, ask("new"))
    await application.engine.count(ask("new"))
    assert len(started) == 1


async def test_a_starter_model_needs_no_trial(application: Application, started: list[int]) -> None:
    await application.engine.load("guide-s-q8_0")
    assert started == []


async def test_a_file_that_crashes_twice_stays_apart_until_it_is_forgiven(
    application: Application, model: ModelInfo, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(isolation, "WorkerProcess", Hostile)
        for _ in range(2):
            with pytest.raises(WorkerDied, match="crashed"):
                await answer(application.engine, ask("new"))
    async with asyncio.timeout(5):
        while application.store.models.trust(model.file_hash) != (False, 2):
            await asyncio.sleep(0.01)
    assert text_of(await answer(application.engine, ask("new")))  # it answers, but never in this process
    await answer(application.engine, ask("new"))
    assert [item.name for item in application.engine._apart.loaded()] == ["new"]
    assert application.engine._inside.loaded() == []
    await asyncio.wrap_future(application.store.models.forgive(model.file_hash))
    await answer(application.engine, ask("new"))
    assert [item.name for item in application.engine._inside.loaded()] == ["new"]


async def test_an_adapter_nobody_has_run_is_tried_apart_on_a_model_that_is_trusted(
    application: Application, path: Path, started: list[int]
) -> None:
    await answer(application.engine, ask("new"))
    assert len(started) == 1
    write_adapter(path.with_name("tone.gguf"))
    assert text_of(await answer(application.engine, ask("new+tone")))
    assert len(started) == 2
    adapted = application.catalogue.find_file("new+tone")
    assert [application.store.models.trust(file_hash) for file_hash in adapted.file_hashes] == [(True, 0)] * 2
    await answer(application.engine, ask("new+tone@0.5"))
    assert len(started) == 2
    assert {item.name.split("+")[0] for item in application.engine._inside.loaded()} == {"new"}


async def test_a_crash_on_trial_is_held_against_the_adapter_and_not_against_the_model(
    application: Application, model: ModelInfo, path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await answer(application.engine, ask("new"))
    write_adapter(path.with_name("tone.gguf"))
    with monkeypatch.context() as patch:
        patch.setattr(isolation, "WorkerProcess", Hostile)
        with pytest.raises(WorkerDied, match="crashed"):
            await answer(application.engine, ask("new+tone"))
    adapter = application.catalogue.find_file("new+tone").file_hashes[1]
    async with asyncio.timeout(5):
        while application.store.models.trust(adapter) != (False, 1):
            await asyncio.sleep(0.01)
    assert application.store.models.trust(model.file_hash) == (True, 0)
    await answer(application.engine, ask("new"))
    assert [item.name for item in application.engine._inside.loaded()] == ["new"]
    assert len(started) == 1  # the hostile one aside


async def test_the_person_may_keep_any_model_apart(application: Application, started: list[int]) -> None:
    guide = application.catalogue.find_file("guide-s-q8_0")
    await asyncio.wrap_future(application.keep_apart(guide, True))
    assert text_of(await answer(application.engine, ask("guide-s-q8_0")))
    assert application.engine._inside.loaded() == []
    assert len(started) == 1
    await asyncio.wrap_future(application.keep_apart(guide, False))
    await answer(application.engine, ask("guide-s-q8_0"))
    assert [item.name for item in application.engine._inside.loaded()] == ["guide-s-q8_0"]


async def test_a_crash_during_an_answer_is_a_failed_answer_that_keeps_its_words(application: Application) -> None:
    guide = application.catalogue.find_file("guide-s-q8_0")
    await asyncio.wrap_future(application.keep_apart(guide, True))
    application.store.settings.set(FALLBACK_SETTING, False).result()  # another model would answer
    conversation = application.store.conversations.create(title="x").result()
    await asyncio.wrap_future(
        application.store.conversations.set_settings(
            conversation.id, system_prompt="", model="guide-s-q8_0", sampling=ask("x", max_tokens=300).sampling
        )
    )

    apart = application.engine._apart
    assert isinstance(apart, IsolatedProvider)

    async def converse() -> None:
        async for part in application.chat.send(conversation.id, "How do I compare two models?"):
            if getattr(part, "text", "") and apart.processes():
                os.kill(next(iter(apart.processes().values())), signal.SIGKILL)

    with pytest.raises(EngineFailure, match="memory ran out"):
        await converse()
    nodes = application.chat.branch(conversation.id)
    assert len(nodes) == 2
    generation = nodes[1].generation
    assert generation is not None
    assert "memory ran out" in generation.error
    assert nodes[1].message.content

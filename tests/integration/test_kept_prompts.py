"""What was read of a conversation survives a restart, a full memory, and nothing that the person wants forgotten."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from codette_desktop.application import KV_DISK_SETTING, Application
from codette_desktop.cli import main
from codette_desktop.domain.answers import PromptRead
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.llama.kv_folder import KvFolder
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.inference.scheduling import Scheduler
from codette_desktop.models.identity import file_hash, info_from_header
from tests.integration.provider_contract import answer, ask, text_of
from tests.support.gguf_files import write_model

STARTER = "guide-s-q8_0"
Open = Callable[..., LlamaProvider]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_model(folder / "one.gguf", context_length=4096)
    write_model(folder / "two.gguf", context_length=4096, seed=5)
    return folder


@pytest.fixture
def opened(models: Path, tmp_path: Path) -> Open:
    def find(name: str) -> ModelInfo:
        path = models / f"{name}.gguf"
        return replace(info_from_header(path), file_hash=file_hash(path))

    def make(settings: EngineSettings | None = None, *, room_for_one: bool = False) -> LlamaProvider:
        chosen = settings or EngineSettings(threads=1)
        folder = KvFolder(tmp_path / "kv")
        need = Scheduler().planner.plan(find("one"), chosen).need.cpu
        scheduler = Scheduler(limit_bytes=lambda: int(1.5 * need) if room_for_one else 0)
        return LlamaProvider(find, EventBus(), settings=lambda _info: chosen, kv=folder, scheduler=scheduler)

    return make


LONG = Message(Role.USER, "the time of day and the memory of a model " * 200)
NEXT = (LONG, Message(Role.ASSISTANT, "so it is"), Message(Role.USER, "And why?"))


async def reused(provider: LlamaProvider, *messages: Message, model: str = "one") -> int:
    parts = await answer(provider, ask(model, *messages, max_tokens=2))
    return next(part.reused_tokens for part in parts if isinstance(part, PromptRead))


async def test_after_a_restart_only_what_is_new_is_read(opened: Open) -> None:
    first = opened()
    assert await reused(first, LONG) == 0
    prompt = (await first.count(ask("one", LONG))).prompt
    await first.aclose()
    second = opened()
    parts = await answer(second, ask("one", *NEXT))
    read = next(part for part in parts if isinstance(part, PromptRead))
    await second.aclose()
    assert read.use.prompt > prompt > 1_000
    assert prompt - 8 < read.reused_tokens <= prompt  # all but what follows the question in the template
    cold = opened(EngineSettings(threads=1, parallel=2))
    cold._kv = cold._residents._kv = None
    assert text_of(await answer(cold, ask("one", *NEXT))) == text_of(parts)
    await cold.aclose()


async def test_a_model_that_leaves_for_another_keeps_what_it_has_read(opened: Open) -> None:
    provider = opened(room_for_one=True)
    await reused(provider, LONG)
    assert await reused(provider, LONG, model="two") == 0  # not those of the other weights
    assert await reused(provider, *NEXT) > 1_000
    await provider.aclose()


async def test_other_settings_that_change_what_is_computed_read_again(opened: Open) -> None:
    first = opened()
    await reused(first, LONG)
    await first.aclose()
    for settings, found in (
        (EngineSettings(threads=1, context_length=3000), True),  # the rotation of this model does not depend on it
        (EngineSettings(threads=1, batch_tokens=64), False),
    ):
        other = opened(settings)
        assert bool(await reused(other, *NEXT)) is found
        await other.aclose()


async def test_a_file_that_is_damaged_is_read_again_from_the_prompt(opened: Open, tmp_path: Path) -> None:
    first = opened()
    await reused(first, LONG)
    await first.aclose()
    (file,) = (tmp_path / "kv").glob("*.kv")
    file.write_bytes(file.read_bytes()[:-7])
    second = opened()
    assert await reused(second, *NEXT) == 0
    await second.aclose()


async def converse(home: Path, text: str = "How do I compare two models?" * 20) -> int:
    """A turn in the application, which is closed then; gives how many files are kept."""
    application = Application.open(home)
    conversation = await asyncio.wrap_future(application.store.conversations.create(model=STARTER))
    async for _part in application.chat.send(conversation.id, text):
        pass
    await asyncio.wrap_future(application.store.conversations.delete(conversation.id))
    await application.aclose()
    return application.kv.usage().files


async def test_deleting_conversations_for_good_removes_what_was_read_of_them(codette_home: Path) -> None:
    assert await converse(codette_home) == 1
    application = Application.open(codette_home)
    assert await application.purge_deleted(datetime.now(UTC)) == 1
    await application.aclose()
    assert application.kv.usage().files == 0


async def test_what_was_read_before_the_cache_was_cleared_is_not_written_when_the_window_closes(
    codette_home: Path,
) -> None:
    application = Application.open(codette_home)
    conversation = await asyncio.wrap_future(application.store.conversations.create(model=STARTER))
    async for _part in application.chat.send(conversation.id, "How do I compare two models?" * 20):
        pass
    await asyncio.wrap_future(application.cache.clear())
    await application.aclose()
    assert application.kv.usage().files == 0


async def test_it_can_be_switched_off(codette_home: Path) -> None:
    application = Application.open(codette_home)
    await asyncio.wrap_future(application.store.settings.set(KV_DISK_SETTING, 0))
    await application.aclose()
    assert await converse(codette_home) == 0


def test_the_command_tells_and_clears_it(codette_home: Path) -> None:
    assert asyncio.run(converse(codette_home)) == 1
    told = CliRunner().invoke(main, ["cache", "stats", "--json"])
    stats = json.loads(told.stdout)
    assert stats["kv_files"] == 1
    assert stats["kv_bytes"] > 10_000
    assert CliRunner().invoke(main, ["cache", "clear"]).exit_code == 0
    stats = json.loads(CliRunner().invoke(main, ["cache", "stats", "--json"]).stdout)
    assert (stats["kv_files"], stats["kv_bytes"]) == (0, 0)

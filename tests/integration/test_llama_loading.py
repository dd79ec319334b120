"""Loading models: told as it goes, stopped when asked, refused in words, and no more of them than were allowed."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.domain.errors import ModelError, ModelFileError, ModelLoadFailed, TruncatedModel
from codette_desktop.domain.events import Event, EventBus, ModelLoaded, ModelLoading, ModelUnloaded
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.models.identity import info_from_header
from tests.integration.provider_contract import answer, ask, text_of
from tests.support.gguf_files import write_model


class House:
    """A provider over a folder, and what it told."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self.marks: list[tuple[str, str]] = []
        self.infos: dict[str, ModelInfo] = {}
        bus = EventBus()
        bus.subscribe(Event, self.events.append)
        self.provider = LlamaProvider(
            self.find,
            bus,
            on_loading=lambda info: self.marks.append(("loading", info.name)),
            on_loaded=lambda info: self.marks.append(("loaded", info.name)),
            **options,
        )

    def find(self, name: str) -> ModelInfo:
        if name not in self.infos:
            self.infos[name] = info_from_header(self.folder / f"{name}.gguf")
        return self.infos[name]

    def add(self, name: str, **changes: Any) -> None:
        write_model(self.folder / f"{name}.gguf", **changes)

    @property
    def in_memory(self) -> list[str]:
        return [item.name for item in self.provider.loaded()]


async def test_a_load_is_told_from_beginning_to_end(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.add("a", context_length=640)
    loaded = await house.provider.load("a")
    progress = [event.progress for event in house.events if isinstance(event, ModelLoading)]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    told = house.events[-1]
    assert isinstance(told, ModelLoaded)
    assert (told.model, told.context_length, told.device, told.threads) == ("a", 640, "CPU", loaded.threads)
    assert house.marks == [("loading", "a"), ("loaded", "a")]
    assert loaded.resident_bytes > 100_000
    await house.provider.aclose()


async def test_the_least_recently_used_model_leaves(tmp_path: Path) -> None:
    house = House(tmp_path, max_resident=2)
    for name in "abc":
        house.add(name)
    for name in "abac":
        assert text_of(await answer(house.provider, ask(name)))
    assert house.in_memory == ["c", "a"]
    assert [event.model for event in house.events if isinstance(event, ModelUnloaded)] == ["b"]
    assert text_of(await answer(house.provider, ask("b")))
    assert house.in_memory == ["b", "c"]
    await house.provider.aclose()


async def test_new_settings_and_new_files_load_the_model_anew(tmp_path: Path) -> None:
    settings = EngineSettings()
    house = House(tmp_path, settings=lambda _info: settings)
    house.add("a", context_length=512)
    assert (await house.provider.load("a")).context_length == 512
    settings = EngineSettings(context_length=256, threads=2, use_mmap=False)
    loaded = await house.provider.load("a")
    assert (loaded.context_length, loaded.threads) == (256, 2)
    first = text_of(await answer(house.provider, ask("a")))
    house.add("a", seed=99)
    assert text_of(await answer(house.provider, ask("a"))) != first
    assert [kind for kind, _name in house.marks] == ["loading", "loaded"] * 3
    await house.provider.aclose()


@pytest.mark.parametrize("cut", [0, 3, 100, 5000, -1000])
async def test_a_broken_file_is_refused_before_the_engine_sees_it(tmp_path: Path, cut: int) -> None:
    house = House(tmp_path)
    house.add("a")
    house.add("good")
    house.find("a")
    path = tmp_path / "a.gguf"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ModelFileError) as caught:
        await answer(house.provider, ask("a"))
    assert isinstance(caught.value, TruncatedModel) or cut < 5000
    assert house.marks == []
    assert text_of(await answer(house.provider, ask("good")))
    await house.provider.aclose()


async def test_a_file_the_engine_refuses_is_told_and_leaves_no_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path)
    house.add("a")
    house.find("a")
    path = tmp_path / "a.gguf"
    # A sound header whose one tensor has a name the engine does not look for.
    path.write_bytes(path.read_bytes().replace(b"blk.1.attn_q.weight", b"blk.1.attn_x.weight"))
    # The application's own check sees this too; here the engine's answer is wanted.
    monkeypatch.setattr("codette_desktop.inference.llama.residents.read_header", lambda _path: None)
    with pytest.raises(ModelLoadFailed, match="refused a") as caught:
        await house.provider.load("a")
    assert "attn_q" in caught.value.message
    assert house.marks == [("loading", "a"), ("loaded", "a")]
    assert house.in_memory == []
    await house.provider.aclose()


async def test_a_load_can_be_cancelled(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.add("big", layers=6, width=512, heads=8, kv_heads=8, feed_forward=2048, vocabulary=8000)
    house.add("good")
    task: asyncio.Task[Any] | None = None

    def stop(_event: ModelLoading) -> None:
        # In the engine's thread, in the middle of the load.
        assert task is not None
        loop.call_soon_threadsafe(task.cancel)
        time.sleep(0.2)

    loop = asyncio.get_running_loop()
    unsubscribe = house.provider._residents._bus.subscribe(ModelLoading, stop)
    task = asyncio.create_task(house.provider.load("big"))
    with pytest.raises(asyncio.CancelledError):
        await task
    unsubscribe()
    assert house.in_memory == []
    assert house.marks == [("loading", "big"), ("loaded", "big")]
    assert not any(isinstance(event, ModelLoaded) for event in house.events)
    assert text_of(await answer(house.provider, ask("good")))
    assert (await house.provider.load("big")).name == "big"
    await house.provider.aclose()


async def test_a_file_that_has_gone_is_told(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.add("a")
    house.find("a")
    (tmp_path / "a.gguf").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        await answer(house.provider, ask("a"))
    await house.provider.aclose()


async def test_a_model_stays_readable_while_it_is_unloaded(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.add("a")
    for _ in range(20):
        await house.provider.load("a")
        await asyncio.gather(
            house.provider.unload("a"),
            *(house.provider.count(ask("a")) for _ in range(4)),
            answer(house.provider, ask("a")),
        )
    await house.provider.aclose()

"""LoRA adapters on models in memory, against the same weights merged into the model's file."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from codette_desktop.domain.errors import UnsupportedModel
from codette_desktop.domain.events import Event, EventBus, ModelLoaded
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import EngineSettings, KvType, ModelInfo
from codette_desktop.inference.isolation.provider import IsolatedProvider
from codette_desktop.inference.llama.context import Context, Feed, Logits
from codette_desktop.inference.llama.lora import Lora, adapter_set
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.inference.scheduling import Scheduler
from codette_desktop.models.library import ModelLibrary
from codette_desktop.store import Store
from tests.integration.provider_contract import answer, ask, end_of, text_of
from tests.support.adapter_files import both, delta, write_adapter
from tests.support.gguf_files import write_model

SETTINGS = EngineSettings(threads=1)
ROUNDING = 5e-3  # of the logits' spread: keys and values are kept in 16 bits, and sums come in another order
LONG = {"max_tokens": 120, "grammar": "root ::= [a-z ]*  [A]"}


class House:
    """A library of one model and three adapters, and a provider that tells what it loads."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.library = ModelLibrary(store, [folder], folder / "no starters")
        self.events: list[Event] = []
        self.marks: list[str] = []
        self.settings = EngineSettings()
        self.most_bytes = 0
        self.scheduler = Scheduler(limit_bytes=lambda: self.most_bytes)
        bus = EventBus()
        bus.subscribe(Event, self.events.append)
        self.provider = LlamaProvider(
            self.find,
            bus,
            settings=lambda _info: self.settings,
            scheduler=self.scheduler,
            on_loading=lambda info: self.marks.append(info.name),
        )

    def find(self, name: str) -> ModelInfo:
        return self.library.with_hash(self.library.find(name))

    @property
    def loads(self) -> int:
        return sum(isinstance(event, ModelLoaded) for event in self.events)

    async def text(self, model: str, **options: Any) -> str:
        return text_of(await answer(self.provider, ask(model, **options)))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    folder = tmp_path / "models"
    folder.mkdir()
    write_model(folder / "m.gguf", context_length=2048)
    for number, name in enumerate(("tone", "style", "third")):
        write_adapter(folder / f"{name}.gguf", rank=4 * 2**number, seed=number + 1)
    with Store.open(tmp_path / "data") as store:
        made = House(folder, store)
        yield made
        await made.provider.aclose()


def logits(path: Path, info: ModelInfo | None = None) -> Logits:
    """Of the last of some tokens, by the model in that file with the adapters of `info` on it."""
    model = Model.load(path, SETTINGS)
    lora = Lora(model)
    context = Context(model, SETTINGS, 256)
    try:
        if info is not None:
            for adapter in lora.unread(info):
                lora.read(adapter)
            lora.put(context, adapter_set(info))
        assert context.decode([Feed(0, np.arange(300, 320, dtype=np.int32))])
        return context.logits().copy()
    finally:
        context.close()
        lora.close()
        model.close()


def merged(house: House, added: Mapping[str, npt.NDArray[np.float32]]) -> Logits:
    return logits(write_model(house.folder.parent / "merged.gguf", added=added, context_length=2048))


@pytest.mark.parametrize("scale", [1.0, 0.5, -0.7, 2.0])
def test_an_adapter_is_as_good_as_merged(house: House, scale: float) -> None:
    put = logits(house.folder / "m.gguf", house.find(f"m+tone@{scale}"))
    plain, wanted = logits(house.folder / "m.gguf"), merged(house, delta(rank=4, seed=1, scale=scale))
    assert np.abs(put - wanted).max() < ROUNDING * float(wanted.std())
    assert np.abs(put - plain).max() > 0.05 * float(plain.std())


def test_two_adapters_by_halves_are_the_merge_of_both(house: House) -> None:
    put = logits(house.folder / "m.gguf", house.find("m+tone@0.5+style@0.5"))
    halves = both(delta(rank=4, seed=1, scale=0.5), delta(rank=8, seed=2, scale=0.5))
    wanted = merged(house, halves)
    assert np.abs(put - wanted).max() < ROUNDING * float(wanted.std())
    assert np.abs(put - logits(house.folder / "m.gguf", house.find("m+tone@0.5"))).max() > 0.02 * float(wanted.std())


def test_a_scale_of_nothing_is_no_adapter_bit_for_bit(house: House) -> None:
    plain = logits(house.folder / "m.gguf")
    assert np.array_equal(plain, logits(house.folder / "m.gguf", house.find("m+tone@0")))
    assert not np.array_equal(plain, logits(house.folder / "m.gguf", house.find("m+tone@0.001")))


async def test_swapping_there_and_back_gives_equal_answers_and_loads_the_weights_once(house: House) -> None:
    names = ("m", "m+tone", "m+tone@0.5", "m+style", "m+tone+style", "m+style+third@-1")
    first = {name: await house.text(name, **LONG) for name in names}
    assert len(set(first.values())) == len(names)
    for name in (*reversed(names), *names):
        assert await house.text(name, **LONG) == first[name]
    assert await house.text("m+tone@0", **LONG) == first["m"]
    assert house.loads == 1
    assert house.marks == ["m", "m+tone", "m+style", "m+style+third@-1"]  # the weights, and each adapter when new
    assert len(house.provider.loaded()) == 1  # one context served them all, one after the other


async def test_what_was_read_with_other_adapters_is_never_reused(house: House) -> None:
    plain = end_of(await answer(house.provider, ask("m")))
    other = end_of(await answer(house.provider, ask("m+tone")))
    again = end_of(await answer(house.provider, ask("m+tone")))
    assert plain.use.prompt == other.use.prompt
    assert (plain.figures.reused_tokens, other.figures.reused_tokens) == (0, 0)
    assert again.figures.reused_tokens == again.use.prompt - 1
    assert (other.model, other.model_label) == ("m+tone", "Tiny Test · F32 + tone")


async def test_what_was_read_comes_back_with_its_adapters(house: House) -> None:
    long = Message(Role.USER, "time of day " * 60)
    first = await answer(house.provider, ask("m+tone", long))
    await answer(house.provider, ask("m+style", long))
    back = await answer(house.provider, ask("m+tone", long))
    assert text_of(back) == text_of(first)
    assert end_of(back).figures.reused_tokens == end_of(back).use.prompt - 1


async def two_contexts(house: House, first: str, second: str) -> None:
    """Answer with `second` while `first` keeps its context."""
    await house.text(first)
    seat = house.provider._residents.hold(house.find(first))
    assert seat is not None
    await house.text(second)
    house.provider._residents.release(seat)


async def test_answers_with_different_adapters_are_written_at_the_same_time(house: House) -> None:
    names = ("m+tone", "m+style")
    long = {"max_tokens": 1500, "grammar": "root ::= [a-z ]*  [A]"}
    alone = {name: await house.text(name, **long) for name in names}
    await two_contexts(house, *names)
    together = False
    for _ in range(20):  # they are quick: both are not seen at work every time
        tasks = [asyncio.create_task(house.text(name, **long)) for name in names]
        while not all(task.done() for task in tasks):
            together = together or [item.busy for item in house.provider.loaded()] == [True, True]
            await asyncio.sleep(0.001)
        assert [task.result() for task in tasks] == [alone[name] for name in names]
        if together:
            break
    assert together
    assert house.loads == 1
    first, second = house.provider.loaded()
    seat = house.provider._residents.hold(house.find("m+tone"))
    assert seat is not None
    house.provider._residents.release(seat)
    assert first.resident_bytes - second.resident_bytes == seat.model.weights_bytes  # counted once


async def test_many_sets_take_turns_and_nobody_waits_for_ever(house: House) -> None:
    names = [f"m+{name}@{scale}" for name in ("tone", "style", "third") for scale in (0.5, 1, 1.5)]
    alone = {name: await house.text(name, max_tokens=60) for name in names}
    async with asyncio.timeout(60):
        texts = await asyncio.gather(*(house.text(name, max_tokens=60) for name in names * 3))
    assert texts == [alone[name] for name in names * 3]
    assert house.loads == 1
    assert len(house.provider.loaded()) <= 2


async def test_without_memory_for_a_second_context_answers_take_turns(house: House) -> None:
    info = house.find("m+tone+style")
    house.settings = EngineSettings(parallel=1)
    plan = house.scheduler.planner.plan(info, house.settings)
    adapters = sum(item.path.stat().st_size for item in info.adapters)
    house.most_bytes = plan.need.cpu + adapters + plan.context_need.cpu // 2
    names = ("m+tone", "m+style")
    alone = {name: await house.text(name, **LONG) for name in names}
    texts = await asyncio.gather(*(house.text(name, **LONG) for name in names * 4))
    assert texts == [alone[name] for name in names * 4]
    assert len(house.provider.loaded()) == 1
    assert house.scheduler.budget.ours().cpu == plan.need.cpu + adapters
    house.most_bytes = 2 * house.most_bytes
    await two_contexts(house, *names)
    assert len(house.provider.loaded()) == 2
    assert house.scheduler.budget.ours().cpu == plan.need.cpu + adapters + plan.context_need.cpu
    await house.provider.unload("m")
    assert house.scheduler.budget.ours().cpu == 0


async def test_settings_of_the_context_alone_load_no_weights_anew(house: House) -> None:
    await house.text("m+tone")
    for settings in (
        EngineSettings(context_length=512),
        EngineSettings(context_length=512, threads=2),
        EngineSettings(parallel=2, batch_tokens=64),
        EngineSettings(keep_alive_minutes=5),
    ):
        house.settings = settings
        loaded = await house.provider.load("m+tone")
        assert loaded.context_length == (settings.context_length or 2048)
        assert await house.text("m+tone")
        assert len(house.provider.loaded()) == 1
    assert house.loads == 1
    house.settings = EngineSettings(use_mmap=False)
    assert await house.text("m+tone")
    assert house.loads == 2


async def test_a_context_that_cannot_be_is_refused_and_the_model_stays(house: House) -> None:
    await house.text("m")
    house.settings = EngineSettings(kv_type=KvType.Q8_0)  # its heads are 16 wide
    with pytest.raises(Exception, match="packs 32 numbers"):
        await house.text("m")
    house.settings = EngineSettings()
    assert await house.text("m")
    assert house.loads == 1


async def test_an_adapter_that_became_another_one_is_read_anew(house: House) -> None:
    first = await house.text("m+tone", **LONG)
    write_adapter(house.folder / "tone.gguf", seed=99)
    assert await house.text("m+tone", **LONG) != first
    write_adapter(house.folder / "tone.gguf", seed=99, targets=("attn_q",), metadata={"general.architecture": "qwen2"})
    with pytest.raises(UnsupportedModel, match="'qwen2'"):
        await house.text("m+tone")
    assert await house.text("m")


async def test_identities_differ_by_adapter_scale_and_order(house: House) -> None:
    names = ("m", "m+tone", "m+tone@0.5", "m+tone+style", "m+style+tone")
    traits = [str(sorted(house.provider.identity(name).traits.items())) for name in names]  # type: ignore[union-attr]
    assert len(set(traits)) == len(names)
    before = house.provider.identity("m+tone")
    write_adapter(house.folder / "tone.gguf", seed=99, rank=8)
    assert house.provider.identity("m+tone") != before


async def test_a_process_of_its_own_answers_alike(house: House) -> None:
    names = ("m+tone@0.5", "m", "m+style")
    inside = [await house.text(name, **LONG) for name in names]
    apart = IsolatedProvider(house.find, EventBus())
    texts = await asyncio.gather(*(answer(apart, ask(name, **LONG)) for name in names))
    assert [text_of(parts) for parts in texts] == inside
    assert [end_of(parts).model for parts in texts] == list(names)
    assert len(apart.processes()) == 1
    await apart.aclose()

"""The configuration file on the disk: written whole or not at all, read again, watched; and what is asked of it."""

import asyncio
import os
from pathlib import Path

import pytest

from codette_desktop.configuration.file import Configuration, configuration_path
from codette_desktop.configuration.watching import watch
from codette_desktop.configuration.writing import fingerprint, write_text
from codette_desktop.domain.errors import ConfigurationError, ModelLoadFailed
from codette_desktop.domain.events import ConfigurationChanged, EventBus
from codette_desktop.domain.models import ModelInfo
from codette_desktop.domain.tasks import TaskType

TEXT = """\
# mine
models:
  writer: {model: guide-m, priority: 3, fallback: false, cache: false, apart: true, gpu: required}
  quick: {model: guide-s, gpu: off, engine: {threads: 2}, sampling: {top_k: 5}, preload: true}
tasks:
  coding: {models: [writer, other], avoid: [quick]}
fallbacks:
  default: [quick]
  writer: [other]
routing: {local_only: true, fallback: false}
"""
EVERY_S = 0.02


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "codette.yaml"
    path.write_text(TEXT)
    return path


def opened(path: Path) -> Configuration:
    return Configuration(path, environment={})


def model(name: str) -> ModelInfo:
    return ModelInfo(name, name.title(), Path(f"/models/{name}.gguf"), "llama", "Q8_0", 1, 1, 512, 256)


def test_without_a_file_nothing_is_said(tmp_path: Path) -> None:
    found = opened(tmp_path / "none.yaml")
    assert (found.problems, found.exists, found.asked_name("x"), found.fallbacks_for("x")) == ((), False, "x", ())
    assert (found.may_cache("x"), found.may_stand_in("x"), found.priority("x")) == (True, None, 0)
    assert (found.local_only, found.fallback_enabled) == (False, True)
    assert found.engine_for(model("x")) == {}


def test_it_lies_in_the_data_folder_or_where_the_variable_says(tmp_path: Path) -> None:
    assert configuration_path(tmp_path, {}) == tmp_path / "codette.yaml"
    assert configuration_path(tmp_path, {"CODETTE_CONFIG": str(tmp_path / "x")}) == tmp_path / "x"


def test_what_is_asked_of_it_is_answered_by_either_name(file: Path) -> None:
    found = opened(file)
    for name in ("Writer", "guide-m"):
        assert (found.may_cache(name), found.may_stand_in(name), found.priority(name)) == (False, False, 3)
        assert found.fallbacks_for(name) == ("other",)
    assert found.fallbacks_for("anyone") == ("guide-s",)
    assert found.favourites() == {TaskType.CODING: ("guide-m", "other")}
    assert found.avoided() == {"guide-s"} == found.avoided(TaskType.CODING)
    assert found.avoided(TaskType.TESTING) == frozenset()
    assert (found.local_only, found.fallback_enabled, found.preloaded()) == (True, False, ("guide-s",))
    assert found.chains() == {"default": ("guide-s",), "guide-m": ("other",)}
    assert (found.apart(model("guide-m")), found.apart(model("guide-s"))) == (True, False)
    assert found.sampling_for("quick") == {"top_k": 5}


def test_how_a_model_is_loaded_follows_from_gpu_and_engine(file: Path) -> None:
    found = opened(file)
    assert found.engine_for(model("guide-s")) == {"threads": 2, "gpu_layers": 0}
    with pytest.raises(ModelLoadFailed, match="needs a GPU"):
        found.engine_for(model("guide-m"))
    with_gpu = Configuration(file, environment={}, gpu=lambda: "A card")
    assert with_gpu.engine_for(model("guide-m")) == {"gpu_layers": -1}


def test_a_file_with_mistakes_changes_nothing(file: Path) -> None:
    told: list[ConfigurationChanged] = []
    bus = EventBus()
    bus.subscribe(ConfigurationChanged, told.append)
    found = Configuration(file, bus, environment={})
    file.write_text("models:\n  writer: {modl: x}\n")
    assert found.reload() is False
    assert found.asked_name("writer") == "guide-m"
    assert "line 2" in told[-1].problems[0]
    file.write_text("models: {writer: {model: x}}\n")
    assert found.reload() is True
    assert (found.asked_name("writer"), told[-1].problems) == ("x", ())


def test_a_change_is_written_and_in_force_at_once(file: Path) -> None:
    found = opened(file)
    found.edit(("models", "writer", "model"), "guide-l")
    found.add(("fallbacks", "default"), "writer")
    found.remove(("routing",))
    text = file.read_text()
    assert text.startswith("# mine\n")
    assert "model: guide-l, priority: 3" in text
    assert (found.asked_name("writer"), found.local_only) == ("guide-l", False)
    assert found.get(("fallbacks", "default")) == ["quick", "writer"]
    assert [path.name for path in file.parent.iterdir()] == ["codette.yaml"]


@pytest.mark.parametrize(
    ("path", "value"), [(("models", "writer", "gpu"), "maybe"), (("modls",), 1), (("routing",), 3)]
)
def test_a_change_that_is_a_mistake_is_not_written(file: Path, path: tuple[str, ...], value: object) -> None:
    with pytest.raises(ConfigurationError):
        opened(file).edit(path, value)
    assert file.read_text() == TEXT


def test_what_others_have_written_stays_and_the_same_place_is_not_overwritten(file: Path) -> None:
    found = opened(file)
    file.write_text(TEXT.replace("priority: 3", "priority: 4"))
    found.edit(("routing", "local_only"), False)
    assert "priority: 4" in file.read_text()
    file.write_text(file.read_text().replace("priority: 4", "priority: 5"))
    with pytest.raises(ConfigurationError, match="another program"):
        found.edit(("models", "writer", "priority"), 9)
    assert "priority: 5" in file.read_text()
    found.edit(("models", "writer", "priority"), 9)
    assert found.priority("writer") == 9


def test_a_file_that_changes_in_the_very_moment_of_writing_is_not_overwritten(file: Path) -> None:
    seen = fingerprint(file)
    file.write_text("# theirs\n")
    with pytest.raises(ConfigurationError, match="another program"):
        write_text(file, "# ours\n", seen)
    assert file.read_text() == "# theirs\n"
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.skipif(os.name == "nt", reason="links and permissions of POSIX")
def test_a_link_stays_a_link_and_permissions_stay(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    file.chmod(0o640)
    opened(link).edit(("routing", "fallback"), True)
    assert link.is_symlink()
    assert "fallback: true" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_byte_order_mark_stays(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    opened(file).edit(("routing", "fallback"), True)
    assert file.read_bytes().startswith(b"\xef\xbb\xbf# mine")


@pytest.mark.parametrize("make", ["folder", "latin", "large"])
def test_what_is_no_such_file_is_told_and_harms_nothing(tmp_path: Path, make: str) -> None:
    path = tmp_path / "codette.yaml"
    if make == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"# caf\xe9" if make == "latin" else b"# " + b"x" * 300_000)
    found = opened(path)
    assert len(found.problems) == 1
    with pytest.raises(ConfigurationError):
        found.edit(("routing", "fallback"), True)


def write(path: Path, text: str | None) -> None:
    path.unlink() if text is None else path.write_text(text)


async def changed(bus: EventBus, work: Path, text: str | None) -> ConfigurationChanged:
    """What is told after `work` is written, or removed."""
    heard: asyncio.Queue[ConfigurationChanged] = asyncio.Queue()
    end = bus.subscribe(ConfigurationChanged, heard.put_nowait)
    write(work, text)
    try:
        return await asyncio.wait_for(heard.get(), 20)
    finally:
        end()


async def test_a_watched_file_comes_into_force_by_itself(file: Path) -> None:
    bus = EventBus()
    found = Configuration(file, bus, environment={})
    watching = asyncio.create_task(watch(found, EVERY_S))
    await asyncio.sleep(2 * EVERY_S)
    try:
        assert (await changed(bus, file, "models: {writer: {model: b}}\nroles: {p: {prompt_file: p.md}}\n")).problems
        event = await changed(bus, file.parent / "p.md", "First.")  # the file itself is as it was
        assert (event.problems, found.asked_name("writer")) == ((), "b")
        await changed(bus, file.parent / "p.md", "Second, and longer.")
        assert found.settings.roles["p"].prompt == "Second, and longer."
        await changed(bus, file, None)
        assert found.asked_name("writer") == "writer"
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_half_a_file_is_not_taken_for_a_mistake_while_it_is_being_saved(file: Path) -> None:
    bus = EventBus()
    found = Configuration(file, bus, environment={})
    told: list[ConfigurationChanged] = []
    bus.subscribe(ConfigurationChanged, told.append)
    watching = asyncio.create_task(watch(found, EVERY_S))
    await asyncio.sleep(2 * EVERY_S)
    try:
        whole = "models: {writer: {model: whole}}\n"
        for end in range(1, len(whole)):
            write(file, whole[:end])
            await asyncio.sleep(EVERY_S / 4)
        await changed(bus, file, whole)
        assert [event.problems for event in told] == [()]
        assert found.asked_name("writer") == "whole"
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

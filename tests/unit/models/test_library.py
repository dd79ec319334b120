"""The library: which models there are, how they are found, and what is told of broken ones."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from codette_desktop.domain.errors import ModelFileError, ModelNotFound, TruncatedModel
from codette_desktop.models import headers, identity
from codette_desktop.models.library import ModelLibrary
from codette_desktop.store import Store
from tests.support.gguf_files import write_model


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "data")
    yield store
    store.close()


@pytest.fixture
def library(store: Store, tmp_path: Path) -> ModelLibrary:
    """Two starters of different size, and one model in a folder within the models folder."""
    starter, models = tmp_path / "starter", tmp_path / "models"
    (models / "maker" / "deep").mkdir(parents=True)
    starter.mkdir()
    write_model(starter / "guide-s.gguf", name="Guide S", layers=1)
    write_model(starter / "guide-m.gguf", name="Guide M", layers=2, quantisation="Q8_0")
    write_model(models / "maker" / "deep" / "Poet-Q4_0.gguf", name="The Poet", quantisation="Q4_0")
    return ModelLibrary(store, [models], starter)


def names(library: ModelLibrary) -> list[str]:
    return [model.name for model in library.list()]


def test_starters_come_first_and_any_nesting_is_found(library: ModelLibrary) -> None:
    assert names(library) == ["guide-m", "guide-s", "Poet-Q4_0"]
    assert [model.starter for model in library.list()] == [True, True, False]
    assert library.problems() == []


def test_the_default_is_the_largest_starter(library: ModelLibrary) -> None:
    assert library.default().name == "guide-m"
    assert library.find("").name == "guide-m"


def test_the_starter_that_was_measured_best_is_preferred(library: ModelLibrary, tmp_path: Path) -> None:
    figures = tmp_path / "starter" / "measured.json"
    figures.write_text('{"guide-m": {"held-out": 0.8}, "guide-s": {"held-out": 0.9}}')
    assert library.default().name == "guide-s"
    for damaged in ("", "[]", '{"guide-s": 3}', '{"guide-s": {}}'):
        figures.write_text(damaged)
        assert library.default().name == "guide-m"


def test_without_any_model_the_default_says_what_to_do(store: Store, tmp_path: Path) -> None:
    empty = ModelLibrary(store, [tmp_path / "none"], tmp_path / "nothing")
    assert empty.list() == []
    with pytest.raises(ModelNotFound, match="no model yet"):
        empty.default()
    with pytest.raises(ModelNotFound, match="Add a folder"):
        empty.find("anything")


@pytest.mark.parametrize(
    "wanted",
    ["Poet-Q4_0", "poet-q4_0", " THE POET ", "The Poet · Q4_0", "poet-q4_0.gguf", "models/maker/deep/Poet-Q4_0.gguf"],
)
def test_a_model_is_found_by_any_of_its_names(
    library: ModelLibrary, tmp_path: Path, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert library.find(wanted).display_name == "The Poet"


def test_a_file_outside_the_library_is_found_by_its_path(library: ModelLibrary, tmp_path: Path) -> None:
    path = write_model(tmp_path / "elsewhere.gguf", name="Elsewhere")
    assert library.find(path).path == path
    assert library.find(str(path)).display_name == "Elsewhere"
    assert "elsewhere" not in names(library)


def test_what_is_not_found_names_what_comes_close(library: ModelLibrary) -> None:
    with pytest.raises(ModelNotFound, match="Did you mean Poet-Q4_0") as caught:
        library.find("the poem")
    assert "the poem" in caught.value.message
    with pytest.raises(ModelNotFound, match=r"Did you mean guide-[ms] or guide-[ms]\?"):
        library.find("guide")
    with pytest.raises(ModelNotFound, match="There are: guide-m, guide-s, Poet-Q4_0"):
        library.find("zzz")
    with pytest.raises(ModelNotFound, match="no file"):
        library.find("/no/such/model.gguf")


def test_broken_files_are_kept_with_their_error(library: ModelLibrary, tmp_path: Path) -> None:
    broken = tmp_path / "models" / "broken.gguf"
    whole = write_model(broken).read_bytes()
    broken.write_bytes(whole[:-10])
    (tmp_path / "models" / "notes.gguf").write_text("not a model at all")
    found = {problem.path.name: problem.error for problem in library.problems()}
    assert isinstance(found["broken.gguf"], TruncatedModel)
    assert type(found["notes.gguf"]) is ModelFileError
    assert "broken" not in names(library)
    with pytest.raises(TruncatedModel, match="10 are missing"):
        library.find("Broken")
    broken.write_bytes(whole)
    assert "broken" in names(library)


def test_equal_names_are_made_unique(library: ModelLibrary, tmp_path: Path) -> None:
    for folder in ("a", "b", "b/b"):
        (tmp_path / "models" / folder).mkdir()
        write_model(tmp_path / "models" / folder / "guide-m.gguf", name=folder)
    found = names(library)
    assert found[0] == "guide-m"
    assert {"guide-m-a", "guide-m-b", "guide-m-2"} <= set(found)
    assert library.find("guide-m").starter
    assert library.find("guide-m-a").display_name == "a"


def test_folders_are_added_saved_and_removed(library: ModelLibrary, store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    write_model(folder / "own.gguf")
    library.add_folder(folder).result()
    library.add_folder(folder).result()
    assert library.folders() == [folder]
    again = ModelLibrary(store, starter=tmp_path / "starter")
    assert names(again) == ["guide-m", "guide-s", "own"]
    again.remove_folder(folder).result()
    assert "own" not in names(library)
    with pytest.raises(ModelNotFound):
        library.add_folder(tmp_path / "absent")


def test_a_folder_that_is_gone_is_a_problem(library: ModelLibrary, tmp_path: Path) -> None:
    folder = tmp_path / "drive"
    folder.mkdir()
    library.add_folder(folder).result()
    folder.rmdir()
    assert [problem.path for problem in library.problems()] == [folder]
    assert len(names(library)) == 3


def test_a_setting_of_another_kind_does_no_harm(library: ModelLibrary, store: Store) -> None:
    for value in ("text", 3, {"a": 1}, [1, None]):
        store.settings.set("model_folders", value).result()
        assert len(names(library)) == 3


def test_files_are_read_once_until_they_change(
    library: ModelLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    real = headers.read_header
    monkeypatch.setattr(headers, "read_header", lambda path: (read.append(path), real(path))[1])
    library.list()
    assert len(read) == 3
    library.list()
    library.problems()
    library.find("guide-s")
    assert len(read) == 3
    changed = tmp_path / "starter" / "guide-s.gguf"
    write_model(changed, name="Guide Small", layers=1)
    os.utime(changed, ns=(1, 1))
    assert library.find("guide-s").display_name == "Guide Small"
    assert len(read) == 4


def test_starters_are_found_without_reading_anything_else(
    library: ModelLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = headers.read_header
    monkeypatch.setattr(headers, "read_header", lambda path: (read.append(path.name), real(path))[1])
    library.find("guide-s")
    assert read == ["guide-m.gguf", "guide-s.gguf"]


def test_a_link_to_a_model_already_listed_is_not_listed_again(library: ModelLibrary, tmp_path: Path) -> None:
    models = tmp_path / "models"
    (models / "link.gguf").symlink_to(tmp_path / "starter" / "guide-m.gguf")
    (models / "loop").symlink_to(models, target_is_directory=True)
    (models / "._Poet.gguf").write_bytes(b"resource fork")
    assert names(library) == ["guide-m", "guide-s", "Poet-Q4_0"]


def test_hashes_are_computed_once(library: ModelLibrary, store: Store) -> None:
    model = library.find("guide-s")
    assert model.file_hash == ""
    hashed = library.with_hash(model)
    assert hashed.file_hash == identity.file_hash(model.path)
    store.settings.set("after", 1).result()  # the writer works in order: the hash has been written by now
    assert library.find("guide-s").file_hash == hashed.file_hash
    assert {item.name: bool(item.file_hash) for item in library.list()} == {
        "guide-m": False,
        "guide-s": True,
        "Poet-Q4_0": False,
    }


def test_the_hash_of_a_model_that_is_gone(library: ModelLibrary, tmp_path: Path) -> None:
    model = library.find("guide-s")
    shutil.rmtree(tmp_path / "starter")
    with pytest.raises(ModelNotFound):
        library.with_hash(model)

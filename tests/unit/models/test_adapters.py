"""LoRA adapters: what their headers say, what is refused, and how models with adapters are named."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.domain.errors import ModelError, ModelFileError, ModelNotFound, TruncatedModel, UnsupportedModel
from codette_desktop.models import identity
from codette_desktop.models.adapters import misfit, read_adapter
from codette_desktop.models.gguf import read_header
from codette_desktop.models.library import ModelLibrary
from codette_desktop.store import Store
from tests.support.adapter_files import write_adapter
from tests.support.gguf_files import ModelShape, write_model

WIDE = ModelShape(width=128)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "data") as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    (folder / "adapters").mkdir(parents=True)
    write_model(folder / "poet.gguf", name="The Poet")
    write_model(folder / "wide.gguf", WIDE, name="Wide")
    write_model(folder / "c+plus.gguf", name="C Plus")
    write_adapter(folder / "adapters" / "tone.gguf", rank=4, name="Warm Tone")
    write_adapter(folder / "adapters" / "style+2.gguf", rank=8, seed=2)
    write_adapter(folder / "adapters" / "for-wide.gguf", WIDE, seed=3)
    return folder


@pytest.fixture
def library(store: Store, folder: Path, tmp_path: Path) -> ModelLibrary:
    return ModelLibrary(store, [folder], tmp_path / "no starters")


def test_a_header_tells_what_the_adapter_is(folder: Path) -> None:
    found = read_adapter(folder / "adapters" / "tone.gguf")
    assert (found.name, found.display_name, found.architecture) == ("tone", "Warm Tone", "llama")
    assert (found.rank, found.alpha, found.quantisation) == (4, 8.0, "F32")
    assert found.size_bytes == (folder / "adapters" / "tone.gguf").stat().st_size
    assert len(found.matrices) == 14  # 7 in each of 2 layers
    assert found.parameters == 2 * 4 * (128 + 96 + 96 + 128 + 192 + 192 + 192)


def test_adapters_are_listed_and_are_no_problems(library: ModelLibrary) -> None:
    assert [item.name for item in library.adapters()] == ["for-wide", "style+2", "tone"]
    assert [model.name for model in library.list()] == ["c+plus", "poet", "wide"]
    assert library.problems() == []


def test_those_that_fit_a_model_are_told_apart(library: ModelLibrary) -> None:
    assert [item.name for item in library.adapters(library.find("poet"))] == ["style+2", "tone"]
    assert [item.name for item in library.adapters(library.find("wide"))] == ["for-wide"]


def test_a_broken_adapter_is_a_problem_with_its_reason(library: ModelLibrary, folder: Path) -> None:
    whole = (folder / "adapters" / "tone.gguf").read_bytes()
    (folder / "cut.gguf").write_bytes(whole[:-100])
    (problem,) = library.problems()
    assert isinstance(problem.error, TruncatedModel)
    assert "should be 34,880 bytes long" in problem.error.message
    with pytest.raises(TruncatedModel):
        library.find("poet+cut")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metadata": {"adapter.type": "other"}}, "of the kind 'other'"),
        ({"metadata": {"adapter.type": None}}, "of the kind 'unknown'"),
        ({"metadata": {"adapter.lora.alpha": "much"}}, "not a number"),
        ({"alpha": float("nan")}, "not a number"),
        ({"metadata": {"adapter.alora.invocation_tokens": 3.0}}, "activated"),
        ({"targets": ()}, "no weights"),
        ({"metadata": {"general.architecture": None}}, "which architecture"),
    ],
)
def test_what_the_engine_would_refuse_or_stumble_over_is_refused(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    path = write_adapter(tmp_path / "odd.gguf", **options)
    with pytest.raises(ModelFileError, match=words):
        read_adapter(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"blk.1.attn_q.weight.lora_a", b"blk.1.attn_q.weight.lora_c", "no part of a LoRA adapter"),
        (b"blk.1.attn_q.weight.lora_a", b"blk.1.attn_x.weight.lora_a", "one is missing"),
    ],
)
def test_halves_that_do_not_belong_together_are_refused(tmp_path: Path, old: bytes, new: bytes, words: str) -> None:
    path = write_adapter(tmp_path / "odd.gguf")
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(ModelFileError, match=words):
        read_adapter(path)


def test_a_misfit_is_told_by_the_tensor(tmp_path: Path, folder: Path) -> None:
    model = read_header(folder / "poet.gguf")
    tone = folder / "adapters" / "tone.gguf"
    assert misfit(read_adapter(tone), model) == ""
    assert misfit(read_adapter(folder / "adapters" / "for-wide.gguf"), model) == (
        "It changes 'blk.0.attn_q.weight' of shape 128 × 128; the model's is 64 × 64."
    )
    deep = write_adapter(tmp_path / "deep.gguf", ModelShape(layers=3))
    assert misfit(read_adapter(deep), model) == "It changes 'blk.2.attn_q.weight', which the model does not have."
    other = write_adapter(tmp_path / "other.gguf", metadata={"general.architecture": "qwen2"})
    assert "'qwen2', the model is 'llama'" in misfit(read_adapter(other), model)


@pytest.mark.parametrize(
    ("wanted", "name", "scales"),
    [
        ("poet+tone", "poet+tone", {"tone": 1.0}),
        ("The Poet + TONE@0.5", "poet+tone@0.5", {"tone": 0.5}),
        ("poet+warm tone@1.0", "poet+tone", {"tone": 1.0}),
        ("poet+style+2@-2+tone@0", "poet+style+2@-2+tone@0", {"style+2": -2.0, "tone": 0.0}),
        ("poet+tone@1e-3+style+2", "poet+tone@0.001+style+2", {"tone": 0.001, "style+2": 1.0}),
        ("c+plus", "c+plus", {}),
        ("c+plus+tone@0.5", "c+plus+tone@0.5", {"tone": 0.5}),
        ("poet+tone@0.123456789", "poet+tone@0.123457", {"tone": 0.123457}),
        ("poet+tone.gguf@-0", "poet+tone@0", {"tone": 0.0}),
    ],
)
def test_a_model_with_adapters_is_found_by_name(
    library: ModelLibrary, wanted: str, name: str, scales: dict[str, float]
) -> None:
    found = library.find(wanted)
    assert found.name == name
    assert {item.name: item.scale for item in found.adapters} == scales
    assert library.find(found.name) == found
    if scales:
        assert library.find(found.label) == found
    assert found.path == library.find(name.partition("+")[0] if not name.startswith("c+") else "c+plus").path


def test_files_outside_the_folders_are_named_by_their_paths(library: ModelLibrary, tmp_path: Path) -> None:
    away = tmp_path / "a+b"
    away.mkdir()
    model, adapter = write_model(away / "m+1.gguf"), write_adapter(away / "t@2.gguf")
    found = library.find(f"poet+{adapter}@0.5")
    assert found.name == f"poet+{adapter}@0.5"
    assert found.adapters[0].label == "t@2 × 0.5"
    found = library.find(f"{model}+{adapter}")
    assert [item.path for item in found.adapters] == [adapter]
    again = library.find(library.name_of(found))
    assert (again.path, again.adapters) == (model, found.adapters)
    assert library.name_of(library.find("poet+tone")) == "poet+tone"


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        ("poet+tune", ModelNotFound, "no adapter 'tune'.*Did you mean tone"),
        ("poet+tone+nothing", ModelNotFound, "no adapter 'nothing'.*There are the adapters for-wide"),
        ("poet+", ModelNotFound, "no adapter ''"),
        ("poet+tone@much", ModelNotFound, "scale 'much' of the adapter tone is not a number.*tone@0.5"),
        ("poet+tone@", ModelNotFound, "is not a number"),
        ("poet+tone@nan", ModelNotFound, "is not a number"),
        ("poet+tone@inf", ModelNotFound, "too far from 1.*-10 to 10"),
        ("poet+tone@10.1", ModelNotFound, "too far from 1"),
        ("poet+tone+tone@0.5", ModelNotFound, "named twice"),
        ("pet+tone", ModelNotFound, "no model 'pet\\+tone'"),
        ("poet+wide.gguf", ModelNotFound, "no adapter"),
        ("poet+for-wide", UnsupportedModel, "for-wide does not fit The Poet.*128 × 128.*trained on"),
        ("tone", UnsupportedModel, "works only together with its model.*MODEL\\+tone"),
    ],
)
def test_what_cannot_be_meant_is_told_with_what_can(
    library: ModelLibrary, wanted: str, error: type[ModelError], words: str
) -> None:
    with pytest.raises(error) as caught:
        library.find(wanted)
    assert re.search(words, f"{caught.value.message} {caught.value.hint}")


def test_hashes_are_computed_once_and_anew_for_a_new_file(
    library: ModelLibrary, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    compute = identity.file_hash
    monkeypatch.setattr(identity, "file_hash", lambda *paths: counted.append(Path(paths[0]).name) or compute(*paths))
    first = library.with_hash(library.find("poet+tone"))
    library._store.settings.set("written", True).result()  # after the hashes
    again = library.with_hash(library.find("poet+tone@0.5"))
    assert sorted(counted) == ["poet.gguf", "tone.gguf"]
    assert first.adapters[0].file_hash == again.adapters[0].file_hash == compute(folder / "adapters" / "tone.gguf")
    write_adapter(folder / "adapters" / "tone.gguf", seed=77)
    assert library.find("poet+tone").adapters[0].file_hash != first.adapters[0].file_hash

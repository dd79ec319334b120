"""Presets, settings, and what is known of model files."""

import os
from pathlib import Path

import pytest

from codette_desktop.domain.conversations import BUILT_IN_PRESETS, Preset
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.requests import Sampling
from codette_desktop.store import Store


def test_own_presets_follow_the_built_in_ones_by_name(store: Store) -> None:
    zebra, apple = Preset("zebra", Sampling(top_k=3), "Be brief."), Preset("Apple", Sampling(stop=("a", "\n")))
    for preset in (zebra, apple, Preset("zebra", Sampling(), "Be brief."), zebra):
        store.presets.save(preset).result()
    assert store.presets.list() == [*BUILT_IN_PRESETS, apple, zebra]
    store.presets.delete("zebra").result()
    store.presets.delete("unknown").result()
    assert store.presets.list() == [*BUILT_IN_PRESETS, apple]


@pytest.mark.parametrize("name", ["", "  ", "Balanced", "PRECISE"])
def test_a_preset_needs_a_name_of_its_own(store: Store, name: str) -> None:
    with pytest.raises(InvalidRequest):
        store.presets.save(Preset(name, Sampling())).result()
    with pytest.raises(InvalidRequest):
        store.presets.delete(name).result()


@pytest.mark.parametrize("value", [None, True, 3, 1.5, "text \ud800 \0", [1, {"a": None}], {"b": [1]}])
def test_a_setting_comes_back_as_it_was(store: Store, value: object) -> None:
    store.settings.set("key", value).result()
    assert store.settings.get("key", "default") == value


def test_a_setting_is_kept_as_it_was_when_it_was_set(store: Store) -> None:
    value = [1]
    write = store.settings.set("list", value)
    value.append(2)
    write.result()
    assert store.settings.get("list") == [1]
    assert store.settings.get("unknown", 7) == 7


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_a_setting_that_is_not_json_is_refused(store: Store, value: object) -> None:
    with pytest.raises(InvalidRequest):
        store.settings.set("key", value).result()


@pytest.mark.parametrize("name", ["model.gguf", "日本 modèle.gguf"])
def test_a_hash_is_known_while_the_file_stays_the_same(store: Store, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert store.models.known(path) is None
    path.write_bytes(b"weights")
    store.models.remember(path, "ab12").result()
    assert store.models.known(path) == "ab12"
    os.utime(path, ns=(1, 1))
    assert store.models.known(path) is None


def test_a_load_that_a_crash_ended_is_found_at_the_next_start(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        for name in ("good", "bad"):
            store.models.mark_loading(name).result()
        store.models.mark_loaded("good").result()
        assert store.models.crashed() == []
    with Store.open(tmp_path) as store:
        assert store.models.crashed() == ["bad"]
        store.models.mark_loading("bad").result()
        store.models.mark_loaded("bad").result()
        assert store.models.crashed() == []

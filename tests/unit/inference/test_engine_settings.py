"""Settings in layers, each value with its source; what is wrong is refused in words, what is unknown is ignored."""

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.models import EngineSettings, KvType, ModelInfo
from codette_desktop.hardware.machine import Machine, Processor
from codette_desktop.hardware.nvidia import Gpu
from codette_desktop.inference.engine_fields import BY_NAME, MEMORY_LIMIT, FieldKind, engine_setting_fields
from codette_desktop.inference.engine_presets import preset_named, preset_of, preset_values, presets
from codette_desktop.inference.engine_settings import EngineSettingsService, Source, check_setting, parse_setting
from codette_desktop.store import Store

GB = 10**9
MODEL = ModelInfo("m", "M", Path("m.gguf"), "llama", "Q8_0", 1, 1, 4096, 1, file_hash="hash")
OTHER = replace(MODEL, name="n", file_hash="another")


def done(future: "Future[None]") -> None:
    future.result()


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def service(store: Store) -> EngineSettingsService:
    return EngineSettingsService(store.settings)


def test_a_later_layer_counts_more_and_each_value_tells_its_source(store: Store) -> None:
    service = EngineSettingsService(store.settings, lambda model: {"threads": 3, "parallel": 2, "newer": 1})
    done(service.change({"threads": 1, "batch_tokens": 256, "kv_type": "q8_0"}))
    done(service.change({"parallel": 4}, MODEL))
    found = service.effective(MODEL)
    assert found.settings == EngineSettings(threads=3, batch_tokens=256, kv_type=KvType.Q8_0, parallel=4)
    assert found.sources["threads"] is Source.FILE
    assert found.sources["batch_tokens"] is Source.GLOBAL
    assert found.sources["parallel"] is Source.MODEL
    assert found.sources["use_mmap"] is Source.DEFAULT
    assert set(found.sources) == {item.name for item in fields(EngineSettings)}
    assert service.settings() == EngineSettings(threads=1, batch_tokens=256, kv_type=KvType.Q8_0)
    assert service.settings(OTHER).parallel == 2


def test_settings_of_a_model_survive_a_restart_and_follow_the_file(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        done(EngineSettingsService(store.settings).change({"kv_type": KvType.Q4_0, "lock_memory": True}, MODEL))
    with Store.open(tmp_path) as store:
        moved = replace(MODEL, name="renamed", path=Path("elsewhere.gguf"))
        assert EngineSettingsService(store.settings).settings(moved).kv_type is KvType.Q4_0
        assert EngineSettingsService(store.settings).settings(replace(MODEL, file_hash="")).kv_type is KvType.F16


def test_one_or_all_can_be_taken_back(service: EngineSettingsService) -> None:
    done(service.change({"threads": 2, "parallel": 2}, MODEL))
    done(service.change({"threads": 4}, OTHER))
    done(service.change({"threads": 8}))
    done(service.reset("threads", MODEL))
    assert service.settings(MODEL) == EngineSettings(threads=8, parallel=2)
    done(service.reset(model=MODEL))
    assert service.changes(MODEL) == {}
    assert service.settings(OTHER).threads == 4
    done(service.reset())
    assert service.settings() == EngineSettings()
    with pytest.raises(InvalidRequest, match="no setting 'colour'"):
        service.reset("colour")


def test_what_other_versions_stored_is_ignored(store: Store, service: EngineSettingsService) -> None:
    store.settings.set(
        "engine", {"threads": 2, "warp": 9, "kv_type": "q1_0", "parallel": -3, "use_mmap": "yes"}
    ).result()
    assert service.settings() == EngineSettings(threads=2)
    store.settings.set("engine", ["nonsense"]).result()
    store.settings.set("engine_models", {"hash": 5}).result()
    assert service.settings(MODEL) == EngineSettings()
    done(service.change({"threads": 1}, MODEL))
    assert service.settings(MODEL).threads == 1


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("context_length", 100, "Context length cannot be 100 tokens. Choose 256 to 1,048,576 tokens, or 0"),
        ("context_length", 1.5, "Context length is a whole number, not '1.5'."),
        ("threads", True, "Processor threads is a whole number, not 'True'."),
        ("threads", float("nan"), "whole number"),
        ("kv_type", "q5_0", "Precision of the context cannot be 'q5_0'. Choose f16 or q8_0 or q4_0."),
        ("use_mmap", 1, "Read the file on demand is on or off, not '1'."),
        ("colour", 1, "There is no setting 'colour'. There are: context_length"),
        (MEMORY_LIMIT, -1, "Memory for all models cannot be -1 GB. Choose 0.1 to 4,096 GB, or 0 (Automatic"),
    ],
)
def test_a_wrong_value_is_refused_in_words_and_changes_nothing(
    service: EngineSettingsService, name: str, value: Any, words: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        service.change({"parallel": 2, name: value}) if name != MEMORY_LIMIT else service.set_memory_limit(value)
    assert words in str(refused.value)
    assert service.settings() == EngineSettings()


def test_what_counts_for_the_computer_is_not_set_for_a_model(service: EngineSettingsService) -> None:
    for name, value in (("numa", "distribute"), (MEMORY_LIMIT, 4)):
        with pytest.raises(InvalidRequest, match="whole computer"):
            service.change({name: value}, MODEL)


def test_a_model_whose_file_is_unknown_has_no_settings_of_its_own(service: EngineSettingsService) -> None:
    with pytest.raises(InvalidRequest, match="has not been read"):
        service.change({"threads": 1}, replace(MODEL, file_hash=""))


def test_a_context_for_all_is_at_most_what_each_model_was_trained_for(service: EngineSettingsService) -> None:
    done(service.change({"context_length": 16_384}))
    assert service.settings().context_length == 16_384
    assert service.settings(MODEL).context_length == 4096
    done(service.change({"context_length": 8192}, MODEL))
    assert service.settings(MODEL).context_length == 8192


def test_the_limit_is_kept_in_gigabytes(store: Store, service: EngineSettingsService) -> None:
    assert service.memory_limit_bytes() == 0
    done(service.set_memory_limit(1.5))
    assert service.memory_limit_bytes() == 1_500_000_000
    store.settings.set("memory_limit_gb", "much").result()
    assert service.memory_limit_bytes() == 0


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("context_length", "8,192", 8192),
        ("gpu_layers", "-1", -1),
        ("use_mmap", "Off", False),
        ("lock_memory", "yes", True),
        ("kv_type", "Q8_0", KvType.Q8_0),
        (MEMORY_LIMIT, "2.5", 2.5),
    ],
)
def test_words_become_values(name: str, text: str, value: Any) -> None:
    assert parse_setting(name, text) == value


@given(name=st.sampled_from(sorted(BY_NAME)), text=st.text(max_size=12))
def test_words_become_values_or_are_refused(name: str, text: str) -> None:
    with suppress(InvalidRequest):
        value = parse_setting(name, text)
        assert check_setting(name, value) == value


def test_every_setting_is_explained_and_its_default_can_be_chosen() -> None:
    described = engine_setting_fields()
    assert {field.name for field in described} == {item.name for item in fields(EngineSettings)} | {MEMORY_LIMIT}
    for field in described:
        assert len(field.explanation) > 60
        assert field.cost
        assert field.explanation.endswith(".")
        assert field.cost.endswith(".")
        assert (field.kind is FieldKind.CHOICE) is bool(field.choices)
        if field.kind is FieldKind.NUMBER:
            assert field.unit
            assert field.least < field.most
    for name, value in asdict(EngineSettings()).items():
        assert check_setting(name, value) == value


def machine(memory: float, cores: int = 8, gpu: float = 0, nodes: int = 1) -> Machine:
    gpus = (Gpu("card", int(gpu * GB), int(gpu * GB)),) if gpu else ()
    return Machine(
        "test", Processor("cpu", cores, 2 * cores), int(memory * GB), int(memory * GB / 2), None, gpus, nodes
    )


@pytest.mark.parametrize("memory", [4, 8.2, 16.8, 34, 135])
@pytest.mark.parametrize("gpu", [0, 8, 24])
@pytest.mark.parametrize("cores", [1, 2, 16, 64])
def test_presets_suit_the_machine_and_say_why(memory: float, gpu: float, cores: int) -> None:
    here = machine(memory, cores, gpu)
    found = presets(here)
    assert [preset.key for preset in found] == ["automatic", "low-memory", "balanced", "fast", "long-context"]
    by_key = {preset.key: preset.settings for preset in found}
    assert by_key["automatic"] == EngineSettings()
    assert by_key["low-memory"].context_length <= by_key["balanced"].context_length
    assert by_key["long-context"].context_length > by_key["balanced"].context_length
    assert by_key["fast"].parallel > by_key["low-memory"].parallel
    for preset in found:
        assert preset.settings.threads <= max(1, cores - 1)
        assert any(character.isdigit() for character in preset.explanation)
        for name, value in asdict(preset.settings).items():
            assert check_setting(name, value) == value
        assert preset_of(preset.settings, here) == preset
        assert preset_named(preset.key, here) == preset
    assert ("graphics card" in found[3].explanation) is True
    with pytest.raises(InvalidRequest, match="no preset 'turbo'"):
        preset_named("turbo", here)


def test_a_preset_for_all_and_for_one_model_is_recognised(service: EngineSettingsService) -> None:
    here = machine(16, nodes=2)
    done(service.change({"threads": 5, "use_mmap": False}))
    done(service.change(preset_values(preset_named("fast", here))))
    assert service.settings() == preset_named("fast", here).settings
    assert service.settings().numa == "distribute"
    done(service.change(preset_values(preset_named("low-memory", here), for_one_model=True), MODEL))
    for model, key in ((None, "fast"), (MODEL, "low-memory"), (OTHER, "fast")):
        found = preset_of(service.settings(model), here)
        assert found is not None
        assert found.key == key
    done(service.change({"threads": 3}, MODEL))
    assert preset_of(service.settings(MODEL), here) is None

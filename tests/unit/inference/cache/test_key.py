"""What the key of an answer depends on: everything that can change the answer, and nothing else."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import EngineSettings, FlashAttention, KvType, ModelInfo, Numa
from codette_desktop.domain.requests import ChatRequest, Sampling
from codette_desktop.inference.cache import key
from codette_desktop.inference.cache.key import key_of, repeats_itself
from codette_desktop.inference.llama.identity import identity_of
from codette_desktop.inference.llama.library import library

TRAITS = {"provider": "p", "model_hash": "ab", "threads": 1}
REQUEST = ChatRequest("m", (Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Why?")), Sampling(temperature=0.0))
OTHER_SAMPLING: dict[str, Any] = {
    "temperature": 0.1,
    "top_k": 41,
    "top_p": 0.94,
    "min_p": 0.06,
    "repeat_penalty": 1.1,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.1,
    "penalty_window": 65,
    "seed": 0,
    "max_tokens": 9,
    "stop": ("x",),
    "grammar": 'root ::= "x"',
    "json_schema": "{}",
}
OTHER_SETTINGS: dict[str, Any] = {
    "context_length": 512,
    "threads": 7,
    "batch_tokens": 1024,
    "gpu_layers": 0,
    "parallel": 2,
    "use_mmap": False,
    "kv_type": KvType.Q8_0,
    "flash_attention": FlashAttention.OFF,
    "lock_memory": True,
    "numa": Numa.DISTRIBUTE,
    "keep_alive_minutes": 5,
}
CHANGE_NOTHING = {"use_mmap", "lock_memory", "numa", "keep_alive_minutes"}
INFO = ModelInfo("m", "M", Path("m.gguf"), "llama", "Q8_0", 1, 1, 2048, 300, chat_template="t", file_hash="ab")


def test_every_parameter_of_sampling_is_known_here() -> None:
    assert OTHER_SAMPLING.keys() == {item.name for item in fields(Sampling)}


@pytest.mark.parametrize("name", OTHER_SAMPLING)
def test_every_parameter_of_sampling_changes_the_key(name: str) -> None:
    changed = replace(REQUEST, sampling=REQUEST.sampling.with_changes(**{name: OTHER_SAMPLING[name]}))
    assert key_of(TRAITS, changed) != key_of(TRAITS, REQUEST)


@pytest.mark.parametrize(
    "messages",
    [
        (Message(Role.USER, "Why?"),),
        (Message(Role.SYSTEM, "Be brief. "), Message(Role.USER, "Why?")),
        (Message(Role.USER, "Be brief."), Message(Role.USER, "Why?")),
        (Message(Role.USER, "Why?"), Message(Role.SYSTEM, "Be brief.")),
        (Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "why?")),
        (*REQUEST.messages, Message(Role.USER, "")),
    ],
)
def test_every_message_changes_the_key(messages: tuple[Message, ...]) -> None:
    assert key_of(TRAITS, replace(REQUEST, messages=messages)) != key_of(TRAITS, REQUEST)


@pytest.mark.parametrize(
    "traits", [{**TRAITS, "model_hash": "ac"}, {**TRAITS, "threads": 2}, {**TRAITS, "provider": "q"}, {}]
)
def test_every_trait_of_the_provider_changes_the_key(traits: dict[str, Any]) -> None:
    assert key_of(traits, REQUEST) != key_of(TRAITS, REQUEST)


def test_the_version_of_the_cache_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(TRAITS, REQUEST)
    monkeypatch.setattr(key, "VERSION", key.VERSION + 1)
    assert key_of(TRAITS, REQUEST) != before


def test_what_changes_no_answer_changes_no_key() -> None:
    same = replace(REQUEST, model="another name", fresh=True, sampling=Sampling(temperature=0))
    assert key_of(dict(reversed(TRAITS.items())), same) == key_of(TRAITS, REQUEST)
    assert len(key_of(TRAITS, REQUEST)) == 32


TEXTS = st.text(st.characters(), max_size=20)  # lone surrogates too
MESSAGES = st.lists(st.builds(Message, st.sampled_from(Role), TEXTS), max_size=4).map(tuple)
REQUESTS = st.builds(
    ChatRequest,
    st.just("m"),
    MESSAGES,
    st.builds(
        Sampling, temperature=st.floats(0, 5), seed=st.none() | st.integers(0, 9), stop=st.tuples() | st.just(("a",))
    ),
)


@given(REQUESTS, REQUESTS)
def test_keys_are_equal_exactly_where_requests_are(one: ChatRequest, other: ChatRequest) -> None:
    assert (key_of(TRAITS, one) == key_of(TRAITS, other)) == (repr(one) == repr(other))


@pytest.mark.parametrize(
    ("sampling", "repeats"),
    [(Sampling(temperature=0.0), True), (Sampling(seed=3), True), (Sampling(seed=0), True), (Sampling(), False)],
)
def test_only_greedy_and_seeded_answers_repeat_themselves(sampling: Sampling, repeats: bool) -> None:
    assert repeats_itself(sampling) is repeats


def traits(info: ModelInfo = INFO, settings: EngineSettings | None = None) -> dict[str, Any]:
    found = identity_of(info, settings or EngineSettings())
    assert found is not None
    return dict(found.traits)


@pytest.mark.parametrize("name", [item.name for item in fields(EngineSettings)])
def test_every_setting_of_the_engine_but_where_a_model_lies_and_how_long_counts(name: str) -> None:
    changed = replace(EngineSettings(), **{name: OTHER_SETTINGS[name]})
    assert (traits(settings=changed) == traits()) is (name in CHANGE_NOTHING)


@pytest.mark.parametrize(
    "change", [{"file_hash": "ac"}, {"chat_template": "u"}, {"chat_template": None}, {"context_length": 1024}]
)
def test_what_is_in_the_model_file_counts(change: dict[str, Any]) -> None:
    assert traits(replace(INFO, **change)) != traits()


def test_the_name_and_the_place_of_a_file_do_not_count() -> None:
    assert traits(replace(INFO, name="n", display_name="N", path=Path("n.gguf"))) == traits()


def test_choosing_what_automatic_means_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = EngineSettings(context_length=2048, threads=traits()["threads"])
    assert traits(settings=settings) == traits()


@pytest.mark.parametrize("change", [{"build": "another"}, {"gpu": "Another GPU"}])
def test_the_build_of_the_engine_counts(change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    before = traits()
    for name, value in change.items():
        monkeypatch.setattr(library(), name, value)
    assert traits() != before


def test_a_model_without_a_hash_is_never_known_by_its_name() -> None:
    assert identity_of(replace(INFO, file_hash=""), EngineSettings()) is None

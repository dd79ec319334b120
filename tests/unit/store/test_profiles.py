"""Profiles survive a restart, and no request is lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from codette_desktop.domain.profiles import ModelProfile
from codette_desktop.store import Store


def one_more(profile: ModelProfile) -> ModelProfile:
    return replace(profile, requests=profile.requests + 1, successes=profile.successes * 0.5 + 1)


def test_a_profile_comes_back_after_a_restart(tmp_path: Path) -> None:
    known = ModelProfile("größer", "coding", 3, 2.5, 0.5, 1200.5, 80.25, 41.5, 2, 15.0, 2)
    with Store.open(tmp_path) as store:
        assert store.profiles.all() == {}
        store.profiles.update("größer", ["coding"], lambda _: known).result()
    with Store.open(tmp_path) as store:
        assert store.profiles.all() == {("größer", "coding"): known}


def test_a_request_counts_for_its_task_and_for_all(store: Store) -> None:
    store.profiles.update("m", ["", "coding"], one_more).result()
    store.profiles.update("m", ["", "testing", "testing"], one_more).result()
    found = store.profiles.all()
    assert {task: found["m", task].requests for task in ("", "coding", "testing")} == {"": 2, "coding": 1, "testing": 1}
    assert found["m", ""].successes == 1.5
    assert found["m", "coding"].response_ms is None


def test_no_request_is_lost_when_many_end_at_once(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        writes = list(pool.map(lambda _: store.profiles.update("m", [""], one_more), range(100)))
    for write in writes:
        write.result()
    assert store.profiles.all()["m", ""].requests == 100


def test_a_model_can_be_forgotten(store: Store) -> None:
    for model in ("m", "n"):
        store.profiles.update(model, ["", "coding"], one_more).result()
    store.profiles.forget("m").result()
    assert {model for model, _ in store.profiles.all()} == {"n"}

"""What loads took is kept by file and settings, smoothed, over restarts."""

from pathlib import Path

from codette_desktop.domain.memory import TakenMemory
from codette_desktop.store import Store


def test_half_of_the_new_half_of_the_old(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        assert store.model_memory.known("f", "s") is None
        store.model_memory.note("f", "s", TakenMemory(1000, 10, 900, 20)).result()
        store.model_memory.note("f", "s", TakenMemory(2000, 20, 950, 30)).result()
    with Store.open(tmp_path) as store:
        assert store.model_memory.known("f", "s") == TakenMemory(1500, 15, 950, 30, loads=2)


def test_other_settings_and_other_files_are_others(store: Store) -> None:
    store.model_memory.note("f", "s", TakenMemory(1000, 0, 900, 0)).result()
    assert store.model_memory.known("f", "t") is None
    assert store.model_memory.known("g", "s") is None
    store.model_memory.forget("f").result()
    assert store.model_memory.known("f", "s") is None

"""Who has the data folder open."""

from pathlib import Path

import pytest

from codette_desktop.domain.errors import StoreError
from codette_desktop.store import Store
from codette_desktop.store.sessions import FileLock, Sessions


def test_the_first_is_primary_and_a_second_works_beside_it(tmp_path: Path) -> None:
    with Store.open(tmp_path) as first, Store.open(tmp_path) as second:
        assert (first.is_primary, second.is_primary) == (True, False)
        made = second.conversations.create("from the second").result()
        assert first.conversations.get(made.id) == made
        first.conversations.rename(made.id, "renamed").result()
        assert second.conversations.list()[0].title == "renamed"
    with Store.open(tmp_path) as third:
        assert third.is_primary


def test_a_session_is_alive_until_it_is_closed(tmp_path: Path) -> None:
    one, two = Sessions(tmp_path), Sessions(tmp_path)
    assert one.is_alive(two.id)
    assert one.is_alive(one.id)
    two.close()
    assert not one.is_alive(two.id)
    assert not one.is_alive("never")
    assert not one.is_alive("")
    one.close()
    one.close()


def test_the_files_of_dead_sessions_are_removed_and_those_of_living_ones_kept(tmp_path: Path) -> None:
    one, two = Sessions(tmp_path), Sessions(tmp_path)
    (tmp_path / "dead.session").touch()
    one.remove_dead()
    assert {path.stem for path in tmp_path.glob("*.session")} == {one.id, two.id}
    one.close()
    two.close()


def test_waiting_for_a_lock_ends(tmp_path: Path) -> None:
    held, waiting = FileLock(tmp_path / "x"), FileLock(tmp_path / "x")
    held.acquire(1)
    with pytest.raises(StoreError, match="Another program"):
        waiting.acquire(0.1)
    held.release()
    waiting.acquire(1)
    waiting.release()

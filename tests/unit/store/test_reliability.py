"""Standings of members: kept by member and kind of answer, changed in one transaction each."""

from pathlib import Path

import pytest

from codette_desktop.domain.answers import Confidence
from codette_desktop.domain.reliability import MOST_KEPT, OPEN, Standing
from codette_desktop.store import Store


def test_nothing_is_known_before_the_first_question(store: Store) -> None:
    assert store.reliability.of(["a", "b"], "number") == {"a": Standing("a", "number"), "b": Standing("b", "number")}


def test_a_standing_is_kept_by_member_and_kind_and_survives_a_restart(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.reliability.update("a#x", "number", lambda known: known.measured(2.5, 4)).result()
        store.reliability.update("a#x", "number", lambda known: known.answered(Confidence(0.5, 1.25, 9))).result()
        store.reliability.update("a#x", OPEN, lambda known: known.measured(1, 1)).result()
    with Store.open(tmp_path) as store:
        assert store.reliability.of(["a#x"], "number") == {"a#x": Standing("a#x", "number", 4, 2.5, ((0.5, 1.25),))}
        assert store.reliability.of(["a#x"], OPEN)["a#x"].asked == 1
        assert store.reliability.of(["a#x"], "choice")["a#x"] == Standing("a#x", "choice")
        store.reliability.forget().result()
        assert store.reliability.of(["a#x"], "number")["a#x"] == Standing("a#x", "number")


def test_updates_in_a_row_lose_nothing_and_only_the_newest_confidences_stay(store: Store) -> None:
    writes = [
        store.reliability.update("a", "number", lambda known, at=at: known.answered(Confidence(float(at), 1.0, 9)))
        for at in range(MOST_KEPT + 10)
    ]
    for write in writes:
        write.result()
    found = store.reliability.of(["a"], "number")["a"].confidences
    assert (len(found), found[0][0], found[-1][0]) == (MOST_KEPT, 10.0, MOST_KEPT + 9.0)


def test_a_change_that_fails_changes_nothing(store: Store) -> None:
    def fails(_known: Standing) -> Standing:
        raise ZeroDivisionError

    store.reliability.update("a", "number", lambda known: known.measured(1, 1)).result()
    with pytest.raises(ZeroDivisionError):
        store.reliability.update("a", "number", fails).result()
    assert store.reliability.of(["a"], "number")["a"].asked == 1


def test_names_are_kept_as_sqlite_can(store: Store) -> None:
    store.reliability.update("a\0\ud800", "number", lambda known: known.measured(1, 1)).result()
    assert store.reliability.of(["a\0\ud800"], "number")["a\0\ud800"].asked == 1

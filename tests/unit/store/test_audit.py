"""The audit trail: whatever is done to it, to the votes or to its files behind its back is seen, and told apart."""

import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.domain.duels import Ending
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.votes import GivenAnswer, Preference, Source, Vote
from codette_desktop.store import Store
from codette_desktop.store.audit_check import AuditReport, Fault
from codette_desktop.store.audit_files import AuditFiles, Head
from tests.support.voting import ADA, START, duel, experiment, later, vote, vote_on

FILE = "7" * 64


def tamper(store: Store, *statements: str) -> AuditReport:
    """What is found after somebody has written into the database."""
    with closing(sqlite3.connect(store.path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return store.audit.verify()


def faults(report: AuditReport) -> list[tuple[Fault, int | None]]:
    return [(item.fault, item.seq) for item in report.problems]


def files(store: Store) -> AuditFiles:
    return AuditFiles(store.path.parent / "audit")


@pytest.fixture
def voted(store: Store) -> Store:
    """1, 2 contestants; 3 experiment started; 4 vote; 5 taken back; 6 vote anew; 7 import of two; 8 ended; 9 vote."""
    of = experiment(store)
    made = duel(store, of)
    first = store.votes.cast(vote_on(made, id="first")).result()
    store.votes.take_back(first.id).result()
    store.votes.cast(
        vote_on(made, Preference.TIE, id="second", correction="It is my secret", tags=("private",))
    ).result()
    imported = [vote(id=f"imported-{at}", source=Source.IMPORTED, cast_at=later(at)) for at in range(2)]
    assert store.votes.import_(lambda: imported, FILE).result() == 2
    store.experiments.end(of.id, Ending.STOPPED).result()
    store.votes.cast(vote(id="third", seconds=1.5)).result()
    return store


def test_every_deed_has_an_entry_and_the_trail_is_whole(voted: Store) -> None:
    report = voted.audit.verify()
    assert (report.whole, report.entries, report.head, report.first_broken) == (True, 9, 9, None)
    kinds = [entry.kind for entry in voted.audit.entries()]
    assert kinds[::-1] == [
        "contestant", "contestant", "experiment started", "vote", "vote taken back", "vote", "import",
        "experiment ended", "vote",
    ]  # fmt: skip
    rule = json.loads(voted.audit.entries()[-3].payload)["rule"]
    assert rule == {"most_votes": 50, "alpha": 0.01, "margin": None}
    assert [entry.seq for entry in voted.audit.entries(2, 1)] == [8, 7]


def test_no_words_of_a_person_stand_in_it(voted: Store) -> None:
    text = " ".join(entry.payload + entry.subject for entry in voted.audit.entries())
    for words in ("secret", "private", "Which is better", "How much", "I am Ada"):
        assert words not in text


def test_an_empty_trail_is_whole(store: Store) -> None:
    report = store.audit.verify()
    assert (report.whole, report.entries, report.head) == (True, 0, None)
    assert not (store.path.parent / "audit").exists()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE audit SET payload = replace(payload, 'tie', 'up') WHERE seq = 6",
         [("changed", 6), ("row changed", 6)]),
        ("UPDATE audit SET payload = 'x' WHERE seq = 3", [("changed", 3), ("row changed", 3)]),
        ("UPDATE audit SET payload = '[]' WHERE seq = 5", [("changed", 5), ("row changed", 4)]),
        ("UPDATE audit SET payload = '' WHERE seq = 7", [("changed", 7), ("row changed", 7)]),
        ("UPDATE audit SET at = '2020' WHERE seq = 5", [("changed", 5)]),
        ("UPDATE audit SET subject = 'x' WHERE seq = 8", [("changed", 8), ("row changed", None)]),
        ("UPDATE audit SET mac = x'00' WHERE seq = 5", [("changed", 5), ("changed", 6)]),
        ("UPDATE audit SET mac = x'', key_id = '' WHERE seq = 5", [("unsealed", 5), ("changed", 6)]),
        ("UPDATE audit SET key_id = 'another' WHERE seq = 5", [("other key", 5)]),
        ("DELETE FROM audit WHERE seq IN (4, 5)", [("removed", 4), ("row added", None), ("row changed", None)]),
        ("DELETE FROM audit WHERE seq = 3", [("removed", 3), ("row added", None)]),
        ("DELETE FROM audit WHERE seq = 9", [("cut off", 9), ("row added", None)]),
        ("UPDATE audit SET mac = x'00' WHERE seq = 9", [("replaced", 9), ("changed", 9)]),
        ("UPDATE votes SET preference = 'right' WHERE id = 'third'", [("row changed", 9)]),
        ("UPDATE votes SET style_length = 0 WHERE id = 'third'", [("row changed", 9)]),
        ("UPDATE votes SET seconds = 1.25 WHERE id = 'third'", [("row changed", 9)]),
        ("UPDATE votes SET prompt_key = 1 WHERE id = 'third'", [("row changed", 9)]),
        ("UPDATE votes SET correction = 'no' WHERE id = 'second'", [("row changed", 6)]),
        ("UPDATE votes SET left_answer = '{}' WHERE id = 'second'", [("row changed", 6)]),
        ("UPDATE votes SET left_contestant = right_contestant, right_contestant = left_contestant WHERE id = 'third'",
         [("row changed", 9)]),
        ("UPDATE votes SET right_contestant = NULL WHERE id = 'third'", [("row changed", 9)]),
        ("UPDATE contestants SET key = 'x' WHERE key LIKE 'a%'",
         [("row changed", 4), ("row changed", 6), ("row changed", 9), ("row changed", 7), ("row added", None)]),
        ("UPDATE votes SET taken_back_at = '2026' WHERE id = 'third'", [("row changed", 9)]),
        ("UPDATE votes SET taken_back_at = '2026' WHERE id = 'imported-0'", [("row changed", None)]),
        ("UPDATE votes SET taken_back_at = NULL WHERE id = 'first'", [("row changed", 4)]),
        ("DELETE FROM votes WHERE id = 'third'", [("row removed", 9)]),
        ("DELETE FROM votes WHERE id = 'imported-0'", [("row changed", 7)]),
        ("UPDATE votes SET preference = 'tie' WHERE id = 'imported-1'", [("row changed", 7)]),
        ("UPDATE votes SET import_hash = 'x' WHERE id = 'imported-1'", [("row changed", 7), ("row added", None)]),
        ("UPDATE votes SET id = 'fourth' WHERE id = 'third'", [("row added", None), ("row removed", 9)]),
        ("UPDATE contestants SET label = 'Bob' WHERE key LIKE 'a%'", [("row changed", 1)]),
        ("UPDATE contestants SET setup = replace(setup, 'careful', 'mean') WHERE key LIKE 'a%'", [("row changed", 1)]),
        ("DELETE FROM experiments", [("row removed", 3)]),
        ("UPDATE experiments SET rule = replace(rule, '50', '5')", [("row changed", 3)]),
        ("UPDATE experiments SET rule = 'x'", [("row changed", 3)]),
        ("UPDATE experiments SET question = 'x'", [("row changed", 3)]),
        ("UPDATE experiments SET ending = 'settled'", [("row changed", 8)]),
        ("UPDATE experiments SET ending = NULL, ended_at = NULL", [("row changed", 8)]),
    ],
)  # fmt: skip
def test_what_was_done_behind_its_back_is_seen(
    voted: Store, statement: str, expected: list[tuple[str, int | None]]
) -> None:
    report = tamper(voted, statement)
    assert faults(report) == expected
    assert all(item.what.endswith(".") for item in report.problems)


def test_a_vote_put_into_the_table_is_seen(voted: Store) -> None:
    columns = "cast_at, source, preference, exclusion, experiment_id, duel_id, prompt_hash, prompt_key, task, tags, " \
        "correction, leaks, seconds, seed, swapped, left_contestant, right_contestant, left_node, right_node, " \
        "left_answer, right_answer, style_length, style_headers, style_lists, style_bold, import_hash"  # fmt: skip
    copy = f"INSERT INTO votes(id, {columns}) SELECT 'forged', {columns} FROM votes WHERE id = "
    assert faults(tamper(voted, f"{copy} 'third'")) == [(Fault.ROW_ADDED, None)]
    assert faults(tamper(voted, "DELETE FROM votes WHERE id = 'forged'", f"{copy} 'imported-0'")) == [
        (Fault.ROW_CHANGED, 7)
    ]


def test_entries_in_another_order_are_seen(voted: Store) -> None:
    swap = [f"UPDATE audit SET seq = {to} WHERE seq = {at}" for at, to in ((4, 99), (6, 4), (99, 6))]
    assert (Fault.CHANGED, 4) in faults(tamper(voted, *swap))
    assert voted.audit.verify().first_broken == 4


def test_renumbering_does_not_hide_a_gap(voted: Store) -> None:
    close = [f"UPDATE audit SET seq = {at - 1} WHERE seq = {at}" for at in range(6, 10)]
    assert (Fault.CHANGED, 5) in faults(tamper(voted, "DELETE FROM audit WHERE seq = 5", *close))


def test_the_newest_vote_cannot_be_undone_by_cutting_both_ends(voted: Store) -> None:
    report = tamper(voted, "DELETE FROM audit WHERE seq = 9", "DELETE FROM votes WHERE id = 'third'")
    assert faults(report) == [(Fault.CUT, 9)]
    # Nor by voting on until the trail is as long as before.
    for number in range(3):
        voted.votes.cast(vote(id=f"more-{number}")).result()
    assert faults(voted.audit.verify()) == [(Fault.REPLACED, 9)]
    assert files(voted).head() == Head(9, files(voted).head().mac)  # type: ignore[union-attr]


def test_an_older_copy_of_the_database_is_seen_and_can_be_accepted(voted: Store, tmp_path: Path) -> None:
    copy = voted.backup()
    voted.votes.cast(vote(id="lost")).result()
    voted.close()
    for name in ("codette.sqlite3-wal", "codette.sqlite3-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    shutil.copy(copy, tmp_path / "codette.sqlite3")
    with Store.open(tmp_path) as store:
        assert faults(store.audit.verify()) == [(Fault.CUT, 10)]
        store.votes.cast(vote(id="new")).result()
        assert faults(store.audit.verify()) == [(Fault.REPLACED, 10)]
        store.audit.accept().result()
        report = store.audit.verify()
        assert (report.problems, report.head) == ((), 11)
        assert json.loads(store.audit.entries(1)[0].payload)["seq"] == 10
        store.votes.cast(vote(id="newer")).result()
        assert store.audit.verify().head == 12


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("key", None, [("key missing", None)]),
        ("key", b"short", [("key damaged", None)]),
        ("key", b"0" * 32, [("other key", 1)]),
        ("head", None, [("head missing", None)]),
        ("head", b"", [("head damaged", None)]),
        ("head", b'{"seq": "9", "mac": ""}', [("head damaged", None)]),
        ("head", b"[]", [("head damaged", None)]),
        ("head", b'{"seq": 9, "mac": "00"}', [("replaced", 9)]),
    ],
)
def test_what_happens_to_the_files_is_seen(
    voted: Store, tmp_path: Path, name: str, content: bytes | None, expected: list[tuple[str, int | None]]
) -> None:
    path = tmp_path / "audit" / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert faults(voted.audit.verify()) == expected
    voted.votes.cast(vote(id="fourth")).result()  # it is kept, and hides nothing
    assert voted.votes.get("fourth") is not None
    seen = [fault for fault, _seq in faults(voted.audit.verify())]
    assert {item for item, _ in expected} - {"key missing"} <= set(seen)
    if content is None and name == "key":
        assert faults(voted.audit.verify()) == [(Fault.OTHER_KEY, 1)]


def test_a_new_head_is_accepted_when_the_old_one_is_gone(voted: Store, tmp_path: Path) -> None:
    (tmp_path / "audit" / "head").unlink()
    voted.audit.accept().result()
    assert voted.audit.verify().problems == ()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_the_key_is_nobody_elses_to_read(voted: Store, tmp_path: Path) -> None:
    assert (tmp_path / "audit" / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "audit").stat().st_mode & 0o777 == 0o700
    assert len((tmp_path / "audit" / "key").read_bytes()) == 32
    assert sorted(path.name for path in (tmp_path / "audit").iterdir()) == ["head", "key", "lock"]


def test_the_head_catches_up_at_the_next_start(voted: Store, tmp_path: Path) -> None:
    """As after a crash between COMMIT and the head."""
    head = files(voted).head()
    voted.votes.cast(vote(id="fourth")).result()
    voted.close()
    assert head is not None
    AuditFiles(tmp_path / "audit").put_head(head)
    with Store.open(tmp_path) as store:
        assert store.audit.verify().head == 10
        assert store.audit.verify().whole


def test_the_head_never_goes_back(voted: Store) -> None:
    """As where another process has written a newer one meanwhile."""
    before = files(voted).head()
    voted.audit._advance(Head(3, b"older"))
    assert files(voted).head() == before


def refuse(monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    """A disk that takes no more of the files whose name has `refused` in it."""
    opened = os.open

    def full(path: Any, *arguments: Any, **more: Any) -> int:
        if refused in Path(path).name:
            raise OSError(28, "No space left on device")
        return opened(path, *arguments, **more)

    monkeypatch.setattr(os, "open", full)


def test_a_vote_is_kept_where_the_head_cannot_be_written(voted: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        refuse(patch, ".head.")
        voted.votes.cast(vote(id="fourth")).result()
        voted.votes.cast(vote(id="fifth")).result()
        report = voted.audit.verify()
        assert (report.whole, report.head, report.entries) == (True, 9, 11)
    voted.votes.cast(vote(id="sixth")).result()
    assert voted.audit.verify().head == 12


@pytest.mark.parametrize("refused", [".key.", "lock", ".head."])
def test_a_vote_is_kept_where_no_key_can_be_made(store: Store, monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    with monkeypatch.context() as patch:
        refuse(patch, refused)
        store.votes.cast(vote(id="one")).result()
    assert store.votes.get("one") is not None
    assert faults(store.audit.verify()) == [(Fault.UNSEALED, seq) for seq in (1, 2, 3)]
    store.votes.cast(vote(id="two")).result()
    assert faults(store.audit.verify()) == [(Fault.UNSEALED, seq) for seq in (1, 2, 3)]
    assert store.audit.verify().head == 4


def test_a_file_is_imported_once(voted: Store) -> None:
    with pytest.raises(InvalidRequest, match="already"):
        voted.votes.import_(list, FILE).result()
    assert voted.votes.import_(list, "8" * 64).result() == 0


def test_an_import_is_kept_whole_or_not_at_all(voted: Store) -> None:
    def broken() -> Any:
        yield vote(source=Source.IMPORTED)
        raise InvalidRequest("Line 3 is wrong.")

    with pytest.raises(InvalidRequest, match="Line 3"):
        voted.votes.import_(broken, "8" * 64).result()
    assert voted.votes.count() == 5
    assert voted.audit.verify().entries == 9


def test_a_refused_vote_leaves_no_entry(voted: Store) -> None:
    thumb = Vote("t", START, Source.THUMB, Preference.UP, GivenAnswer(ADA, node_id="n"))
    voted.votes.cast(thumb).result()
    with pytest.raises(InvalidRequest):
        voted.votes.cast(vote(Preference.UP)).result()
    assert voted.audit.verify().entries == 10
    assert voted.audit.verify().whole


def test_many_problems_of_one_kind_are_not_all_told(voted: Store) -> None:
    for write in [voted.votes.cast(vote(id=f"n{at}")) for at in range(40)]:
        write.result()
    assert len(tamper(voted, "DELETE FROM votes WHERE id LIKE 'n%'").problems) == 20

"""Votes of processes that are killed, that run side by side, and on a disk that takes no more."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codette_desktop.store import Store
from codette_desktop.store.audit_files import AuditFiles
from tests.support.voting import duel, experiment, vote

ROOT = Path(__file__).parents[2]

VOTER = """
import sys
from pathlib import Path
from codette_desktop.domain.errors import StoreError
from codette_desktop.store import Store
from tests.support.voting import vote, vote_on
with Store.open(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    won = 0
    for number in range(25):
        store.votes.cast(vote(id=f"{sys.argv[2]}-{number}")).result()
    for duel in store.duels.waiting(sys.argv[3]):
        try:
            store.votes.cast(vote_on(duel)).result()
            won += 1
        except StoreError as error:
            assert "voted on already" in error.message, error
    print(won)
"""

KILLED = """
import os, signal, sys
from pathlib import Path
from codette_desktop.store import Store
from codette_desktop.store.audit_files import AuditFiles
from tests.support.voting import vote
store = Store.open(Path(sys.argv[1]))
store.votes.cast(vote(id="first")).result()
AuditFiles.put_head = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
store.votes.cast(vote(id="second")).result()
"""

ENDLESS = """
import sys
from pathlib import Path
from codette_desktop.store import Store
from tests.support.voting import vote
store = Store.open(Path(sys.argv[1]))
number = 0
while True:
    store.votes.cast(vote(id=str(number))).result()
    print(number, flush=True)
    number += 1
"""

FULL = """
import resource, signal, sys
from pathlib import Path
from codette_desktop.domain.errors import StoreFull
from codette_desktop.store import Store
from tests.support.voting import duel, experiment, vote_on
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store.open(Path(sys.argv[1]))
made = duel(store, experiment(store))
size = store.path.with_name(store.path.name + "-wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, resource.RLIM_INFINITY))
try:
    store.votes.cast(vote_on(made, correction="word " * 50_000)).result()
except StoreFull:
    print("full", store.votes.count(), store.duels.count_waiting(made.experiment_id), store.audit.verify().whole)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.votes.cast(vote_on(made)).result()
store.close()
"""


def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_processes_vote_at_once_and_the_trail_stays_whole(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        of = experiment(store)
        for number in range(10):
            duel(store, of, f"prompt {number}")
    voters = [start(VOTER, tmp_path, name, of.id) for name in ("a", "b", "c")]
    for voter in voters:
        assert voter.stdout is not None
        assert voter.stdout.readline() == "ready\n"
    for voter in voters:
        assert voter.stdin is not None
        voter.stdin.write("go\n")
        voter.stdin.flush()
    won = [int(voter.communicate(timeout=120)[0]) for voter in voters]
    assert [voter.returncode for voter in voters] == [0, 0, 0]
    assert sum(won) == 10  # each duel has one vote, whoever was faster
    with Store.open(tmp_path) as store:
        report = store.audit.verify()
        assert (report.problems, report.entries, report.head) == ((), 88, 88)  # two of them of the contestants
        assert store.votes.count() == 85


def test_two_processes_make_one_key(tmp_path: Path) -> None:
    with Store.open(tmp_path):
        pass
    voters = [start(VOTER, tmp_path, name, "none") for name in ("a", "b", "c")]
    said = [voter.communicate("go\n", timeout=120)[0].split() for voter in voters]
    assert said == [["ready", "0"]] * 3
    with Store.open(tmp_path) as store:
        report = store.audit.verify()
        assert (report.problems, report.entries, report.head) == ((), 77, 77)
        assert not [path for path in (tmp_path / "audit").iterdir() if path.name.startswith(".")]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_killed_between_commit_and_head_nothing_is_lost(tmp_path: Path) -> None:
    with start(KILLED, tmp_path) as killed:
        assert killed.wait(60) == -signal.SIGKILL
    head = AuditFiles(tmp_path / "audit").head()
    assert head is not None
    assert head.seq == 3  # two contestants, one vote
    with Store.open(tmp_path) as store:
        assert [item.id for item in store.votes.list()] == ["second", "first"]
        report = store.audit.verify()
        assert (report.problems, report.head) == ((), 4)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("after_s", [0.05, 0.2, 0.5])
def test_killed_at_any_moment_every_vote_that_was_told_is_there(tmp_path: Path, after_s: float) -> None:
    with start(ENDLESS, tmp_path) as voter:
        assert voter.stdout is not None
        told = [voter.stdout.readline()]
        time.sleep(after_s)
        voter.kill()
        told += voter.stdout.read().splitlines()
    with Store.open(tmp_path) as store:
        assert len(told) <= store.votes.count() <= len(told) + 1
        report = store.audit.verify()
        assert (report.problems, report.head) == ((), report.entries)
        store.votes.cast(vote(id="next")).result()
        assert store.audit.verify().whole


@pytest.mark.skipif(sys.platform == "win32", reason="limits on the size of files are POSIX")
def test_on_a_full_disk_a_vote_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    with start(FULL, tmp_path) as voter:
        said = voter.communicate(timeout=60)[0]
        assert voter.returncode == 0
    assert said.split() == ["full", "0", "1", "True"]
    with Store.open(tmp_path) as store:
        assert store.votes.count() == 1
        assert store.audit.verify().whole
        assert store.check() == []

"""Two processes with one data folder."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.store import Store

ROOT = Path(__file__).parents[2]

OTHER = """
import sys
from pathlib import Path
from codette_desktop.store import Store
with Store.open(Path(sys.argv[1])) as store:
    for number in range(20):
        store.conversations.create(f"other {number}").result()
    print(store.is_primary, len(store.recovered), len(store.generations.recover()), store.models.crashed())
    sys.stdin.readline()
"""


def start_other(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", OTHER, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_another_process_leaves_a_living_answer_alone_and_both_can_write(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        made = store.conversations.create("mine").result()
        asked = store.conversations.add_message(made.id, None, Message(Role.USER, "q")).result()
        now = datetime.now(UTC)
        generation = Generation("g", "m", "M", "h", "Q8_0", Sampling(), 1, "b", "CPU", now)
        store.generations.start(made.id, asked.id, generation).result()
        store.models.mark_loading("weights").result()
        with start_other(tmp_path) as other:
            for number in range(20):
                store.conversations.create(f"mine {number}").result()
            said, _ = other.communicate("go\n", timeout=60)
        assert said.split() == ["False", "0", "0", "[]"]
        store.generations.finish("g", "done", FinishReason.STOP).result()
        assert store.conversations.count() == 41
        assert store.check() == []


def test_answers_of_a_process_that_died_are_recovered_though_another_lives(tmp_path: Path) -> None:
    """The second process to open is not the first, but nobody else would show the half answer to the person."""
    with start_other(tmp_path) as other:
        assert other.stdout is not None
        assert other.stdout.readline().startswith("True")
        with Store.open(tmp_path) as store:
            made = store.conversations.create().result()
            asked = store.conversations.add_message(made.id, None, Message(Role.USER, "q")).result()
            now = datetime.now(UTC)
            generation = Generation("g", "m", "M", "h", "Q8_0", Sampling(), 1, "b", "CPU", now)
            store.generations.start(made.id, asked.id, generation).result()
        with Store.open(tmp_path) as store:
            assert not store.is_primary
            assert [node.id for node in store.recovered] == [store.conversations.branch(made.id)[-1].id]
        other.communicate("go\n", timeout=60)


def test_two_processes_may_make_the_database_at_the_same_time(tmp_path: Path) -> None:
    others = [start_other(tmp_path) for _ in range(3)]
    answers = [other.communicate("go\n", timeout=120)[0] for other in others]
    assert [other.returncode for other in others] == [0, 0, 0]
    assert all(answer.split()[1:] == ["0", "0", "[]"] for answer in answers)
    with Store.open(tmp_path) as store:
        assert store.conversations.count() == 60
        assert store.check() == []

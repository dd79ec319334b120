"""The application is killed while it answers: what was acknowledged is there, the half answer is marked."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.messages import Role
from codette_desktop.store import Store

KILLS = 20
ROOT = Path(__file__).resolve().parents[2]


def answer_until_killed(folder: Path, chance: random.Random) -> tuple[list[str], bool]:
    """The acknowledged node ids, and whether text was being streamed when the process was killed."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.endless_answers", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    acknowledged: list[str] = []
    streaming = False
    pieces = 0
    until = chance.randint(1, 60)
    with child:
        for line in child.stdout:
            word, _, node_id = line.strip().partition(" ")
            streaming = word == "text"
            pieces += streaming
            if node_id:
                acknowledged.append(node_id)
            if pieces >= until:
                break
        child.kill()
    return acknowledged, streaming


@pytest.mark.parametrize("attempt", range(KILLS))
def test_a_kill_during_an_answer_loses_nothing_that_was_acknowledged(tmp_path: Path, attempt: int) -> None:
    acknowledged, streaming = answer_until_killed(tmp_path, random.Random(attempt))
    assert acknowledged
    with Store.open(tmp_path) as store:
        assert store.check() == []
        (conversation,) = store.conversations.list()
        nodes = store.conversations.branch(conversation.id)
        assert set(acknowledged) <= {node.id for node in nodes}
        unfinished = [node for node in nodes if node.generation and node.generation.reason is FinishReason.INTERRUPTED]
        assert streaming
        assert unfinished == nodes[-1:]
        assert nodes[-1].message.role is Role.ASSISTANT
        assert store.recovered == unfinished

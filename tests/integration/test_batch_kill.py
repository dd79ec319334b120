"""A batch whose process is killed in the middle, twice: every prompt is answered by every member exactly once."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codette_desktop.application import Application
from codette_desktop.domain.comparisons import BatchState
from codette_desktop.store import Store

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = 60


@contextmanager
def running(folder: Path, prompts: int = PROMPTS) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.support.running_batch", str(folder), str(prompts)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def at(child: subprocess.Popen[str], prompts: int) -> int:
    """Wait until so many prompts are done, and give how many are."""
    assert child.stdout is not None
    for line in child.stdout:
        word, _, number = line.strip().partition(" ")
        assert word == "at", line
        if int(number) >= prompts:
            return int(number)
    raise AssertionError("the child ended too early")


def ended(child: subprocess.Popen[str]) -> list[str]:
    """All that is left to be said."""
    said, _ = child.communicate(timeout=300)
    assert child.returncode == 0
    return said.splitlines()


def killed_in_the_middle(folder: Path, until: int, chance: random.Random) -> int:
    """Run until so many prompts are done, and a little further; gives how many are done for certain."""
    with running(folder) as child:
        acknowledged = at(child, until)
        time.sleep(chance.uniform(0.0, 0.02))  # anywhere in the next prompts, not right after a COMMIT
        child.kill()
    return acknowledged


async def test_a_batch_killed_twice_answers_every_prompt_once(codette_home: Path, tmp_path: Path) -> None:
    chance = random.Random(3)
    for until in (PROMPTS // 4, PROMPTS // 2):
        acknowledged = killed_in_the_middle(codette_home, until, chance)
        with Store.open(codette_home) as store:
            assert store.check() == []
            (batch,) = store.batches.list()
            assert batch.state is BatchState.PAUSED
            assert acknowledged <= batch.done < PROMPTS
    with running(codette_home) as child:
        assert ended(child)[-1] == "done"

    application = Application.open(codette_home)
    try:
        (batch,) = application.batches.list()
        assert (batch.state, batch.done, batch.failed) == (BatchState.DONE, PROMPTS, 0)
        path = tmp_path / "out.jsonl"
        assert application.batches.export(batch.id, path) == PROMPTS
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        asked = [item.prompt for item in application.batches.prompts(batch.id)]
        assert [row["prompt"] for row in rows] == asked
        answers = Counter((row["prompt"], member["label"]) for row in rows for member in row["members"])
        assert len(answers) == 2 * PROMPTS
        assert set(answers.values()) == {1}
        assert all(member["answer"].strip() and not member["error"] for row in rows for member in row["members"])
        assert {member["finish_reason"] for row in rows for member in row["members"]} <= {"stop", "length"}
        assert application.store.comparisons.count() == PROMPTS  # nothing half done is left over
        with application.store._access.read() as connection:
            (generations,) = connection.execute("SELECT count(*) FROM generations").fetchone()
        assert generations == 2 * PROMPTS
        assert application.store.check() == []
    finally:
        await application.aclose()


def test_a_second_process_does_not_run_a_batch_that_runs(codette_home: Path) -> None:
    with running(codette_home, 5_000) as first:  # more than it can do meanwhile
        before = at(first, 1)
        with running(codette_home) as second:
            (said,) = ended(second)
        assert said.startswith("refused This batch is running already")
        assert at(first, before + 50) < 5_000  # it goes on undisturbed

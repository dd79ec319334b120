"""A batch of 1,000 prompts whose process is killed twice; and how long a history of a million comparisons takes.

    python -m tests.benchmarks.bench_compare_batch [--prompts N] [--models A,B] [--comparisons N] [--seconds N]

Inserting comparisons stops after --seconds; how many there are then is printed.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from codette_desktop.application import Application
from codette_desktop.domain.messages import Message, Role
from codette_desktop.store import Store
from tests.benchmarks.many_comparisons import SETUP, insert
from tests.support.running_batch import MEMBERS

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 7
CHATS = 100


def until(command: Sequence[str], prompts: int | None) -> None:
    """Run the batch; kill it when so many prompts are done (None: let it end)."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            word, _, number = line.strip().partition(" ")
            assert word in ("at", "done"), line
            if prompts is not None and word == "at" and int(number) >= prompts:
                child.kill()
                print(f"killed after {int(number):,} prompts")
                return
    assert child.returncode == 0


def killed_twice(folder: Path, prompts: int, members: str) -> None:
    """Print whether every prompt has exactly one answer of every member in the end."""
    command = [sys.executable, "-m", "tests.support.running_batch", str(folder), str(prompts), members]
    started = time.perf_counter()
    for stop in (prompts // 3, 2 * prompts // 3, None):
        until(command, stop)
    took = time.perf_counter() - started
    asyncio.run(_check(folder, prompts, took))


async def _check(folder: Path, prompts: int, took: float) -> None:
    application = Application.open(folder)
    (batch,) = application.batches.list()
    path = folder / "out.jsonl"
    rows = application.batches.export(batch.id, path)
    answers: Counter[tuple[str, str]] = Counter()
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line:
            row = json.loads(line)
            answers.update((row["prompt"], member["label"]) for member in row["members"] if member["answer"].strip())
    comparisons = application.store.comparisons.count()
    problems = application.store.check()
    await application.aclose()
    once = sum(count == 1 for count in answers.values())
    wanted = prompts * len(batch.setup.members)
    print(
        f"{batch.done:,} of {prompts:,} prompts in {took:.0f} s ({batch.seconds:.0f} s of them asking), {rows:,} rows, "
        f"{once:,} of {wanted:,} answers exactly once, {comparisons - prompts} comparisons left over, "
        f"{len(problems)} problems of the database"
    )
    assert (rows, once, comparisons, problems) == (prompts, wanted, prompts, [])


def timed(name: str, work: Callable[[], Any]) -> None:
    """Print the median and the longest of some rounds."""
    times: list[float] = []
    count = 0
    for _ in range(ROUNDS):
        started = time.perf_counter()
        found = work()
        times.append(1000 * (time.perf_counter() - started))
        count = len(found) if isinstance(found, list) else 1
    print(f"{name:44} {statistics.median(times):7.1f} ms, at most {max(times):7.1f} ms   ({count})")


def large_history(folder: Path, most: int, seconds: float) -> None:
    """Print how long listing and searching take."""
    with Store.open(folder) as store:
        for number in range(CHATS):
            chat = store.conversations.create(f"chat {number}").result()
            message = Message(Role.USER, f"common words about a walnut {number}")
            store.conversations.add_message(chat.id, None, message).result()
        count = insert(store.path, most, seconds)
        print(f"{count:,} comparisons of two answers each, {store.path.stat().st_size / 1e9:.1f} GB")
        timed("the newest 200", store.comparisons.list)
        timed("200 from the middle", lambda: store.comparisons.list(200, count // 2))
        timed("how many", store.comparisons.count)
        for words in ("common", "bando", "bando zyes", "prompt 77", "c", "#", "walnut"):
            timed(f"comparisons with '{words}'", lambda words=words: store.comparisons.search(words))
        for words in ("common", "bando", "walnut"):
            timed(f"chats with '{words}'", lambda words=words: store.conversations.search(words))
        timed("the newest 200 chats", store.conversations.list)
        newest = store.comparisons.list(1)[0].id
        timed("opening one", lambda: store.comparisons.open(newest))
        timed("keeping a new one", lambda: store.comparisons.create("a common prompt", SETUP).result())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=1_000)
    parser.add_argument("--models", default=MEMBERS)
    parser.add_argument("--comparisons", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=120.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        killed_twice(Path(folder), chosen.prompts, chosen.models)
    with tempfile.TemporaryDirectory() as folder:
        large_history(Path(folder), chosen.comparisons, chosen.seconds)


if __name__ == "__main__":
    main()

"""Start and memory of the window, against a bare PySide6 + pyqtgraph window; and with a long history.

pytest -s tests/benchmarks/bench_window.py
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from codette_desktop.store import Store
from tests.support.histories import fill

ROOT = Path(__file__).resolve().parents[2]
RUNS = 7


def open_window(*arguments: str) -> dict[str, float]:
    """Seconds from process start to a usable window, and resident bytes."""
    started = time.time()
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.windows", *arguments],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout.splitlines()[-1])
    return {"seconds": said["usable_at"] - started, "bytes": said["resident_bytes"]}


def interleaved(*commands: tuple[str, ...]) -> list[list[dict[str, float]]]:
    """RUNS rounds of all commands in turn, after one that is not counted."""
    rounds = [[open_window(*command) for command in commands] for _ in range(RUNS + 1)][1:]
    return [[one[index] for one in rounds] for index in range(len(commands))]


def median(runs: list[dict[str, float]], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def test_start(tmp_path: Path) -> None:
    bare, ours = interleaved(("bare",), ("codette", str(tmp_path)))
    print(f"\nstart: bare {median(bare, 'seconds'):.3f} s, Codette {median(ours, 'seconds'):.3f} s, "
          f"ratio {median(ours, 'seconds') / median(bare, 'seconds'):.2f} (goal: at most 1.6)")  # fmt: skip


def test_memory(tmp_path: Path) -> None:
    bare, ours = interleaved(("bare",), ("codette-loaded", str(tmp_path)))
    more = median(ours, "bytes") - median(bare, "bytes")
    print(f"\nmemory: bare {median(bare, 'bytes') / 1e6:.1f} MB, with the small model loaded and used "
          f"{median(ours, 'bytes') / 1e6:.1f} MB, {more / 1e6:.1f} MB more (goal: at most 120)")  # fmt: skip


def test_a_long_history(tmp_path: Path) -> None:
    short, long = tmp_path / "short", tmp_path / "long"
    fill(short, messages=10)
    fill(long, messages=100_000)
    few, many = interleaved(("codette", str(short)), ("codette", str(long)))
    ratio = median(many, "seconds") / median(few, "seconds")
    print(f"\nstart with 10 messages {median(few, 'seconds'):.3f} s, with 100,000 {median(many, 'seconds'):.3f} s, "
          f"ratio {ratio:.2f} (goal: at most 1.2)")  # fmt: skip
    with Store.open(long) as store:
        for words in ("quantisation", "memory mod", "rare-word-77777", "the", "模型", "a"):
            times: list[float] = []
            hits = store.conversations.search(words)
            for _ in range(20):
                start = time.perf_counter()
                store.conversations.search(words)
                times.append(1000 * (time.perf_counter() - start))
            print(f"search {words!r}: {len(hits)} hits, median {statistics.median(times):.1f} ms, "
                  f"max {max(times):.1f} ms (goal: 50)")  # fmt: skip

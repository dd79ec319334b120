"""Votes by the hundred thousand: importing, tallying, rating, checking; and how long one vote takes.

    python -m pytest tests/benchmarks/bench_votes.py -s        CODETTE_VOTES=1000000 for more

The yardsticks, in the same run: reading the same file with csv.reader alone, a plain fsync, and the bare fit.
"""

import asyncio
import csv
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from codette_desktop.domain.events import EventBus
from codette_desktop.domain.votes import VoteFilter
from codette_desktop.rating.exporting import Format
from codette_desktop.rating.leaderboard import leaderboard
from codette_desktop.rating.votes import VoteService
from codette_desktop.store import Store
from tests.support.voting import duel, experiment, later, vote, vote_on

VOTES = int(os.environ.get("CODETTE_VOTES", "100000"))
NAMES = [f"model {number}" for number in range(12)]
T = TypeVar("T")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("votes")) as opened:
        yield opened


@pytest.fixture(scope="module")
def service(store: Store) -> VoteService:
    return VoteService(store, EventBus())


def timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    result = work()
    return (time.perf_counter() - started) * 1e3, result


def best_ms(work: Callable[[], object], rounds: int = 5) -> float:
    return min(timed(work)[0] for _ in range(rounds))


def write_table(path: Path) -> None:
    chance = random.Random(1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("model_a", "model_b", "winner", "cast_at", "prompt_hash", "tokens_a", "tokens_b"))
        for number in range(VOTES):
            left, right = chance.sample(range(len(NAMES)), 2)
            winner = chance.choices(("model_a", "model_b", "tie", "both_bad"), (4 + left / 4, 4 + right / 4, 2, 1))[0]
            moment = later(number).isoformat()
            prompt = f"{chance.randrange(VOTES // 10):064x}"
            tokens = chance.randrange(500), chance.randrange(500)
            writer.writerow((NAMES[left], NAMES[right], winner, moment, prompt, *tokens))


def read_only(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file))


def test_a_hundred_thousand_votes(store: Store, service: VoteService, tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    write_table(path)
    plain = best_ms(lambda: read_only(path), 2)
    took, done = timed(lambda: asyncio.run(service.import_file(path)))
    assert done.votes == VOTES
    print(f"\nimport of {VOTES:,} rows: {took:,.0f} ms, {took / plain:.0f} times csv.reader ({plain:,.0f} ms)")
    print(f"database: {store.path.stat().st_size / VOTES:,.0f} bytes a vote")

    tally = store.votes.tally()
    assert len(tally.outcome) == VOTES
    read, styled = best_ms(store.votes.tally), best_ms(lambda: store.votes.tally(style=True))
    task = best_ms(lambda: store.votes.tally(VoteFilter(task="general")))
    since = best_ms(lambda: store.votes.tally(VoteFilter(since=later(VOTES * 0.9))))
    print(
        f"tally: {read:.0f} ms; with style {styled:.0f} ms; of a task {task:.0f} ms; of the newest tenth {since:.0f} ms"
    )
    fit = best_ms(lambda: leaderboard(tally))
    whole = best_ms(service.leaderboard)
    print(f"leaderboard whole: {whole:.0f} ms (goal 300), {whole / fit:.1f} times the statistics alone ({fit:.0f} ms)")

    page = best_ms(lambda: store.votes.list(limit=50))
    last = best_ms(lambda: store.votes.list(limit=50, offset=VOTES - 50))
    print(f"list of 50: {page:.1f} ms; the last 50: {last:.1f} ms; count {best_ms(store.votes.count):.1f} ms")
    took, report = timed(store.audit.verify)
    assert report.whole
    print(f"audit verify of one import of {VOTES:,}: {took:,.0f} ms")
    took, exported = timed(lambda: service.export(tmp_path / "out.csv", Format.CSV))
    assert exported.rows == VOTES
    print(f"export as CSV: {took:,.0f} ms")


def test_one_vote(store: Store) -> None:
    of = experiment(store)
    duels = [duel(store, of, f"prompt {number}") for number in range(100)]
    waits = sorted(timed(lambda item=item: store.votes.cast(vote_on(item)).result())[0] for item in duels)
    plain = statistics.median(timed(lambda: _fsync(store.path.parent))[0] for _ in range(50))
    middle = statistics.median(waits)
    print(f"\na vote: median {middle:.1f} ms, worst {waits[-1]:.1f} ms; {middle / plain:.1f} fsyncs of {plain:.2f} ms")


def test_verifying_votes_one_by_one(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        number = min(VOTES, 20_000)
        took, _ = timed(lambda: [write.result() for write in [store.votes.cast(vote()) for _ in range(number)]])
        print(f"\n{number:,} votes cast without waiting between them: {took / number:.3f} ms each")
        took, report = timed(store.audit.verify)
        assert report.whole
        print(f"audit verify of {number:,} votes: {took:,.0f} ms")
        print(f"open again: {timed(lambda: Store.open(tmp_path).close())[0]:.0f} ms")


def _fsync(folder: Path) -> None:
    path = folder / "fsync"
    with path.open("wb") as file:
        file.write(b"x" * 4096)
        file.flush()
        os.fsync(file.fileno())

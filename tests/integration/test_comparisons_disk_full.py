"""Comparisons and batches on a disk that really takes no more: a limit of the operating system on files' sizes."""

import subprocess
import sys
from pathlib import Path

import pytest

from codette_desktop.store import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits on the size of files are POSIX")
ROOT = Path(__file__).parents[2]

COMMON = """
import asyncio, resource, signal, sys
from pathlib import Path
from codette_desktop.application import Application
from codette_desktop.domain.comparisons import BatchState, ComparisonSetup, OpenedComparison
from codette_desktop.domain.ensembles import MemberBegins, Method
from codette_desktop.domain.errors import StoreFull

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
MEMBERS = ["guide-s-q8_0?temperature=0&max_tokens=30", "guide-m-q8_0?temperature=0&max_tokens=30"]

def full(application):
    size = application.store.path.with_name(application.store.path.name + "-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def room():
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

def setup_of(application):
    return ComparisonSetup(application.members.read_all(MEMBERS), Method.CONSENSUS)
"""

COMPARISON = """
async def main():
    application = Application.open(Path(sys.argv[1]))
    run = application.comparisons.start("How do I compare two models?", setup_of(application))
    last = None
    async for part in run.parts():
        if isinstance(part, OpenedComparison):
            last = part
            full(application)
    said = [node.message.content for node in last.answers]
    assert all(said), said
    assert last.comparison.outcome.text in said
    kept = application.comparisons.open(last.comparison.id)
    assert kept.answers == (None, None), kept.answers
    room()
    await application.comparisons.aclose()
    kept = application.comparisons.open(last.comparison.id)
    assert [node.message.content for node in kept.answers] == said, kept.answers
    await application.aclose()
    print("ok")

asyncio.run(main())
"""

BATCH = """
async def main():
    application = Application.open(Path(sys.argv[1]))
    batch = await application.batches.create("batch", [f"Question {n}" for n in range(4)], setup_of(application))
    try:
        async for progress in application.batches.run(batch.id):
            if progress.batch.done == 1:
                full(application)
    except StoreFull:
        print("full")
    room()
    found = application.batches.get(batch.id)
    assert 1 <= found.done < 4, found
    async for progress in application.batches.run(batch.id):  # in the same process, though it could not give it back
        found = progress.batch
    assert (found.state, found.failed) == (BatchState.DONE, 0), found
    await application.aclose()
    print("ok")

asyncio.run(main())
"""


def run(code: str, folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", COMMON + code, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_answers_given_on_a_full_disk_stand_in_their_places_when_there_is_room(codette_home: Path) -> None:
    assert run(COMPARISON, codette_home) == ["ok"]
    with Store.open(codette_home) as store:
        (kept,) = store.comparisons.list()
        opened = store.comparisons.open(kept.id)
        assert opened is not None
        assert all(opened.answers)
        assert store.check() == []


def test_a_batch_stops_at_a_full_disk_and_goes_on_when_there_is_room(codette_home: Path) -> None:
    assert run(BATCH, codette_home) == ["full", "ok"]
    with Store.open(codette_home) as store:
        assert store.comparisons.count() == 4
        assert store.check() == []
        with store._access.read() as connection:
            assert connection.execute("SELECT count(*) FROM nodes").fetchone()[0] == 4 * 3

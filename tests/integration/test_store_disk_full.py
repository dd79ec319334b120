"""A disk that really refuses to take more: a limit of the operating system on the size of files."""

import subprocess
import sys
from pathlib import Path

import pytest

from codette_desktop.store import Store

ROOT = Path(__file__).parents[2]

CHILD = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.errors import StoreFull
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.store import Store

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
events = []
store = Store.open(Path(sys.argv[1]))
store.failures.on_write_error = lambda error: events.append(type(error).__name__)
store.failures.on_write_ok = lambda: events.append("ok")
made = store.conversations.create("chat").result()
asked = store.conversations.add_message(made.id, None, Message(Role.USER, "q")).result()
generation = Generation("g", "m", "M", "h", "Q8_0", Sampling(), 1, "b", "CPU", datetime.now(UTC))
store.generations.start(made.id, asked.id, generation).result()
store.generations.checkpoint("g", "half").result()
size = store.path.with_name(store.path.name + "-wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, resource.RLIM_INFINITY))
answer = "word " * 50_000
for _ in range(3):
    try:
        store.generations.finish("g", answer, FinishReason.STOP).result()
    except StoreFull:
        events.append("raised")
assert [node.id for node in store.conversations.branch(made.id)] == [asked.id]
assert store.generations.partial_text("g") == "half"
if sys.argv[2] == "space":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.generations.finish("g", answer, FinishReason.STOP).result()
    store.close()
else:
    try:
        store.close()
    except Exception as error:
        events.append(repr(error))
print(*events)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits on the size of files are POSIX")
@pytest.mark.parametrize("then", ["space", "end"])
def test_a_full_disk_loses_nothing_that_was_saved(tmp_path: Path, then: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), then],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    # Each hook runs after its future is done, so the order of the two words is not fixed.
    assert sorted(done.stdout.split()) == sorted(["StoreFull", "raised"] * 3 + (["ok"] if then == "space" else []))
    with Store.open(tmp_path) as store:
        assert store.check() == []
        (conversation,) = store.conversations.list()
        question, answer = store.conversations.branch(conversation.id)
        assert question.message.content == "q"
        assert answer.message.content == ("word " * 50_000 if then == "space" else "half")

"""SIGKILL during an answer, 20 times on one database: what was acknowledged is there."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from codette_desktop.domain.answers import FinishReason
from codette_desktop.store import Store

ROOT = Path(__file__).parents[2]
KILLS = 20

# Imports first and waits to be let go, so that it is killed while it writes and not while it starts.
CHILD = """
import itertools, sys
from datetime import UTC, datetime
from pathlib import Path
from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.store import Store

def say(*words):
    sys.stdout.write(" ".join(words) + "\\n")
    sys.stdout.flush()

name = sys.argv[2]
sys.stdin.readline()
store = Store.open(Path(sys.argv[1]))
conversation = store.conversations.create(name).result()
parent = None
for number in itertools.count():
    node = store.conversations.add_message(conversation.id, parent, Message(Role.USER, f"{name} {number}")).result()
    say("message", node.id)
    id = f"{name}-{number}"
    now = datetime.now(UTC)
    generation = Generation(id, "m", "M", "h", "Q8_0", Sampling(), 1, "b", "CPU", now)
    store.generations.start(conversation.id, node.id, generation).result()
    say("start", id)
    for part in range(1, 6):
        store.generations.checkpoint(id, "word " * part).result()
        say("checkpoint", id, str(part))
    parent = store.generations.finish(id, "word " * 6, FinishReason.STOP).result().id
    say("message", parent)
    say("finish", id)
"""


@contextmanager
def writing(folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", CHILD, str(folder), name]
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with child:
        try:
            yield child
        finally:
            child.kill()


def killed_at_random(child: subprocess.Popen[str], chance: random.Random) -> list[list[str]]:
    """Let the child write for a moment, kill it, and give all it acknowledged."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("go\n")
    child.stdin.flush()
    first = child.stdout.readline()
    assert first, "the child ended before it wrote anything"
    time.sleep(chance.uniform(0.0, 0.1))
    child.kill()
    whole_lines = [line for line in (first + child.stdout.read()).splitlines(keepends=True) if line.endswith("\n")]
    return [line.split() for line in whole_lines]


def test_nothing_acknowledged_is_lost_and_the_running_answer_is_marked(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged: set[str] = set()
    interrupted = 0
    with ExitStack() as children:
        child = children.enter_context(writing(tmp_path, "child0"))
        for number in range(1, KILLS + 1):
            # The next one starts meanwhile, to save its time.
            following = children.enter_context(writing(tmp_path, f"child{number}")) if number < KILLS else child
            acks, child = killed_at_random(child, chance), following
            acknowledged |= {words[1] for words in acks if words[0] == "message"}
            with Store.open(tmp_path) as store:
                assert store.check() == []
                missing = {node_id for node_id in acknowledged if not store.conversations.path_to(node_id)}
                assert missing == set()
                recovered = {node.generation.id: node for node in store.recovered if node.generation}
                begun = [words[1] for words in acks if words[0] == "start"]
                ended = {words[1] for words in acks if words[0] == "finish"}
                for generation_id in begun:
                    generation = store.generations.get(generation_id)
                    assert generation is not None
                    assert generation.reason is not None
                    if generation_id in recovered:
                        assert generation.reason is FinishReason.INTERRUPTED
                        kept = recovered[generation_id].message.content.count("word")
                        parts = [int(words[2]) for words in acks if words[:2] == ["checkpoint", generation_id]]
                        assert max(parts, default=0) <= kept <= 5
                    else:
                        assert generation.reason is FinishReason.STOP
                assert not ended & recovered.keys()
                interrupted += len(recovered)
    assert interrupted >= KILLS // 3, "the kills did not hit answers that were being written"

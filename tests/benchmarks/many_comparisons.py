"""A history with very many comparisons, written by SQL: inserting them one by one through the store takes hours."""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from codette_desktop.domain.comparisons import ComparisonSetup
from codette_desktop.domain.ensembles import Member
from codette_desktop.domain.messages import Message, Role
from codette_desktop.store import ensemble_rows
from codette_desktop.store.access import now_text
from codette_desktop.store.kinds import COMPARISON, SEARCH_IDS

MEMBERS = 2
AT_ONCE = 5_000
SETUP = ComparisonSetup((Member("a", "A", "a"), Member("b", "B", "b")))
WORDS = [
    f"{first}{second}" for first in "bcdfghjklmnprstvwz" for second in ("ando", "emi", "ilo", "otu", "ubra", "yes")
]

_CONVERSATION = """INSERT INTO conversations(seq, id, title, created_at, updated_at, draft, system_prompt, model,
    sampling, kind) VALUES (?, ?, ?, ?, ?, '', '', '', '{}', 'comparison')"""
_MESSAGE = "INSERT INTO messages(id, hash, role, content, search_id) VALUES (?, ?, ?, ?, ?)"
_NODE = """INSERT INTO nodes(seq, id, conversation_id, parent_id, message_id, generation_id, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_GENERATION = """INSERT INTO generations(id, conversation_id, parent_id, session, model, model_label, model_hash,
    quantisation, sampling, engine_build, device, started_at, reason, error)
    VALUES (?, ?, ?, '', 'a', 'A', '', '', '{}', '', '', ?, 'stop', '')"""


def insert(path: Path, most: int, seconds: float) -> int:
    """Insert comparisons of two members, until there are `most` or the time is over; gives how many."""
    chance = random.Random(7)
    end = time.perf_counter() + seconds
    count = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in ("journal_mode = WAL", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -500000"):
            connection.execute(f"PRAGMA {statement}")
        first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM messages").fetchone()[0]
        numbers = iter(range(most))
        while time.perf_counter() < end and (block := list(islice(numbers, AT_ONCE))):
            _insert(connection, block, first, chance)
            count += len(block)
    return count


def _insert(connection: sqlite3.Connection, block: list[int], first: int, chance: random.Random) -> None:
    now, setup = now_text(), ensemble_rows.setup_text(SETUP)
    prompts = [f"prompt {number} common " + _words(chance) for number in block]
    ids = [f"c{number}" for number in block]
    connection.execute("BEGIN")
    seqs = [first + number for number in block]
    connection.executemany(_CONVERSATION, zip(seqs, ids, prompts, [now] * len(ids), [now] * len(ids), strict=True))
    messages = list(_messages(block, prompts, first, chance))
    connection.executemany(_MESSAGE, messages)
    folded = ((search_id, content) for _id, _hash, _role, content, search_id in messages)
    connection.executemany("INSERT INTO message_search(rowid, folded) VALUES (?, ?)", folded)
    connection.executemany(
        "INSERT INTO comparisons(conversation_id, question_id, setup) VALUES (?, ?, ?)",
        [(id_, f"{id_}q", setup) for id_ in ids],
    )
    nodes, generations, answers = [], [], []
    for id_, at in zip(ids, range(0, len(messages), MEMBERS + 1), strict=True):
        seq = messages[at][0]
        nodes.append((seq, f"{id_}q", id_, None, seq, None, now))
        for place in range(MEMBERS):
            generation = f"{id_}g{place}"
            generations.append((generation, id_, f"{id_}q", now))
            nodes.append((seq + place + 1, f"{id_}a{place}", id_, f"{id_}q", seq + place + 1, generation, now))
            answers.append((id_, place, generation))
    connection.executemany(_GENERATION, generations)
    connection.executemany(_NODE, nodes)
    connection.executemany("INSERT INTO comparison_answers VALUES (?, ?, ?)", answers)
    connection.execute("COMMIT")


def _messages(
    block: list[int], prompts: list[str], first: int, chance: random.Random
) -> Iterator[tuple[int, str, str, str, int]]:
    for number, prompt in zip(block, prompts, strict=True):
        texts = [Message(Role.USER, prompt)]
        texts += [
            Message(Role.ASSISTANT, f"answer {number} {place} common {_words(chance)}") for place in range(MEMBERS)
        ]
        for place, message in enumerate(texts):
            id_ = first + number * (MEMBERS + 1) + place
            yield id_, message.hash, message.role.value, message.content, SEARCH_IDS[COMPARISON][0] + id_


def _words(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=8))

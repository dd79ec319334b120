"""Fills a data folder with conversations of random but plausible text."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from codette_desktop.store import Store

WORDS = (
    "model memory answer context token quantisation speed prompt seed layer file the a of and is with for how why what "
    "compare rate tune watch local graphics card processor disk window chat history vote duel rating 模型 память"
).split()
PER_CONVERSATION = 50


def fill(folder: Path, *, messages: int, seed: int = 1) -> None:
    """Add `messages` messages in conversations of at most 50, through the store's own import."""
    chance = random.Random(seed)
    with Store.open(folder) as store:
        template = _exported(store)
        sizes = [min(PER_CONVERSATION, messages - start) for start in range(0, messages, PER_CONVERSATION)]
        futures = [
            store.conversations.import_(_conversation(template, number, size, chance))
            for number, size in enumerate(sizes)
        ]
        for future in futures:
            future.result()


def _exported(store: Store) -> dict[str, Any]:
    """What the store itself exports for an empty conversation: the frame of the ones made here."""
    conversation = store.conversations.create(title="frame").result()
    exported = store.conversations.export(conversation.id)
    store.conversations.delete(conversation.id).result()
    return exported


def _text(chance: random.Random) -> str:
    words = [chance.choice(WORDS) for _ in range(chance.randint(10, 60))]
    if chance.random() < 0.001:
        words.append(f"rare-word-{chance.randint(0, 99_999)}")
    return " ".join(words)


def _conversation(frame: dict[str, Any], number: int, messages: int, chance: random.Random) -> dict[str, Any]:
    """An exported conversation of `messages` messages in one line, an hour after the one before it."""
    moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    nodes: list[dict[str, Any]] = []
    for index in range(messages):
        nodes.append(
            {
                "id": f"{number:08x}{index:08x}",
                "parent_id": nodes[-1]["id"] if nodes else None,
                "role": "assistant" if index % 2 else "user",
                "content": _text(chance),
                "created_at": (moment + timedelta(seconds=index)).isoformat(),
                "generation": None,
            }
        )
    about = {
        **frame["conversation"],
        "id": f"{number:032x}",
        "title": f"Conversation {number}",
        "created_at": moment.isoformat(),
        "updated_at": moment.isoformat(),
        "leaf_id": nodes[-1]["id"],
    }
    return {**frame, "conversation": about, "nodes": nodes}

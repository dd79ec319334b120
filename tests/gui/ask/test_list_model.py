"""The side list's model: headings, pages, a hundred thousand conversations."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.tabs.ask.conversation_model import (
    KEPT_PAGES,
    PAGE,
    ConversationModel,
    ConversationRole,
    HeadingRole,
)
from codette_desktop.gui.tabs.ask.list_delegate import runs
from codette_desktop.store import Store


@pytest.fixture
def store(codette_home: Path) -> Iterator[Store]:
    with Store.open(codette_home) as opened:
        yield opened


def add(store: Store, ages_days: list[float]) -> None:
    """Conversations updated so many days ago."""
    now = datetime.now(UTC)
    sample = store.conversations.create("sample").result()
    moment = sqlite3.connect(store.path).execute("SELECT updated_at FROM conversations").fetchone()[0]
    sampling = json.dumps(asdict(Sampling()))
    rows = []
    for number, age in enumerate(ages_days):
        then = (now - timedelta(days=age)).strftime("%Y-%m-%dT%H:%M:%S.%f")
        rows.append(
            (f"c{number}", f"Conversation {number}", then[:19] + moment[19:], then[:19] + moment[19:], sampling)
        )
    connection = sqlite3.connect(store.path)
    with connection:
        connection.execute("DELETE FROM conversations WHERE id = ?", (sample.id,))
        connection.executemany(
            """INSERT INTO conversations(id, title, created_at, updated_at, draft, system_prompt, model, sampling)
               VALUES (?, ?, ?, ?, '', '', '', ?)""",
            rows,
        )
    connection.close()


def shown(model: ConversationModel) -> list[str]:
    return [
        f"[{model.data(index)}]" if model.data(index, HeadingRole) else model.data(index)
        for index in (model.index(row) for row in range(model.rowCount()))
    ]


def test_headings_stand_above_their_groups(store: Store) -> None:
    add(store, [0, 0, 1, 4, 6, 30, 400])
    model = ConversationModel(store.conversations)
    model.reload()
    titles = shown(model)
    assert [text for text in titles if text.startswith("[")] == [
        "[Today]",
        "[Yesterday]",
        "[Previous 7 days]",
        "[Older]",
    ]
    assert titles.index("[Older]") == len(titles) - 3
    assert len(titles) == 11


def test_an_empty_store_shows_nothing(store: Store) -> None:
    model = ConversationModel(store.conversations)
    model.reload()
    assert model.rowCount() == 0


def test_a_hundred_thousand_conversations_open_at_once_and_few_are_held(store: Store) -> None:
    add(store, [number / 500 for number in range(100_000)])
    model = ConversationModel(store.conversations)
    model.reload()
    model.data(model.index(1), ConversationRole)
    assert model.rowCount() == 100_004
    for row in range(0, 100_000, 1_000):
        assert model.data(model.index(row + 5)) is not None
    assert len(model._pages) <= KEPT_PAGES
    assert PAGE * KEPT_PAGES < 5_000


@pytest.mark.parametrize(
    ("snippet", "expected"),
    [
        ("a \x02word\x03 b", [("a ", False), ("word", True), (" b", False)]),
        ("\x02one\x03\x02two\x03", [("one", True), ("two", True)]),
        ("no marks", [("no marks", False)]),
        ("", []),
    ],
)
def test_marks_become_runs(snippet: str, expected: list[tuple[str, bool]]) -> None:
    assert runs(snippet) == expected

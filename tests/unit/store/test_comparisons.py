"""Comparisons: everything comes back, whatever newer versions add, and chats never see them."""

import json
import sqlite3
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.comparisons import ComparisonSetup, OpenedComparison, Origin
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.ensembles import Choice, Member, Method, Outcome
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.joint import JointToken
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.store import Store, migrations

MEMBERS = (
    Member("a?seed=7", "A · seed 7", "a", sampling=Sampling(seed=7, stop=("\n", "Ende"), temperature=0.0)),
    Member(
        "b#devops", "B · DevOps", "b+tone@0.5", "devops", "You are \ud83d\ude80 sure.", Sampling(grammar="root ::= [a]")
    ),
)
SETUP = ComparisonSetup(MEMBERS, Method.HYBRID, AnswerKind.NUMBER, "judge", 30.5)
OUTCOME = Outcome(
    method=Method.HYBRID,
    used=Method.WEIGHTED,
    text="42 \u2028 é",
    winner=1,
    agreement=0.25,
    quality=0.75,
    tally=(Choice("42", (0, 1), 0.9), Choice("41", (), 0.1)),
    weights=(0.4, 0.6),
    likeness=((1.0, 0.5), (0.5, 1.0)),
    reasons=("one", "two"),
    disagree=True,
    alternatives=(0,),
    judge="judge",
    tokens=(JointToken("4", 0.5, (0,), 2, fused=True), JointToken("2", 1.0, ())),
    kind=AnswerKind.NUMBER,
    seconds=1.5,
)


def kept(
    store: Store, prompt: str = "How much is it?", setup: ComparisonSetup = SETUP, **more: Any
) -> OpenedComparison:
    return store.comparisons.create(prompt, setup, **more).result()


def answered(store: Store, opened: OpenedComparison, place: int, text: str, generation: Generation) -> None:
    id_, made = opened.comparison.id, replace(generation, id=f"{opened.comparison.id}-{place}-{text}")
    store.generations.start(id_, opened.question.id, made).result()
    store.comparisons.begin_answer(id_, place, made.id).result()
    store.generations.finish(made.id, text, FinishReason.STOP).result()


def changed(store: Store, column: str, change: Any) -> None:
    """What a newer version might have written."""
    with closing(sqlite3.connect(store.path)) as connection, connection:
        (text,) = connection.execute(f"SELECT {column} FROM comparisons").fetchone()
        connection.execute(f"UPDATE comparisons SET {column} = ?", (json.dumps(change(json.loads(text))),))


def chat(store: Store, text: str) -> str:
    made = store.conversations.create().result()
    store.conversations.add_message(made.id, None, Message(Role.USER, text)).result()
    return made.id


def test_setup_and_outcome_come_back_with_every_field(store: Store) -> None:
    for example in (SETUP, OUTCOME, *OUTCOME.tally[:1], *OUTCOME.tokens[:1]):
        left = [item.name for item in fields(example) if getattr(example, item.name) == item.default]
        assert left == [], "the examples must differ from what is left out"
    opened = kept(store, origin=Origin("chat", "leaf"))
    store.comparisons.set_outcome(opened.comparison.id, OUTCOME).result()
    store.comparisons.choose(opened.comparison.id, 1).result()
    found = store.comparisons.get(opened.comparison.id)
    assert found is not None
    system = replace(MEMBERS[1], system="You are \U0001f680 sure.")
    assert found.setup == replace(SETUP, members=(MEMBERS[0], system))
    assert (found.outcome, found.chosen, found.origin) == (OUTCOME, 1, Origin("chat", "leaf"))
    store.comparisons.set_outcome(opened.comparison.id, None).result()
    store.comparisons.choose(opened.comparison.id, None).result()
    found = store.comparisons.get(opened.comparison.id)
    assert found is not None
    assert (found.outcome, found.chosen) == (None, None)


def test_figures_that_json_does_not_know_become_zero(store: Store) -> None:
    id_ = kept(store).comparison.id
    strange = replace(OUTCOME, quality=float("nan"), weights=(float("inf"), 0.5), likeness=((float("-inf"),),))
    store.comparisons.set_outcome(id_, strange).result()
    found = store.comparisons.get(id_)
    assert found is not None
    assert found.outcome == replace(OUTCOME, quality=0.0, weights=(0.0, 0.5), likeness=((0.0,),))


def test_what_newer_versions_add_is_ignored(store: Store) -> None:
    id_ = kept(store).comparison.id
    store.comparisons.set_outcome(id_, OUTCOME).result()

    def newer(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: newer(item) for key, item in value.items()} | {"newer": 1}
        return [newer(item) for item in value] if isinstance(value, list) else value

    changed(store, "setup", newer)
    changed(store, "outcome", newer)
    found = store.comparisons.get(id_)
    assert found is not None
    assert (found.outcome, found.setup.members[0], found.setup.budget_s) == (OUTCOME, MEMBERS[0], 30.5)
    changed(store, "setup", lambda value: value | {"method": "oracle", "kind": "poem"})
    changed(store, "outcome", lambda value: value | {"used": "oracle", "kind": "poem"})
    found = store.comparisons.get(id_)
    assert found is not None
    assert found.outcome is not None
    assert (found.setup.method, found.setup.kind) == (Method.NONE, None)
    assert (found.outcome.used, found.outcome.kind) == (Method.NONE, None)


def test_what_an_older_version_left_out_has_its_default(store: Store) -> None:
    id_ = kept(store).comparison.id
    changed(store, "setup", lambda value: {"members": [{"spec": "a", "label": "A", "model": "a"}]})
    found = store.comparisons.get(id_)
    assert found is not None
    assert found.setup == ComparisonSetup((Member("a", "A", "a"),))


def test_the_answers_stand_in_their_members_places(store: Store, generation: Generation) -> None:
    opened = kept(store)
    assert opened.answers == (None, None)
    answered(store, opened, 1, "second", generation)
    answered(store, opened, 0, "first", generation)
    answered(store, opened, 1, "second again", generation)
    found = store.comparisons.open(opened.comparison.id)
    assert found is not None
    assert [node and node.message.content for node in found.answers] == ["first", "second again"]
    assert found.question.message == Message(Role.USER, "How much is it?")


def test_the_prompt_of_a_list_is_one_short_line_and_the_question_is_whole(store: Store) -> None:
    prompt = "word\n\n" * 1000 + "\0"
    opened = kept(store, prompt)
    assert opened.comparison.prompt == ("word " * 40)[:199].rstrip() + "…"
    assert opened.question.message.content == "word\n\n" * 1000 + "\ufffd"


def test_lists_and_search_keep_chats_and_comparisons_apart(store: Store, generation: Generation) -> None:
    talk = chat(store, "walnut in a chat")
    opened = kept(store, "hazelnut in a comparison")
    answered(store, opened, 0, "a walnut and more", generation)
    assert [item.id for item in store.conversations.list()] == [talk]
    assert [item.id for item in store.comparisons.list()] == [opened.comparison.id]
    assert (store.conversations.count(), store.comparisons.count()) == (1, 1)
    for words, chats, comparisons in (("walnut", 1, 1), ("hazel", 0, 1), ("chat", 1, 0), ("\x01", 0, 0), ("in", 1, 1)):
        assert len(store.conversations.search(words)) == chats, words
        assert [item.id for item in store.comparisons.search(words)] == [opened.comparison.id] * comparisons, words
    assert store.comparisons.get(talk) is None
    assert store.comparisons.open(talk) is None


def test_a_message_said_in_both_is_found_in_both(store: Store) -> None:
    talk = chat(store, "the very same words")
    opened = kept(store, "the very same words")
    assert [hit.conversation.id for hit in store.conversations.search("same words")] == [talk]
    assert [item.id for item in store.comparisons.search("same words")] == [opened.comparison.id]


def test_a_message_of_a_comparison_that_is_said_in_a_chat_later_is_found_in_both(store: Store) -> None:
    opened = kept(store, "the very same words")
    talk = chat(store, "the very same words")
    kept(store, "the very same words, and others")
    assert [hit.conversation.id for hit in store.conversations.search("same words")] == [talk]
    assert {item.id for item in store.comparisons.search("very same words")} >= {opened.comparison.id}
    store.conversations.delete(talk).result()
    store.conversations.purge_deleted(datetime.now(UTC)).result()
    assert len(store.comparisons.search("very same words")) == 2
    assert store.check() == []


def test_the_newest_comparison_is_found_first(store: Store) -> None:
    made = [kept(store, f"prompt {number}").comparison.id for number in range(20)]
    assert [item.id for item in store.comparisons.search("prompt", 5)] == made[:-6:-1]


def test_many_comparisons_do_not_hide_a_chat_from_search(store: Store) -> None:
    talk = chat(store, "an ordinary word")
    for write in [store.comparisons.create(f"prompt {number} with a word", SETUP) for number in range(3_200)]:
        write.result()
    assert [hit.conversation.id for hit in store.conversations.search("word")] == [talk]


def test_a_deleted_comparison_comes_back_until_it_is_purged(store: Store, generation: Generation) -> None:
    opened = kept(store, "gone")
    id_ = opened.comparison.id
    answered(store, opened, 0, "an answer", generation)
    store.conversations.delete(id_).result()
    assert store.comparisons.list() == []
    assert store.comparisons.search("gone") == []
    assert store.comparisons.open(id_) is None
    assert store.conversations.purge_deleted(datetime.now(UTC) - timedelta(days=1)).result() == 0
    store.conversations.restore(id_).result()
    found = store.comparisons.open(id_)
    assert found is not None
    assert [node and node.message.content for node in found.answers] == ["an answer", None]

    store.conversations.delete(id_).result()
    assert store.conversations.purge_deleted(datetime.now(UTC)).result() == 1
    assert store.check() == []
    with store._access.read() as connection:
        for table in ("conversations", "comparisons", "comparison_answers", "nodes", "generations", "messages"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0, table
    with pytest.raises(StoreError, match="no longer exists"):
        store.comparisons.choose(id_, 0).result()


def test_removing_one_that_is_not_there_is_no_error(store: Store) -> None:
    opened = kept(store)
    store.comparisons.remove(opened.comparison.id).result()
    store.comparisons.remove(opened.comparison.id).result()
    assert store.comparisons.count() == 0


def as_1_6(folder: Path) -> None:
    """A database as version 1.6 wrote it, with three chats."""
    with closing(sqlite3.connect(folder / "codette.sqlite3")) as connection, connection:
        migrations.registered().apply(Database(connection, execute_plugins=False), stop_before="m007_member_standings")
        connection.execute(f"PRAGMA user_version = {1 << 16 | 6}")
        for at in range(3):
            message = Message(Role.USER, f"walnut {at}")
            when = f"2026-01-0{at + 1}T00:00:00.000000+00:00"
            connection.execute(
                """INSERT INTO conversations(id, title, created_at, updated_at, draft, system_prompt, model, sampling)
                   VALUES (?1, ?1, ?2, ?2, 'draft', '', 'm', '{}')""",
                (f"chat {at}", when),
            )
            connection.execute("INSERT INTO title_search(rowid, folded) VALUES (?, ?)", (at + 1, f" chat {at} "))
            connection.execute("INSERT INTO message_search(rowid, folded) VALUES (?, ?)", (at + 1, f" walnut {at} "))
            sql = "INSERT INTO messages(hash, role, content, search_id) VALUES (?, ?, ?, ?)"
            connection.execute(sql, (message.hash, "user", message.content, at + 1))
            sql = "INSERT INTO nodes(id, conversation_id, message_id, created_at) VALUES (?, ?, ?, ?)"
            connection.execute(sql, (f"node {at}", f"chat {at}", at + 1, when))
            connection.execute("UPDATE conversations SET leaf_id = ? WHERE id = ?", (f"node {at}", f"chat {at}"))


def test_a_database_of_version_1_6_keeps_its_chats(tmp_path: Path) -> None:
    as_1_6(tmp_path)
    with Store.open(tmp_path) as store:
        assert [item.title for item in store.conversations.list()] == ["chat 2", "chat 1", "chat 0"]
        assert len(store.conversations.search("walnut")) == 3
        assert [node.message.content for node in store.conversations.branch("chat 1")] == ["walnut 1"]
        assert store.comparisons.list() == []
        kept(store, "walnut")
        assert (store.conversations.count(), store.comparisons.count()) == (3, 1)
        assert [hit.conversation.id for hit in store.conversations.search("chat 1")] == ["chat 1"]
        assert store.check() == []
    assert len(list((tmp_path / "backups").iterdir())) == 1

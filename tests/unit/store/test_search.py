"""Search through titles and messages."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codette_desktop.domain.messages import Message, Role
from codette_desktop.store import Store


def conversation(store: Store, title: str, *texts: str) -> str:
    made = store.conversations.create(title).result()
    parent = None
    for text in texts:
        parent = store.conversations.add_message(made.id, parent, Message(Role.USER, text)).result().id
    return made.id


def titles(store: Store, text: str, limit: int = 50) -> list[str]:
    return [hit.conversation.title for hit in store.conversations.search(text, limit)]


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("The quick brown fox", "quick bro"),
        ("Crème brûlée für Åsa", "creme asa"),
        ("Creme fraiche", "crème"),
        ("今日は東京の天気がいいです", "東京"),
        ("今日は東京の天気がいいです", "天気が"),
        ("機械学習入門", "習"),
        ("한국어를 공부합니다", "한국"),
        ("ภาษาไทยง่ายมาก", "ไทย"),
        ("हिन्दी में लिखा", "हिन्दी"),
        ("Привет, мир", "ПРИВЕТ ми"),
        ("שָׁלוֹם עולם", "שלום"),
        ("مَرْحَبًا بالعالم", "مرحبا"),
        ("Ship it 🚀 today", "🚀"),
        ("call parse_header() twice", "header"),
        ("use a => b here", "=>"),
        ("50% of C++ code", "c++ 50%"),
    ],
)
def test_words_are_found_in_any_script(store: Store, text: str, typed: str) -> None:
    wanted = conversation(store, "wanted", "something else", text)
    conversation(store, "other", "nothing of the kind")
    hits = store.conversations.search(typed)
    assert [hit.conversation.id for hit in hits] == [wanted]
    assert "\x02" in hits[0].snippet
    assert hits[0].node_id == store.conversations.branch(wanted)[1].id


def test_all_words_must_occur_and_only_the_last_is_a_beginning(store: Store) -> None:
    conversation(store, "a", "alphabet soup")
    assert titles(store, "alphabet sou") == ["a"]
    assert titles(store, "alpha soup") == []
    assert titles(store, "soup salad") == []


def test_titles_come_first_and_each_conversation_once(store: Store) -> None:
    by_title = conversation(store, "Rust lifetimes", "no word of it")
    both = conversation(store, "More rust", "rust rust", "rust again")
    by_text = conversation(store, "Other", "some rust", "newer rust")
    hits = store.conversations.search("rust")
    assert [hit.conversation.id for hit in hits] == [both, by_title, by_text]
    assert hits[1].node_id is None
    assert hits[1].snippet == "\x02Rust\x03 lifetimes"
    assert hits[2].node_id == store.conversations.branch(by_text)[1].id
    assert titles(store, "rust", limit=2) == ["More rust", "Rust lifetimes"]
    assert titles(store, "rust", limit=0) == []


def test_a_message_said_again_is_as_new_as_its_last_time(store: Store) -> None:
    conversation(store, "old", "hello there")
    conversation(store, "middle", "hello you")
    conversation(store, "new", "hello there")
    assert titles(store, "hello", limit=1) == ["new"]
    assert sorted(titles(store, "hello there")) == ["new", "old"]


def test_a_new_title_replaces_the_old_one_in_the_index(store: Store) -> None:
    made = conversation(store, "before")
    store.conversations.rename(made, "after").result()
    assert titles(store, "before") == []
    assert titles(store, "after") == ["after"]


def test_deleted_conversations_are_not_found(store: Store) -> None:
    made = conversation(store, "secret title", "secret text")
    store.conversations.delete(made).result()
    assert titles(store, "secret") == []
    store.conversations.restore(made).result()
    assert titles(store, "secret") == ["secret title"]


def test_answers_are_found_after_they_ended(store: Store) -> None:
    made = conversation(store, "q", "question")
    parent = store.conversations.branch(made)[0].id
    store.conversations.add_message(made, parent, Message(Role.ASSISTANT, "the answer is platypus")).result()
    assert titles(store, "platyp") == ["q"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec=None, exclude_categories=())) | st.text('"*()^:-+ANDORNEAR{} \0', max_size=20))
def test_any_text_may_be_typed(store: Store, typed: str) -> None:
    store.conversations.search(typed)

"""Experiments and duels: everything comes back, nobody else sees them, and deletion leaves the votes alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from codette_desktop.domain.comparisons import ComparisonSetup
from codette_desktop.domain.duels import Ending
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.votes import Contestant, Preference
from codette_desktop.store import Store
from codette_desktop.store.kinds import COMPARISON, DUEL, SEARCH_IDS
from tests.support.voting import ADA, BOB, CYD, duel, experiment, generation, vote_on


def test_a_contestant_is_known_by_its_key_whatever_it_is_called(store: Store) -> None:
    assert store.contestants.put(ADA).result() == ADA
    store.contestants.put(BOB).result()
    assert store.contestants.put(Contestant(ADA.key, "Somebody of whom little is known")).result() == ADA
    renamed = replace(ADA, label="Ada, renamed", spec="ada-2", members=(replace(ADA.members[0], model="ada-2"),))
    assert store.contestants.put(renamed).result() == renamed
    assert store.contestants.put(ADA).result() == ADA
    assert store.contestants.all() == [ADA, BOB]
    assert store.contestants.get(BOB.key) == BOB
    assert store.contestants.get("x") is None


def test_an_experiment_comes_back_with_every_field_and_ends_once(store: Store) -> None:
    made = experiment(store, CYD, ADA)
    assert made.contestants == (CYD, ADA)
    assert made.prompts == ("How much?", "Why \U0001f680?")
    assert (made.rule.most_votes, made.rule.alpha, made.rule.margin) == (50, 0.01, None)
    other = experiment(store)
    assert store.experiments.list() == [replace(item, prompts=()) for item in (other, made)]
    ended = store.experiments.end(made.id, Ending.SETTLED).result()
    assert ended.ending is Ending.SETTLED
    assert ended.ended_at is not None
    assert store.experiments.get(made.id) == ended
    with pytest.raises(StoreError, match="ended already"):
        store.experiments.end(made.id, Ending.STOPPED).result()
    with pytest.raises(StoreError, match="no longer exists"):
        store.experiments.end("x", Ending.STOPPED).result()


def test_a_duel_comes_back_with_every_field(store: Store) -> None:
    of = experiment(store)
    made = duel(store, of)
    assert (made.left, made.right) == (ADA, BOB)
    assert (made.question.message.content, made.question.message.role) == ("How much?", Role.USER)
    assert [node.message.content for node in (made.left_answer, made.right_answer)] == ["42", "43"]
    assert made.left_answer.generation is not None
    assert (made.left_answer.generation.seed, made.seed, made.swapped, made.task) == (7, 5, True, "code")
    assert (made.leaks, made.voted, made.identical) == (("I am Ada",), False, False)
    assert made.left_answer.parent_id == made.right_answer.parent_id == made.question.id
    assert store.duels.open(made.id) == made
    assert store.duels.open("x") is None
    assert store.duels.asked(of.id) == {(frozenset((ADA.key, BOB.key)), made.question.message.hash)}
    assert store.check() == []


def test_a_duel_is_kept_whole_or_not_at_all(store: Store) -> None:
    of = experiment(store)
    same = generation("same")
    with pytest.raises(StoreError):
        store.duels.create(of.id, "q", ADA, BOB, (("1", same), ("2", same)), seed=1, swapped=False).result()
    with pytest.raises(StoreError, match="experiment no longer exists"):
        store.duels.create("x", "q", ADA, BOB, (("1", same), ("2", same)), seed=1, swapped=False).result()
    assert store.duels.waiting(of.id) == []
    with store._access.read() as connection:
        assert connection.execute("SELECT count(*) FROM nodes").fetchone()[0] == 0


def test_the_oldest_duel_waits_at_the_front_until_it_is_voted_on(store: Store) -> None:
    of, other = experiment(store), experiment(store)
    made = [duel(store, of, prompt) for prompt in ("one", "two", "three")]
    duel(store, other)
    assert [item.id for item in store.duels.waiting(of.id)] == [item.id for item in made]
    assert [item.id for item in store.duels.waiting(of.id, 2)] == [item.id for item in made[:2]]
    store.votes.cast(vote_on(made[0])).result()
    assert [item.id for item in store.duels.waiting(of.id)] == [item.id for item in made[1:]]
    assert store.duels.count_waiting(of.id) == 2
    found = store.duels.open(made[0].id)
    assert found is not None
    assert found.voted
    store.duels.discard(made[1].id).result()
    store.duels.discard(made[1].id).result()
    with pytest.raises(StoreError, match="voted on"):
        store.duels.discard(made[0].id).result()
    assert [item.id for item in store.duels.waiting(of.id)] == [made[2].id]
    assert len(store.duels.asked(of.id)) == 2
    assert store.check() == []


def test_duels_are_in_no_list_and_no_search(store: Store) -> None:
    of = experiment(store)
    made = duel(store, of, "a walnut in a duel", ("hazel walnut", "other"))
    assert store.conversations.list() == []
    assert (store.conversations.count(), store.comparisons.count()) == (0, 0)
    assert store.comparisons.list() == []
    assert store.conversations.search("walnut") == []
    assert store.comparisons.search("walnut") == []
    assert store.comparisons.open(made.id) is None
    talk = store.conversations.create().result()
    store.conversations.add_message(talk.id, None, Message(Role.USER, "hazel walnut")).result()
    duel(store, of, "hazel walnut", ("hazel walnut", "hazel walnut"))
    assert [hit.conversation.id for hit in store.conversations.search("walnut")] == [talk.id]
    assert store.check() == []


def search_ids(store: Store) -> dict[str, int]:
    with store._access.read() as connection:
        return dict(map(tuple, connection.execute("SELECT role || content, search_id FROM messages").fetchall()))


def test_messages_of_duels_are_read_for_no_search_until_they_are_said_elsewhere(store: Store) -> None:
    of = experiment(store)
    for _ in range(2):
        duel(store, of, "walnut", ("almond", "hazel"))
    low, high = SEARCH_IDS[DUEL]
    assert all(low <= number <= high for number in search_ids(store).values())
    setup = ComparisonSetup(ADA.members)
    compared = store.comparisons.create("walnut", setup).result().comparison.id
    talk = store.conversations.create().result()
    store.conversations.add_message(talk.id, None, Message(Role.ASSISTANT, "almond")).result()
    duel(store, of, "walnut", ("almond", "pecan"))
    found = search_ids(store)
    assert SEARCH_IDS[COMPARISON][0] <= found["userwalnut"] <= SEARCH_IDS[COMPARISON][1]
    assert found["assistantalmond"] > 0
    assert [item.id for item in store.comparisons.search("walnut")] == [compared]
    assert [hit.conversation.id for hit in store.conversations.search("almond")] == [talk.id]
    with store._access.read() as connection:
        rows = connection.execute("SELECT count(*), count(DISTINCT rowid) FROM message_search").fetchone()
    assert tuple(rows) == (len(found), len(found))
    assert store.check() == []


def test_a_deleted_experiment_comes_back_whole_until_it_is_purged(store: Store) -> None:
    of = experiment(store)
    voted, waiting = duel(store, of, "one", ("1", "2")), duel(store, of, "two", ("3", "4"))
    cast = store.votes.cast(vote_on(voted, Preference.TIE)).result()
    store.experiments.delete(of.id).result()
    assert store.experiments.list() == []
    assert store.experiments.get(of.id) is None
    assert store.duels.waiting(of.id) == []
    assert store.duels.open(voted.id) is None
    assert (store.votes.texts(cast).prompt, store.votes.texts(cast).left) == ((), None)
    store.conversations.purge_deleted(datetime.now(UTC) - timedelta(days=30)).result()
    store.experiments.restore(of.id).result()
    assert [item.id for item in store.duels.waiting(of.id)] == [waiting.id]

    store.experiments.delete(of.id).result()
    store.conversations.purge_deleted(datetime.now(UTC)).result()
    with store._access.read() as connection:
        for table in ("conversations", "duels", "nodes", "generations", "messages", "message_search"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0, table
    kept = store.votes.get(cast.id)
    assert kept is not None
    assert (kept.left.message_hash, kept.prompt_hash) == (cast.left.message_hash, cast.prompt_hash)
    assert (kept.left.node_id, kept.duel_id) == ("", voted.id)
    assert store.votes.tally().outcome == [0.5]
    assert store.votes.take_back(cast.id).result().taken_back_at is not None
    with pytest.raises(StoreError, match="no longer exists"):
        store.experiments.restore(of.id).result()
    with store._access.read() as connection:  # its rule stays, for the audit trail, and none of its words
        row = connection.execute("SELECT question, prompts FROM experiments").fetchone()
    assert tuple(row) == ("", "[]")
    assert store.audit.verify().whole
    assert store.check() == []

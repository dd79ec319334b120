"""The list of conversations and their trees."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from codette_desktop.domain.conversations import Node
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.store import Store


def say(store: Store, conversation_id: str, parent: Node | None, text: str, role: Role = Role.USER) -> Node:
    return store.conversations.add_message(conversation_id, parent.id if parent else None, Message(role, text)).result()


def rows(store: Store, table: str) -> int:
    with store._access.read() as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_a_new_conversation_is_listed_with_what_it_was_given(store: Store) -> None:
    made = store.conversations.create(
        "Title", draft="dra", system_prompt="Be kind.", model="guide-s", sampling=Sampling(top_k=7, stop=("x",))
    ).result()
    assert made.sampling == Sampling(top_k=7, stop=("x",))
    assert (made.draft, made.system_prompt, made.model, made.leaf_id) == ("dra", "Be kind.", "guide-s", None)
    assert store.conversations.get(made.id) == made
    assert store.conversations.list() == [made]
    assert store.conversations.count() == 1


def test_the_last_updated_conversation_comes_first(store: Store) -> None:
    first, second, third = (store.conversations.create(name).result() for name in "abc")
    say(store, second.id, None, "hello")
    assert [item.title for item in store.conversations.list()] == ["b", "c", "a"]
    store.conversations.set_draft(first.id, "text").result()
    store.conversations.rename(third.id, "z").result()
    assert [item.title for item in store.conversations.list()] == ["b", "z", "a"]
    assert [item.title for item in store.conversations.list(limit=1, offset=1)] == ["z"]


def test_settings_that_are_not_given_stay(store: Store) -> None:
    made = store.conversations.create(system_prompt="old", model="m").result()
    store.conversations.set_settings(made.id, system_prompt="").result()
    store.conversations.set_settings(made.id, sampling=Sampling(temperature=0.0)).result()
    now = store.conversations.get(made.id)
    assert now is not None
    assert (now.system_prompt, now.model, now.sampling) == ("", "m", Sampling(temperature=0.0))


def test_a_deleted_conversation_comes_back_until_it_is_purged(store: Store) -> None:
    made = store.conversations.create("gone").result()
    node = say(store, made.id, None, "a word nobody else says")
    store.conversations.delete(made.id).result()
    assert store.conversations.list() == []
    assert store.conversations.get(made.id) is None
    assert store.conversations.purge_deleted(datetime.now(UTC) - timedelta(days=1)).result() == 0
    store.conversations.restore(made.id).result()
    assert store.conversations.branch(made.id) == [node]


def test_purging_removes_what_only_the_conversation_held(store: Store) -> None:
    kept, gone = (store.conversations.create(name).result() for name in ("kept", "gone"))
    say(store, kept.id, None, "shared")
    say(store, gone.id, say(store, gone.id, None, "shared"), "secret")
    store.conversations.delete(gone.id).result()
    assert store.conversations.purge_deleted(datetime.now(UTC)).result() == 1
    assert [rows(store, name) for name in ("conversations", "nodes", "messages", "message_search", "title_search")] == [
        1,
        1,
        1,
        1,
        1,
    ]
    assert [hit.conversation.id for hit in store.conversations.search("shared")] == [kept.id]
    with pytest.raises(StoreError, match="no longer exists"):
        store.conversations.restore(gone.id).result()
    assert store.check() == []


def test_purging_a_long_conversation_is_not_limited_by_the_depth_of_its_tree(store: Store) -> None:
    made = store.conversations.create().result()
    say(store, made.id, None, "0")
    data = store.conversations.export(made.id)
    data["conversation"] |= {"id": "long", "leaf_id": "1199"}
    data["nodes"] = [
        data["nodes"][0] | {"id": str(number), "parent_id": str(number - 1) if number else None}
        for number in range(1200)
    ]
    made = store.conversations.import_(data).result()
    assert len(store.conversations.branch(made.id)) == 1200
    store.conversations.delete(made.id).result()
    store.conversations.purge_deleted(datetime.now(UTC)).result()
    assert rows(store, "nodes") == 1


def test_equal_messages_are_stored_once(store: Store) -> None:
    made = store.conversations.create().result()
    for _ in range(3):
        say(store, made.id, None, "same")
    say(store, made.id, None, "same", Role.ASSISTANT)
    assert rows(store, "nodes") == 4
    assert rows(store, "messages") == 2


def test_siblings_are_in_order_of_creation_and_the_branch_walks_between_them(store: Store) -> None:
    made = store.conversations.create().result()
    question = say(store, made.id, None, "q")
    one, two = (say(store, made.id, question, text, Role.ASSISTANT) for text in ("one", "two"))
    deeper = say(store, made.id, one, "and then?")
    branch = store.conversations.branch(made.id)
    assert [node.id for node in branch] == [question.id, one.id, deeper.id]
    assert branch[1].sibling_ids == (one.id, two.id)
    assert branch[0].sibling_ids == (question.id,)
    assert store.conversations.select_leaf_under(two.id).result() == two.id
    assert [node.id for node in store.conversations.branch(made.id)] == [question.id, two.id]
    assert store.conversations.select_leaf_under(one.id).result() == deeper.id
    assert [node.id for node in store.conversations.path_to(two.id)] == [question.id, two.id]
    assert [node.id for node in store.conversations.branch(made.id, last=2)] == [one.id, deeper.id]


def test_an_edited_first_message_is_a_sibling_without_a_parent(store: Store) -> None:
    made, other = store.conversations.create().result(), store.conversations.create().result()
    say(store, other.id, None, "elsewhere")
    first, edited = say(store, made.id, None, "a"), say(store, made.id, None, "b")
    assert edited.sibling_ids == (first.id, edited.id)


def test_a_message_cannot_be_added_where_its_parent_is_not(store: Store) -> None:
    made, other = store.conversations.create().result(), store.conversations.create().result()
    foreign = say(store, other.id, None, "x")
    for parent in (foreign.id, "nowhere"):
        with pytest.raises(StoreError, match="not in this conversation"):
            store.conversations.add_message(made.id, parent, Message(Role.USER, "y")).result()
    with pytest.raises(StoreError, match="no longer exists"):
        store.conversations.add_message("nothing", None, Message(Role.USER, "y")).result()
    with pytest.raises(StoreError, match="no longer exists"):
        store.conversations.select_leaf_under("nothing").result()
    assert store.conversations.branch(made.id) == []


def test_any_text_survives(store: Store, tmp_path: Path) -> None:
    made = store.conversations.create("\ud800 title \0").result()
    node = say(store, made.id, None, "lone \udc80, NUL \0, pair \ud83d\ude80, مرحبا")
    store.conversations.set_draft(made.id, "\udfff").result()
    assert node.message.content == "lone \ufffd, NUL \ufffd, pair 🚀, مرحبا"
    assert store.conversations.list()[0].draft == "\ufffd"


def test_what_was_acknowledged_is_there_after_reopening(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        made = store.conversations.create("kept").result()
        node = say(store, made.id, None, "text")
    with Store.open(tmp_path) as store:
        assert store.conversations.branch(made.id) == [node]


class TreeMachine(RuleBasedStateMachine):
    """The stored tree against a dictionary."""

    nodes = Bundle("nodes")

    @initialize(target=nodes)
    def open(self) -> object:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = Store.open(Path(self.folder.name))
        self.conversation_id = self.store.conversations.create().result().id
        self.parents: dict[str, str | None] = {}
        self.leaf: str | None = None
        return multiple()

    @rule(target=nodes, parent=st.none() | nodes, text=st.sampled_from(["a", "b", "c"]))
    def add(self, parent: str | None, text: str) -> str:
        message = Message(Role.USER, text)
        node = self.store.conversations.add_message(self.conversation_id, parent, message).result()
        self.parents[node.id] = parent
        self.leaf = node.id
        return node.id

    @rule(node=nodes)
    def select(self, node: str) -> None:
        below = [node]
        for candidate in list(self.parents)[list(self.parents).index(node) + 1 :]:
            if self.parents[candidate] in below:
                below.append(candidate)
        self.leaf = self.store.conversations.select_leaf_under(node).result()
        assert self.leaf == below[-1]

    @rule(node=consumes(nodes))
    def copy_and_purge(self, node: str) -> None:
        copy = self.store.conversations.import_(self.store.conversations.export(self.conversation_id)).result()
        assert len(self.store.conversations.branch(copy.id)) == len(self.path())
        self.store.conversations.delete(copy.id).result()
        assert self.store.conversations.purge_deleted(datetime.now(UTC)).result() == 1

    def path(self) -> list[str]:
        found, at = [], self.leaf
        while at is not None:
            found.append(at)
            at = self.parents[at]
        return found[::-1]

    @invariant()
    def branch_is_the_path_to_the_leaf(self) -> None:
        if not hasattr(self, "store"):
            return
        branch = self.store.conversations.branch(self.conversation_id)
        assert [node.id for node in branch] == self.path()
        for node in branch:
            assert list(node.sibling_ids) == [
                id_ for id_, parent in self.parents.items() if parent == self.parents[node.id]
            ]

    def teardown(self) -> None:
        if hasattr(self, "store"):
            assert self.store.check() == []
            self.store.close()
            self.folder.cleanup()


TestTree = TreeMachine.TestCase
TestTree.settings = settings(
    max_examples=6, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

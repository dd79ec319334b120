"""Export and import."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codette_desktop.domain.answers import AnswerFigures, ContextUse, FinishReason
from codette_desktop.domain.conversations import Generation, Node
from codette_desktop.domain.errors import InvalidRequest, StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.store import Store


@pytest.fixture
def exported(store: Store, generation: Generation) -> dict[str, Any]:
    made = store.conversations.create("Ä title", draft="d", system_prompt="s", model="m").result()
    question = store.conversations.add_message(made.id, None, Message(Role.USER, "why? 東京")).result()
    for number in range(2):
        one = replace(generation, id=f"g{number}")
        store.generations.start(made.id, question.id, one).result()
        figures, use = AnswerFigures(1, 2, 3.5, 4.5, 5.5), ContextUse(10, 1, 2, 3)
        store.generations.finish(one.id, f"answer {number}", FinishReason.STOP, figures, use, seed=number).result()
    edited = store.conversations.add_message(made.id, None, Message(Role.USER, "why not?")).result()
    store.conversations.select_leaf_under(question.id).result()
    assert edited.sibling_ids == (question.id, edited.id)
    return store.conversations.export(made.id)


def state(store: Store) -> list[Any]:
    with store._access.read() as connection:
        tables = ("conversations", "nodes", "messages", "generations", "title_search", "message_search")
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]


def unplaced(nodes: list[Node]) -> list[Any]:
    def of(node: Node) -> Any:
        return node.message, node.created_at, node.generation and replace(node.generation, id="")

    return [of(node) for node in nodes]


def test_an_export_comes_back_the_same_in_another_store(store: Store, exported: dict[str, Any], tmp_path: Path) -> None:
    data = json.loads(json.dumps(exported))
    with Store.open(tmp_path / "other") as other:
        made = other.conversations.import_(data).result()
        assert made == store.conversations.get(made.id)
        assert other.conversations.branch(made.id) == store.conversations.branch(made.id)
        assert other.conversations.export(made.id) == exported
        assert other.conversations.search("東京")[0].conversation == made


def test_importing_beside_the_original_makes_a_copy(store: Store, exported: dict[str, Any]) -> None:
    original = exported["conversation"]["id"]
    made = store.conversations.import_(exported).result()
    assert made.id != original
    assert made.title == "Ä title"
    assert unplaced(store.conversations.branch(made.id)) == unplaced(store.conversations.branch(original))
    assert store.conversations.count() == 2
    assert store.check() == []


def test_an_answer_being_written_is_left_out(store: Store, generation: Generation) -> None:
    made = store.conversations.create().result()
    question = store.conversations.add_message(made.id, None, Message(Role.USER, "q")).result()
    store.generations.start(made.id, question.id, generation).result()
    assert len(store.conversations.export(made.id)["nodes"]) == 1


def test_a_conversation_that_is_not_there_cannot_be_exported(store: Store) -> None:
    with pytest.raises(StoreError, match="no longer exists"):
        store.conversations.export("nothing")


CHANGES: list[tuple[str, Any]] = [
    ("format", "other"),
    ("version", 2),
    ("version", True),
    ("nodes", {}),
    ("nodes.0", 5),
    ("nodes.0.id", ""),
    ("nodes.0.id", "x" * 300),
    ("nodes.0.parent_id", "unknown"),
    ("nodes.1.id", None),
    ("nodes.1.role", "wizard"),
    ("nodes.1.content", 5),
    ("nodes.1.created_at", "yesterday"),
    ("nodes.1.created_at", "0001-01-01T00:00:00+10:00"),
    ("nodes.1.generation", []),
    ("nodes.1.generation.seed", 2**70),
    ("nodes.1.generation.seed", 1.5),
    ("nodes.1.generation.reason", "boredom"),
    ("nodes.1.generation.id", "g1"),
    ("nodes.1.generation.figures.total_ms", "fast"),
    ("nodes.1.generation.figures.total_ms", float("nan")),
    ("nodes.1.generation.figures.prompt_tokens", None),
    ("nodes.1.generation.use.length", 2**64),
    ("conversation", None),
    ("conversation.leaf_id", "unknown"),
    ("conversation.title", None),
    ("conversation.sampling.temperature", "hot"),
    ("conversation.sampling.temperature", float("nan")),
    ("conversation.sampling.temperature", 99),
    ("conversation.sampling.top_k", None),
    ("conversation.sampling.stop", "text"),
    ("conversation.sampling.stop", [5]),
    ("conversation.sampling.stop", [""]),
    ("conversation.sampling.grammar", 5),
]


def changed(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    result = copy.deepcopy(data)
    *way, last = path.split(".")
    at: Any = result
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[int(last) if isinstance(at, list) else last] = value
    return result


@pytest.mark.parametrize(("path", "value"), CHANGES)
def test_a_damaged_file_is_refused_and_changes_nothing(
    store: Store, exported: dict[str, Any], path: str, value: Any
) -> None:
    before = state(store)
    with pytest.raises(InvalidRequest):
        store.conversations.import_(changed(exported, path, value)).result()
    assert state(store) == before


@pytest.mark.parametrize("data", [None, [], "text", 5, {}])
def test_what_is_no_object_is_refused(store: Store, data: Any) -> None:
    with pytest.raises(InvalidRequest):
        store.conversations.import_(data).result()


ODD = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none(), max_size=1) | st.just({})
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_file_is_imported_whole_or_refused_whole(
    store: Store, exported: dict[str, Any], data: st.DataObject
) -> None:
    paths = [path for path, _ in CHANGES] + ["nodes.2.content", "nodes.3.id", "conversation.id", "conversation.draft"]
    odd = exported
    for path in data.draw(st.lists(st.sampled_from([p for p in paths if "." in p]), min_size=1, max_size=3)):
        try:
            odd = changed(odd, path, data.draw(ODD))
        except (TypeError, KeyError, IndexError, ValueError):  # an earlier change took away where this one leads
            continue
    before = state(store)
    try:
        made = store.conversations.import_(odd).result()
    except InvalidRequest:
        assert state(store) == before
    else:
        assert len(store.conversations.export(made.id)["nodes"]) == 4
        json.dumps(store.conversations.export(made.id), allow_nan=False)
    assert store.check() == []

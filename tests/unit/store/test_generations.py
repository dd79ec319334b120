"""Generations from their start to their end, or to what a crash leaves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from codette_desktop.domain.answers import AnswerFigures, ContextUse, FinishReason
from codette_desktop.domain.conversations import Generation, Node
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.store import Store

FIGURES = AnswerFigures(12, 34, 56.5, 78.25, 900.0, 10.0, 3, cached=True)
USE = ContextUse(4096, 5, 6, 7, 1)


@pytest.fixture
def question(store: Store) -> Node:
    made = store.conversations.create("chat").result()
    return store.conversations.add_message(made.id, None, Message(Role.USER, "why?")).result()


def test_a_finished_answer_is_a_node_with_everything_needed_to_make_it_again(
    store: Store, question: Node, generation: Generation
) -> None:
    store.generations.start(question.conversation_id, question.id, generation).result()
    assert store.generations.get(generation.id) == generation
    node = store.generations.finish(
        generation.id, "because", FinishReason.STOP, FIGURES, USE, seed=2**32 - 2, device="GPU 0"
    ).result()
    assert node.message == Message(Role.ASSISTANT, "because")
    assert node.generation == replace(
        generation, seed=2**32 - 2, device="GPU 0", reason=FinishReason.STOP, figures=FIGURES, use=USE
    )
    assert store.conversations.branch(question.conversation_id) == [question, node]


def test_the_checkpoint_is_kept_while_it_runs(store: Store, question: Node, generation: Generation) -> None:
    store.generations.start(question.conversation_id, question.id, generation).result()
    store.generations.checkpoint(generation.id, "bec\ud800").result()
    assert store.generations.partial_text(generation.id) == "bec\ufffd"
    store.generations.finish(generation.id, "", FinishReason.FAILED, error="out of memory").result()
    store.generations.checkpoint(generation.id, "too late").result()
    assert store.generations.partial_text(generation.id) == ""
    ended = store.generations.get(generation.id)
    assert ended is not None
    assert (ended.reason, ended.error, ended.figures) == (FinishReason.FAILED, "out of memory", None)


def test_an_answer_ends_once(store: Store, question: Node, generation: Generation) -> None:
    store.generations.start(question.conversation_id, question.id, generation).result()
    store.generations.finish(generation.id, "a", FinishReason.STOP).result()
    with pytest.raises(StoreError, match="already ended"):
        store.generations.finish(generation.id, "b", FinishReason.STOP).result()
    with pytest.raises(StoreError, match="already ended"):
        store.generations.finish("unknown", "b", FinishReason.STOP).result()
    assert len(store.conversations.branch(question.conversation_id)) == 2


def test_regenerating_shows_the_new_answer_unless_the_person_walked_away(
    store: Store, question: Node, generation: Generation
) -> None:
    first = _answer(store, question, generation, "one")
    second = _answer(store, question, replace(generation, id="generation-2"), "two")
    assert second.sibling_ids == (first.id, second.id)
    assert store.conversations.branch(question.conversation_id)[-1] == second
    store.generations.start(question.conversation_id, question.id, replace(generation, id="generation-3")).result()
    store.conversations.select_leaf_under(first.id).result()
    store.generations.finish("generation-3", "three", FinishReason.STOP).result()
    assert store.conversations.branch(question.conversation_id)[-1].id == first.id


def _answer(store: Store, question: Node, generation: Generation, text: str) -> Node:
    store.generations.start(question.conversation_id, question.id, generation).result()
    return store.generations.finish(generation.id, text, FinishReason.STOP).result()


def test_an_answer_whose_conversation_is_deleted_still_ends(
    store: Store, question: Node, generation: Generation
) -> None:
    store.generations.start(question.conversation_id, question.id, generation).result()
    store.conversations.delete(question.conversation_id).result()
    store.generations.finish(generation.id, "text", FinishReason.STOP).result()
    store.conversations.restore(question.conversation_id).result()
    assert len(store.conversations.branch(question.conversation_id)) == 2


def test_figures_that_are_not_numbers_are_kept_as_zero(store: Store, question: Node, generation: Generation) -> None:
    store.generations.start(question.conversation_id, question.id, generation).result()
    odd = replace(FIGURES, tokens_per_second=float("nan"), total_ms=float("inf"))
    node = store.generations.finish(generation.id, "x", FinishReason.STOP, odd, USE).result()
    assert node.generation is not None
    assert node.generation.figures == replace(FIGURES, tokens_per_second=0.0, total_ms=0.0)


def test_a_running_answer_of_this_process_is_not_recovered(
    store: Store, question: Node, generation: Generation
) -> None:
    store.generations.start(question.conversation_id, question.id, generation).result()
    assert store.generations.recover() == []


@pytest.mark.parametrize("partial", ["half an ans", ""])
def test_an_answer_left_running_is_interrupted_at_the_next_start(
    tmp_path: Path, generation: Generation, partial: str
) -> None:
    with Store.open(tmp_path) as store:
        made = store.conversations.create().result()
        asked = store.conversations.add_message(made.id, None, Message(Role.USER, "q")).result()
        store.generations.start(made.id, asked.id, generation).result()
        if partial:
            store.generations.checkpoint(generation.id, partial).result()
    with Store.open(tmp_path) as store:
        (node,) = store.recovered
        assert node.message == Message(Role.ASSISTANT, partial)
        assert node.generation == replace(generation, reason=FinishReason.INTERRUPTED)
        assert store.conversations.branch(made.id) == [asked, node]
    with Store.open(tmp_path) as store:
        assert store.recovered == []


def test_conversations_deleted_long_ago_are_purged_at_opening(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        old, recent = store.conversations.create("old").result(), store.conversations.create("recent").result()
        for made, age in ((old, timedelta(days=31)), (recent, timedelta(days=29))):
            store.conversations._update(made.id, deleted_at=(datetime.now(UTC) - age).isoformat()).result()
    with Store.open(tmp_path) as store:
        store.conversations.restore(recent.id).result()
        with pytest.raises(StoreError):
            store.conversations.restore(old.id).result()

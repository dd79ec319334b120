"""Batches: which prompts are left to ask, and who asks them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.comparisons import Batch, BatchState, ComparisonSetup, OpenedComparison
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.ensembles import Member, Method
from codette_desktop.domain.errors import StoreError
from codette_desktop.store import Store

SETUP = ComparisonSetup((Member("a", "A", "a"), Member("b", "B", "b")), Method.VOTE)


@pytest.fixture
def other(tmp_path: Path, store: Store) -> Iterator[Store]:
    """The same folder opened once more: another session, as that of another process."""
    with Store.open(tmp_path) as opened:
        yield opened


def made(store: Store, prompts: int = 3) -> Batch:
    return store.batches.create("file.csv", [f"prompt {number}" for number in range(prompts)], SETUP).result()


def asked(store: Store, batch: Batch, place: int) -> OpenedComparison:
    prompt = store.batches.prompts(batch.id)[place].prompt
    return store.comparisons.create(prompt, SETUP, batch_id=batch.id, place=place).result()


def finish(store: Store, batch: Batch, place: int, *, failed: bool = False) -> Batch:
    return store.batches.finish_prompt(batch.id, place, failed=failed, seconds=2.0).result()


def states(store: Store, batch: Batch) -> list[str]:
    return [item.state for item in store.batches.prompts(batch.id)]


def test_a_batch_comes_back_as_it_was_made(store: Store) -> None:
    batch = store.batches.create("a\0b", ["one", "two\ud800", " three\n"], SETUP).result()
    assert store.batches.get(batch.id) == batch
    assert (batch.name, batch.setup, batch.state, batch.prompts) == ("a\ufffdb", SETUP, BatchState.PAUSED, 3)
    assert (batch.done, batch.failed, batch.seconds, batch.remaining_s) == (0, 0, 0.0, None)
    assert [item.prompt for item in store.batches.prompts(batch.id)] == ["one", "two\ufffd", " three\n"]
    assert [item.place for item in store.batches.prompts(batch.id, 1, 1)] == [1]


def test_progress_counts_what_is_done_and_what_failed(store: Store) -> None:
    batch = store.batches.claim(made(store).id).result()
    assert batch.state is BatchState.RUNNING
    finish(store, batch, 0)
    now = finish(store, batch, 2, failed=True)
    assert (now.done, now.failed, now.seconds, now.remaining_s) == (2, 1, 4.0, 2.0)
    assert states(store, batch) == ["done", "open", "failed"]
    now = finish(store, batch, 1)
    assert (now.state, now.remaining_s) == (BatchState.DONE, 0.0)


def test_only_one_living_process_runs_a_batch(store: Store, other: Store) -> None:
    batch = made(store)
    store.batches.claim(batch.id).result()
    with pytest.raises(StoreError, match="running already"):
        other.batches.claim(batch.id).result()
    found = other.batches.get(batch.id)
    assert found is not None
    assert found.state is BatchState.RUNNING
    other.batches.release(batch.id).result()  # not its own
    with pytest.raises(StoreError, match="running already"):
        other.batches.claim(batch.id).result()
    store.batches.claim(batch.id).result()  # whoever has it may take it again
    store.batches.release(batch.id).result()
    assert other.batches.claim(batch.id).result().state is BatchState.RUNNING


def test_what_a_process_that_went_down_left_half_done_is_removed(tmp_path: Path, generation: Generation) -> None:
    store = Store.open(tmp_path)
    batch = made(store)
    store.batches.claim(batch.id).result()
    whole, half = asked(store, batch, 0), asked(store, batch, 1)
    finish(store, batch, 0)
    store.generations.start(half.comparison.id, half.question.id, generation).result()
    store.comparisons.begin_answer(half.comparison.id, 0, generation.id).result()
    store.close()  # without `release`, as a crash would
    with Store.open(tmp_path) as after:
        found = after.batches.get(batch.id)
        assert found is not None
        assert found.state is BatchState.PAUSED
        assert after.comparisons.count() == 2
        after.batches.claim(batch.id).result()
        assert [item.id for item in after.comparisons.list()] == [whole.comparison.id]
        assert [item.comparison_id for item in after.batches.prompts(batch.id)] == [whole.comparison.id, "", ""]
        assert after.check() == []


def test_only_what_failed_is_opened_again(store: Store) -> None:
    batch = store.batches.claim(made(store).id).result()
    good, bad, running = (asked(store, batch, place) for place in range(3))
    finish(store, batch, 0)
    finish(store, batch, 1, failed=True)
    now = store.batches.reopen_failed(batch.id).result()
    assert (now.done, now.failed) == (1, 0)
    assert states(store, batch) == ["done", "open", "open"]
    assert store.comparisons.get(bad.comparison.id) is None
    for kept in (good, running):  # the last one is being asked at this moment
        assert store.comparisons.get(kept.comparison.id) is not None


def test_a_deleted_batch_comes_back_and_its_comparisons_stay(store: Store) -> None:
    batch = store.batches.claim(made(store).id).result()
    opened = asked(store, batch, 0)
    store.batches.delete(batch.id).result()
    assert (store.batches.list(), store.batches.get(batch.id)) == ([], None)
    assert finish(store, batch, 0).done == 1  # the prompt that was being asked is finished all the same
    with pytest.raises(StoreError, match="no longer exists"):
        store.batches.claim(batch.id).result()
    store.batches.restore(batch.id).result()
    assert [item.id for item in store.batches.list()] == [batch.id]
    store.batches.delete(batch.id).result()
    store.conversations.purge_deleted(datetime.now(UTC)).result()
    store.batches.restore(batch.id).result()
    assert store.batches.list() == []
    found = store.comparisons.get(opened.comparison.id)
    assert found is not None
    assert found.batch_id == ""
    assert store.batches.prompts(batch.id) == []
    assert store.check() == []


def test_a_comparison_of_a_batch_can_be_purged(store: Store, generation: Generation) -> None:
    batch = store.batches.claim(made(store).id).result()
    opened = asked(store, batch, 0)
    made_ = replace(generation, id="g")
    store.generations.start(opened.comparison.id, opened.question.id, made_).result()
    store.comparisons.begin_answer(opened.comparison.id, 0, "g").result()
    store.generations.finish("g", "words", FinishReason.STOP).result()
    finish(store, batch, 0)
    found = store.batches.opened(opened.comparison.id)
    assert found is not None
    assert found.comparison.batch_id == batch.id
    store.conversations.delete(opened.comparison.id).result()
    store.conversations.purge_deleted(datetime.now(UTC)).result()
    assert store.batches.prompts(batch.id)[0].comparison_id == ""
    assert states(store, batch)[0] == "done"
    assert store.check() == []


def test_unknown_batches_are_refused(store: Store) -> None:
    assert store.batches.get("none") is None
    for write in (store.batches.claim("none"), store.batches.reopen_failed("none"), finish_of(store, "none")):
        with pytest.raises(StoreError, match="no longer exists"):
            write.result()


def finish_of(store: Store, batch_id: str):
    return store.batches.finish_prompt(batch_id, 0, failed=False, seconds=1.0)

"""Batches in one process: paused, closed, deleted, failed and gone on with."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from codette_desktop.application import Application
from codette_desktop.domain.comparisons import Batch, BatchState, ComparisonSetup
from codette_desktop.domain.errors import InvalidRequest, StoreError
from codette_desktop.ensemble.batches import BatchProgress

MEMBERS = ("guide-s-q8_0?temperature=0&max_tokens=8", "guide-m-q8_0?temperature=0&max_tokens=8")


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


def setup_of(application: Application) -> ComparisonSetup:
    return ComparisonSetup(application.members.read_all(MEMBERS))


async def made(application: Application, prompts: int = 6) -> Batch:
    texts = [f"What is number {number}?" for number in range(prompts)]
    return await application.batches.create("batch", texts, setup_of(application))


async def run(application: Application, batch: Batch) -> list[BatchProgress]:
    return [progress async for progress in application.batches.run(batch.id)]


async def test_progress_is_told_after_every_prompt(application: Application) -> None:
    batch = await made(application)
    told = await run(application, batch)
    assert [item.batch.done for item in told] == list(range(7))
    assert (told[0].prompt, {item.prompt for item in told[1:]}) == ("", {f"What is number {n}?" for n in range(6)})
    assert [item.batch.state for item in told] == [BatchState.RUNNING] * 6 + [BatchState.DONE]
    assert told[0].batch.remaining_s is None
    assert all(item.batch.remaining_s for item in told[1:-1])
    assert [item.batch.seconds for item in told] == sorted(item.batch.seconds for item in told)
    assert application.batches.list()[0] == told[-1].batch
    again = await run(application, batch)
    assert [item.batch.done for item in again] == [6]  # nobody is asked twice


async def test_a_paused_batch_finishes_what_it_began_and_goes_on_later(application: Application) -> None:
    batch = await made(application)
    async for progress in application.batches.run(batch.id):
        if progress.batch.done == 2:
            application.batches.pause(batch.id)
    found = application.batches.get(batch.id)
    assert found.state is BatchState.PAUSED
    assert 2 <= found.done <= 3
    assert application.store.comparisons.count() == found.done
    assert (await run(application, batch))[-1].batch.state is BatchState.DONE
    assert application.store.comparisons.count() == 6


@pytest.mark.parametrize("after", [0, 1, 3])
async def test_a_batch_that_is_closed_is_free_again_and_leaves_nothing_half_done(
    application: Application, after: int
) -> None:
    batch = await made(application)
    async with aclosing(application.batches.run(batch.id)) as parts:
        async for progress in parts:
            if progress.batch.done == after:
                break
    found = application.batches.get(batch.id)
    assert found.state is BatchState.PAUSED
    assert application.store.comparisons.count() == found.done
    assert (await run(application, batch))[-1].batch.state is BatchState.DONE
    assert application.store.check() == []


async def test_a_batch_is_not_run_twice_at_once_here(application: Application) -> None:
    batch = await made(application)
    async with aclosing(application.batches.run(batch.id)) as parts:
        await anext(parts)
        with pytest.raises(StoreError, match="running already"):
            await run(application, batch)
        assert application.batches.get(batch.id).state is BatchState.RUNNING
        assert [item.batch.done async for item in parts][-1] == 6


async def test_a_batch_deleted_while_it_runs_ends_in_peace(application: Application) -> None:
    batch = await made(application)
    async for progress in application.batches.run(batch.id):
        if progress.batch.done == 1:
            await application.batches.delete(batch.id)
    assert application.batches.list() == []
    await application.batches.restore(batch.id)
    found = application.batches.get(batch.id)
    assert found.state is BatchState.PAUSED
    assert application.store.comparisons.count() == found.done < 6
    assert (await run(application, batch))[-1].batch.state is BatchState.DONE


async def test_prompts_where_a_member_failed_are_told_exported_and_asked_again(
    application: Application, codette_home: Path, tmp_path: Path
) -> None:
    setup = setup_of(application)
    absent = replace(setup.members[0], spec="late", label="Late", model=str(tmp_path / "late.gguf"))
    prompts = ["One", "Two", "Three"]
    batch = await application.batches.create("batch", prompts, replace(setup, members=(absent, setup.members[1])))
    last = (await run(application, batch))[-1]
    assert (last.batch.state, last.batch.done, last.batch.failed, last.error) == (BatchState.DONE, 3, 3, None)
    assert application.batches.export(batch.id, tmp_path / "out.jsonl") == 3
    row = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert "late.gguf" in row["members"][0]["error"]
    assert row["members"][1]["answer"]

    (tmp_path / "late.gguf").write_bytes((application.catalogue.find_file("guide-s-q8_0").path).read_bytes())
    reopened = await application.batches.ask_failed_again(batch.id)
    assert (reopened.state, reopened.done, reopened.failed) == (BatchState.PAUSED, 0, 0)
    last = (await run(application, batch))[-1]
    assert (last.batch.state, last.batch.failed) == (BatchState.DONE, 0)
    assert application.store.comparisons.count() == 3
    assert application.store.check() == []


async def test_a_batch_where_nobody_can_answer_says_why(application: Application) -> None:
    setup = setup_of(application)
    gone = tuple(replace(member, model=f"gone-{place}") for place, member in enumerate(setup.members))
    batch = await application.batches.create("batch", ["One"], replace(setup, members=gone))
    last = (await run(application, batch))[-1]
    assert (last.batch.done, last.batch.failed) == (1, 1)


@pytest.mark.parametrize(("prompts", "members", "says"), [([], 2, "no prompt"), (["One"], 0, "Nobody")])
async def test_what_cannot_be_run_is_not_made(
    application: Application, prompts: list[str], members: int, says: str
) -> None:
    setup = setup_of(application)
    with pytest.raises(InvalidRequest, match=says):
        await application.batches.create("batch", prompts, replace(setup, members=setup.members[:members]))
    assert application.batches.list() == []


async def test_an_unknown_batch_is_told(application: Application) -> None:
    for call in (lambda: application.batches.get("none"), lambda: application.batches.export("none", Path("x.csv"))):
        with pytest.raises(StoreError, match="no longer exists"):
            call()
    with pytest.raises(StoreError, match="no longer exists"):
        await application.batches.ask_failed_again("none")
    with pytest.raises(StoreError, match="no longer exists"):
        [item async for item in application.batches.run("none")]

"""Batches: many prompts to the same members while nobody watches; paused, killed and resumed without losing a word."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from codette_desktop.domain.comparisons import Batch, ComparisonSetup, OpenedComparison
from codette_desktop.domain.ensembles import MemberDropped
from codette_desktop.domain.errors import Cancelled, CodetteError, InvalidRequest, StoreError
from codette_desktop.ensemble.comparisons import ComparisonService
from codette_desktop.ensemble.exporting import export
from codette_desktop.store import Store
from codette_desktop.store.batches import BatchPrompt

AT_ONCE = 2  # prompts: while one's last member writes, the next one's first can begin


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """Told after each prompt, and at the start: how far the batch is. `prompt` was the last one done ("" at the start).

    `error` is why the last prompt could not be asked at all, for whoever watches.
    """

    batch: Batch
    prompt: str = ""
    error: CodetteError | None = None


class BatchService:
    """Runs batches. One event loop. Two processes never run the same one."""

    def __init__(self, store: Store, comparisons: ComparisonService) -> None:
        self._store = store
        self._comparisons = comparisons
        self._pausing: set[str] = set()

    def list(self) -> "list[Batch]":
        """The newest first. Raises StoreError."""
        return self._store.batches.list()

    def get(self, batch_id: str) -> Batch:
        """Raises StoreError where there is none."""
        found = self._store.batches.get(batch_id)
        if found is None:
            raise StoreError("This batch no longer exists.")
        return found

    def prompts(self, batch_id: str, limit: int = -1, offset: int = 0) -> "list[BatchPrompt]":
        """Its prompts in order, each with what became of it."""
        return self._store.batches.prompts(batch_id, limit, offset)

    def opened(self, comparison_id: str) -> OpenedComparison | None:
        """What came of one of its prompts."""
        return self._store.batches.opened(comparison_id)

    async def create(self, name: str, prompts: Sequence[str], setup: ComparisonSetup) -> Batch:
        """Keep a batch that is to be run. Raises InvalidRequest."""
        if not prompts:
            raise InvalidRequest("There is no prompt.", "Write one prompt a line, or open a file.")
        if not setup.members:
            raise InvalidRequest("Nobody is asked.", "Choose at least one model.")
        made = await asyncio.wrap_future(self._store.batches.create(name, prompts, setup))
        self._comparisons.changed()
        return made

    async def run(self, batch_id: str) -> AsyncGenerator[BatchProgress, None]:
        """Ask what has not been asked, in order; ends when all is done or the batch is paused.

        Closing it leaves the prompts that were being asked to be asked again. Raises StoreError where another process
        runs it.
        """
        self._pausing.discard(batch_id)
        yield BatchProgress(await asyncio.wrap_future(self._store.batches.claim(batch_id)))
        self._comparisons.changed()
        waiting = [item for item in self.prompts(batch_id) if item.state == "open"]
        running: set[asyncio.Task[BatchProgress]] = set()
        setup = self.get(batch_id).setup
        try:
            while running or (waiting and batch_id not in self._pausing):
                while waiting and len(running) < AT_ONCE and batch_id not in self._pausing:
                    running.add(asyncio.get_event_loop().create_task(self._ask(batch_id, waiting.pop(0), setup)))
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await asyncio.shield(asyncio.wrap_future(self._store.batches.release(batch_id)))
            self._comparisons.changed()

    def pause(self, batch_id: str) -> None:
        """Begin no more prompts; those being asked are finished."""
        self._pausing.add(batch_id)

    async def ask_failed_again(self, batch_id: str) -> Batch:
        """Have the prompts asked again, by the next `run`, where a member failed."""
        return await asyncio.wrap_future(self._store.batches.reopen_failed(batch_id))

    async def delete(self, batch_id: str) -> None:
        """Take it off the list; its comparisons stay. `restore` undoes it."""
        self.pause(batch_id)
        await asyncio.wrap_future(self._store.batches.delete(batch_id))
        self._comparisons.changed()

    async def restore(self, batch_id: str) -> None:
        """Undo `delete`."""
        await asyncio.wrap_future(self._store.batches.restore(batch_id))
        self._comparisons.changed()

    def export(self, batch_id: str, path: Path) -> int:
        """Write what has been answered as a table (.csv) or as JSON lines (.jsonl); gives the rows. Blocking."""
        return export(path, self._answered(batch_id))

    def _answered(self, batch_id: str) -> Iterator[OpenedComparison]:
        for item in self.prompts(batch_id):
            opened = self.opened(item.comparison_id) if item.state != "open" and item.comparison_id else None
            if opened is not None:
                yield opened

    async def _ask(self, batch_id: str, item: BatchPrompt, setup: ComparisonSetup) -> BatchProgress:
        started = time.perf_counter()
        failed, error = False, None
        run = self._comparisons.start(item.prompt, setup, batch_id=batch_id, place=item.place)
        try:
            async with aclosing(run.parts()) as parts:
                async for part in parts:
                    failed = failed or (isinstance(part, MemberDropped) and not isinstance(part.error, Cancelled))
        except StoreError:
            raise
        except CodetteError as refused:
            failed, error = True, refused
        seconds = (time.perf_counter() - started) / AT_ONCE
        finished = self._store.batches.finish_prompt(batch_id, item.place, failed=failed, seconds=seconds)
        return BatchProgress(await asyncio.wrap_future(finished), item.prompt, error)

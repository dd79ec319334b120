"""Batches: many prompts to the same members while nobody watches; paused, killed and resumed without losing a word."""

import asyncio
import logging
import time
from collections import deque
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

log = logging.getLogger(__name__)

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
        self._running: set[str] = set()

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

    async def run(self, batch_id: str, *, fresh: bool = False) -> AsyncGenerator[BatchProgress, None]:
        """Ask what has not been asked, in order; ends when all is done or the batch is paused.

        Closing it leaves the prompts that were being asked to be asked again, and so does a disk that is full (then it
        raises StoreError). Raises StoreError too where it runs already, here or in another process.
        """
        if batch_id in self._running:
            raise StoreError("This batch is running already.", "Pause it first.")
        self._running.add(batch_id)
        self._pausing.discard(batch_id)
        try:
            batch = await asyncio.wrap_future(self._store.batches.claim(batch_id))
            async with aclosing(self._run(batch, fresh)) as progress:
                async for item in progress:
                    yield item
        finally:
            self._running.discard(batch_id)

    async def _run(self, batch: Batch, fresh: bool) -> AsyncGenerator[BatchProgress, None]:
        tasks: set[asyncio.Task[BatchProgress]] = set()
        clock = _Clock()
        try:
            self._comparisons.changed()
            yield BatchProgress(batch)
            waiting = deque(item for item in self.prompts(batch.id) if item.state == "open")
            while tasks or (waiting and batch.id not in self._pausing):
                while waiting and len(tasks) < AT_ONCE and batch.id not in self._pausing:
                    asked = self._ask(batch, waiting.popleft(), clock, fresh)
                    tasks.add(asyncio.get_event_loop().create_task(asked, name="prompt of a batch"))
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    tasks.discard(task)
                    yield task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.shield(self._release(batch.id))

    async def _release(self, batch_id: str) -> None:
        try:
            await asyncio.wrap_future(self._store.batches.release(batch_id))
        except StoreError as error:
            log.info("a batch could not be given back: %s", error)  # this process may run it again, others when it ends
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
        return export(path, self._answered(self.get(batch_id).id))

    def _answered(self, batch_id: str) -> Iterator[OpenedComparison]:
        for item in self.prompts(batch_id):
            opened = self.opened(item.comparison_id) if item.state != "open" and item.comparison_id else None
            if opened is not None:
                yield opened

    async def _ask(self, batch: Batch, item: BatchPrompt, clock: "_Clock", fresh: bool) -> BatchProgress:
        failed, error = False, None
        try:
            run = self._comparisons.start(item.prompt, batch.setup, batch_id=batch.id, place=item.place, fresh=fresh)
            async with aclosing(run.parts()) as parts:
                async for part in parts:
                    failed = failed or (isinstance(part, MemberDropped) and not isinstance(part.error, Cancelled))
        except StoreError:
            raise
        except CodetteError as refused:
            failed, error = True, refused
        finished = self._store.batches.finish_prompt(batch.id, item.place, failed=failed, seconds=clock.lap())
        return BatchProgress(await asyncio.wrap_future(finished), item.prompt, error)


class _Clock:
    """Gives the seconds since it was asked last, so that prompts asked at the same time are not counted twice."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last one, or since it was made."""
        now = time.perf_counter()
        passed, self._last = now - self._last, now
        return passed

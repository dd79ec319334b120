"""Batches without widgets: which there are, which run, and what is done with them."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from codette_desktop.domain.comparisons import Batch, ComparisonSetup
from codette_desktop.domain.errors import CodetteError
from codette_desktop.ensemble import prompts_file
from codette_desktop.ensemble.prompts_file import Prompts
from codette_desktop.gui.tasks import Tasks

if TYPE_CHECKING:
    from codette_desktop.application import Application


class BatchView(Protocol):
    """What the presenter asks of the screen."""

    def batches_changed(self) -> None:
        """There are others, or one has gone on."""
        ...

    def show_error(self, error: CodetteError) -> None:
        """Something that has no place of its own on the screen failed."""
        ...


class BatchPresenter:
    """`batches` are all there are, the newest first. `setup` gives whom a new batch asks; it may raise CodetteError."""

    def __init__(self, application: "Application", view: BatchView, setup: Callable[[], ComparisonSetup]) -> None:
        self._service = application.batches
        self._view = view
        self._setup = setup
        self._tasks = Tasks(view.show_error)
        self._running: dict[str, asyncio.Task[None]] = {}
        self.pausing: set[str] = set()
        self.batches: list[Batch] = []
        self._closed = False

    def reload(self) -> None:
        """Read them anew."""
        try:
            self.batches = self._service.list()
        except CodetteError as error:
            self._view.show_error(error)
        self._view.batches_changed()

    def is_running(self, batch_id: str) -> bool:
        """Whether it runs in this window."""
        return batch_id in self._running

    def read_text(self, text: str) -> Prompts:
        """The prompts of a pasted text. Raises InvalidRequest."""
        return prompts_file.from_text(text)

    async def create_from_file(self, path: Path) -> None:
        """Make and begin a batch of the prompts in a file. Raises InvalidRequest, which names the line."""
        found = await asyncio.to_thread(prompts_file.from_file, path)
        await self.create(path.name, found)

    async def create(self, name: str, prompts: Prompts) -> None:
        """Make a batch and begin it. Raises CodetteError."""
        batch = await self._service.create(name, prompts.prompts, self._setup())
        self.reload()
        self.run(batch.id)

    def run(self, batch_id: str) -> None:
        """Go on with what has not been asked."""
        if batch_id not in self._running:
            self.pausing.discard(batch_id)
            task = self._tasks.start(self._run(batch_id), "batch")
            self._running[batch_id] = task
            task.add_done_callback(lambda _task: self._ended(batch_id))
            self._view.batches_changed()

    async def _run(self, batch_id: str) -> None:
        async with aclosing(self._service.run(batch_id)) as progress:
            async for item in progress:
                self._replace(item.batch)
                self._view.batches_changed()

    def _ended(self, batch_id: str) -> None:
        self._running.pop(batch_id, None)
        self.pausing.discard(batch_id)
        if not self._closed:
            self.reload()

    def pause(self, batch_id: str) -> None:
        """Begin no more prompts; those being asked are finished."""
        self.pausing.add(batch_id)
        self._service.pause(batch_id)
        self._view.batches_changed()

    def ask_failed_again(self, batch_id: str) -> None:
        """Ask those prompts anew where a member failed."""
        self._tasks.start(self._ask_failed_again(batch_id), "ask failed prompts again")

    async def _ask_failed_again(self, batch_id: str) -> None:
        self._replace(await self._service.ask_failed_again(batch_id))
        self.run(batch_id)

    async def delete(self, batch_id: str) -> None:
        """Take it off the list; its comparisons stay."""
        await self._service.delete(batch_id)
        self.reload()

    async def restore(self, batch_id: str) -> None:
        """Undo `delete`."""
        await self._service.restore(batch_id)
        self.reload()

    async def export_to(self, batch_id: str, path: Path) -> int:
        """Write what has been answered; gives the rows."""
        return await asyncio.to_thread(self._service.export, batch_id, path)

    def _replace(self, batch: Batch) -> None:
        self.batches = [batch if known.id == batch.id else known for known in self.batches]

    async def aclose(self) -> None:
        """Stop what runs; the prompts being asked are asked again another time."""
        self._closed = True
        await self._tasks.aclose()

"""Coroutines started from a click: kept alive, their failures told, ended at closing. No Qt."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from codette_desktop.domain.errors import Cancelled, CodetteError

log = logging.getLogger(__name__)


class Tasks:
    """Holds a reference to every task it starts (asyncio itself keeps only weak ones) and tells `on_error`.

    `on_error` hears `CodetteError`s, which a person can do something about; anything else is a defect and is logged.
    """

    def __init__(self, on_error: Callable[[CodetteError], None] | None = None) -> None:
        self.on_error = on_error
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> "asyncio.Task[Any]":
        """Run `work` on the present loop."""
        task = asyncio.get_event_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def __len__(self) -> int:
        return len(self._running)

    async def finish(self) -> None:
        """Wait until all have ended by themselves; their errors are told as ever."""
        while running := [task for task in self._running if task is not asyncio.current_task()]:
            await asyncio.gather(*running, return_exceptions=True)
            await asyncio.sleep(0)  # their callbacks take them off the list

    def cancel(self) -> None:
        """Cancel what runs, without waiting until it has ended."""
        for task in tuple(self._running):
            task.cancel()

    async def aclose(self) -> None:
        """Cancel what runs, and what its end starts, and wait until all has ended."""
        while running := [task for task in self._running if task is not asyncio.current_task()]:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await asyncio.sleep(0)  # their callbacks take them off the list

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        if isinstance(error, Cancelled):  # the person's own wish
            return
        if isinstance(error, CodetteError) and self.on_error is not None:
            self.on_error(error)
        else:
            log.error("%s failed", task.get_name(), exc_info=error)

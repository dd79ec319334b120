"""Reading that must not hold up the window."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from PySide6.QtCore import QObject

from codette_desktop.gui.tasks import Tasks

R = TypeVar("R")


def ends_with(owner: QObject, tasks: Tasks) -> None:
    """Nothing of `tasks` goes on when Qt has deleted `owner`, as it does with the dialogs of a window that closes."""
    owner.destroyed.connect(lambda _gone=None: tasks.cancel())


async def off_thread(work: Callable[[], R]) -> R:
    """Do `work` on a thread of its own and wait for what it gives."""
    # Not `to_thread`: Qt may run this between two runs of the loop, while none counts as running.
    found: Awaitable[R] = asyncio.get_event_loop().run_in_executor(None, work)
    return await found

"""Looks every half minute whether a server in use is still there, so that its state is known before it is asked."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from codette_desktop.domain.errors import CodetteError

EVERY_S = 30.0
IN_USE_S = 300.0


class HealthWatch:
    """Calls `check` while the server is in use: for five minutes after it was last asked something."""

    def __init__(
        self,
        check: Callable[[], Awaitable[object]],
        *,
        every_s: float = EVERY_S,
        in_use_s: float = IN_USE_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._check, self._every_s, self._in_use_s = check, every_s, in_use_s
        self._clock, self._sleep = clock, sleep
        self._used_at = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def watching(self) -> bool:
        """Whether checks are being made."""
        return self._task is not None and not self._task.done()

    def used(self) -> None:
        """The server is being asked something."""
        self._used_at = self._clock()
        if not self.watching:
            self._task = asyncio.get_running_loop().create_task(self._watch(), name="server health")

    async def aclose(self) -> None:
        """Look no longer."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await self._sleep(self._every_s)
            if self._clock() - self._used_at >= self._in_use_s:
                return
            with suppress(CodetteError):  # told on the bus
                await self._check()

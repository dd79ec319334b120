"""Waiting until something has changed, on the current loop: Qt's may not count as running between two of its turns."""

import asyncio


class Changes:
    """`wait` ends at the next `tell`. What is told while nobody waits is not remembered: look before you wait."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    async def wait(self) -> None:
        """Until the next `tell`."""
        # Not an Event: it refuses a loop that is not running at that moment.
        waiter: asyncio.Future[None] = asyncio.get_event_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def tell(self) -> None:
        """Wake all who wait."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

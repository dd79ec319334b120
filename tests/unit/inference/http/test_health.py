"""Health checks, with a clock of their own."""

import asyncio

from codette_desktop.domain.errors import ServerUnreachable
from codette_desktop.inference.http.health import HealthWatch


class Day:
    """Time passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.checked: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    async def check(self) -> None:
        self.checked.append(self.now)
        if len(self.checked) == 2:
            raise ServerUnreachable("gone for a moment")


async def test_a_server_in_use_is_looked_at_every_half_minute_for_five_minutes() -> None:
    day = Day()
    watch = HealthWatch(day.check, clock=lambda: day.now, sleep=day.sleep)
    assert not watch.watching
    watch.used()
    while watch.watching:
        await asyncio.sleep(0)
    assert day.checked == [30.0 * n for n in range(1, 10)]
    watch.used()
    assert watch.watching
    await watch.aclose()
    assert not watch.watching


async def test_closing_a_watch_that_never_watched_is_fine() -> None:
    await HealthWatch(Day().check).aclose()

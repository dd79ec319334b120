"""Preparing duels while the person reads, so that nobody waits for the next one."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from typing import TypeVar

from codette_desktop.domain.duels import Duel
from codette_desktop.domain.errors import CodetteError, ContestantFailed
from codette_desktop.rating.concluding import Concluded
from codette_desktop.rating.making import Drawn, DuelMaker
from codette_desktop.rating.waiting import Changes

log = logging.getLogger(__name__)

R = TypeVar("R")

AHEAD = 3  # duels that wait to be read: more would be drawn without what the next votes teach
MOST_WAITING = 60  # duels in all: those whose answers are equal need no reading
_NAMED = 60  # characters of a prompt that failed, so that one knows which it was
MOST_FAILURES = 3  # of one contestant without an answer in between


class Preparer:
    """Keeps `queue` filled. One event loop; `changes` is told whenever something here is no longer what it was.

    `known` gives what may be concluded so far, `current` the duel on view, `ended` whether no more are needed.
    `error` is why it stopped, `exhausted` says that nothing is left to draw.
    """

    def __init__(
        self,
        maker: DuelMaker,
        changes: Changes,
        known: Callable[[], Concluded],
        current: Callable[[], Duel | None],
        ended: Callable[[], bool],
    ) -> None:
        self.queue: deque[Duel] = deque()
        self.error: CodetteError | None = None
        self.exhausted = False
        self._maker = maker
        self._changes = changes
        self._known, self._current, self._ended = known, current, ended
        self._failures: Counter[str] = Counter()
        self._last_failure: CodetteError | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def ready(self) -> int:
        """How many duels wait to be read."""
        return sum(not duel.identical for duel in self.queue)

    async def begin(self) -> None:
        """Look which prompts are left, and prepare from now on; what failed before may be drawn again."""
        self.error = self._last_failure = None
        self._failures.clear()
        await off_loop(self._maker.begin)
        self.go_on()

    def go_on(self) -> None:
        """Prepare more, unless that is being done."""
        self.exhausted = False
        if self._task is None or self._task.done():
            self._task = asyncio.get_event_loop().create_task(self._prepare(), name="duels are prepared")

    async def aclose(self) -> None:
        """Stop; what is in the queue is kept in the store."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _prepare(self) -> None:
        try:
            while not self._ended() and self.error is None:
                if self.ready >= AHEAD or len(self.queue) >= MOST_WAITING:
                    await self._changes.wait()
                    continue
                drawn = await off_loop(self._draw)
                if drawn is None:
                    # Others may have been answered since: what was passed over is told, and can be tried again.
                    self.error, self.exhausted = self._last_failure, True
                    break
                await self._make(drawn)
        except CodetteError as error:
            self.error = error
        except Exception:  # a defect: who waits for a duel must not wait for ever
            log.exception("duels could not be prepared")
            self.error = CodetteError("The next duel could not be prepared.", "Try again.")
        finally:
            self._changes.tell()

    def _draw(self) -> Drawn | None:
        known, current = self._known(), self._current()
        waiting = [*self.queue, *([current] if current else [])]
        return self._maker.draw(known.tally, known.rule, [(duel.left.key, duel.right.key) for duel in waiting])

    async def _make(self, drawn: Drawn) -> None:
        try:
            duel = await self._maker.make(drawn)
        except ContestantFailed as error:
            failed = drawn.pair[error.place]
            self._failures[failed.key] += 1
            said = f"{failed.label} cannot answer “{_short(drawn.prompt)}”: {error.message}"
            self._last_failure = CodetteError(said, error.hint)
            if self._failures[failed.key] >= MOST_FAILURES:
                self.error = self._last_failure
            return
        for contestant in drawn.pair:
            self._failures.pop(contestant.key, None)
        self.queue.append(duel)
        self._changes.tell()


def _short(prompt: str) -> str:
    words = " ".join(prompt.split())
    return words if len(words) <= _NAMED else f"{words[:_NAMED].rstrip()} …"


async def off_loop(work: Callable[[], R]) -> R:
    """Run what blocks on a thread."""
    # Not `to_thread`: Qt may run this between two runs of the loop, while none counts as running.
    return await asyncio.get_event_loop().run_in_executor(None, work)

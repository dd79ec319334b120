"""The health of models: healthy, degraded or unhealthy, from how they answered and from checks.

Every five minutes all models are checked; one that failed is checked sooner, first after some seconds, then ever more
seldom, until it works again. A check asks a server whether it is there, and looks at a file; nothing is loaded for it.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from codette_desktop.domain.errors import Cancelled, CodetteError, InvalidRequest, ServerUnreachable, StoreError
from codette_desktop.domain.events import AnswerFinished, EventBus, HealthChanged, ProviderFailed, ServerChecked
from codette_desktop.inference.routing.health import Health, HealthState

log = logging.getLogger(__name__)

EVERY_S = 300.0
SOONEST_S = 5.0  # after a failure, and after an answer that follows one; doubled each time, up to EVERY_S
OUTCOMES = 10  # the last answers of a model that tell how it does
FAILURES_TO_BE_ILL = 2  # in a row
_NOT_ITS_FAULT = (InvalidRequest, Cancelled, StoreError)

Check = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class _Record:
    outcomes: deque[bool] = field(default_factory=lambda: deque[bool](maxlen=OUTCOMES))
    failed_in_a_row: int = 0  # since the last answer or the last check that found nothing wrong
    problem: str = ""  # what the last check found; "" where it found nothing
    failed_of: str = ""
    next_s: float = SOONEST_S
    due: float = 0.0  # when it is checked again because it failed; 0: with all others

    def health(self) -> Health:
        """Unhealthy: two failures in a row, or one and never a success, or a failed check.

        Degraded: a failure among the last ten answers.
        """
        if self.problem:
            return Health(HealthState.UNHEALTHY, why=self.problem)
        if self.failed_in_a_row >= FAILURES_TO_BE_ILL or (self.failed_in_a_row and not any(self.outcomes)):
            return Health(HealthState.UNHEALTHY, why=self.failed_of)
        if not all(self.outcomes):
            share = sum(self.outcomes) / len(self.outcomes)
            return Health(HealthState.DEGRADED, level=0.25 + 0.5 * share, why=self.failed_of)
        return Health(HealthState.HEALTHY)


class HealthMonitor:
    """Hears of answers and failures on `bus`, and checks models while `run` runs. Any thread, except `run` and `check`.

    `check` raises what is wrong with a model, by name, and does nothing where it works; `names` are all models.
    """

    def __init__(
        self,
        bus: EventBus,
        check: Check,
        names: Callable[[], Iterable[str]],
        *,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus = bus
        self._check = check
        self._names = names
        self._every_s = every_s
        self._clock = clock
        self._records: dict[str, _Record] = {}
        self._told: dict[str, HealthState] = {}
        self._gone: dict[str, str] = {}  # servers that could not be reached, and why
        self._wake: Callable[[], object] = lambda: None
        bus.subscribe(AnswerFinished, self._on_finished)
        bus.subscribe(ProviderFailed, self._on_failed)
        bus.subscribe(ServerChecked, self._on_server)

    def of(self, model: str) -> Health:
        """What is known of a model's health; unknown where nothing has been asked or checked."""
        if (why := self._gone.get(model.partition("/")[0])) is not None:
            return Health(HealthState.UNHEALTHY, why=why)
        record = self._records.get(model)
        return Health() if record is None else record.health()

    def all(self) -> dict[str, Health]:
        """By name, those of which something is known."""
        return {name: self.of(name) for name in tuple(self._records)}

    async def run(self) -> None:
        """Check until cancelled."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(woken.set)
        round_due = self._clock() + self._every_s
        try:
            while True:
                dues = [record.due for record in tuple(self._records.values()) if record.due]
                woken.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), max(0.0, min([round_due, *dues]) - self._clock()))
                now = self._clock()
                if now < round_due:
                    await self.check([name for name, item in tuple(self._records.items()) if 0 < item.due <= now])
                    continue
                try:
                    await self.check(await loop.run_in_executor(None, lambda: list(self._names())))
                except CodetteError as error:  # the store may be busy: the next round is not far
                    log.warning("the health of models could not be looked at: %s", error)
                round_due = self._clock() + self._every_s
        finally:
            self._wake = lambda: None

    async def check(self, names: Iterable[str]) -> None:
        """Check these models now, all at once."""
        await asyncio.gather(*(self._checked(name) for name in dict.fromkeys(names)))

    async def _checked(self, name: str) -> None:
        problem = ""
        try:
            await self._check(name)
        except CodetteError as error:
            problem = error.message
        except Exception as error:
            log.exception("the check of %s failed", name)
            problem = f"It could not be looked at: {error}"
        self._found(name, problem)

    def _found(self, name: str, problem: str) -> None:
        record = self._record(name)
        record.problem = problem
        if problem:
            self._look_again(record)
        else:  # it is there, which is worth another try
            record.failed_in_a_row, record.due, record.next_s = 0, 0.0, SOONEST_S
        self._tell(name)

    def _look_again(self, record: _Record) -> None:
        """Once for each look: a server tells of a failed one by itself too."""
        if record.due > self._clock():
            return
        record.due = self._clock() + record.next_s
        record.next_s = min(2 * record.next_s, self._every_s)

    def _on_finished(self, event: AnswerFinished) -> None:
        if event.end.figures.cached:  # nobody was asked
            return
        record = self._record(event.end.model)
        self._gone.pop(event.end.model.partition("/")[0], None)
        record.outcomes.append(True)
        record.failed_in_a_row, record.problem, record.due, record.next_s = 0, "", 0.0, SOONEST_S
        self._tell(event.end.model)

    def _on_failed(self, event: ProviderFailed) -> None:
        if isinstance(event.error, _NOT_ITS_FAULT):
            return
        record = self._record(event.model)
        record.outcomes.append(False)
        record.failed_in_a_row += 1
        record.failed_of = event.error.message
        server, slash, _model = event.model.partition("/")
        if slash and isinstance(event.error, ServerUnreachable):  # what is true of one of its models is true of all
            self._gone[server] = event.error.message
        self._look_again(record)
        self._tell(event.model)
        self._wake()

    def _on_server(self, event: ServerChecked) -> None:
        if event.problem:
            self._gone[event.server] = event.problem
        else:
            self._gone.pop(event.server, None)
        for name in [name for name in tuple(self._records) if name.startswith(f"{event.server}/")]:
            self._found(name, event.problem)

    def _record(self, name: str) -> _Record:
        return self._records.setdefault(name, _Record())

    def _tell(self, name: str) -> None:
        health = self.of(name)
        if self._told.get(name) is not health.state:
            self._told[name] = health.state
            log.info("%s is %s %s", name, health.state, health.why)
            self._bus.publish(HealthChanged(name, health.state.value, health.why))

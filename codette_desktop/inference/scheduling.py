"""The budget, and what is needed to ask of it: one object for all who load models (row E5)."""

import asyncio
from collections.abc import Callable, Iterable

from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.holding import Amount, Holding
from codette_desktop.inference.llama.devices import DeviceMemory, memory_now
from codette_desktop.inference.memory import MemoryBudget
from codette_desktop.inference.planning import LoadPlan, LoadPlanner, MemoryStore, free_now, rule_of
from codette_desktop.models.fit import Fit
from codette_desktop.models.headers import Headers

LOOK_EVERY_S = 0.5  # while waiting: other programs may have freed memory
_ENDLESS = 1 << 60


class Scheduler:
    """Plans loads and holds memory for them. `limit_bytes` is the person's own limit, 0 where there is none."""

    def __init__(
        self,
        limit_bytes: Callable[[], int] = lambda: 0,
        store: MemoryStore | None = None,
        memory: Callable[[], DeviceMemory] = memory_now,
        headers: Headers | None = None,
    ) -> None:
        self.budget = MemoryBudget(free_now(memory), rule_of(limit_bytes, memory))
        self.planner = LoadPlanner(self.budget, store, memory, headers)

    @classmethod
    def unlimited(cls) -> "Scheduler":
        """For a process whose memory somebody else has asked for."""
        made = cls()
        made.budget = MemoryBudget(lambda: Amount(_ENDLESS, _ENDLESS))
        made.planner = LoadPlanner(made.budget)
        return made

    def ask(self, plan: LoadPlan, leave: Callable[[], object], holds: Iterable[Holding] = ()) -> Holding:
        """Queue for the memory of a load; `leave` is called when it is wanted back. See `Holding`. Any thread."""
        holding = Holding(
            self.budget,
            plan.info.label,
            plan.need,
            leave,
            reclaimable=plan.reclaimable,
            keep_alive_s=plan.settings.keep_alive_minutes * 60.0,
            holds=holds,
            advice=self.planner.advice(plan),
        )
        return self.budget.ask(holding)

    def fit(self, info: ModelInfo, settings: EngineSettings, *, apart: bool = False, in_memory: bool = False) -> Fit:
        """See `LoadPlanner.fit`."""
        return self.planner.fit(info, settings, apart=apart, in_memory=in_memory)

    def fits_beside(self, info: ModelInfo, settings: EngineSettings, *, apart: bool = False) -> bool:
        """Whether it could be loaded now without any other leaving. Raises ModelError."""
        return self.planner.plan(info, settings, apart=apart).need.fits(self.budget.room())

    def close(self) -> None:
        """End what it does in the background."""
        self.budget.close()


async def granted(holding: Holding) -> None:
    """Wait for the memory. Cancelling the task gives up the place in the queue. Raises ModelLoadFailed."""
    try:
        future = asyncio.wrap_future(holding.decided)
        while not (await asyncio.wait({future}, timeout=LOOK_EVERY_S))[0]:
            holding.look_again()
        if future.cancelled():
            raise CodetteError("The load was given up.")
        future.result()
    except BaseException:
        holding.free()
        raise

"""Memory that one load asks for, and its life from waiting to gone."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from codette_desktop.domain.errors import ModelLoadFailed


@dataclass(frozen=True, slots=True)
class Amount:
    """Bytes of the computer's memory and of its GPUs together."""

    cpu: int = 0
    gpu: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.cpu + other.cpu, self.gpu + other.gpu)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.cpu - other.cpu, self.gpu - other.gpu)

    def fits(self, room: "Amount") -> bool:
        """Whether there is room for it on both."""
        return (not self.cpu or self.cpu <= room.cpu) and (not self.gpu or self.gpu <= room.gpu)


NOTHING = Amount()


class Stage(Enum):
    """The life of a holding."""

    WAITING = auto()  # in the queue
    LOADING = auto()  # granted: its memory is being taken, or will be
    READY = auto()  # in memory
    LEAVING = auto()  # to be freed by its owner, or being freed
    GONE = auto()


class Budget(Protocol):
    """What a holding tells its budget."""

    def look_again(self) -> None: ...
    def on_ready(self, holding: "Holding") -> None: ...
    def on_take(self, holding: "Holding") -> bool: ...
    def on_resize(self, holding: "Holding", need: Amount) -> bool: ...
    def on_give_back(self, holding: "Holding") -> None: ...
    def on_retire(self, holding: "Holding") -> None: ...
    def on_free(self, holding: "Holding") -> None: ...


class Holding:
    """Memory one load asked for. Its owner says `ready`, `take`s and `give_back`s it with each use, and `free`s it.

    When it is granted it is in use by who asked, and must be given back once. `reclaimable` is the part of `need` that
    counts as free while the model is in memory. `holds` are those the asker uses meanwhile. `refused` is why it was not
    granted. Any thread; `leave`, which the budget calls when the memory is wanted, must only start the freeing.
    """

    def __init__(
        self,
        budget: Budget,
        label: str,
        need: Amount,
        leave: Callable[[], object],
        *,
        reclaimable: Amount = NOTHING,
        keep_alive_s: float = 0.0,
        holds: Iterable["Holding"] = (),
        advice: str = "",
    ) -> None:
        self.label, self.need, self.reclaimable = label, need, reclaimable
        self.keep_alive_s = keep_alive_s
        self.holds = frozenset(holds)
        self.advice = advice
        self.stage = Stage.WAITING
        self.users = 0
        self.asked_at = self.used_at = time.monotonic()
        self.draining = self.retired = False
        self.leave = leave
        self.decided: Future[None] = Future()
        self._budget = budget

    @property
    def refused(self) -> ModelLoadFailed | None:
        """Why it was not granted; None while it waits and where it was."""
        error = self.decided.exception() if self.decided.done() else None
        return error if isinstance(error, ModelLoadFailed) else None

    def wait(self, timeout_s: float) -> bool:
        """Whether it is granted, waiting for that up to `timeout_s`. Raises ModelLoadFailed where it is refused."""
        try:
            self.decided.result(timeout_s)
        except TimeoutError:
            self.look_again()
            return False
        return True

    def look_again(self) -> None:
        """See whether it can be granted now, because other programs may have freed memory."""
        self._budget.look_again()

    def ready(self) -> None:
        """The load has ended well: the memory is taken."""
        self._budget.on_ready(self)

    def take(self) -> bool:
        """Use it; False where it is leaving, so that it must be loaded anew."""
        return self._budget.on_take(self)

    def resize(self, need: Amount) -> bool:
        """Need that from now on; False, and as before, where there is no room for more, or others wait for it."""
        return self._budget.on_resize(self, need)

    def give_back(self) -> None:
        """The inverse of `take`."""
        self._budget.on_give_back(self)

    def retire(self) -> None:
        """Have it leave as soon as nobody uses it."""
        self._budget.on_retire(self)

    def free(self) -> None:
        """Its memory is free again, or is not wanted any more. Any number of times."""
        self._budget.on_free(self)

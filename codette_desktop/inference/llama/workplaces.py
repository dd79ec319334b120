"""Where answers of one model are written: contexts on the same weights, each with the adapters that are on it.

A context has its adapters as a whole: answers with other ones need another context, or wait until one is idle. Then
the adapters are swapped, which reads nothing from disk; what the context knows of earlier prompts is kept outside for
the time its adapters come back.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from codette_desktop.domain.models import EngineSettings, ModelInfo, Numa
from codette_desktop.inference.holding import Amount
from codette_desktop.inference.llama.lora import NO_ADAPTERS, AdapterSet, Lora

if TYPE_CHECKING:
    from codette_desktop.inference.llama.batching import Batch
    from codette_desktop.inference.llama.context import Context
    from codette_desktop.inference.llama.slots import Slots, Spill

MOST_CONTEXTS = 2  # on one set of weights
GRACE_S = 1.0  # for which answers with the adapters that are on a context may go on joining, while others wait for it
_MOST_KEPT = 4  # sets of adapters of which earlier prompts are kept
_FORGOTTEN_S = 1.0  # whoever waits asks again sooner


def of_weights(settings: EngineSettings) -> tuple[object, ...]:
    """What of the settings the weights are loaded with; all else concerns contexts."""
    return settings.gpu_layers, settings.use_mmap, settings.lock_memory, settings.numa


def of_context(settings: EngineSettings) -> EngineSettings:
    """What of the settings a context is made with, the rest neutral."""
    return replace(settings, gpu_layers=0, use_mmap=True, lock_memory=False, numa=Numa.OFF, keep_alive_minutes=0)


@dataclass(eq=False, slots=True)
class Workplace:
    """One context. `adapters` None: it is being changed. `info` is the model it was last used as.

    `settings` are those it was asked for with, `need` is the memory it takes besides the weights.
    """

    context: "Context"
    slots: "Slots"
    batch: "Batch"
    info: ModelInfo
    settings: EngineSettings
    need: Amount
    adapters: AdapterSet | None = NO_ADAPTERS
    users: int = 0
    used_at: float = field(default_factory=time.monotonic)

    @property
    def idle(self) -> bool:
        """Whether nothing is being written or about to be."""
        return not self.users and not self.batch.busy


class Workplaces:
    """The contexts of one model. `desk` makes the slots and the batch of a context for a model. Any thread."""

    def __init__(self, lora: Lora, desk: "Callable[[Context, ModelInfo], tuple[Slots, Batch]]") -> None:
        self._lora = lora
        self._desk = desk
        self._places: list[Workplace] = []
        self._kept: OrderedDict[tuple[AdapterSet, EngineSettings], Spill] = OrderedDict()
        self._waiting: dict[AdapterSet, tuple[float, float]] = {}  # since when, and when it asked last
        self._lock = threading.Lock()

    def all(self) -> list[Workplace]:
        """All of them, the one used last first."""
        with self._lock:
            return sorted(self._places, key=lambda place: -place.used_at)

    def take(self, info: ModelInfo, wanted: AdapterSet, settings: EngineSettings) -> Workplace | None:
        """A workplace with these adapters, made with these settings, to be `give_back`n; None where there is none now.

        Where none has them they are swapped on an idle one. Raises EngineFailure.
        """
        with self._lock:
            place = self._choose(wanted, of_context(settings))
            if place is None:
                return None
            place.users += 1
            place.used_at, place.info = time.monotonic(), info
            before = place.adapters
            if before == wanted:
                return place
            place.adapters = None
        try:
            self._swap(place, before, wanted)
        except BaseException:
            self.give_back(place)
            raise
        return place

    def give_back(self, place: Workplace) -> None:
        """The inverse of `take`."""
        with self._lock:
            place.users -= 1
            place.used_at = time.monotonic()

    def add(self, place: Workplace) -> None:
        """One more."""
        with self._lock:
            self._places.append(place)

    def has(self, wanted: AdapterSet, settings: EngineSettings) -> bool:
        """Whether there is one with these adapters, or an idle one, made with these settings."""
        chosen = of_context(settings)
        with self._lock:
            fitting = [place for place in self._places if place.settings == chosen]
        return any(place.adapters == wanted or place.idle for place in fitting)

    def take_out(self, settings: EngineSettings) -> list[Workplace]:
        """The idle ones made with other settings, which are no part of this any more; to be closed."""
        wanted = of_context(settings)
        with self._lock:
            gone = [place for place in self._places if place.settings != wanted and place.idle]
            self._places = [place for place in self._places if place not in gone]
        return gone

    def close(self) -> None:
        """Keep what was read, free all contexts, then the adapters. Nobody uses them any more."""
        for place in self._places:
            place.slots.flush()
            place.context.close()
        for spill in self._kept.values():
            spill.flush()
        self._places.clear()
        self._kept.clear()
        self._lora.close()

    def _choose(self, wanted: AdapterSet, settings: EngineSettings) -> Workplace | None:
        now = time.monotonic()
        self._waiting = {key: times for key, times in self._waiting.items() if now - times[1] < _FORGOTTEN_S}
        first = min(self._waiting, key=lambda key: self._waiting[key][0], default=wanted)
        fitting = [place for place in self._places if place.settings == settings and place.adapters is not None]
        found: Workplace | None = None
        if first == wanted or now - self._waiting[first][0] < GRACE_S:
            idle = sorted((place for place in fitting if place.idle), key=lambda place: place.used_at)
            found = next((place for place in fitting if place.adapters == wanted), None) or next(iter(idle), None)
        if found is None or not self._lora.knows(wanted):
            self._waiting[wanted] = (self._waiting.get(wanted, (now, now))[0], now)
            return None
        self._waiting.pop(wanted, None)
        return found

    def _swap(self, place: Workplace, before: AdapterSet | None, wanted: AdapterSet) -> None:
        while place.slots.make_room():  # keeps what was read outside the context
            pass
        for sequence in range(len(place.context.tokens)):
            place.context.truncate(sequence, 0)
        self._lora.put(place.context, wanted)
        slots, batch = self._desk(place.context, place.info)
        with self._lock:
            if before is not None:
                self._kept[before, place.settings] = place.slots.spill
            if (known := self._kept.pop((wanted, place.settings), None)) is not None:
                slots.spill = known
            dropped = [self._kept.popitem(last=False)[1] for _ in range(len(self._kept) - _MOST_KEPT)]
            place.slots, place.batch, place.adapters = slots, batch, wanted
        for spill in dropped:
            spill.flush()

"""The models in memory: loading one when it is asked for and there is memory for it, freeing one when that is wanted.

What a model is read and run with (numpy, jinja2) is imported by its first load, on the engine's thread: the window need
not wait for it.
"""

import functools
import logging
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from codette_desktop.domain.errors import Cancelled, EngineFailure, ModelLoadFailed
from codette_desktop.domain.events import EventBus, ModelLoaded, ModelLoading, ModelUnloaded
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.holding import Amount, Holding
from codette_desktop.inference.llama.devices import memory_now, process_memory
from codette_desktop.inference.llama.library import library
from codette_desktop.inference.llama.lora import Lora, adapter_set
from codette_desktop.inference.llama.runtime import Engine
from codette_desktop.inference.llama.seats import Resident, Seat, described_place
from codette_desktop.inference.llama.vocabularies import FileState, Vocabularies, file_state
from codette_desktop.inference.llama.workplaces import MOST_CONTEXTS, Workplace, Workplaces, of_context
from codette_desktop.inference.planning import SEQUENCES, LoadPlan, context_length
from codette_desktop.inference.provider import LoadedModel
from codette_desktop.inference.scheduling import Scheduler
from codette_desktop.models.fit import size_text
from codette_desktop.models.gguf import read_header
from codette_desktop.models.kv_cache import refuse_kv_type

if TYPE_CHECKING:
    from codette_desktop.inference.llama.batching import Batch
    from codette_desktop.inference.llama.context import Context
    from codette_desktop.inference.llama.kv_folder import KvFolder
    from codette_desktop.inference.llama.model import Model
    from codette_desktop.inference.llama.prompt import PromptWriter
    from codette_desktop.inference.llama.slots import Slots

log = logging.getLogger(__name__)

_PROGRESS_EVERY_S = 0.05
_LOOK_EVERY_S = 0.05

Hook = Callable[[ModelInfo], object]


class Stoppable(Protocol):
    """Whoever waits for a load: it may lose interest, and a decode on its behalf may have to be aborted."""

    cancelled: bool

    def attach(self, context: "Context | None") -> None:
        """Have `context` aborted when the wait is cancelled; None: no longer."""


class Residents:
    """The models in memory. Loads are made one after the other, on the loader's thread.

    The scheduler says which fit. One whose memory is wanted by others is freed on a thread of its own, for the loader
    may be waiting for just that. On one set of weights there are at most `contexts` contexts.
    """

    def __init__(
        self,
        bus: EventBus,
        settings: Callable[[ModelInfo], EngineSettings],
        scheduler: Scheduler,
        *,
        contexts: int = MOST_CONTEXTS,
        on_loading: Hook | None = None,
        on_loaded: Hook | None = None,
        kv: "KvFolder | None" = None,
    ) -> None:
        self._bus = bus
        self._kv = kv
        self._settings = settings
        self._scheduler = scheduler
        self._contexts = contexts
        self._on_loading = on_loading
        self._on_loaded = on_loaded
        self._loaded: dict[str, Resident] = {}
        self._retired: list[Resident] = []  # they end what they have begun, or are being freed
        self._vocabularies = Vocabularies()
        self._leaver = Engine("llama-leaver")
        self._lock = threading.Lock()  # guards the two collections; held only for moments

    def hold(self, info: ModelInfo) -> Seat | None:
        """The model, to be `release`d, if it is in memory as the files and the settings are now. Any thread.

        None too where all its contexts are in use with other adapters.
        """
        settings, state = self._settings(info), file_state(info)
        resident = self._find(info)
        if resident is None or not resident.serves(settings, state) or not resident.holding.take():
            return None
        seat: Seat | None = None
        try:
            seat = self._seat(resident, info, settings)
            return seat
        finally:
            if seat is None:
                resident.holding.give_back()

    def release(self, seat: Seat) -> None:
        """The inverse of `hold`. Any thread."""
        seat.resident.workplaces.give_back(seat.place)
        seat.resident.holding.give_back()

    def load(self, info: ModelInfo, waiter: Stoppable) -> tuple[Seat | None, float]:
        """Have the model in memory, and hold it: to be `release`d. Loader's thread; waits for memory.

        Gives what it took, in ms, 0 where it was there. None where its contexts are in use with other adapters: ask
        again. Raises ModelError or Cancelled.
        """
        if (seat := self.hold(info)) is not None:
            return seat, 0.0
        settings, state = self._settings(info), file_state(info)
        refuse_kv_type(self._scheduler.planner.header(info), settings)
        resident = self._find(info)
        if resident is not None:
            started, same = time.perf_counter(), resident.serves(settings, state)
            if same and resident.holding.take():
                try:
                    same = self._furnish(resident, info, settings, waiter)
                    seat = self.hold(info)
                finally:
                    resident.holding.give_back()
                if same:
                    return seat, (time.perf_counter() - started) * 1000
            if not same:
                self.retire(info)
        return self._load_weights(info, settings, state, waiter)

    def retire(self, info: ModelInfo) -> "Future[None] | None":
        """Free a model once nobody uses it; done when it is freed. None where it is not in memory. Any thread."""
        with self._lock:
            resident = self._loaded.pop(str(info.path), None)
            if resident is None:
                return None
            self._retired.append(resident)
        resident.holding.retire()
        return resident.gone

    def snapshot(self) -> list[LoadedModel]:
        """What is in memory, most recently used first: a model for each context, the weights counted with the first."""
        with self._lock:
            residents = sorted(self._loaded.values(), key=lambda resident: -resident.holding.used_at)
        found: list[LoadedModel] = []
        for resident in residents:
            for number, place in enumerate(resident.workplaces.all()):
                found.append(described_place(resident, place, place.info, beside=number > 0))
        return found

    @contextmanager
    def writing(self, info: ModelInfo) -> Generator[tuple["PromptWriter", int]]:
        """A writer of prompts for the model and its context length, without waiting for the engine.

        A model that is not in memory has its vocabulary read (up to a second for the largest). Raises ModelError.
        """
        state = file_state(info)
        with self._lock:
            resident = self._loaded.get(str(info.path))
            resident = resident if resident and resident.state == state else None
            if resident:
                resident.model.acquire()
        model, writer = (resident.model, resident.writer) if resident else self._vocabularies.borrow(info, state)
        try:
            yield writer, context_length(info, self._settings(info))
        finally:
            model.release()

    def close(self) -> None:
        """Free everything, when nothing is being answered or loaded any more."""
        self._leaver.close()
        with self._lock:
            self._retired += self._loaded.values()
            self._loaded = {}
            residents = list(self._retired)
        for resident in residents:
            self._free(resident)
        self._vocabularies.close()

    def _find(self, info: ModelInfo) -> Resident | None:
        with self._lock:
            return self._loaded.get(str(info.path))

    def _seat(self, resident: Resident, info: ModelInfo, settings: EngineSettings) -> Seat | None:
        place = resident.workplaces.take(info, adapter_set(info), settings)
        if settings.keep_alive_minutes != resident.settings.keep_alive_minutes:
            resident.settings = settings
            resident.holding.keep_alive_s = settings.keep_alive_minutes * 60.0
            resident.holding.ready()
        return Seat(info, resident, place) if place is not None else None

    def _leave(self, holding: Holding) -> None:
        """The memory of a model that nobody uses is wanted: free it, soon, on the leaver's thread."""
        with self._lock:
            for path, resident in list(self._loaded.items()):
                if resident.holding is holding:
                    self._retired.append(self._loaded.pop(path))
            found = [resident for resident in self._retired if resident.holding is holding]
        for resident in found:
            with suppress(EngineFailure):  # everything is being closed, and this with it
                self._leaver.call(functools.partial(self._free, resident))

    def _free(self, resident: Resident) -> None:
        with self._lock:
            if resident not in self._retired:
                return
            self._retired.remove(resident)
        resident.close()
        self._bus.publish(ModelUnloaded(resident.info.name))
        resident.holding.free()  # before anybody hears that it has gone, and asks what fits now
        resident.gone.set_result(None)

    # Weights

    def _load_weights(
        self, info: ModelInfo, settings: EngineSettings, state: FileState, waiter: Stoppable
    ) -> tuple[Seat | None, float]:
        plan = self._scheduler.planner.plan(info, settings)
        holding = self._scheduler.ask(plan, lambda: self._leave(holding))
        try:
            while not holding.wait(_LOOK_EVERY_S):
                if waiter.cancelled:
                    raise Cancelled("Loading was cancelled.")
                if (seat := self.hold(info)) is not None:  # whoever waited for its memory has given up
                    holding.free()
                    return seat, 0.0
            self.retire(info)
            resident = self._load(plan, settings, state, holding, waiter)
        except BaseException:
            holding.free()
            raise
        try:
            self._furnish(resident, info, settings, waiter)
            return self.hold(info), resident.load_ms
        finally:
            holding.give_back()

    def _load(
        self, plan: LoadPlan, settings: EngineSettings, state: FileState, holding: Holding, waiter: Stoppable
    ) -> Resident:
        info = plan.info
        with self._marked(info):
            resident = self._bring_in(plan, settings, state, holding, waiter)
        with self._lock:
            self._loaded[str(info.path)] = resident
        holding.ready()
        self._vocabularies.forget(info)
        context = resident.workplaces.all()[0].context
        self._bus.publish(
            ModelLoaded(info.name, info.label, resident.load_ms, context.length, resident.device, context.threads)
        )
        return resident

    @contextmanager
    def _marked(self, info: ModelInfo) -> Generator[None]:
        """What happens in between may take the process down."""
        if self._on_loading:
            self._on_loading(info)
        try:
            yield
        finally:
            # Also after a refusal: what matters to the mark is that the process is still alive.
            if self._on_loaded:
                self._on_loaded(info)

    def _bring_in(
        self, plan: LoadPlan, settings: EngineSettings, state: FileState, holding: Holding, waiter: Stoppable
    ) -> Resident:
        from codette_desktop.inference.llama.model import Model
        from codette_desktop.inference.llama.prompt import PromptWriter

        started, before, gpu_before = time.perf_counter(), process_memory(), memory_now().gpu_free
        info, header, chosen = plan.info, read_header(plan.info.path), plan.settings
        with _Progress(self._bus, info.name) as told:
            model = Model.load(info.path, chosen, header=header, on_progress=told, cancelled=lambda: waiter.cancelled)
            try:
                writer = PromptWriter(model.vocabulary)
                place = self._new_place(model, plan, settings, waiter)
            except BaseException:
                model.close()
                raise
        self._scheduler.planner.note(plan, process_memory() - before, gpu_before - memory_now().gpu_free)
        device = (library().gpu if chosen.gpu_layers else None) or "CPU"
        lora = Lora(model)
        workplaces = Workplaces(lora, self._desk)
        workplaces.add(place)
        resident = Resident(info, settings, state, plan, model, lora, workplaces, writer, device, holding)
        resident.load_ms = (time.perf_counter() - started) * 1000
        return resident

    # Contexts

    def _furnish(self, resident: Resident, info: ModelInfo, settings: EngineSettings, waiter: Stoppable) -> bool:
        """See that there is a place to answer in, as far as that can be; False where the weights must go for it."""
        self._read_adapters(resident, info)
        places = resident.workplaces
        if places.has(adapter_set(info), settings):
            return True
        holding = resident.holding
        for place in places.take_out(settings):
            place.slots.flush()
            place.context.close()
            holding.resize(holding.need - place.need)
        present = len(places.all())
        if present >= self._contexts:
            return True
        chosen = replace(settings, gpu_layers=resident.plan.settings.gpu_layers)
        plan = self._scheduler.planner.plan(info, chosen)
        if not holding.resize(holding.need + plan.context_need):
            return present > 0
        try:
            with self._marked(info):
                places.add(self._new_place(resident.model, plan, settings, waiter))
        except BaseException:
            holding.resize(holding.need - plan.context_need)
            raise
        return True

    def _read_adapters(self, resident: Resident, info: ModelInfo) -> None:
        holding = resident.holding
        for adapter in resident.lora.unread(info):
            need = Amount(adapter.path.stat().st_size)
            if not holding.resize(holding.need + need):
                raise ModelLoadFailed(
                    f"The adapter {adapter.name} needs {size_text(need.cpu)} of memory that is not free.",
                    "Close other programs, or unload other models.",
                )
            with self._marked(info):
                resident.lora.read(adapter)

    def _new_place(self, model: "Model", plan: LoadPlan, settings: EngineSettings, waiter: Stoppable) -> Workplace:
        from codette_desktop.inference.llama.context import Context

        context = Context(model, plan.settings, plan.length, sequences=SEQUENCES, cells=plan.shape.cells)
        try:
            _warm_up(context, waiter)
            slots, batch = self._desk(context, plan.info)
        except BaseException:
            context.close()
            raise
        return Workplace(context, slots, batch, plan.info, of_context(settings), plan.context_need)

    def _desk(self, context: "Context", info: ModelInfo) -> tuple["Slots", "Batch"]:
        """What a context is used by, from when adapters are put on it until they are swapped."""
        from codette_desktop.inference.llama.batching import Batch
        from codette_desktop.inference.llama.kv_key import state_key
        from codette_desktop.inference.llama.slots import Slots

        slots = Slots(context, self._kv.of(state_key(info, context)) if self._kv else None)
        return slots, Batch(context, slots)


def _warm_up(context: "Context", waiter: Stoppable) -> None:
    """Decode two tokens: what a bad file or a wrong build can do happens here, under the mark of a load."""
    import numpy as np

    from codette_desktop.inference.llama.context import Feed

    waiter.attach(context)
    try:
        token = max(0, context.model.vocabulary.bos)
        if not context.decode([Feed(0, np.array([token] * min(2, context.chunk), np.int32))]):
            raise Cancelled("Loading was cancelled.")
        context.logits()
        context.clear()
    finally:
        waiter.attach(None)


class _Progress:
    """Publishes `ModelLoading`, at most twenty times a second; 1 in the end, also of a load that failed."""

    def __init__(self, bus: EventBus, name: str) -> None:
        self._bus, self._name = bus, name
        self._told_at = 0.0

    def __call__(self, progress: float) -> None:
        now = time.monotonic()
        if progress >= 1.0 or now - self._told_at >= _PROGRESS_EVERY_S:
            self._told_at = now
            self._bus.publish(ModelLoading(self._name, min(1.0, progress)))

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self(1.0)

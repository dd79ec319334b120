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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from codette_desktop.domain.errors import Cancelled, EngineFailure
from codette_desktop.domain.events import EventBus, ModelLoaded, ModelLoading, ModelUnloaded
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.holding import Holding
from codette_desktop.inference.llama.devices import memory_now, process_memory
from codette_desktop.inference.llama.library import library
from codette_desktop.inference.llama.runtime import Engine
from codette_desktop.inference.llama.vocabularies import FileState, Vocabularies, file_state
from codette_desktop.inference.planning import SEQUENCES, LoadPlan, context_length
from codette_desktop.inference.provider import LoadedModel
from codette_desktop.inference.scheduling import Scheduler
from codette_desktop.models.gguf import read_header
from codette_desktop.models.kv_cache import refuse_kv_type

if TYPE_CHECKING:
    from codette_desktop.inference.llama.batching import Batch
    from codette_desktop.inference.llama.context import Context
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


@dataclass(eq=False, slots=True)
class Resident:
    """One model in memory, ready to answer. `settings` are those it was asked for with.

    `holding` is its memory, and counts the answers that stand on it; `gone` is done when it is freed.
    """

    info: ModelInfo
    settings: EngineSettings
    state: FileState
    model: "Model"
    context: "Context"
    slots: "Slots"
    batch: "Batch"
    writer: "PromptWriter"
    device: str
    load_ms: float
    holding: Holding
    gone: "Future[None]" = field(default_factory=Future[None])

    @property
    def users(self) -> int:
        """The answers that stand on it."""
        return self.holding.users

    def close(self) -> None:
        """Free context, then weights (which wait for whoever still reads the vocabulary)."""
        self.context.close()
        self.model.close()


class Residents:
    """The models in memory. Loads are made one after the other, on the loader's thread.

    The scheduler says which fit. One whose memory is wanted by others is freed on a thread of its own, for the loader
    may be waiting for just that.
    """

    def __init__(
        self,
        bus: EventBus,
        settings: Callable[[ModelInfo], EngineSettings],
        scheduler: Scheduler,
        *,
        on_loading: Hook | None = None,
        on_loaded: Hook | None = None,
    ) -> None:
        self._bus = bus
        self._settings = settings
        self._scheduler = scheduler
        self._on_loading = on_loading
        self._on_loaded = on_loaded
        self._loaded: dict[str, Resident] = {}
        self._retired: list[Resident] = []  # they end what they have begun, or are being freed
        self._vocabularies = Vocabularies()
        self._leaver = Engine("llama-leaver")
        self._lock = threading.Lock()  # guards the two collections; held only for moments

    def hold(self, info: ModelInfo) -> Resident | None:
        """The model, to be `release`d, if it is in memory as the file and the settings are now. Any thread."""
        settings, state = self._settings(info), file_state(info)
        with self._lock:
            resident = self._loaded.get(str(info.path))
        if resident is None or (resident.settings, resident.state) != (settings, state):
            return None
        return resident if resident.holding.take() else None

    def release(self, resident: Resident) -> None:
        """The inverse of `hold`. Any thread."""
        resident.holding.give_back()

    def load(self, info: ModelInfo, waiter: Stoppable) -> tuple[Resident, float]:
        """Have the model in memory, and hold it: to be `release`d. Loader's thread; waits for memory.

        Gives what it took, in ms, 0 where it was there. Raises ModelError or Cancelled.
        """
        if (resident := self.hold(info)) is not None:
            return resident, 0.0
        settings, state = self._settings(info), file_state(info)
        self._retire_if_changed(info, settings, state)
        plan = self._scheduler.planner.plan(info, settings)
        refuse_kv_type(self._scheduler.planner.header(info), settings)
        holding = self._scheduler.ask(plan, lambda: self._leave(holding))
        try:
            while not holding.wait(_LOOK_EVERY_S):
                if waiter.cancelled:
                    raise Cancelled("Loading was cancelled.")
                if (resident := self.hold(info)) is not None:  # whoever waited for its memory has given up
                    holding.free()
                    return resident, 0.0
            self.retire(info)
            resident = self._load(plan, settings, state, holding, waiter)
            return resident, resident.load_ms
        except BaseException:
            holding.free()
            raise

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
        """What is in memory, most recently used first."""
        with self._lock:
            residents = sorted(self._loaded.values(), key=lambda resident: -resident.holding.used_at)
        return [
            LoadedModel(
                name=item.info.name,
                label=item.info.label,
                device=item.device,
                threads=item.context.threads,
                context_used=item.slots.last_tokens,
                context_length=item.context.length,
                resident_bytes=item.context.resident_bytes,
                busy=item.batch.busy,
            )
            for item in residents
        ]

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

    def _retire_if_changed(self, info: ModelInfo, settings: EngineSettings, state: FileState) -> None:
        with self._lock:
            resident = self._loaded.get(str(info.path))
        if resident is not None and (resident.settings, resident.state) != (settings, state):
            self.retire(info)

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
        resident.gone.set_result(None)
        resident.holding.free()

    def _load(
        self, plan: LoadPlan, settings: EngineSettings, state: FileState, holding: Holding, waiter: Stoppable
    ) -> Resident:
        info = plan.info
        if self._on_loading:
            self._on_loading(info)
        try:
            resident = self._bring_in(plan, settings, state, holding, waiter)
        finally:
            # Also after a refusal: what matters to the mark is that the process is still alive.
            if self._on_loaded:
                self._on_loaded(info)
        with self._lock:
            self._loaded[str(info.path)] = resident
        holding.ready()
        self._vocabularies.forget(info)
        context = resident.context
        self._bus.publish(
            ModelLoaded(info.name, info.label, resident.load_ms, context.length, resident.device, context.threads)
        )
        return resident

    def _bring_in(
        self, plan: LoadPlan, settings: EngineSettings, state: FileState, holding: Holding, waiter: Stoppable
    ) -> Resident:
        from codette_desktop.inference.llama.batching import Batch
        from codette_desktop.inference.llama.context import Context
        from codette_desktop.inference.llama.model import Model
        from codette_desktop.inference.llama.prompt import PromptWriter
        from codette_desktop.inference.llama.slots import Slots

        started, before, gpu_before = time.perf_counter(), process_memory(), memory_now().gpu_free
        info, header, chosen = plan.info, read_header(plan.info.path), plan.settings
        progress = _Progress(self._bus, info.name)
        model = Model.load(info.path, chosen, header=header, on_progress=progress, cancelled=lambda: waiter.cancelled)
        try:
            context = Context(model, chosen, plan.length, sequences=SEQUENCES, cells=plan.shape.cells)
            try:
                _warm_up(context, waiter)
            except BaseException:
                context.close()
                raise
            writer = PromptWriter(model.vocabulary)
        except BaseException:
            model.close()
            raise
        self._scheduler.planner.note(plan, process_memory() - before, gpu_before - memory_now().gpu_free)
        gpu = library().gpu if chosen.gpu_layers else None
        slots = Slots(context)
        load_ms = (time.perf_counter() - started) * 1000
        progress(1.0)
        return Resident(
            info, settings, state, model, context, slots, Batch(context, slots), writer, gpu or "CPU", load_ms, holding
        )


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
    """Publishes `ModelLoading`, at most twenty times a second."""

    def __init__(self, bus: EventBus, name: str) -> None:
        self._bus, self._name = bus, name
        self._told_at = 0.0

    def __call__(self, progress: float) -> None:
        now = time.monotonic()
        if progress >= 1.0 or now - self._told_at >= _PROGRESS_EVERY_S:
            self._told_at = now
            self._bus.publish(ModelLoading(self._name, min(1.0, progress)))

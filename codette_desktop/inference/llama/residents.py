"""The models in memory: loading one when it is asked for, and the least recently used one leaving for it.

What a model is read and run with (numpy, jinja2) is imported by its first load, on the engine's thread: the window need
not wait for it.
"""

import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import psutil

from codette_desktop.domain.errors import Cancelled
from codette_desktop.domain.events import EventBus, ModelLoaded, ModelLoading, ModelUnloaded
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.llama.library import library
from codette_desktop.inference.llama.vocabularies import FileState, Vocabularies, file_state
from codette_desktop.inference.provider import LoadedModel
from codette_desktop.models.gguf import GgufHeader, read_header

if TYPE_CHECKING:
    from codette_desktop.inference.llama.batching import Batch
    from codette_desktop.inference.llama.context import Context
    from codette_desktop.inference.llama.kv_folder import KvFolder
    from codette_desktop.inference.llama.model import Model
    from codette_desktop.inference.llama.prompt import PromptWriter
    from codette_desktop.inference.llama.slots import Slots

log = logging.getLogger(__name__)

DEFAULT_CONTEXT_LENGTH = 8192
SEQUENCES = 8  # answers that may be written together in one context; idle ones keep what they have read
DEFAULT_PARALLEL = 4
_SHARE_FOR_MORE = 0.1  # of the memory that is free: what the contexts beyond the first may take
_PROGRESS_EVERY_S = 0.05
_LOOK_EVERY_S = 0.05

Hook = Callable[[ModelInfo], object]


class Stoppable(Protocol):
    """Whoever waits for a load: it may lose interest, and a decode on its behalf may have to be aborted."""

    cancelled: bool

    def attach(self, context: "Context | None") -> None:
        """Have `context` aborted when the wait is cancelled; None: no longer."""


@dataclass(slots=True)
class Resident:
    """One model in memory, ready to answer. `users` counts the answers that stand on it."""

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
    users: int = 0
    used_at: float = field(default_factory=time.perf_counter)

    def close(self) -> None:
        """Keep what was read, free context, then weights (which wait for whoever still reads the vocabulary)."""
        self.slots.flush()
        self.context.close()
        self.model.close()


class Residents:
    """At most `most` models in memory. Loads and unloads are made one after the other, on the loader's thread.

    A model somebody `hold`s stays; a load that needs its place waits until it is released.
    """

    def __init__(
        self,
        bus: EventBus,
        settings: Callable[[ModelInfo], EngineSettings],
        *,
        most: int = 2,
        on_loading: Hook | None = None,
        on_loaded: Hook | None = None,
        kv: "KvFolder | None" = None,
    ) -> None:
        self._bus = bus
        self._kv = kv
        self._settings = settings
        self._most = most
        self._on_loading = on_loading
        self._on_loaded = on_loaded
        self._loaded: dict[str, Resident] = {}
        self._vocabularies = Vocabularies()
        self._changed = threading.Condition()  # guards the dictionary and the counts of users; held only for moments

    def hold(self, info: ModelInfo) -> Resident | None:
        """The model, to be `release`d, if it is in memory as the file and the settings are now. Any thread."""
        settings, state = self._settings(info), file_state(info)
        with self._changed:
            resident = self._loaded.get(str(info.path))
            if resident is None or (resident.settings, resident.state) != (settings, state):
                return None
            resident.users += 1
            resident.used_at = time.perf_counter()
            return resident

    def release(self, resident: Resident) -> None:
        """The inverse of `hold`. Any thread."""
        with self._changed:
            resident.users -= 1
            resident.used_at = time.perf_counter()
            self._changed.notify_all()

    def load(self, info: ModelInfo, waiter: Stoppable) -> float:
        """Have the model in memory; returns what that took in milliseconds, 0 where it was there. Loader's thread.

        Raises ModelError or Cancelled.
        """
        settings, state = self._settings(info), file_state(info)
        resident = self._loaded.get(str(info.path))
        if resident is not None and (resident.settings, resident.state) == (settings, state):
            return 0.0
        if resident is not None:
            self.unload(info, waiter)
        return self._load(info, settings, state, waiter).load_ms

    def unload(self, info: ModelInfo, waiter: Stoppable | None = None) -> bool:
        """Free a model once nobody uses it; False where it was not loaded. Loader's thread."""
        with self._changed:
            resident = self._loaded.pop(str(info.path), None)
            if resident is None:
                return False
            while resident.users and not (waiter and waiter.cancelled):
                self._changed.wait(_LOOK_EVERY_S)
            if resident.users:
                self._loaded[str(info.path)] = resident
                raise Cancelled("It was cancelled while the model was in use.")
        resident.close()
        self._bus.publish(ModelUnloaded(resident.info.name))
        return True

    def snapshot(self) -> list[LoadedModel]:
        """What is in memory, most recently used first."""
        with self._changed:
            residents = sorted(self._loaded.values(), key=lambda resident: -resident.used_at)
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
        with self._changed:
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
        with self._changed:
            residents, self._loaded = list(self._loaded.values()), {}
        for resident in residents:
            resident.close()
        self._vocabularies.close()

    def _load(self, info: ModelInfo, settings: EngineSettings, state: FileState, waiter: Stoppable) -> Resident:
        header = read_header(info.path)
        while len(self._loaded) >= self._most:
            self.unload(self._idle(waiter).info, waiter)
        if self._on_loading:
            self._on_loading(info)
        try:
            resident = self._bring_in(info, header, settings, state, waiter)
        finally:
            # Also after a refusal: what matters to the mark is that the process is still alive.
            if self._on_loaded:
                self._on_loaded(info)
        with self._changed:
            self._loaded[str(info.path)] = resident
        self._vocabularies.forget(info)
        context = resident.context
        self._bus.publish(
            ModelLoaded(info.name, info.label, resident.load_ms, context.length, resident.device, context.threads)
        )
        return resident

    def _idle(self, waiter: Stoppable) -> Resident:
        """The model used longest ago that nobody uses; waits for one."""
        with self._changed:
            while not (idle := [resident for resident in self._loaded.values() if not resident.users]):
                if waiter.cancelled:
                    raise Cancelled("Loading was cancelled.")
                self._changed.wait(_LOOK_EVERY_S)
        return min(idle, key=lambda resident: resident.used_at)

    def _bring_in(
        self, info: ModelInfo, header: GgufHeader, settings: EngineSettings, state: FileState, waiter: Stoppable
    ) -> Resident:
        from codette_desktop.inference.llama.batching import Batch
        from codette_desktop.inference.llama.context import Context
        from codette_desktop.inference.llama.kv_key import state_key
        from codette_desktop.inference.llama.model import Model
        from codette_desktop.inference.llama.prompt import PromptWriter
        from codette_desktop.inference.llama.slots import Slots

        started = time.perf_counter()
        progress = _Progress(self._bus, info.name)
        model = Model.load(info.path, settings, header=header, on_progress=progress, cancelled=lambda: waiter.cancelled)
        try:
            length = context_length(info, settings)
            context = Context(
                model, settings, length, sequences=SEQUENCES, cells=_cells(length, model.kv_bytes(length), settings)
            )
            try:
                _warm_up(context, waiter)
            except BaseException:
                context.close()
                raise
            writer = PromptWriter(model.vocabulary)
        except BaseException:
            model.close()
            raise
        gpu = library().gpu if settings.gpu_layers else None
        slots = Slots(context, self._kv.of(state_key(info, settings, context, header)) if self._kv else None)
        load_ms = (time.perf_counter() - started) * 1000
        progress(1.0)
        return Resident(
            info, settings, state, model, context, slots, Batch(context, slots), writer, gpu or "CPU", load_ms
        )


def _cells(length: int, kv_bytes: int, settings: EngineSettings) -> int:
    """Tokens of KV cache for all answers together: `parallel` whole contexts, as far as memory is plentiful.

    Answers that do not fit together take turns, so more is speed, not need.
    """
    most = settings.parallel or DEFAULT_PARALLEL
    if not settings.parallel:
        most = min(most, 1 + int(psutil.virtual_memory().available * _SHARE_FOR_MORE / max(1, kv_bytes)))
    return length * max(1, most)


def context_length(info: ModelInfo, settings: EngineSettings) -> int:
    """Tokens of context: those of `settings`, else the model's own up to 8,192."""
    return settings.context_length or min(info.context_length or DEFAULT_CONTEXT_LENGTH, DEFAULT_CONTEXT_LENGTH)


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

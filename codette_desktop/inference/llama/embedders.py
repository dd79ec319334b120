"""Which model is ready to embed: the one asked last. It is loaded beside the models that answer, within the budget."""

import functools
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from codette_desktop.domain.errors import Cancelled, CodetteError, EngineFailure
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.holding import Holding
from codette_desktop.inference.llama.residents import Hook
from codette_desktop.inference.llama.runtime import Engine, Job
from codette_desktop.inference.llama.vocabularies import FileState, file_state
from codette_desktop.inference.scheduling import Scheduler

if TYPE_CHECKING:
    from codette_desktop.inference.llama.embedding import Embedder

_LOOK_EVERY_S = 0.05
_PLANNED_TOKENS = 2_048  # of the texts embedded at once; one that is longer takes more

Wanted = tuple[str, FileState, EngineSettings]


@dataclass(eq=False, slots=True)
class Ready:
    """A model in memory; `holding` is its memory, and counts those who use it."""

    wanted: Wanted
    embedder: "Embedder"
    holding: Holding


class Embedders:
    """`load` on the loader's thread, the rest on any. What nobody uses any more is freed on a thread of its own."""

    def __init__(
        self,
        settings: Callable[[ModelInfo], EngineSettings],
        scheduler: Scheduler,
        on_loading: Hook | None = None,
        on_loaded: Hook | None = None,
    ) -> None:
        self._settings = settings
        self._scheduler = scheduler
        self._on_loading = on_loading
        self._on_loaded = on_loaded
        self._current: Ready | None = None
        self._there: list[Ready] = []  # the current one, and those that end what they have begun
        self._leaver = Engine("llama-embedder-leaver")
        self._lock = threading.Lock()  # guards the two above; held only for moments

    def hold(self, info: ModelInfo) -> Ready | None:
        """The model, to be released, if it is ready as its file and the settings are now."""
        wanted = self._wanted(info)
        with self._lock:
            ready = self._current
        return ready if ready is not None and ready.wanted == wanted and ready.holding.take() else None

    def release(self, ready: Ready) -> None:
        """The inverse of `hold`."""
        ready.holding.give_back()

    def load(self, info: ModelInfo, cancelled: Callable[[], bool]) -> None:
        """Have the model ready, in place of the one before. Waits for memory. Raises ModelError or Cancelled."""
        if (ready := self.hold(info)) is not None:
            self.release(ready)
            return
        self._retire()
        wanted = self._wanted(info)
        length = wanted[2].context_length or info.context_length
        chosen = replace(wanted[2], context_length=min(length, _PLANNED_TOKENS), parallel=1)
        plan = self._scheduler.planner.plan(info, chosen)
        holding = self._scheduler.ask(plan, lambda: self._leave(holding))
        try:
            while not holding.wait(_LOOK_EVERY_S):
                if cancelled():
                    raise Cancelled("Loading was cancelled.")
            embedder = self._bring_in(info, wanted[2], plan.settings, cancelled)
        except BaseException:
            holding.free()
            raise
        ready = Ready(wanted, embedder, holding)
        with self._lock:
            self._current = ready
            self._there.append(ready)
        holding.ready()
        holding.give_back()

    def unload(self, info: ModelInfo) -> bool:
        """Free it, once nobody uses it; False where it was not ready."""
        with self._lock:
            ready = self._current
        if ready is None or ready.wanted[0] != str(info.path):
            return False
        self._retire()
        return True

    def close(self) -> None:
        """Free all, when nothing is being embedded or loaded any more."""
        self._leaver.close()
        for ready in tuple(self._there):
            self._free(ready)

    def _wanted(self, info: ModelInfo) -> Wanted:
        return str(info.path), file_state(info), self._settings(info)

    def _bring_in(
        self, info: ModelInfo, settings: EngineSettings, planned: EngineSettings, cancelled: Callable[[], bool]
    ) -> "Embedder":
        from codette_desktop.inference.llama.embedding import Embedder
        from codette_desktop.inference.llama.model import Model
        from codette_desktop.models.gguf import read_header

        header = read_header(info.path)
        if self._on_loading:
            self._on_loading(info)
        try:
            chosen = replace(settings, gpu_layers=planned.gpu_layers)
            model = Model.load(info.path, chosen, header=header, any_kind=True, cancelled=cancelled)
            try:
                embedder = Embedder(info, model, header, chosen)
            finally:
                model.close()  # freed when the embedder lets go of it
            try:
                embedder.embed(embedder.tokenise(["a b"]))  # what a bad file can do happens here, under the mark
            except BaseException:
                embedder.close()
                raise
            return embedder
        finally:
            if self._on_loaded:
                self._on_loaded(info)

    def _retire(self) -> None:
        with self._lock:
            ready, self._current = self._current, None
        if ready is not None:
            ready.holding.retire()

    def _leave(self, holding: Holding) -> None:
        """Its memory is wanted, and nobody uses it."""
        with self._lock:
            found = [ready for ready in self._there if ready.holding is holding]
            if self._current in found:
                self._current = None
        for ready in found:
            with suppress(EngineFailure):  # everything is being closed, and this with it
                self._leaver.call(functools.partial(self._free, ready))

    def _free(self, ready: Ready) -> None:
        with self._lock:
            if ready not in self._there:
                return
            self._there.remove(ready)
        ready.embedder.close()
        ready.holding.free()


class LoadEmbedder(Job):
    """Has a model ready to embed. When `ended` is done it is, unless `error` says why not."""

    def __init__(self, info: ModelInfo, embedders: Embedders) -> None:
        super().__init__()
        self._info = info
        self._embedders = embedders
        self.error: CodetteError | None = None

    def step(self) -> bool:
        """The whole load."""
        self._embedders.load(self._info, lambda: self.cancelled)
        return False

    def fail(self, error: Exception) -> None:
        """Keep the error for whoever waits."""
        self.error = error if isinstance(error, CodetteError) else EngineFailure(f"The engine failed: {error}")

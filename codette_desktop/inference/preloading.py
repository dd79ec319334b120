"""Models the person wants in memory from the start, loaded one after the other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from typing import Any, cast

from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.engine_settings import SettingsStore
from codette_desktop.inference.scheduling import Scheduler

log = logging.getLogger(__name__)

PRELOAD_SETTING = "engine_preload"


class Preloader:
    """Keeps which models are loaded at start (by the hash of their file, in that order), and loads them.

    `models` lists all there are, `load` loads one by its name, `apart` says which run in a process of their own. `told`
    says what the last run could not load.
    """

    def __init__(
        self,
        store: SettingsStore,
        scheduler: Scheduler,
        models: Callable[[], Sequence[ModelInfo]],
        load: Callable[[str], Awaitable[object]],
        *,
        settings: Callable[[ModelInfo], EngineSettings],
        apart: Callable[[ModelInfo], bool] = lambda _model: False,
        named: Callable[[], Sequence[ModelInfo]] = tuple,
    ) -> None:
        self._store = store
        self._scheduler = scheduler
        self._models = models
        self._load = load
        self._settings = settings
        self._apart = apart
        self._named = named
        self.told: list[str] = []

    def is_wanted(self, model: ModelInfo) -> bool:
        """Whether the model is loaded at start."""
        return bool(model.file_hash) and model.file_hash in self._wanted()

    def want(self, model: ModelInfo, wanted: bool) -> "Future[None]":
        """Have the model loaded at start from now on, after those already chosen, or no longer."""
        others = [known for known in self._wanted() if known != model.file_hash]
        return self._store.set(PRELOAD_SETTING, [*others, model.file_hash] if wanted else others)

    async def run(self) -> None:
        """Load them, as far as they fit beside each other; `told` then says what was not loaded, a sentence each.

        None leaves memory for another. Cancelling the task stops the load in progress and leaves out the rest.
        """
        self.told.clear()
        for model in await asyncio.get_event_loop().run_in_executor(None, self._chosen):
            try:
                if await asyncio.get_event_loop().run_in_executor(None, self._fits, model):
                    await self._load(model.name)
                else:
                    self.told.append(
                        f"{model.label} was not loaded at start: there is no room for it beside the others."
                    )
            except CodetteError as error:
                log.info("%s could not be loaded at start: %s", model.name, error)
                self.told.append(f"{model.label} could not be loaded at start: {error}")

    def _chosen(self) -> list[ModelInfo]:
        wanted = self._wanted()
        known = {model.file_hash: model for model in self._models() if model.file_hash in wanted}
        found = [known[file_hash] for file_hash in wanted if file_hash in known]
        try:
            found += [model for model in self._named() if model.file_hash not in wanted]
        except CodetteError as error:
            self.told.append(f"A model of the configuration file could not be loaded at start: {error}")
        return found

    def _fits(self, model: ModelInfo) -> bool:
        return self._scheduler.fits_beside(model, self._settings(model), apart=self._apart(model))

    def _wanted(self) -> list[str]:
        found = self._store.get(PRELOAD_SETTING, [])
        return [item for item in cast("list[Any]", found) if isinstance(item, str)] if isinstance(found, list) else []

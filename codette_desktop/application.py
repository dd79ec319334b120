"""The composition root: builds the services and connects them. The window, the API and the command line stand on it."""

import asyncio
import logging
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import cast

from codette_desktop.domain.errors import ModelError, ModelNotFound, StoreError
from codette_desktop.domain.events import EventBus, StoreFailed, StoreRecovered
from codette_desktop.domain.models import AUTO, AnyModel, EngineSettings, ModelInfo
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.admission import AdmittingProvider, Trust
from codette_desktop.inference.cache.provider import CachingProvider
from codette_desktop.inference.cache.responses import ResponseCache
from codette_desktop.inference.chat import ChatService
from codette_desktop.inference.dispatch import Planner, Policy
from codette_desktop.inference.engine_settings import EngineSettingsService
from codette_desktop.inference.fallback import FallbackProvider
from codette_desktop.inference.health import HealthMonitor
from codette_desktop.inference.isolation.provider import IsolatedProvider
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.inference.preloading import Preloader
from codette_desktop.inference.provider import Provider
from codette_desktop.inference.providers import ProviderSet
from codette_desktop.inference.scheduling import Scheduler
from codette_desktop.models.fit import Fit
from codette_desktop.models.library import ModelLibrary
from codette_desktop.paths import data_dir as default_data_dir
from codette_desktop.store import Store

log = logging.getLogger(__name__)

MODEL_SETTING = "model"
APART_SETTING = "models_apart"
FILES_SETTING = "model_files"
FALLBACK_SETTING = "fallback"
AUTO_REMOTE_SETTING = "auto_remote"


class Application:
    """All services of one data folder. Made by `open`, ended by `aclose`."""

    def __init__(self, data_dir: Path, store: Store) -> None:
        self.data_dir = data_dir
        self.store = store
        self.bus = EventBus()
        self.library = ModelLibrary(store, [data_dir / "models"])
        self.load_settings = EngineSettingsService(store.settings)
        self.scheduler = Scheduler(
            self.load_settings.memory_limit_bytes, store.model_memory, headers=self.library.headers
        )
        self.engine = self._make_engine()
        self.preloader = Preloader(
            store.settings,
            self.scheduler,
            self.library.list,
            self.engine.load,
            settings=self.engine_settings,
            apart=self.runs_apart,
        )
        self.servers = ProviderSet(
            self.engine,
            store.servers,
            self.bus,
            context_length=lambda: self.engine_settings().context_length,
        )
        self.cache = ResponseCache(store)
        self.health = HealthMonitor(self.bus, self._check_model, self.models)
        self.planner = Planner(
            self.find_known_model,
            self.models,
            profiles=store.profiles.all,
            health=self.health.all,
            policy=self.policy,
        )
        self.provider: Provider = FallbackProvider(CachingProvider(self.servers, self.cache), self._label)
        self.chat = ChatService(store, self.provider, self.planner, self.bus)
        self._background: list[asyncio.Task[None]] = []
        self.notes: list[str] = []
        store.failures.on_write_error = lambda error: self.bus.publish(StoreFailed(error))
        store.failures.on_write_ok = lambda: self.bus.publish(StoreRecovered())

    def _make_engine(self) -> AdmittingProvider:
        inside = LlamaProvider(
            self.find_file,
            self.bus,
            settings=self.engine_settings,
            scheduler=self.scheduler,
            on_loading=self._mark_loading,
            on_loaded=self._mark_loaded,
        )
        apart = IsolatedProvider(
            self.find_file,
            self.bus,
            settings=self.engine_settings,
            scheduler=self.scheduler,
            on_crash=lambda model, _error: self.store.models.note_crash(model.file_hash),
        )
        return AdmittingProvider(self.find_file, inside, apart, self.store.models, self.is_kept_apart)

    def start(self) -> None:
        """Begin what goes on by itself while the application runs: loads at start, checks of health. On the loop."""
        loop = asyncio.get_event_loop()
        self._background.append(loop.create_task(self.preloader.run(), name="loads at start"))
        self._background.append(loop.create_task(self.health.run(), name="health of models"))

    def models(self) -> dict[str, AnyModel]:
        """All models that could be asked, by the name one asks them by; the library's own choice comes first.

        Reads folders, asks no server. Any thread.
        """
        found: dict[str, AnyModel] = {}
        with suppress(ModelError):
            best = self.library.default()
            found[best.name] = best
        found |= {model.name: model for model in self.library.list()}
        paths = {model.path for model in found.values() if isinstance(model, ModelInfo)}
        for path in self.added_files():
            if path not in paths:
                with suppress(ModelError):
                    found[str(path)] = self.library.find(path)
        return found | {model.name: model for model in self.servers.models()}

    def added_files(self) -> list[Path]:
        """The files outside its folders that the person put on the list, usable or not."""
        kept = self.store.settings.get(FILES_SETTING, [])
        return (
            [Path(item) for item in cast("list[object]", kept) if isinstance(item, str)]
            if isinstance(kept, list)
            else []
        )

    def policy(self) -> Policy:
        """Who may answer in whose place."""
        return Policy(
            fallback=bool(self.store.settings.get(FALLBACK_SETTING, True)),
            remote=bool(self.store.settings.get(AUTO_REMOTE_SETTING, False)),
        )

    def _label(self, name: str) -> str:
        try:
            return self.find_model(name).label
        except ModelError:
            return name

    async def _check_model(self, name: str) -> None:
        """Raises what keeps a model from answering, as far as that can be seen without loading it."""
        model = await asyncio.get_event_loop().run_in_executor(None, self.find_model, name)
        if not isinstance(model, ModelInfo):
            await self.servers.check(model)

    def is_kept_apart(self, model: ModelInfo) -> bool:
        """Whether the person wants the model in a process of its own."""
        return model.file_hash in self.store.settings.get(APART_SETTING, [])

    def keep_apart(self, model: ModelInfo, apart: bool) -> "Future[None]":
        """Have the model run in a process of its own from its next load on, or no longer. `model` has its hash."""
        others = [known for known in self.store.settings.get(APART_SETTING, []) if known != model.file_hash]
        return self.store.settings.set(APART_SETTING, [*others, model.file_hash] if apart else others)

    @classmethod
    def open(cls, data_dir: Path | None = None) -> "Application":
        """Open the data folder (default: the person's own) and build everything on it. Raises StoreError."""
        folder = data_dir or default_data_dir()
        application = cls(folder, Store.open(folder))
        application._tell_what_happened()
        return application

    def runs_apart(self, model: ModelInfo) -> bool:
        """Whether the model runs in a process of its own, because the person wants it or it has crashed twice."""
        return self.engine.stays_apart(model, Trust(*self.store.models.trust(model.file_hash)))

    def engine_settings(self, model: ModelInfo | None = None) -> EngineSettings:
        """How the model is loaded, or any that has no settings of its own: see `load_settings`."""
        return self.load_settings.settings(model)

    def fit(self, model: ModelInfo) -> Fit:
        """Whether the model fits into memory now, in words. Reads the file's header. Raises ModelError."""
        settings, apart = self.engine_settings(model), self.runs_apart(model)
        in_memory = any(loaded.name == model.name for loaded in self.engine.loaded())
        return self.scheduler.fit(model, settings, apart=apart, in_memory=in_memory)

    def default_model(self) -> AnyModel:
        """The model the person chose last, or the library's own choice. Raises ModelNotFound where there is none."""
        return self._chosen_model() or self.library.default()

    def default_name(self) -> str:
        """What a new conversation keeps: "auto", or the name of `default_model`, or the path of its file."""
        if self.store.settings.get(MODEL_SETTING, "") == AUTO:
            return AUTO
        return self.name_for(self.default_model())

    def name_to_ask(self, name: str) -> str:
        """What a conversation keeps for what a person typed: "auto" and "" too. Raises ModelNotFound."""
        if name == AUTO:
            return AUTO
        return self.name_for(self.find_model(name)) if name else self.default_name()

    def name_for(self, model: AnyModel) -> str:
        """What `find_model` finds this model by: its name, or its path where it lies outside the folders."""
        if not isinstance(model, ModelInfo):
            return model.name
        return self.library.name_of(model)

    def _chosen_model(self) -> AnyModel | None:
        """The model the settings name, by its name or the path of its file; None where it is gone or unusable."""
        chosen = self.store.settings.get(MODEL_SETTING, "")
        if not isinstance(chosen, str) or chosen.strip() in ("", AUTO):
            return None
        try:
            return self.servers.find_model(chosen) or self.library.find(chosen)
        except ModelError as error:
            log.info("the chosen model %s cannot be used: %s", chosen, error)
            return None

    def find_model(self, name: str) -> AnyModel:
        """A model by name, label, path, or "SERVER/model"; "" is the default. Asks no server. Raises ModelNotFound."""
        if not name:
            return self.default_model()
        return self.servers.find_model(name) or self.library.find(name)

    def find_known_model(self, name: str) -> AnyModel:
        """As `find_model`, with the file's hash, which is computed once. Reads the disk. Raises ModelError."""
        model = self.find_model(name)
        return self.library.with_hash(model) if isinstance(model, ModelInfo) else model

    def find_file(self, name: str) -> ModelInfo:
        """As `find_known_model`, but only models in files. Raises ModelError."""
        model = self.find_known_model(name)
        if not isinstance(model, ModelInfo):  # its label was given in place of its name
            raise ModelNotFound(f"{model.label} answers on a server.", f"Its name is {model.name}.")
        return model

    async def check_format(self, sampling: Sampling) -> None:
        """Raises InvalidRequest where the JSON schema or the grammar cannot be used, and says why."""
        if sampling.json_schema or sampling.grammar:
            from codette_desktop.inference.llama.grammar import grammar_of

            await asyncio.to_thread(grammar_of, sampling)

    def _tell_what_happened(self) -> None:
        recovered = len(self.store.recovered)
        if recovered:
            what = "An answer was" if recovered == 1 else f"{recovered} answers were"
            self.notes.append(f"{what} interrupted when the application last ended. What was written is kept.")
        self._tell_crashes(set(self.store.models.crashed()))

    def _tell_crashes(self, crashed: set[str]) -> None:
        """A file that took the process down is not chosen again by itself."""
        if not crashed:
            return
        chosen = self._chosen_model()
        if not isinstance(chosen, ModelInfo):
            chosen = None
        models = {model.path: model for model in (*self.library.list(), *([chosen] if chosen else []))}
        for model in [model for model in models.values() if model.file_hash in crashed]:
            note = f"The application went down while it was loading {model.label}."
            if chosen is not None and chosen.path == model.path:
                self._forget_choice()
                note += " It is no longer the chosen model; choose it again only if you trust the file."
            self.notes.append(note)
        for file_hash in crashed:
            self.store.models.note_crash(file_hash)
            self.store.models.mark_loaded(file_hash)

    def _forget_choice(self) -> None:
        try:
            self.store.settings.set(MODEL_SETTING, "").result()  # waited for: the window reads it next
        except StoreError as error:
            log.warning("the choice of a model that crashed could not be taken back: %s", error)

    def _mark_loading(self, model: ModelInfo) -> None:
        """On the engine's thread: the mark must be on disk before the file can take the process down."""
        try:
            self.store.models.mark_loading(model.file_hash).result()
        except StoreError as error:
            log.info("a load could not be marked: %s", error)

    def _mark_loaded(self, model: ModelInfo) -> None:
        self.store.models.mark_loaded(model.file_hash)

    async def aclose(self) -> None:
        """Stop the engine, save what waits, close the database."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.provider.aclose()
        if self.provider is not self.servers:  # somebody else answers, but servers may have been tested
            await self.servers.aclose()
        await asyncio.to_thread(self.scheduler.close)
        await self.chat.aclose()
        await asyncio.to_thread(self.store.close)

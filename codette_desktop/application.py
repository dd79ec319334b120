"""The composition root: builds the services and connects them. The window, the API and the command line stand on it."""

import asyncio
import logging
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import cast

from codette_desktop.configuration.file import Configuration, configuration_path
from codette_desktop.configuration.roles import Roles
from codette_desktop.configuration.watching import watch
from codette_desktop.domain.errors import ModelError, ModelNotFound, StoreError
from codette_desktop.domain.events import ConfigurationChanged, EventBus, ServersChanged, StoreFailed, StoreRecovered
from codette_desktop.domain.models import AUTO, AnyModel, EngineSettings, ModelInfo
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.admission import AdmittingProvider
from codette_desktop.inference.cache.provider import CachingProvider
from codette_desktop.inference.cache.responses import ResponseCache
from codette_desktop.inference.chat import ChatService
from codette_desktop.inference.dispatch import Planner, Policy
from codette_desktop.inference.fallback import FallbackProvider
from codette_desktop.inference.health import HealthMonitor
from codette_desktop.inference.isolation.provider import IsolatedProvider
from codette_desktop.inference.known_servers import KnownServers
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.inference.named import NamedProvider
from codette_desktop.inference.provider import Provider
from codette_desktop.inference.providers import ProviderSet
from codette_desktop.models.library import ModelLibrary
from codette_desktop.paths import data_dir as default_data_dir
from codette_desktop.store import Store

log = logging.getLogger(__name__)

MODEL_SETTING = "model"
ENGINE_SETTING = "engine"
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
        self.configuration = Configuration(
            configuration_path(data_dir), self.bus, known=self._problem_of_name, gpu=_engine_gpu
        )
        self.roles = Roles(lambda: self.configuration.settings)
        self.library = ModelLibrary(store, [data_dir / "models"])
        self.engine = self._make_engine()
        self.servers = ProviderSet(
            self.engine,
            KnownServers(store.servers, self.configuration),
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
        named = NamedProvider(self.servers, self.configuration.asked_name)
        cached = CachingProvider(named, self.cache, may_keep=self.configuration.may_cache)
        self.provider: Provider = FallbackProvider(cached, self._label)
        self.chat = ChatService(store, self.provider, self.planner, self.bus)
        self._background: list[asyncio.Task[None]] = []
        self.notes: list[str] = []
        self.bus.subscribe(ConfigurationChanged, lambda _event: self.bus.publish(ServersChanged()))
        store.failures.on_write_error = lambda error: self.bus.publish(StoreFailed(error))
        store.failures.on_write_ok = lambda: self.bus.publish(StoreRecovered())

    def _make_engine(self) -> AdmittingProvider:
        inside = LlamaProvider(
            self.find_file,
            self.bus,
            settings=lambda _model: self.engine_settings(),
            on_loading=self._mark_loading,
            on_loaded=self._mark_loaded,
        )
        apart = IsolatedProvider(
            self.find_file,
            self.bus,
            settings=lambda _model: self.engine_settings(),
            on_crash=lambda model, _error: self.store.models.note_crash(model.file_hash),
        )
        return AdmittingProvider(self.find_file, inside, apart, self.store.models, self.is_kept_apart)

    def start(self) -> None:
        """Begin what goes on by itself while the application runs: checks of health, a look at the configuration file.

        On the event loop.
        """
        loop = asyncio.get_event_loop()
        self._background.append(loop.create_task(self.health.run(), name="health of models"))
        self._background.append(loop.create_task(watch(self.configuration), name="configuration file"))

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
        found |= {model.name: model for model in self.servers.models()}
        for entry in self.configuration.settings.models.values():
            with suppress(ModelError):
                model = self.find_model(entry.name)
                if model not in found.values():
                    found[entry.model if isinstance(model, ModelInfo) else model.name] = model
        return found

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
        return self.configuration.apart(model) or model.file_hash in self.store.settings.get(APART_SETTING, [])

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

    def engine_settings(self) -> EngineSettings:
        """How models are loaded, as the person chose it."""
        chosen = self.store.settings.get(ENGINE_SETTING, {})
        known = {key: value for key, value in chosen.items() if key in EngineSettings.__dataclass_fields__}
        return EngineSettings(**known)

    def default_model(self) -> AnyModel:
        """The model the person chose last, or the library's own choice. Raises ModelNotFound where there is none."""
        return self._chosen_model() or self.library.default()

    def default_name(self) -> str:
        """What a new conversation keeps: "auto", or the name of `default_model`, or the path of its file."""
        if self.store.settings.get(MODEL_SETTING, "") == AUTO:
            return AUTO
        chosen = self._chosen_model()
        if chosen is not None and (entry := self.configuration.entry(self.store.settings.get(MODEL_SETTING, ""))):
            return entry.name
        return self.name_for(chosen or self.library.default())

    def name_to_ask(self, name: str) -> str:
        """What a conversation keeps for what a person typed: "auto" and "" too. Raises ModelNotFound."""
        if name == AUTO:
            return AUTO
        if not name:
            return self.default_name()
        model, entry = self.find_model(name), self.configuration.entry(name)
        return entry.name if entry is not None else self.name_for(model)

    def name_for(self, model: AnyModel) -> str:
        """What `find_model` finds this model by: its name, or its path where it lies outside the folders."""
        if not isinstance(model, ModelInfo):
            return model.name
        return model.name if model.path in {known.path for known in self.library.list()} else str(model.path)

    def _chosen_model(self) -> AnyModel | None:
        """The model the settings name, by its name or the path of its file; None where it is gone or unusable."""
        chosen = self.store.settings.get(MODEL_SETTING, "")
        if not isinstance(chosen, str) or chosen.strip() in ("", AUTO):
            return None
        try:
            return self.find_model(chosen)
        except ModelError as error:
            log.info("the chosen model %s cannot be used: %s", chosen, error)
            return None

    def find_model(self, name: str) -> AnyModel:
        """A model by name, label, path, or "SERVER/model"; "" is the default. Asks no server. Raises ModelNotFound.

        Names of the configuration file go first.
        """
        if not name:
            return self.default_model()
        return self._find_outside_file(self.configuration.asked_name(name))

    def _find_outside_file(self, name: str) -> AnyModel:
        return self.servers.find_model(name) or self.library.find(name)

    def _problem_of_name(self, name: str) -> ModelError | None:
        """What is wrong with a model's name in the configuration file; None where the library or a server has it."""
        try:
            self._find_outside_file(name)
        except ModelError as error:
            return error
        return None

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
        await self.chat.aclose()
        await asyncio.to_thread(self.store.close)


def _engine_gpu() -> str | None:
    from codette_desktop.inference.llama.library import library

    return library().gpu

"""The composition root: builds the services and connects them. The window, the API and the command line stand on it."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import cast

from codette_desktop.configuration.file import Configuration, configuration_path
from codette_desktop.configuration.roles import Roles
from codette_desktop.configuration.watching import watch
from codette_desktop.domain.ensembles import Member
from codette_desktop.domain.errors import ModelError, ModelNotFound, StoreError
from codette_desktop.domain.events import ConfigurationChanged, EventBus, ServersChanged, StoreFailed, StoreRecovered
from codette_desktop.domain.models import AUTO, AnyModel, EngineSettings, ModelInfo
from codette_desktop.domain.requests import Sampling
from codette_desktop.ensemble.asking import EnsembleServices
from codette_desktop.ensemble.batches import BatchService
from codette_desktop.ensemble.comparisons import ComparisonService
from codette_desktop.ensemble.members import MemberReader
from codette_desktop.ensemble.service import EnsembleService
from codette_desktop.ensemble.turns import TurnPlanner
from codette_desktop.inference.admission import AdmittingProvider
from codette_desktop.inference.aftermath import Aftermath
from codette_desktop.inference.cache.provider import CachingProvider
from codette_desktop.inference.cache.responses import ResponseCache
from codette_desktop.inference.chat import ChatService
from codette_desktop.inference.dispatch import Planner, Policy
from codette_desktop.inference.engine_settings import EngineSettingsService
from codette_desktop.inference.fallback import FallbackProvider
from codette_desktop.inference.health import HealthMonitor
from codette_desktop.inference.isolation.provider import IsolatedProvider
from codette_desktop.inference.known_servers import KnownServers
from codette_desktop.inference.llama.kv_folder import DEFAULT_MB, KvFolder
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.inference.named import NamedProvider
from codette_desktop.inference.policy import policy_of
from codette_desktop.inference.preloading import Preloader
from codette_desktop.inference.provider import Provider, embedder_of
from codette_desktop.inference.providers import ProviderSet
from codette_desktop.inference.running import RunningModels
from codette_desktop.inference.scheduling import Scheduler
from codette_desktop.models.fit import Fit
from codette_desktop.models.library import ModelLibrary
from codette_desktop.models.memory_need import saved_bytes
from codette_desktop.paths import data_dir as default_data_dir
from codette_desktop.store import Store

log = logging.getLogger(__name__)

MODEL_SETTING = "model"
APART_SETTING = "models_apart"
FILES_SETTING = "model_files"
FALLBACK_SETTING = "fallback"
AUTO_REMOTE_SETTING = "auto_remote"
KV_DISK_SETTING = "kv_disk_mb"
CRASH_LOG = Path("logs", "crash.log")


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
        self.kv = KvFolder(data_dir / "kv", self._kv_disk_mb)
        self.running = RunningModels(data_dir / "running", data_dir / CRASH_LOG)
        self.load_settings = EngineSettingsService(store.settings, self.configuration.engine_for)
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
            named=lambda: [self.find_file(name) for name in self.configuration.preloaded()],
        )
        self.servers = ProviderSet(
            self.engine,
            KnownServers(store.servers, self.configuration),
            self.bus,
            context_length=lambda: self.engine_settings().context_length,
        )
        self.cache = ResponseCache(store, self.kv)
        self.health = HealthMonitor(
            self.bus, self._check_model, lambda: [model.name for model in self.models().values()]
        )
        self.provider: Provider = self._make_provider()
        self.planner = self._make_planner()
        self.chat = ChatService(store, self.provider, self.planner, self.bus)
        self.members = MemberReader(self, self.roles, self.configuration.sampling_for)
        self.ensembles = EnsembleService(self._ensemble_services())
        self.comparisons = ComparisonService(store, self.ensembles, self.planner, self.bus)
        self.batches = BatchService(store, self.comparisons)
        self._background: list[asyncio.Task[None]] = []
        self.notes: list[str] = []
        self.bus.subscribe(ConfigurationChanged, lambda _event: self.bus.publish(ServersChanged()))
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
            kv=self.kv,
            running=self.running,
        )
        apart = IsolatedProvider(
            self.find_file,
            self.bus,
            settings=self.engine_settings,
            scheduler=self.scheduler,
            on_crash=lambda model, _error: self.engine.note_crash(model),
        )
        return AdmittingProvider(self.find_file, inside, apart, self.store.models, self.is_kept_apart)

    def _make_provider(self) -> FallbackProvider:
        """Whoever answers: names of the person's own, then the cache, then those who stand in."""
        named = NamedProvider(self.servers, self.configuration.asked_name)
        cached = CachingProvider(named, self.cache, may_keep=self._may_keep_answers)
        return FallbackProvider(cached, self._label)

    def _make_planner(self) -> Planner:
        return Planner(
            self.find_known_model,
            self.models,
            profiles=self.store.profiles.all,
            health=self.health.of,
            policy=self.policy,
        )

    def _ensemble_services(self) -> EnsembleServices:
        turns = TurnPlanner(
            self.find_model, self.scheduler, self.engine_settings, self.runs_apart, lambda: self.engine.loaded()
        )
        return EnsembleServices(
            self.provider, self.store.reliability, turns.plan, self._member_key, self._label, self._embedded
        )

    def _member_key(self, member: Member) -> str:
        """A member by what it is. Reads the disk. Its name where its model cannot be found."""
        try:
            model = self.find_known_model(member.model)
        except ModelError:
            return f"{member.model}#{member.role}"
        hashes = model.file_hashes if isinstance(model, ModelInfo) else (model.name,)
        return f"{'+'.join(hashes)}#{member.role}"

    async def _embedded(self, texts: Sequence[str]) -> list[list[float]] | None:
        """Vectors by the first model here that is made for it; None where there is none."""
        known = await asyncio.get_event_loop().run_in_executor(None, self.library.list)
        encoder = next((model for model in known if not model.writes), None)
        if encoder is None:
            return None
        return (await embedder_of(self.provider, encoder.name).embed(encoder.name, texts)).vectors

    def start(self) -> None:
        """Begin what goes on by itself while the application runs. On the event loop.

        Models are loaded that are wanted from the start, health is checked, the configuration file is looked at.
        """
        loop = asyncio.get_event_loop()
        self._background.append(loop.create_task(self.preloader.run(), name="loads at start"))
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
        return policy_of(
            self.configuration,
            self.models(),
            fallback=bool(self.store.settings.get(FALLBACK_SETTING, True)),
            remote=bool(self.store.settings.get(AUTO_REMOTE_SETTING, False)),
        )

    def fit_and_saving(self, model: ModelInfo) -> tuple[Fit, int]:
        """`fit`, and the bytes that the model's quantisation saves against the same weights in F16."""
        return self.fit(model), saved_bytes(self.library.headers.read(model.path))

    def _label(self, name: str) -> str:
        try:
            return self.find_model(name).label
        except ModelError:
            return name

    async def _check_model(self, name: str) -> None:
        """Raises what keeps a model from answering, as far as that can be seen without loading it."""
        model = await asyncio.get_event_loop().run_in_executor(None, self._named, name)
        if not isinstance(model, ModelInfo):
            await self.servers.check(model)

    def _named(self, name: str) -> AnyModel:
        """A model by its own name, also where it lies outside the folders. Raises ModelError."""
        found = next((model for model in self.models().values() if model.name == name), None)
        return found or self.find_model(name)

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

    def runs_apart(self, model: ModelInfo) -> bool:
        """Whether the model runs in a process of its own, because the person wants it or it has crashed twice."""
        return self.engine.stays_apart(model, self.engine.trust(model))

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
        return self.library.name_of(model)

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

    def _may_keep_answers(self, name: str) -> bool:
        """Whether the file lets answers of a model be kept, whatever it calls the model. Reads folders if it must."""
        file = self.configuration
        return not file.keeps_answers_out or (file.may_cache(name) and file.may_cache(self.find_model(name)))

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

    def _kv_disk_mb(self) -> int:
        chosen = self.store.settings.get(KV_DISK_SETTING, DEFAULT_MB)
        return chosen if isinstance(chosen, int) else DEFAULT_MB

    async def purge_deleted(self, before: datetime) -> int:
        """Remove for good the conversations deleted before that moment, and what was read of any; gives how many."""
        gone = await asyncio.wrap_future(self.store.conversations.purge_deleted(before))
        await asyncio.wrap_future(self.kv.clear())
        return gone

    def _tell_what_happened(self) -> None:
        chosen = self._chosen_model()
        aftermath = Aftermath(self.store, chosen if isinstance(chosen, ModelInfo) else None, self.library.list)
        self.notes += aftermath.interrupted(len(self.store.recovered))
        self.notes += aftermath.of_loads(set(self.store.models.crashed()), self._forget_choice)
        for ended in self.running.went_down():
            self.notes += aftermath.of_answers(ended)

    def _forget_choice(self) -> None:
        self.store.settings.set(MODEL_SETTING, "").result()  # waited for: the window reads it next

    def _mark_loading(self, model: ModelInfo) -> None:
        """On the engine's thread: the mark must be on disk before the file can take the process down."""
        try:
            self.store.models.mark_loading(model.file_hash).result()
        except StoreError as error:
            log.info("a load could not be marked: %s", error)

    def _mark_loaded(self, model: ModelInfo) -> None:
        self.store.models.mark_loaded(model.file_hash)

    def begin_closing(self) -> None:
        """The application ends: what is stopped from now on was not stopped by the person."""
        self.chat.begin_closing()
        self.comparisons.begin_closing()

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
        await self.comparisons.aclose()
        await asyncio.to_thread(self.store.close)


def _engine_gpu() -> str | None:
    from codette_desktop.inference.llama.library import library

    return library().gpu

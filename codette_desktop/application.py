"""The composition root: builds the services and connects them. The window, the API and the command line stand on it."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path

from codette_desktop.configuration.file import Configuration, configuration_path
from codette_desktop.configuration.roles import Roles
from codette_desktop.configuration.watching import watch
from codette_desktop.domain.ensembles import Member
from codette_desktop.domain.errors import CodetteError, ModelError, StoreError, UnsupportedModel
from codette_desktop.domain.events import ConfigurationChanged, EventBus, ServersChanged, StoreFailed, StoreRecovered
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.domain.requests import Sampling
from codette_desktop.ensemble.asking import EnsembleServices
from codette_desktop.ensemble.batches import BatchService
from codette_desktop.ensemble.comparisons import ComparisonService
from codette_desktop.ensemble.members import MemberReader
from codette_desktop.ensemble.service import EnsembleService
from codette_desktop.ensemble.turns import TurnPlanner
from codette_desktop.inference.activity import Activity
from codette_desktop.inference.admission import AdmittingProvider, told_apart
from codette_desktop.inference.aftermath import Aftermath
from codette_desktop.inference.cache.provider import CachingProvider
from codette_desktop.inference.cache.responses import ResponseCache
from codette_desktop.inference.catalogue import MODEL_SETTING, ModelCatalogue
from codette_desktop.inference.chat import ChatService
from codette_desktop.inference.dispatch import Planner, Policy
from codette_desktop.inference.engine_settings import EngineSettingsService, settings_text
from codette_desktop.inference.fallback import FallbackProvider
from codette_desktop.inference.health import HealthMonitor
from codette_desktop.inference.isolation.provider import IsolatedProvider
from codette_desktop.inference.known_servers import KnownServers
from codette_desktop.inference.llama.kv_folder import DEFAULT_MB, KvFolder
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.inference.named import JointByName, NamedProvider
from codette_desktop.inference.observing import ObservedProvider, Observers
from codette_desktop.inference.observing_joint import ObservedJoint
from codette_desktop.inference.policy import policy_of
from codette_desktop.inference.preloading import Preloader
from codette_desktop.inference.provider import Provider, embedder_of
from codette_desktop.inference.providers import ProviderSet
from codette_desktop.inference.running import RunningModels
from codette_desktop.inference.scheduling import Scheduler
from codette_desktop.models.fit import Fit
from codette_desktop.models.library import ModelLibrary
from codette_desktop.models.memory_need import saved_bytes
from codette_desktop.monitoring.recording import RequestKeeper
from codette_desktop.paths import data_dir as default_data_dir
from codette_desktop.proof.service import ProofService
from codette_desktop.rating.contestants import ContestantReader
from codette_desktop.rating.service import RatingService
from codette_desktop.rating.sitting import RatingServices
from codette_desktop.rating.votes import VoteService
from codette_desktop.store import Store
from codette_desktop.watching import make_metrics, make_reports, make_watch

log = logging.getLogger(__name__)

APART_SETTING = "models_apart"
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
        self.configuration = self._make_configuration()
        self.roles = Roles(lambda: self.configuration.settings)
        self.library = ModelLibrary(store, [data_dir / "models"])
        self.catalogue = ModelCatalogue(self.library, self.configuration, store.settings, lambda: self.servers)
        self.kv = KvFolder(data_dir / "kv", self._kv_disk_mb)
        self.running = RunningModels(data_dir / "running", data_dir / CRASH_LOG)
        self.load_settings = EngineSettingsService(store.settings, self.configuration.engine_for)
        self.scheduler = Scheduler(
            self.load_settings.memory_limit_bytes, store.model_memory, headers=self.library.headers
        )
        self.engine = self._make_engine()
        self.preloader = self._make_preloader()
        self.servers = ProviderSet(
            self.engine,
            KnownServers(store.servers, self.configuration),
            self.bus,
            context_length=lambda: self.engine_settings().context_length,
        )
        self.cache = ResponseCache(store, self.kv)
        self.health = HealthMonitor(
            self.bus, self._check_model, lambda: [model.name for model in self.catalogue.models().values()]
        )
        self.activity, self._keeper = Activity(), RequestKeeper(store, self.bus)
        self.provider: Provider = self._make_provider()
        self.watch = make_watch(data_dir, store, self.bus, self.activity, self.cache, lambda: self.provider.loaded())
        self.planner = self._make_planner()
        self.chat = ChatService(store, self.provider, self.planner, self.bus)
        self.members = MemberReader(self.catalogue, self.roles, self.configuration.sampling_for)
        self.ensembles = EnsembleService(self._ensemble_services())
        self.comparisons = ComparisonService(store, self.ensembles, self.planner, self.bus)
        self.batches = BatchService(store, self.comparisons)
        self.votes = VoteService(store, self.bus)
        self.rating = self._make_rating()
        self.proofs = ProofService(lambda: self.provider, self.in_memory, self.ensembles.learn, self.ensembles.start)
        self.metrics = make_metrics(store, self.bus, self.cache, self.servers.servers, self.watch, self.provider.loaded)
        self.reports = make_reports(store, self.metrics, self.cache, self.votes, self.watch, self.catalogue)
        self._background: list[asyncio.Task[None]] = []
        self.notes: list[str] = []
        self._listen()

    def _listen(self) -> None:
        """What one part of the application tells another."""
        if isinstance(observed := self.provider, ObservedProvider):
            for kind in (ConfigurationChanged, ServersChanged):
                self.bus.subscribe(kind, lambda _event: observed.forget_names())
        self.bus.subscribe(ConfigurationChanged, lambda _event: self.bus.publish(ServersChanged()))
        self.store.failures.on_write_error = lambda error: self.bus.publish(StoreFailed(error))
        self.store.failures.on_write_ok = lambda: self.bus.publish(StoreRecovered())

    def _problem_of_name(self, name: str) -> ModelError | None:
        return self.catalogue.problem_of_name(name)

    def _make_configuration(self) -> Configuration:
        path = configuration_path(self.data_dir)
        return Configuration(path, self.bus, known=self._problem_of_name, gpu=_engine_gpu)

    def _make_engine(self) -> AdmittingProvider:
        inside = LlamaProvider(
            self.catalogue.find_file,
            self.bus,
            settings=self.engine_settings,
            scheduler=self.scheduler,
            on_loading=self._mark_loading,
            on_loaded=self._mark_loaded,
            kv=self.kv,
            running=self.running,
        )
        apart = IsolatedProvider(
            self.catalogue.find_file,
            self.bus,
            settings=self.engine_settings,
            scheduler=self.scheduler,
            on_crash=lambda model, _error: self.engine.note_crash(model),
        )
        return AdmittingProvider(self.catalogue.find_file, inside, apart, self.store.models, self.is_kept_apart)

    def _make_preloader(self) -> Preloader:
        return Preloader(
            self.store.settings,
            self.scheduler,
            self.library.list,
            self.engine.load,
            settings=self.engine_settings,
            apart=self.runs_apart,
            named=lambda: [self.catalogue.find_file(name) for name in self.configuration.preloaded()],
        )

    def _make_provider(self) -> ObservedProvider:
        """Whoever answers: names of the person's own, then the cache, then those who stand in. All of it is noted."""
        named = NamedProvider(self.servers, self.configuration.asked_name)
        cached = CachingProvider(named, self.cache, may_keep=self._may_keep_answers)
        observers = Observers(
            self.catalogue.find_known_model,
            self._keeper.keep,
            lambda model: settings_text(self.engine_settings(model)),
        )
        return ObservedProvider(FallbackProvider(cached, self.catalogue.label), self.activity, observers)

    def _make_planner(self) -> Planner:
        return Planner(
            self.catalogue.find_known_model,
            self.catalogue.models,
            profiles=self.store.profiles.all,
            health=self.health.of,
            policy=self.policy,
        )

    def _ensemble_services(self) -> EnsembleServices:
        turns = TurnPlanner(
            self.catalogue.find_model, self.scheduler, self.engine_settings, self.runs_apart, self.engine.loaded
        )
        return EnsembleServices(
            self.provider,
            self.store.reliability,
            turns.plan,
            self._member_key,
            self.catalogue.label,
            self._embedded,
            joint=ObservedJoint(
                JointByName(self.engine, self.configuration.asked_name),
                self.activity,
                self._keeper.keep,
                self.catalogue.label,
            ),
            cannot_write=self._cannot_write,
        )

    def _make_rating(self) -> RatingService:
        services = RatingServices(
            self.store, self.votes, self.ensembles, self.bus, lambda text: self.planner.task(text).type.value
        )
        return RatingService(services, ContestantReader(self.members, self.catalogue.find_known_model))

    def _cannot_write(self, member: Member) -> CodetteError | None:
        """What keeps a member from writing together with others, beside what loading it would show. Reads the disk."""
        try:
            model = self.catalogue.find_model(member.model)
        except CodetteError as error:
            return error
        if not isinstance(model, ModelInfo):
            hint = "It can take part in every other method."
            return UnsupportedModel("It runs on a server, which tells no probabilities of all tokens.", hint)
        return told_apart() if self.runs_apart(model) else None

    def _member_key(self, member: Member) -> str:
        """A member by what it is. Reads the disk. Its name where its model cannot be found."""
        try:
            model = self.catalogue.find_known_model(member.model)
        except ModelError:
            return f"{member.model}#{member.role}"
        hashes = model.file_hashes if isinstance(model, ModelInfo) else (model.name,)
        return f"{'+'.join(hashes)}#{member.role}"

    def in_memory(self, name: str) -> tuple[str, int]:
        """Who answers to a model's name, and the bytes it takes here now; 0 where it is not in memory."""
        model = self.catalogue.find_model(name).name
        return model, next((item.resident_bytes for item in self.provider.loaded() if item.name == model), 0)

    async def _embedded(self, texts: Sequence[str]) -> list[list[float]] | None:
        """Vectors by the first model here that is made for it; None where there is none."""
        known = await asyncio.get_event_loop().run_in_executor(None, self.library.list)
        encoder = next((model for model in known if not model.writes), None)
        if encoder is None:
            return None
        return (await embedder_of(self.provider, encoder.name).embed(encoder.name, texts)).vectors

    def start(self) -> None:
        """Begin what goes on by itself while the application runs. On the event loop.

        Sensors are read, models are loaded that are wanted from the start, health is checked, the configuration file
        is looked at.
        """
        loop = asyncio.get_event_loop()
        self.watch.start()
        self._background.append(loop.create_task(self.preloader.run(), name="loads at start"))
        self._background.append(loop.create_task(self.health.run(), name="health of models"))
        self._background.append(loop.create_task(watch(self.configuration), name="configuration file"))

    def policy(self) -> Policy:
        """Who may answer in whose place."""
        return policy_of(
            self.configuration,
            self.catalogue.models(),
            fallback=bool(self.store.settings.get(FALLBACK_SETTING, True)),
            remote=bool(self.store.settings.get(AUTO_REMOTE_SETTING, False)),
        )

    def fit_and_saving(self, model: ModelInfo) -> tuple[Fit, int]:
        """`fit`, and the bytes that the model's quantisation saves against the same weights in F16."""
        return self.fit(model), saved_bytes(self.library.headers.read(model.path))

    async def _check_model(self, name: str) -> None:
        """Raises what keeps a model from answering, as far as that can be seen without loading it."""
        model = await asyncio.get_event_loop().run_in_executor(None, self.catalogue.named, name)
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

    def _may_keep_answers(self, name: str) -> bool:
        """Whether the file lets answers of a model be kept, whatever it calls the model. Reads folders if it must."""
        file = self.configuration
        return not file.keeps_answers_out or (file.may_cache(name) and file.may_cache(self.catalogue.find_model(name)))

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
        chosen = self.catalogue.chosen_model()
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
        await self.watch.aclose()
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

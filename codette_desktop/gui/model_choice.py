"""The models one can choose from, the one chosen, and loading it ahead of the first question. No Qt."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codette_desktop.domain.errors import CodetteError, ModelError
from codette_desktop.domain.models import AUTO, AnyModel, ModelInfo, ServerModel
from codette_desktop.domain.profiles import ModelProfile
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tasks import Tasks
from codette_desktop.inference.admission import CRASHES_TO_STAY_APART
from codette_desktop.inference.catalogue import FILES_SETTING, MODEL_SETTING
from codette_desktop.inference.routing.health import Health
from codette_desktop.models.adapters import AdapterInfo
from codette_desktop.models.fit import Fit

if TYPE_CHECKING:
    from codette_desktop.application import Application

ASK_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the picker and of the Models tab: a model, or a file or folder that cannot be used and why.

    The models of servers are those they listed when they were last asked.
    `name` is what a conversation keeps: the library's name, the path of a file outside its folders, or, where `own`,
    the name that the person gave a model in the configuration file; that one is there even if its model is not.
    """

    name: str
    path: Path
    model: AnyModel | None = None
    error: ModelError | None = None
    added: bool = False  # the person added this very file, so it can be taken off the list alone
    own: bool = False

    @property
    def place(self) -> str:
        """The path of its file, or the name it has on its server."""
        if isinstance(self.model, ServerModel):
            return self.model.name
        return self.name if self.own and self.model is None else str(self.path)

    @property
    def auto(self) -> bool:
        """Whether this stands for no model, but for the choice of one for each question."""
        return self.name == AUTO

    @property
    def title(self) -> str:
        """What a person reads."""
        if self.auto:
            return tr("Auto")
        if self.own:
            return self.label
        return self.model.display_name if self.model else self.path.name

    @property
    def label(self) -> str:
        """The same with the quantisation and the server: "Guide M · Q8_0", "writer (Guide M · Q8_0)"."""
        if self.own:
            return tr("{name} ({model})", name=self.name, model=self.model.label) if self.model else self.name
        return self.model.label if self.model else self.title


AUTO_ENTRY = Entry(AUTO, Path(AUTO))


class ModelChoice:
    """Looks at the library when asked to (`refresh`), tells `listeners` when something changed."""

    def __init__(self, application: "Application", tasks: Tasks) -> None:
        self._application = application
        self._tasks = tasks
        self._entries: list[Entry] = []
        self._adapted: dict[str, Entry] = {}
        self._load: asyncio.Task[object] | None = None
        self._asked_at = -ASK_EVERY_S
        self.listeners: list[Callable[[], None]] = []

    @property
    def entries(self) -> list[Entry]:
        """As of the last `refresh`: usable ones first, and of those the names of the configuration file."""
        return self._entries

    @property
    def models(self) -> list[Entry]:
        """The same without the names of the configuration file: every model once."""
        return [entry for entry in self._entries if not entry.own]

    def refresh(self) -> None:
        """Look at the folders and files anew."""
        library = self._application.library
        self._adapted.clear()
        models = library.list()
        entries = [Entry(model.name, model.path, model) for model in models]
        known = {model.path.resolve() for model in models}
        problems = [Entry("", problem.path, error=problem.error) for problem in library.problems()]
        for path in self._files():
            if path.resolve() in known:
                continue
            try:
                entries.append(Entry(str(path), path, library.find(path), added=True))
            except ModelError as error:
                problems.append(Entry("", path, error=error, added=True))
        # A server's model has no path: its name stands there, which is never that of a file in a folder.
        entries += [Entry(model.name, Path(model.name), model) for model in self._application.servers.models()]
        named = self._named()
        missing = [entry for entry in named if entry.model is None]
        self._entries = [*(entry for entry in named if entry.model), *entries, *missing, *problems]
        self._tell()

    def _named(self) -> list[Entry]:
        """The names of the configuration file, in its order; not where one is the model's own name anyway."""
        found: list[Entry] = []
        for item in self._application.configuration.settings.models.values():
            try:
                model = self._application.catalogue.find_model(item.name)
            except ModelError as error:
                found.append(Entry(item.name, Path(item.model), error=error, own=True))
                continue
            if model.name.casefold() != item.name.casefold():
                path = model.path if isinstance(model, ModelInfo) else Path(model.name)
                found.append(Entry(item.name, path, model, own=True))
        return found

    def ask_servers(self) -> None:
        """Ask the servers, if there are any, what they have; at most once a minute. `listeners` hear what is new."""
        if time.monotonic() - self._asked_at < ASK_EVERY_S or not self._application.servers.servers():
            return
        self._asked_at = time.monotonic()
        self._tasks.start(self._ask_servers(), "ask the servers")

    async def _ask_servers(self) -> None:
        servers = self._application.servers
        before = servers.models()
        await servers.refresh()
        if servers.models() != before:
            self.refresh()

    def find(self, name: str) -> Entry | None:
        """The entry a conversation's model name means; "" is the default."""
        wanted = name or self.default_name()
        if wanted == AUTO:
            return AUTO_ENTRY
        exact = next((entry for entry in self._entries if entry.name and entry.name == wanted), None)
        return exact or self._find_own(wanted) or self._with_adapters(wanted)

    def _find_own(self, name: str) -> Entry | None:
        wanted = name.casefold()
        return next((entry for entry in self._entries if entry.own and entry.name.casefold() == wanted), None)

    def _with_adapters(self, name: str) -> Entry | None:
        """A model with adapters on it, "NAME+ADAPTER@SCALE", which stands in no list; looked up once."""
        if "+" not in name:
            return None
        if name not in self._adapted:
            try:
                model = self._application.library.find(name)
            except CodetteError:
                return None
            self._adapted[name] = Entry(name, model.path, model)
        return self._adapted[name]

    def default_name(self) -> str:
        """The model new chats begin with; "" where there is none."""
        chosen = self._application.store.settings.get(MODEL_SETTING, "")
        if chosen == AUTO:
            return AUTO
        if isinstance(chosen, str) and any(entry.name == chosen for entry in self._entries if chosen):
            return chosen
        try:
            return self._application.library.default().name
        except CodetteError:
            return ""

    def health_of(self, entry: Entry) -> Health:
        """Whether it works at present, as far as that is known."""
        return self._application.health.of(entry.model.name) if entry.model else Health()

    def loaded(self) -> frozenset[str]:
        """The names of the models in memory, here and on servers."""
        return frozenset(model.name for model in self._application.provider.loaded())

    def is_loaded(self, entry: Entry) -> bool:
        """Whether it answers without being loaded first."""
        return entry.model is not None and entry.model.name in self.loaded()

    async def unload(self, entry: Entry) -> None:
        """Free its memory once it has finished what it is doing."""
        await self._application.provider.unload(entry.name)
        self._tell()

    async def fit_of(self, entry: Entry) -> tuple[Fit, int] | None:
        """Whether a model in a file fits now, and the bytes its quantisation saves against F16. Reads its header."""
        model = entry.model
        if not isinstance(model, ModelInfo):
            return None
        look = self._application.fit_and_saving
        return await asyncio.get_event_loop().run_in_executor(None, look, model)

    async def adapters_for(self, entry: Entry) -> list[AdapterInfo]:
        """The LoRA adapters of the library that fit a model in a file. Reads its header."""
        model = entry.model
        if not isinstance(model, ModelInfo):
            return []
        look = self._application.library.adapters
        return await asyncio.get_event_loop().run_in_executor(None, look, model)

    def profile_of(self, entry: Entry) -> ModelProfile | None:
        """What its answers so far have taught; None before the first. Reads the store."""
        if entry.model is None:
            return None
        profiles = self._application.store.profiles
        return profiles.get(entry.model.file_hash or entry.model.name)

    def set_default(self, name: str) -> None:
        """New chats begin with this model."""
        self._application.store.settings.set(MODEL_SETTING, name)
        self._tell()

    # Adding and removing

    def add_file(self, path: Path) -> Entry:
        """Put a file on the list, usable or not; gives its entry."""
        path = path.expanduser().absolute()
        files = [known for known in self._files() if known != path]
        self._keep_files([*files, path])
        self.refresh()
        return next(entry for entry in self._entries if entry.path.resolve() == path.resolve())

    async def add_folder(self, folder: Path) -> None:
        """Search a folder for models from now on. Raises ModelNotFound."""
        await asyncio.wrap_future(self._application.library.add_folder(folder))
        self.refresh()

    def folder_of(self, entry: Entry) -> Path | None:
        """The folder the person added that an entry comes from."""
        for folder in self._application.library.folders():
            if entry.path == folder or folder in entry.path.parents:
                return folder
        return None

    async def remove(self, entry: Entry) -> None:
        """Take a file, or the folder it comes from, off the list; nothing is deleted from the disk."""
        if entry.added:
            self._keep_files([path for path in self._files() if path != entry.path])
        elif (folder := self.folder_of(entry)) is not None:
            await asyncio.wrap_future(self._application.library.remove_folder(folder))
        self.refresh()

    async def put_back(self, entry: Entry, folder: Path | None) -> None:
        """Undo `remove`."""
        if entry.added:
            self.add_file(entry.path)
        elif folder is not None:
            await self.add_folder(folder)

    def _files(self) -> list[Path]:
        return self._application.catalogue.added_files()

    def _keep_files(self, paths: list[Path]) -> None:
        # Waited for: the list is read from the store again at once.
        self._application.store.settings.set(FILES_SETTING, [str(path) for path in paths]).result()

    # Loading

    async def apartness(self, entry: Entry) -> tuple[bool, int]:
        """Whether a model runs in a process of its own, and how often it has crashed. Reads its file once."""
        model = await self._hashed(entry)
        crashes = self._application.store.models.trust(model.file_hash)[1]
        return self._application.is_kept_apart(model) or crashes >= CRASHES_TO_STAY_APART, crashes

    async def set_apart(self, entry: Entry, apart: bool) -> None:
        """Have it run in a process of its own, or try it here again whatever it has done before."""
        model = await self._hashed(entry)
        await asyncio.wrap_future(self._application.keep_apart(model, apart))
        if not apart:
            await asyncio.wrap_future(self._application.store.models.forgive(model.file_hash))
        await self._application.provider.unload(entry.name)

    async def _hashed(self, entry: Entry) -> ModelInfo:
        return await asyncio.get_event_loop().run_in_executor(None, self._application.catalogue.find_file, entry.name)

    @property
    def loading(self) -> bool:
        """Whether a model is being loaded ahead."""
        return self._load is not None

    def load(self, name: str) -> None:
        """Have a model ready before the first question; a load in progress gives way."""
        self.cancel_load()
        if name == AUTO:
            return
        self._load = self._tasks.start(self._application.provider.load(name), "load the model")
        self._load.add_done_callback(self._loaded)

    def cancel_load(self) -> bool:
        """Stop loading; False where nothing is being loaded."""
        task, self._load = self._load, None
        if task is None:
            return False
        task.cancel()
        return True

    def _loaded(self, task: "asyncio.Task[object]") -> None:
        if task is self._load:
            self._load = None
        self._tell()

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()


def size_text(size_bytes: int) -> str:
    """4.1 MB, 7.6 GB; "–" where a server does not tell."""
    if not size_bytes:
        return "–"
    if size_bytes >= 1_000_000_000:
        return tr("{n} GB", n=number(size_bytes / 1e9, 1))
    return tr("{n} MB", n=number(size_bytes / 1e6, 1 if size_bytes < 10_000_000 else 0))


def parameters_text(parameters: int) -> str:
    """3.4 M, 7.6 B; "–" where a server does not tell."""
    if not parameters:
        return "–"
    if parameters >= 1_000_000_000:
        return tr("{n} B", n=number(parameters / 1e9, 1))
    return tr("{n} M", n=number(parameters / 1e6, 1 if parameters < 10_000_000 else 0))


def what_it_is(model: AnyModel) -> str:
    """One line on a model for somebody who has never seen its name."""
    if isinstance(model, ServerModel):
        if model.remote:
            return tr("Answers on {server}, outside this computer", server=model.server)
        return tr("Answers on {server}, a server on this computer", server=model.server)
    if model.description:
        return model.description
    if model.starter:
        return tr("Ships with the application: explains Codette Desktop, knows nothing else")
    kind = tr("Chat model") if model.chat_template else tr("No chat template: continues text rather than answering")
    return tr("{kind} · {architecture}", kind=kind, architecture=model.architecture)

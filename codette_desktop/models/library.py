"""The library of models: every GGUF file in the folders the person keeps models in, found by name."""

import difflib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, cast

from codette_desktop import paths
from codette_desktop.domain.errors import ModelError, ModelNotFound, UnsupportedModel
from codette_desktop.domain.models import ModelInfo
from codette_desktop.models import adapted, gguf_split, identity
from codette_desktop.models.adapters import AdapterInfo, misfit, refuse_misfit
from codette_desktop.models.folders import Problem, Reader, model_files
from codette_desktop.models.headers import Headers

MEASURED_FILE = "measured.json"  # written beside the starter models by packaging/starter/measure.py
FOLDERS_KEY = "model_folders"
_SHOWN = 5

Models = list[ModelInfo]
Problems = list[Problem]
Adapters = list[AdapterInfo]
Folders = list[Path]


class SettingsStore(Protocol):
    """What the library needs of `store.settings`."""

    def get(self, key: str, default: Any = None) -> Any: ...
    def set(self, key: str, value: Any) -> "Future[None]": ...


class HashStore(Protocol):
    """What the library needs of `store.models`."""

    def known(self, path: Path) -> str | None: ...
    def remember(self, path: Path, file_hash: str, state: os.stat_result | None = None) -> "Future[None]": ...


class LibraryStore(Protocol):
    """What the library needs of the store."""

    @property
    def settings(self) -> SettingsStore: ...
    @property
    def models(self) -> HashStore: ...


@dataclass(frozen=True, slots=True)
class _Scan:
    models: Models = field(default_factory=list[ModelInfo])
    problems: Problems = field(default_factory=list[Problem])
    adapters: Adapters = field(default_factory=list[AdapterInfo])

    def add(self, found: ModelInfo | AdapterInfo | Problem) -> None:
        if isinstance(found, Problem):
            self.problems.append(found)
        elif isinstance(found, AdapterInfo):
            self.adapters.append(found)
        else:
            self.models.append(found)


class ModelLibrary:
    """All models: the starter models first, then those of `folders`, then those of the folders the person added.

    Folders are searched at any depth. Every call looks at the folders anew, but reads only files that are new or
    changed. A file that cannot be used is kept among `problems()`. Methods may be called from any thread; those that
    return models can take some milliseconds for each new file, `with_hash` too.
    """

    def __init__(self, store: LibraryStore, folders: Sequence[Path] = (), starter: Path | None = None) -> None:
        self._store = store
        self._own_folders = tuple(folder.expanduser().absolute() for folder in folders)
        self._starter = starter or paths.resource("starter")
        self.headers = Headers()
        self._reader = Reader(self.headers)

    def list(self) -> Models:
        """All models that write: starters first, then folder by folder, by path. Names are unique."""
        return [self._known_hash(model) for model in self._scan().models if model.writes]

    def embedders(self) -> Models:
        """The models that only embed, in the same order."""
        return [self._known_hash(model) for model in self._scan().models if not model.writes]

    def adapters(self, model: ModelInfo | None = None) -> Adapters:
        """All usable adapters, or those that fit a model, in the order of `list`. Names are unique among adapters.

        Reads the model's header; raises ModelError where that cannot be read.
        """
        header = self.headers.read(model.path) if model else None
        found = [item for item in self._scan().adapters if header is None or not misfit(item, header)]
        return [self._hashed_adapter(item) for item in found]

    def problems(self) -> Problems:
        """The files and folders that cannot be used, each with the reason."""
        return self._scan().problems

    def folders(self) -> Folders:
        """The folders the person added."""
        chosen = self._store.settings.get(FOLDERS_KEY, [])
        if not isinstance(chosen, list):
            return []
        return [Path(item) for item in cast("Sequence[object]", chosen) if isinstance(item, str)]

    def add_folder(self, folder: Path) -> "Future[None]":
        """Search `folder` too from now on; done when that is saved. Raises ModelNotFound if there is no such folder."""
        folder = folder.expanduser().absolute()
        if not folder.is_dir():
            raise ModelNotFound(f"There is no folder {folder}.", "Choose the folder that holds your .gguf files.")
        return self._save([*(known for known in self.folders() if known != folder), folder])

    def remove_folder(self, folder: Path) -> "Future[None]":
        """Search `folder` no longer; its files stay where they are."""
        folder = folder.expanduser().absolute()
        return self._save(known for known in self.folders() if known != folder)

    def default(self) -> ModelInfo:
        """The model used when none is chosen: the starter measured best, else the largest, else the first of the list.

        With starter models there, nothing else is read.
        """
        starters = [found for found in self._walk((self._starter,)) if isinstance(found, ModelInfo)]
        if starters:
            measured = _measured(self._starter)
            return self._known_hash(max(starters, key=lambda model: (measured.get(model.name, 0.0), model.parameters)))
        for found in self._walk():
            if isinstance(found, ModelInfo) and found.writes:
                return self._known_hash(found)
        raise ModelNotFound("There is no model yet.", "Add a folder that holds .gguf files.")

    def find(self, name_or_path: str | os.PathLike[str]) -> ModelInfo:
        """The model of that name, display name or label, whatever the case, or in the file at that path.

        "NAME+ADAPTER@SCALE" is that model with adapters on it, each by its name or path; its name is that whole text as
        it is to be written. "" is the default. Raises ModelNotFound, naming what comes close, the error of the file
        that was meant, or UnsupportedModel for an adapter that does not fit.
        """
        wanted = os.fspath(name_or_path).strip()
        if not wanted:
            return self.default()
        scan = _Scan()
        for found in self._walk():  # not `_scan`: the name of a starter is found without reading all other files
            if isinstance(found, ModelInfo) and found.name.casefold() == wanted.casefold():
                return self._known_hash(found)
            scan.add(found)
        if (model := _named(wanted, scan.models)) is not None:
            return self._known_hash(model)
        _raise_problem(wanted, scan)
        if adapted.PLUS in wanted and not _is_file(wanted) and (model := self._adapted(wanted, scan)) is not None:
            return model
        return self._known_hash(self._at_path(wanted, scan))

    def name_of(self, model: ModelInfo) -> str:
        """What `find` finds this model by: its name, or the path of its file where that lies outside the folders."""
        if model.path in {known.path for known in self._scan().models}:
            return model.name
        adapters = model.name.removeprefix(gguf_split.stem(model.path)) if model.adapters else ""
        return f"{model.path}{adapters}"

    def with_hash(self, model: ModelInfo) -> ModelInfo:
        """`model` with its `file_hash`, which is computed unless the store remembers it. Raises ModelError."""
        model = self._known_hash(model)
        if model.file_hash:
            return model
        return replace(model, file_hash=self._new_hash(model.path, *self.headers.read(model.path).paths[1:]))

    def _new_hash(self, path: Path, *more: Path) -> str:
        try:
            state = path.stat()
        except OSError:
            raise ModelNotFound(f"There is no file {path} any more.") from None
        found = identity.file_hash(path, *more)
        self._store.models.remember(path, found, state)
        return found

    def _hashed_adapter(self, adapter: AdapterInfo) -> AdapterInfo:
        return replace(adapter, file_hash=self._store.models.known(adapter.path) or self._new_hash(adapter.path))

    def _known_hash(self, model: ModelInfo) -> ModelInfo:
        known = model.file_hash or self._store.models.known(model.path)
        return replace(model, file_hash=known) if known else model

    def _save(self, folders: Iterable[Path]) -> "Future[None]":
        return self._store.settings.set(FOLDERS_KEY, [str(folder) for folder in folders])

    def _adapted(self, wanted: str, scan: _Scan) -> ModelInfo | None:
        """The model with its adapters; None where no model is named so. Raises ModelError where an adapter is not."""
        for name, rest in adapted.splits(wanted):
            model = _named(name, scan.models)
            if model is None and _is_file(name):
                model = self._at_path(name, scan)
            if model is None:
                continue
            listed = {adapter.path: adapter.name for adapter in scan.adapters}
            header = self.headers.read(model.path)
            put: list[tuple[AdapterInfo, float, str]] = []
            for found, scale in adapted.adapters_of(rest, lambda text: self._adapter(text, scan), scan.adapters):
                refuse_misfit(found, header, model.label)
                put.append((self._hashed_adapter(found), scale, listed.get(found.path, str(found.path))))
            return adapted.adapted(self._known_hash(model), put)
        return None

    def _adapter(self, wanted: str, scan: _Scan) -> AdapterInfo | None:
        """The adapter of that name, or in the file at that path. Raises the error of the file that was meant."""
        names = ((item, {item.name, item.display_name, item.path.name, item.path.stem}) for item in scan.adapters)
        found = next((item for item, own in names if wanted.casefold() in map(str.casefold, own)), None)
        if found is None and _is_file(wanted):
            path = Path(wanted).expanduser().absolute()
            listed = (item for item in scan.adapters if _real(item.path) == _real(path))
            described = next(listed, None) or self._reader.describe(path)
            if isinstance(described, ModelError):
                raise described
            if isinstance(described, ModelInfo):
                raise UnsupportedModel(f"{path.name} is a model, not an adapter.", "Choose a LoRA adapter.")
            return described
        if found is None:
            _raise_problem(wanted, scan)
        return found

    def _at_path(self, wanted: str, scan: _Scan) -> ModelInfo:
        models = scan.models
        path = Path(wanted).expanduser()
        if path.suffix.lower() != ".gguf" and len(path.parts) == 1 and not path.exists():
            if (adapter := self._adapter(wanted, scan)) is not None:
                raise _needs_a_model(adapter)
            raise ModelNotFound(f"There is no model '{wanted}'.", _suggestion(wanted, models))
        path = path.absolute()
        listed = next((model for model in models if _real(model.path) == _real(path)), None)
        found = listed or self._reader.describe(path)
        if isinstance(found, ModelNotFound):
            raise ModelNotFound(found.message, _suggestion(path.stem, models))
        if isinstance(found, ModelError):
            raise found
        if isinstance(found, AdapterInfo):
            raise _needs_a_model(found)
        return found

    def _scan(self) -> _Scan:
        scan = _Scan()
        for found in self._walk():
            scan.add(found)
        return scan

    def _walk(self, folders: Sequence[Path] = ()) -> Iterator[ModelInfo | AdapterInfo | Problem]:
        """All that is found in `folders` (default: all) in the order of the list, each file read only in its turn."""
        seen: set[Path] = set()
        taken: dict[type, set[str]] = {ModelInfo: set(), AdapterInfo: set()}
        for folder in dict.fromkeys(folders or (self._starter, *self._own_folders, *self.folders())):
            if not folder.is_dir():
                yield from self._missing(folder)
                continue
            problems: Problems = []
            for path in model_files(folder, problems.append):
                if (real := _real(path)) in seen:
                    continue
                seen.add(real)
                found = self._reader.describe(path, starter=folder == self._starter)
                if isinstance(found, ModelError):
                    yield Problem(path, found)
                else:
                    yield replace(found, name=_unique(found.name, path, taken[type(found)]))
            yield from problems

    def _missing(self, folder: Path) -> Iterator[Problem]:
        """A folder the person added and that is not there is worth telling; the application's own come when needed."""
        if folder != self._starter and folder not in self._own_folders:
            hint = "Connect its drive, or remove the folder."
            yield Problem(folder, ModelNotFound(f"The folder {folder} is not there.", hint))


def _named(wanted: str, models: Sequence[ModelInfo]) -> ModelInfo | None:
    """The model of that name or, where none has it, of that display name, label or file name."""
    folded = wanted.casefold()
    by_name = (model for model in models if model.name.casefold() == folded)
    by_other = (model for model in models if folded in {name.casefold() for name in _other_names(model)})
    return next(by_name, None) or next(by_other, None)


def _raise_problem(wanted: str, scan: _Scan) -> None:
    for problem in scan.problems:
        if wanted.casefold() in (gguf_split.stem(problem.path).casefold(), problem.path.name.casefold()):
            raise problem.error


def _is_file(text: str) -> bool:
    try:
        return Path(text).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):
        return False


def _needs_a_model(adapter: AdapterInfo) -> UnsupportedModel:
    message = f"{adapter.name} is an adapter (LoRA), which works only together with its model."
    return UnsupportedModel(message, f"Ask for a model with it: MODEL+{adapter.name}.")


def _other_names(model: ModelInfo) -> tuple[str, ...]:
    return model.display_name, model.label, model.path.name, model.path.stem


def _real(path: Path) -> Path:
    """Where the file really lies, so that one file reached by two ways is listed once."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path


def _unique(name: str, path: Path, taken: set[str]) -> str:
    """`name`, or with its folder's name or a number added where another model has it (whatever the case)."""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        candidate = f"{name}-{path.parent.name}" if number == 1 else f"{name}-{number}"
        number += 1
    taken.add(candidate.casefold())
    return candidate


def _suggestion(wanted: str, models: Sequence[ModelInfo]) -> str:
    """A hint that names the models that come close, or else the first of those there are."""
    if not models:
        return "Add a folder that holds .gguf files."
    by_name = {name.casefold(): model.name for model in models for name in (model.display_name, model.name)}
    close = difflib.get_close_matches(wanted.casefold(), by_name, n=_SHOWN, cutoff=0.55)
    close += [name for name in by_name if wanted.casefold() in name]
    names = list(dict.fromkeys(by_name[name] for name in close))[:_SHOWN]
    if names:
        return f"Did you mean {' or '.join(names)}?"
    shown = ", ".join(model.name for model in models[:_SHOWN])
    return f"There are: {shown}{' and others' if len(models) > _SHOWN else ''}."


def _measured(folder: Path) -> dict[str, float]:
    """By model name, the share of held-out wordings answered rightly; {} where that was not measured."""
    try:
        figures: dict[str, dict[str, float]] = json.loads((folder / MEASURED_FILE).read_text(encoding="utf-8"))
        return {name: shares["held-out"] for name, shares in figures.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}

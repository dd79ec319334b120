"""What the rest of the application asks of a configuration."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from codette_desktop.configuration.schema import Gpu
from codette_desktop.configuration.settings import DEFAULT_CHAIN, ModelEntry, Settings
from codette_desktop.domain.errors import ModelLoadFailed
from codette_desktop.domain.models import AnyModel, ModelInfo
from codette_desktop.domain.tasks import TaskType


class Lookups:
    """Answers from the settings in force at the moment of the question. Any thread.

    A model may be named by the name the file gives it or by what the library or the server calls it, whatever the case;
    names that are returned are the latter, which providers understand. `gpu` names the engine's GPU, if it has one.
    """

    def __init__(self, gpu: Callable[[], str | None] = lambda: None) -> None:
        self._gpu = gpu
        self._settings = Settings()

    @property
    def settings(self) -> Settings:
        """What is in force."""
        return self._settings

    def entry(self, name: str) -> ModelEntry | None:
        """The model the file gives that name."""
        wanted = name.casefold()
        return next((item for item in self.settings.models.values() if item.name.casefold() == wanted), None)

    def asked_name(self, name: str) -> str:
        """What the library or a server knows the model by; `name` itself where the file does not name it."""
        entry = self.entry(name)
        return entry.model if entry is not None else name

    def entries_for(self, model: AnyModel | str) -> tuple[ModelEntry, ...]:
        """All entries that stand for a model, or for the name of one; the one with that very name comes first.

        Where none names the model by its own name or file, those count that say what people read of it.
        """
        if not isinstance(model, str):
            return self._of(_names(model), None) or self._of(_other_names(model), None)
        return self._of({model.casefold()}, model)

    def _of(self, wanted: set[str], name: str | None) -> tuple[ModelEntry, ...]:
        found = [item for item in self.settings.models.values() if item.name.casefold() in wanted]
        if name is not None and found:
            wanted |= {found[0].model.casefold()}
        found += [item for item in self.settings.models.values() if _of_file(item.model) & wanted and item not in found]
        return tuple(found)

    def engine_for(self, model: ModelInfo) -> Mapping[str, Any]:
        """The engine settings the file gives a model; {} where it gives none.

        Raises ModelLoadFailed where a model must have a GPU and the engine has none.
        """
        entry = next((item for item in self.entries_for(model) if item.engine or item.gpu), None)
        if entry is None:
            return {}
        chosen = dict(entry.engine)
        if entry.gpu is Gpu.OFF:
            chosen["gpu_layers"] = 0
        elif entry.gpu is not None:
            chosen.setdefault("gpu_layers", -1)
        if entry.gpu is Gpu.REQUIRED and self._gpu() is None:
            line = self.settings.lines.get(("models", entry.name, "gpu"), 1)
            raise ModelLoadFailed(
                f"{model.display_name} needs a GPU, and the engine has none.",
                f"Write 'gpu: preferred' in line {line} of the configuration file to let it run on the processor.",
            )
        return chosen

    def sampling_for(self, name: str) -> Mapping[str, Any]:
        """The sampling parameters the file gives a model by default."""
        return next((item.sampling for item in self.entries_for(name) if item.sampling), dict[str, Any]())

    @property
    def keeps_answers_out(self) -> bool:
        """Whether there is any model whose answers may not be kept."""
        return not all(item.cache for item in self.settings.models.values())

    def may_cache(self, model: AnyModel | str) -> bool:
        """Whether answers of a model may be kept."""
        return all(item.cache for item in self.entries_for(model))

    def apart(self, model: ModelInfo) -> bool:
        """Whether the file wants the model in a process of its own."""
        return any(item.apart for item in self.entries_for(model))

    def preloaded(self) -> tuple[str, ...]:
        """The models to be in memory from the start."""
        return tuple(item.model for item in self.settings.models.values() if item.preload)

    def fallbacks_for(self, name: str) -> tuple[str, ...]:
        """Who answers in place of a model, in order: its own list, else the default one, else ()."""
        chains = {key.casefold(): chain for key, chain in self.settings.fallbacks.items()}
        names = [name, *(item.name for item in self.entries_for(name)), self.asked_name(name), DEFAULT_CHAIN]
        chain = next((chains[key.casefold()] for key in names if key.casefold() in chains), ())
        return self._asked(chain)

    def chains(self) -> Mapping[str, tuple[str, ...]]:
        """All lists of fallbacks, by the model they are for and "default"."""
        return {self.asked_name(name): self._asked(chain) for name, chain in self.settings.fallbacks.items()}

    def favourites(self) -> Mapping[TaskType, tuple[str, ...]]:
        """By task, the models that should answer, the dearest first."""
        return {task: self._asked(item.models) for task, item in self.settings.tasks.items() if item.models}

    def avoided(self, task: TaskType | None = None) -> frozenset[str]:
        """The models to be asked only when nobody else can: for that task, or for any."""
        tasks = self.settings.tasks
        chosen = tasks.values() if task is None else [tasks[task]] if task in tasks else []
        return frozenset(name for item in chosen for name in self._asked(item.avoid))

    def may_stand_in(self, model: AnyModel | str) -> bool | None:
        """Whether a model may answer in another's place; None where the file does not say."""
        return next((item.fallback for item in self.entries_for(model) if item.fallback is not None), None)

    def priority(self, model: AnyModel | str) -> int:
        """The higher is asked first; 0 where the file does not say."""
        return next((item.priority for item in self.entries_for(model)), 0)

    @property
    def local_only(self) -> bool:
        """Whether nothing may leave this computer."""
        return bool(self.settings.local_only)

    @property
    def fallback_enabled(self) -> bool:
        """Whether another model may answer where one fails: yes, unless the file says no."""
        return self.settings.fallback is not False

    def _asked(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.asked_name(name) for name in names))


def _names(model: AnyModel) -> set[str]:
    names = {model.name.casefold()}
    return names | _of_file(str(model.path)) if isinstance(model, ModelInfo) else names


def _other_names(model: AnyModel) -> set[str]:
    """What a model is found by beside its name and its path, as people read it."""
    names = [model.label]
    if isinstance(model, ModelInfo):
        names += [model.display_name, model.path.name, model.path.stem]
    return {name.casefold() for name in names}


def _of_file(name: str) -> set[str]:
    """A name, and where the file really lies that it may be the path of."""
    if not name.casefold().endswith(".gguf"):
        return {name.casefold()}
    try:
        return {name.casefold(), str(Path(name).expanduser().resolve()).casefold()}
    except (OSError, RuntimeError, ValueError):
        return {name.casefold()}

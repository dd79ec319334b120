"""The catalogue: every model there is, by the names one asks for it, and which of them is asked by default."""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

from codette_desktop.configuration.file import Configuration
from codette_desktop.domain.errors import ModelError, ModelNotFound
from codette_desktop.domain.models import AUTO, AnyModel, ModelInfo
from codette_desktop.inference.providers import ProviderSet
from codette_desktop.models.library import ModelLibrary
from codette_desktop.store.settings import Settings

log = logging.getLogger(__name__)

MODEL_SETTING = "model"
FILES_SETTING = "model_files"


class ModelCatalogue:
    """Models in the library's folders, files elsewhere, those of servers, and the names of the configuration file.

    Any thread. Asks no server; reads folders and headers.
    """

    def __init__(
        self,
        library: ModelLibrary,
        configuration: Configuration,
        settings: Settings,
        servers: Callable[[], ProviderSet],
    ) -> None:
        self._library = library
        self._configuration = configuration
        self._settings = settings
        self._servers = servers

    def models(self) -> dict[str, AnyModel]:
        """All models that could be asked, by the name one asks them by; the library's own choice comes first.

        Reads folders, asks no server. Any thread.
        """
        found: dict[str, AnyModel] = {}
        with suppress(ModelError):
            best = self._library.default()
            found[best.name] = best
        found |= {model.name: model for model in self._library.list()}
        paths = {model.path for model in found.values() if isinstance(model, ModelInfo)}
        for path in self.added_files():
            if path not in paths:
                with suppress(ModelError):
                    found[str(path)] = self._library.find(path)
        found |= {model.name: model for model in self._servers().models()}
        for entry in self._configuration.settings.models.values():
            with suppress(ModelError):
                model = self.find_model(entry.name)
                if model not in found.values():
                    found[entry.model if isinstance(model, ModelInfo) else model.name] = model
        return found

    def added_files(self) -> list[Path]:
        """The files outside its folders that the person put on the list, usable or not."""
        kept = self._settings.get(FILES_SETTING, [])
        return (
            [Path(item) for item in cast("list[object]", kept) if isinstance(item, str)]
            if isinstance(kept, list)
            else []
        )

    def find_model(self, name: str) -> AnyModel:
        """A model by name, label, path, or "SERVER/model"; "" is the default. Asks no server. Raises ModelNotFound.

        Names of the configuration file go first.
        """
        if not name:
            return self.default_model()
        return self._find_outside_file(self._configuration.asked_name(name))

    def find_known_model(self, name: str) -> AnyModel:
        """As `find_model`, with the file's hash, which is computed once. Reads the disk. Raises ModelError."""
        model = self.find_model(name)
        return self._library.with_hash(model) if isinstance(model, ModelInfo) else model

    def find_file(self, name: str) -> ModelInfo:
        """As `find_known_model`, but only models in files. Raises ModelError."""
        model = self.find_known_model(name)
        if not isinstance(model, ModelInfo):  # its label was given in place of its name
            raise ModelNotFound(f"{model.label} answers on a server.", f"Its name is {model.name}.")
        return model

    def named(self, name: str) -> AnyModel:
        """A model by its own name, also where it lies outside the folders. Raises ModelError."""
        found = next((model for model in self.models().values() if model.name == name), None)
        return found or self.find_model(name)

    def name_to_ask(self, name: str) -> str:
        """What a conversation keeps for what a person typed: "auto" and "" too. Raises ModelNotFound."""
        if name == AUTO:
            return AUTO
        if not name:
            return self.default_name()
        model, entry = self.find_model(name), self._configuration.entry(name)
        return entry.name if entry is not None else self.name_for(model)

    def name_for(self, model: AnyModel) -> str:
        """What `find_model` finds this model by: its name, or its path where it lies outside the folders."""
        if not isinstance(model, ModelInfo):
            return model.name
        return self._library.name_of(model)

    def label(self, name: str) -> str:
        try:
            return self.find_model(name).label
        except ModelError:
            return name

    def default_model(self) -> AnyModel:
        """The model the person chose last, or the library's own choice. Raises ModelNotFound where there is none."""
        return self.chosen_model() or self._library.default()

    def default_name(self) -> str:
        """What a new conversation keeps: "auto", or the name of `default_model`, or the path of its file."""
        if self._settings.get(MODEL_SETTING, "") == AUTO:
            return AUTO
        chosen = self.chosen_model()
        if chosen is not None and (entry := self._configuration.entry(self._settings.get(MODEL_SETTING, ""))):
            return entry.name
        return self.name_for(chosen or self._library.default())

    def chosen_model(self) -> AnyModel | None:
        """The model the settings name, by its name or the path of its file; None where it is gone or unusable."""
        chosen = self._settings.get(MODEL_SETTING, "")
        if not isinstance(chosen, str) or chosen.strip() in ("", AUTO):
            return None
        try:
            return self.find_model(chosen)
        except ModelError as error:
            log.info("the chosen model %s cannot be used: %s", chosen, error)
            return None

    def problem_of_name(self, name: str) -> ModelError | None:
        """What is wrong with a model's name in the configuration file; None where the library or a server has it."""
        try:
            self._find_outside_file(name)
        except ModelError as error:
            return error
        return None

    def _find_outside_file(self, name: str) -> AnyModel:
        return self._servers().find_model(name) or self._library.find(name)

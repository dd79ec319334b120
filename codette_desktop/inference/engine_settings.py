"""How models are loaded: what the person chose for all, what for one, and where each value comes from."""

import logging
import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, cast

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.engine_fields import BY_NAME, KINDS, MEMORY_LIMIT, EngineSettingField, FieldKind

log = logging.getLogger(__name__)

ENGINE_SETTING = "engine"
MODELS_SETTING = "engine_models"
MEMORY_LIMIT_SETTING = MEMORY_LIMIT
_GB = 1e9
_YES, _NO = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


class Source(StrEnum):
    """Where a value comes from; a later one counts more."""

    DEFAULT = "default"
    GLOBAL = "all models"
    FILE = "configuration file"
    MODEL = "this model"


class SettingsStore(Protocol):
    """What is needed of `store.settings`."""

    def get(self, key: str, default: Any = None) -> Any: ...
    def set(self, key: str, value: Any) -> "Future[None]": ...


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """What counts, and for each setting by its name whence."""

    settings: EngineSettings
    sources: Mapping[str, Source]


class EngineSettingsService:
    """The settings of loads, in layers: defaults, for all models, the configuration file's, for one model.

    `configured` gives what the configuration file says of a model. Models are known by the hash of their file, so that
    a model keeps its settings when it is moved or renamed. What an older or newer version has stored and this one does
    not know, or would not accept, is ignored. A context length for all models is at most what each was trained for; one
    for a model alone is taken as it is. Any thread.
    """

    def __init__(
        self, store: SettingsStore, configured: Callable[[ModelInfo], Mapping[str, Any]] = lambda _model: {}
    ) -> None:
        self._store = store
        self.configured = configured

    def settings(self, model: ModelInfo | None = None) -> EngineSettings:
        """What counts for the model, or for all that have no settings of their own."""
        return self.effective(model).settings

    def effective(self, model: ModelInfo | None = None) -> EffectiveSettings:
        """What counts for the model, with where each value comes from."""
        values: dict[str, Any] = {}
        sources = dict.fromkeys(KINDS, Source.DEFAULT)
        layers: list[tuple[Source, Mapping[str, Any]]] = [(Source.GLOBAL, self._stored(ENGINE_SETTING))]
        if model is not None:
            layers.append((Source.FILE, self.configured(model)))
            layers.append((Source.MODEL, self.changes(model)))
        for source, layer in layers:
            for name, value in _usable(layer).items():
                values[name], sources[name] = value, source
        if model is not None and sources["context_length"] is not Source.MODEL:
            values["context_length"] = _trained_for(model, values.get("context_length", 0))
        return EffectiveSettings(EngineSettings(**values), sources)

    def changes(self, model: ModelInfo | None = None) -> dict[str, Any]:
        """What the person has set for the model, or for all models, as it is stored."""
        if model is None:
            return self._stored(ENGINE_SETTING)
        found = self._stored(MODELS_SETTING).get(model.file_hash, {})
        return dict(cast("Mapping[str, Any]", found)) if isinstance(found, Mapping) and model.file_hash else {}

    def change(self, values: Mapping[str, Any], model: ModelInfo | None = None) -> "Future[None]":
        """Set some, for all models or for one; done when that is saved. Raises InvalidRequest, then changes nothing."""
        checked = {name: check_setting(name, value) for name, value in values.items()}
        for name in checked:
            if model is not None and not BY_NAME[name].for_one_model:
                raise InvalidRequest(
                    f"The setting '{BY_NAME[name].label}' counts for the whole computer, not for one model.",
                    "Set it for all models.",
                )
        plain = {name: value.value if isinstance(value, StrEnum) else value for name, value in checked.items()}
        return self._save({**self.changes(model), **plain}, model)

    def reset(self, name: str | None = None, model: ModelInfo | None = None) -> "Future[None]":
        """Take back one of them, or all. Raises InvalidRequest for a name there is not."""
        if name is not None:
            field_of(name)
        kept = {key: value for key, value in self.changes(model).items() if name is not None and key != name}
        return self._save(kept, model)

    def memory_limit_bytes(self) -> int:
        """What all models together may take of the computer's memory; 0: what is free."""
        value = self._store.get(MEMORY_LIMIT_SETTING, 0)
        try:
            return int(float(check_setting(MEMORY_LIMIT, value)) * _GB)
        except InvalidRequest:
            return 0

    def set_memory_limit(self, gigabytes: float) -> "Future[None]":
        """0 is automatic. Raises InvalidRequest."""
        return self._store.set(MEMORY_LIMIT_SETTING, check_setting(MEMORY_LIMIT, gigabytes))

    def _save(self, values: Mapping[str, Any], model: ModelInfo | None) -> "Future[None]":
        if model is None:
            return self._store.set(ENGINE_SETTING, dict(values))
        if not model.file_hash:
            raise InvalidRequest(f"{model.label} cannot have settings of its own: its file has not been read yet.")
        others = {key: value for key, value in self._stored(MODELS_SETTING).items() if key != model.file_hash}
        return self._store.set(MODELS_SETTING, {**others, model.file_hash: dict(values)} if values else others)

    def _stored(self, key: str) -> dict[str, Any]:
        found = self._store.get(key, {})
        return dict(cast("Mapping[str, Any]", found)) if isinstance(found, Mapping) else {}


def field_of(name: str) -> EngineSettingField:
    """The description of a setting. Raises InvalidRequest, naming all, for one there is not."""
    if name not in BY_NAME:
        raise InvalidRequest(f"There is no setting '{name}'.", f"There are: {', '.join(BY_NAME)}.")
    return BY_NAME[name]


def check_setting(name: str, value: Any) -> Any:
    """`value` as the setting keeps it. Raises InvalidRequest, with what may be chosen as its hint."""
    field = field_of(name)
    if field.kind is FieldKind.SWITCH:
        if isinstance(value, bool):
            return value
        raise InvalidRequest(f"{field.label} is on or off, not '{value}'.", "Choose true or false.")
    if field.kind is FieldKind.CHOICE:
        for choice in field.choices:
            if value == choice.value:
                return KINDS[name](choice.value)
        raise InvalidRequest(
            f"{field.label} cannot be '{value}'.", f"Choose {' or '.join(item.value for item in field.choices)}."
        )
    return _checked_number(field, value)


def settings_text(settings: EngineSettings) -> tuple[tuple[str, str], ...]:
    """Each setting's label and its value, as text: for the record of an answer."""
    found: list[tuple[str, str]] = []
    for name, item in BY_NAME.items():
        value = getattr(settings, name, None)
        if value is None:
            continue
        chosen = next((choice.label for choice in item.choices if choice.value == value), None)
        if item.special is not None and value == item.special:
            chosen = item.special_label.partition(":")[0]
        if isinstance(value, bool):
            chosen = "on" if value else "off"
        found.append((item.label, chosen or " ".join(str(part) for part in (value, item.unit) if part != "")))
    return tuple(found)


def parse_setting(name: str, text: str) -> Any:
    """The setting from words, as a command line gives them: "8192", "on", "q8_0". Raises InvalidRequest."""
    field = field_of(name)
    word = text.strip().lower()
    if field.kind is FieldKind.SWITCH and word in _YES | _NO:
        return word in _YES
    if field.kind is FieldKind.NUMBER:
        number = word.replace(",", "").replace("_", "")
        try:
            return check_setting(name, float(number) if name == MEMORY_LIMIT else int(number))
        except ValueError:
            raise InvalidRequest(f"{field.label} is a number, not '{text}'.", _range_text(field)) from None
    return check_setting(name, word)


def _checked_number(field: EngineSettingField, value: Any) -> Any:
    whole = field.name != MEMORY_LIMIT
    kind = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kind) or not math.isfinite(value):
        raise InvalidRequest(
            f"{field.label} is a {'whole ' if whole else ''}number, not '{value}'.", _range_text(field)
        )
    if value != field.special and not field.least <= value <= field.most:
        raise InvalidRequest(f"{field.label} cannot be {value:,} {field.unit}.", _range_text(field))
    return value


def _range_text(field: EngineSettingField) -> str:
    special = f", or {_number_text(field.special)} ({field.special_label})" if field.special is not None else ""
    return f"Choose {_number_text(field.least)} to {_number_text(field.most)} {field.unit}{special}."


def _number_text(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"


def _usable(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What can be used of it; the rest is another version's, or was written by hand."""
    usable: dict[str, Any] = {}
    for name, value in stored.items():
        if name not in KINDS:
            continue
        try:
            usable[name] = check_setting(name, value)
        except InvalidRequest as error:
            log.info("a stored setting is ignored: %s", error)
    return usable


def _trained_for(model: ModelInfo, length: int) -> int:
    return min(length, model.context_length) if model.context_length else length

"""What may stand where in a configuration file."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from codette_desktop.domain.models import EngineSettings
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.servers import ServerKind
from codette_desktop.domain.tasks import TaskType


class Gpu(StrEnum):
    """Where a model's layers go: only on a GPU, on one if there is one, on none."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Text:
    """A text; with `words` one of these."""

    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Truth:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number between `low` and `high`, both included; a `whole` one has no fraction."""

    low: float
    high: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts."""


@dataclass(frozen=True, slots=True)
class Section:
    """Known keys, all of which may be left out."""

    fields: "Mapping[str, Rule]"


@dataclass(frozen=True, slots=True)
class Named:
    """Names the person chooses, each with the same behind it. `what` is one of them, in words."""

    rule: "Rule"
    what: str


Rule = Text | Truth | Number | Texts | Section | Named

_LARGE = 10_000_000
_PRIORITY = 1_000_000
_ENGINE_RANGES = {
    "context_length": (0, _LARGE),
    "threads": (0, 4096),
    "batch_tokens": (1, 1_000_000),
    "gpu_layers": (-1, 100_000),
    "parallel": (0, 64),
    "keep_alive_minutes": (0, 527_040),  # a year
}


def _rule_of(name: str, default: object) -> Rule:
    """The rule of an engine setting, from what it is by default."""
    if isinstance(default, bool):
        return Truth()
    if isinstance(default, StrEnum):
        return Text(tuple(item.value for item in type(default)))
    if isinstance(default, int | float):
        low, high = _ENGINE_RANGES.get(name, (-_LARGE, _LARGE))
        return Number(low, high, whole=isinstance(default, int))
    return Text()


def _sampling_rule(name: str, default: object) -> Rule:
    """The rule of a sampling parameter; its range is `Sampling`'s own."""
    if isinstance(default, tuple):
        return Texts()
    if name in ("grammar", "json_schema"):
        return Text()
    return Number(-(2.0**40), 2.0**40, whole=not isinstance(default, float))


ENGINE = Section({item.name: _rule_of(item.name, item.default) for item in dataclasses.fields(EngineSettings)})
SAMPLING = Section({item.name: _sampling_rule(item.name, item.default) for item in dataclasses.fields(Sampling)})

MODEL = Section(
    {
        "model": Text(),
        "priority": Number(-_PRIORITY, _PRIORITY, whole=True),
        "fallback": Truth(),
        "cache": Truth(),
        "gpu": Text(tuple(item.value for item in Gpu)),
        "apart": Truth(),
        "preload": Truth(),
        "engine": ENGINE,
        "sampling": SAMPLING,
    }
)
SERVER = Section({"url": Text(), "kind": Text(tuple(item.value for item in ServerKind)), "token_env": Text()})
ROLE = Section(
    {
        "title": Text(),
        "prompt": Text(),
        "prompt_file": Text(),
        "description": Text(),
        "model": Text(),
        "sampling": SAMPLING,
    }
)
FILE = Section(
    {
        "models": Named(MODEL, "a model"),
        "servers": Named(SERVER, "a server"),
        "roles": Named(ROLE, "a role"),
        "tasks": Section({item.value: Section({"models": Texts(), "avoid": Texts()}) for item in TaskType}),
        "fallbacks": Named(Texts(), "a model"),
        "routing": Section({"local_only": Truth(), "fallback": Truth(), "remote": Truth()}),
    }
)

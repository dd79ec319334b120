"""What a configuration file says, typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from codette_desktop.configuration.problems import Path
from codette_desktop.configuration.schema import Gpu
from codette_desktop.domain.servers import Server
from codette_desktop.domain.tasks import TaskType

DEFAULT_CHAIN = "default"

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model with a name of the person's own. None: the file says nothing about it.

    `model` is what the library or a server knows it by. `engine` and `sampling` hold only the fields that are set.
    """

    name: str
    model: str
    priority: int = 0
    fallback: bool | None = None
    cache: bool = True
    gpu: Gpu | None = None
    apart: bool | None = None
    preload: bool = False
    engine: Values = field(default_factory=dict[str, Any])
    sampling: Values = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class RoleEntry:
    """A role of the file; "" is what it leaves to the shipped role of the same name. `sampling` as for a model."""

    name: str
    title: str = ""
    prompt: str = ""
    description: str = ""
    model: str = ""
    sampling: Values = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """Who should answer a kind of task, the dearest first, and who should not."""

    models: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole file, by name in the order of the file. An empty one says nothing.

    `lines` gives the line of everything that stands in the file, `prompt_files` the files that hold prompts.
    `local_only`, `fallback` and `remote` are those of `routing`; None where the file leaves them to the settings of the
    window.
    """

    models: Mapping[str, ModelEntry] = field(default_factory=dict[str, ModelEntry])
    servers: Mapping[str, Server] = field(default_factory=dict[str, Server])
    roles: Mapping[str, RoleEntry] = field(default_factory=dict[str, RoleEntry])
    tasks: Mapping[TaskType, TaskEntry] = field(default_factory=dict[TaskType, TaskEntry])
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    local_only: bool | None = None
    fallback: bool | None = None
    remote: bool | None = None
    prompt_files: tuple[FilePath, ...] = ()
    lines: Mapping[Path, int] = field(default_factory=dict[Path, int], compare=False)

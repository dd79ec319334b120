"""From the text of a configuration file to typed settings, with every mistake told."""

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from codette_desktop.configuration.checking import Checker
from codette_desktop.configuration.document import Node, parse
from codette_desktop.configuration.problems import Path, Problem
from codette_desktop.configuration.references import check_references
from codette_desktop.configuration.schema import Gpu
from codette_desktop.configuration.settings import ModelEntry, RoleEntry, Settings, TaskEntry
from codette_desktop.domain.errors import CodetteError, InvalidRequest
from codette_desktop.domain.models import AUTO
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.servers import Server
from codette_desktop.domain.tasks import TaskType

MOST_PROMPT_BYTES = 256 * 1024

Known = Callable[[str], CodetteError | None]  # a model's name to what is wrong with it outside the file


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a text. `settings` holds what is right; use it only where nothing `grave` is wrong."""

    settings: Settings
    problems: tuple[Problem, ...]
    root: Node | None

    @property
    def usable(self) -> bool:
        """Whether it may come into force."""
        return not any(problem.grave for problem in self.problems)


def decode(data: bytes) -> str:
    """The text of a file. Raises InvalidRequest where it is not UTF-8."""
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidRequest(f"Line {line} is not UTF-8 text.", "Save the file as UTF-8.") from None


def read(
    text: str,
    environment: Mapping[str, str],
    folder: FilePath,
    *,
    shipped_roles: Mapping[str, object] | None = None,
    known: Known | None = None,
) -> Reading:
    """Read a text. `folder` is where prompt files are looked for; without `known`, models elsewhere are not checked.

    Never raises for what the text says.
    """
    root, problems = parse(text)
    checker = Checker(environment)
    values = checker.read(root)
    settings = _Typed(checker, folder).settings(values)
    check_references(settings, checker, shipped_roles or {}, known)
    found = sorted({*problems, *checker.problems})
    return Reading(settings, tuple(found), root)


class _Typed:
    """Plain values into typed ones; what only the types themselves can tell of is told here."""

    def __init__(self, checker: Checker, folder: FilePath) -> None:
        self._checker = checker
        self._folder = folder
        self._prompt_files: list[FilePath] = []

    def settings(self, values: Mapping[str, Any]) -> Settings:
        routing = values.get("routing", {})
        models = {name: self._model(name, item) for name, item in values.get("models", {}).items()}
        servers = {name: self._server(name, item) for name, item in values.get("servers", {}).items()}
        roles = {name: self._role(name, item) for name, item in values.get("roles", {}).items()}
        return Settings(
            models={name: item for name, item in models.items() if item is not None},
            servers={name: item for name, item in servers.items() if item is not None},
            roles=roles,
            tasks={
                TaskType(name): TaskEntry(item.get("models", ()), item.get("avoid", ()))
                for name, item in values.get("tasks", {}).items()
            },
            fallbacks=dict(values.get("fallbacks", {})),
            local_only=routing.get("local_only"),
            fallback=routing.get("fallback"),
            remote=routing.get("remote"),
            prompt_files=tuple(self._prompt_files),
            lines={path: line for path, (line, _column) in self._checker.places.items()},
        )

    def _model(self, name: str, item: dict[str, Any]) -> ModelEntry | None:
        path = ("models", name)
        if "/" in name or "\\" in name or name.casefold() == AUTO:
            message = f"{name} cannot be the name of a model."
            self._checker.complain(path, message, 'Names with "/" are those of servers, and "auto" chooses by itself.')
            return None
        item = {**item, "model": self._model_name(item.get("model", "").strip() or name)}
        if item["model"].casefold() == AUTO:
            self._checker.complain((*path, "model"), '"auto" is not a model.', "Name one.")
            return None
        if "gpu" in item:
            item["gpu"] = Gpu(item["gpu"])
        if "sampling" in item:
            item["sampling"] = self._sampling((*path, "sampling"), item["sampling"])
        return ModelEntry(name, **item)

    def _model_name(self, name: str) -> str:
        """A file beside the configuration file is found from there, wherever the application was started."""
        if not name.casefold().endswith(".gguf"):
            return name
        try:
            file = (self._folder / FilePath(name).expanduser()).absolute()
            return str(file) if file.is_file() else name
        except (OSError, ValueError, RuntimeError):
            return name

    def _server(self, name: str, item: dict[str, Any]) -> Server | None:
        path = ("servers", name)
        if "url" not in item:
            if (*path, "url") not in self._checker.places:
                self._checker.complain(path, f"The server {name} has no url.", "Give one, like http://127.0.0.1:11434.")
            return None
        for key, values in ((None, (name, "localhost", "auto", "")), ("url", ("x", item["url"], "auto", ""))):
            if not self._server_part((*path, key) if key else path, *values):
                return None
        token = item.get("token_env", "")
        if not self._server_part((*path, "token_env"), "x", "localhost", "auto", token):
            return None
        return Server.checked(name, item["url"], item.get("kind", "auto"), token)

    def _server_part(self, path: Path, *values: str) -> bool:
        try:
            Server.checked(*values)
        except InvalidRequest as error:
            self._checker.complain(path, error.message, error.hint)
            return False
        return True

    def _role(self, name: str, item: dict[str, Any]) -> RoleEntry:
        path = ("roles", name)
        chosen = dict(item)
        file = chosen.pop("prompt_file", None)
        if file is not None:
            if "prompt" in chosen:
                self._checker.complain((*path, "prompt_file"), "prompt and prompt_file are both given.", "Keep one.")
            chosen.setdefault("prompt", self._prompt((*path, "prompt_file"), file))
        if "sampling" in chosen:
            chosen["sampling"] = self._sampling((*path, "sampling"), chosen["sampling"])
        return RoleEntry(name, **chosen)

    def _prompt(self, path: Path, name: str) -> str:
        try:
            file = self._folder / FilePath(name).expanduser()
            self._prompt_files.append(file)
            if not file.is_file():
                self._checker.complain(path, f"There is no file {file}.", "Paths count from the configuration file.")
            elif file.stat().st_size > MOST_PROMPT_BYTES:
                self._checker.complain(path, f"{file.name} is too large for a prompt.", "It holds at most 256 KiB.")
            else:
                return decode(file.read_bytes()).strip()
        except InvalidRequest as error:
            self._checker.complain(path, f"{name}: {error.message}", error.hint)
        except (OSError, ValueError, RuntimeError) as error:
            self._checker.complain(path, f"{name} cannot be read: {error}.")
        return ""

    def _sampling(self, path: Path, values: dict[str, Any]) -> dict[str, Any]:
        """Each field by itself, so that every mistake is told; then all together."""
        found: dict[str, Any] = {}
        for key, value in values.items():
            try:
                Sampling(**{key: value})
                found[key] = value
            except InvalidRequest as error:
                self._checker.complain((*path, key), error.message, error.hint)
        try:
            Sampling(**found)
        except InvalidRequest as error:
            self._checker.complain(path, error.message, error.hint)
            return {}
        return found

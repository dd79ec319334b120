"""The configuration file in use: read, in force, changed, read again."""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath
from typing import Any

from codette_desktop import paths
from codette_desktop.configuration import editing
from codette_desktop.configuration.lookups import Lookups
from codette_desktop.configuration.problems import Path, Problem
from codette_desktop.configuration.reading import Known, Reading, read
from codette_desktop.configuration.settings import Settings
from codette_desktop.configuration.shipped import shipped_roles
from codette_desktop.configuration.writing import Fingerprint, changed_meanwhile, fingerprint, read_text, write_text
from codette_desktop.domain.errors import ConfigurationError
from codette_desktop.domain.events import ConfigurationChanged, EventBus

log = logging.getLogger(__name__)

VARIABLE = "CODETTE_CONFIG"
NAME = "codette.yaml"


def configuration_path(data_dir: FilePath, environment: Mapping[str, str] = os.environ) -> FilePath:
    """Where the file is, or would be: where CODETTE_CONFIG says, else in the data folder."""
    chosen = environment.get(VARIABLE, "")
    return FilePath(chosen).expanduser().absolute() if chosen else data_dir / NAME


class Configuration(Lookups):
    """One file and what it says. Any thread.

    It is read when this is made, by `reload`, and before and after each change. What it says comes into force where
    nothing grave is wrong with it; else what was in force stays, and `problems` tells why. `known` says what is wrong
    with a model's name outside the file, None where it can be found.
    """

    def __init__(
        self,
        path: FilePath,
        bus: EventBus | None = None,
        *,
        environment: Mapping[str, str] = os.environ,
        known: Known | None = None,
        gpu: Callable[[], str | None] = lambda: None,
    ) -> None:
        super().__init__(gpu)
        self.path = path
        self._bus = bus or EventBus()
        self._environment = environment
        self._known = known
        self._lock = threading.RLock()
        self._text = ""
        self._problems: tuple[Problem, ...] = ()
        self._prompt_files: tuple[FilePath, ...] = ()
        self._take(*self.read())

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong when the file was last read, line by line; models elsewhere are not looked for."""
        return self._problems

    @property
    def exists(self) -> bool:
        """Whether there is a file."""
        return self.path.exists()

    def line(self, *path: str) -> int | None:
        """The line on which that stands in what is in force."""
        return self.settings.lines.get(path)

    def check(self) -> tuple[Problem, ...]:
        """All that is wrong with the file as it is now, models elsewhere too. Changes nothing."""
        return self.read(self._known)[1].problems

    def reload(self) -> bool:
        """Read the file now and tell the bus; whether what is in force has changed."""
        with self._lock:
            return self.take(*self.read())

    def read(self, known: Known | None = None) -> tuple[str, Reading]:
        """The file's text and what it says, without taking it over. Never raises."""
        try:
            text = read_text(self.path) or ""
        except ConfigurationError as error:
            return "", Reading(Settings(), (Problem(1, 1, "", error.message, error.hint),), None)
        return text, self._understood(text, known) if text else Reading(Settings(), (), None)

    def take(self, text: str, reading: Reading) -> bool:
        """Have what was read come into force, where it can, and tell the bus; whether anything is different now."""
        with self._lock:
            before = self._settings
            self._take(text, reading)
            changed = self._settings != before
        for problem in reading.problems:
            log.info("%s, %s", self.path.name, problem)
        self._bus.publish(ConfigurationChanged(str(self.path), tuple(str(item) for item in reading.problems)))
        return changed

    def settled(self) -> tuple[tuple[Fingerprint, ...], str, Reading]:
        """As `read`, with what changes when the file or one of its prompts does, as it was just before."""
        while True:
            files = self._prompt_files
            seen = self.fingerprint()
            text, reading = self.read()
            if reading.settings.prompt_files == files:
                return seen, text, reading
            self._prompt_files = reading.settings.prompt_files

    def fingerprint(self) -> tuple[Fingerprint, ...]:
        """What changes when the file or one of the prompts it named last does."""
        return tuple(fingerprint(path) for path in (self.path, *self._prompt_files))

    def get(self, path: Path) -> Any:
        """What the file says there, variables unfilled; None where it says nothing. Raises ConfigurationError."""
        return editing.get(read_text(self.path) or "", path)

    def create(self) -> None:
        """Write a file that explains everything and sets nothing. Raises ConfigurationError where there is one."""
        with self._lock:
            if self.exists:
                raise ConfigurationError(f"There is a file {self.path} already.", "It is left as it is.")
            write_text(self.path, paths.resource("config", "example.yaml").read_text(encoding="utf-8"), None)
            self.reload()

    def write_back(self, text: str, instead_of: str) -> bool:
        """Make the file say `text` again where it says `instead_of` now; False where it says anything else.

        Raises ConfigurationError.
        """
        with self._lock:
            seen = fingerprint(self.path)
            if read_text(self.path) != instead_of:
                return False
            write_text(self.path, text, seen)
            self.reload()
            return True

    def edit(self, path: Path, value: Any) -> None:
        """Write `value` there. Raises ConfigurationError where that would be a mistake, and nothing is written then."""
        self._change(path, lambda text: editing.set_value(text, path, value))

    def add(self, path: Path, value: Any) -> None:
        """Append to a list, or write where nothing is. Raises ConfigurationError."""
        self._change(path, lambda text: editing.add(text, path, value))

    def remove(self, path: Path) -> None:
        """Take away what stands there. Raises ConfigurationError."""
        self._change(path, lambda text: editing.remove(text, path))

    def _take(self, text: str, reading: Reading) -> None:
        self._text, self._problems = text, reading.problems
        self._prompt_files = reading.settings.prompt_files
        if reading.usable:
            self._settings = reading.settings

    def _understood(self, text: str, known: Known | None = None) -> Reading:
        return read(text, self._environment, self.path.parent, shipped_roles=shipped_roles(), known=known)

    def _change(self, path: Path, work: Callable[[str], str]) -> None:
        """On the file as it is now, so that what others have written stays; not where they have written the same."""
        with self._lock:
            seen = fingerprint(self.path)
            text = read_text(self.path) or ""
            if text != self._text and _at(self._text, path) != _at(text, path):
                self.reload()
                raise changed_meanwhile(self.path)
            changed = work(text)
            reading = self._understood(changed)
            before = {(item.path, item.message) for item in self._understood(text).problems}
            for problem in reading.problems:
                if (problem.path, problem.message) not in before:
                    raise ConfigurationError(problem.message, problem.hint)
            write_text(self.path, changed, seen)
            self.take(changed, reading)


def _at(text: str, path: Path) -> Any:
    try:
        return editing.get(text, path)
    except ConfigurationError:  # it could not be read then
        return None

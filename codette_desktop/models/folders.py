"""Finds GGUF files in folders and reads what they are, each once for as long as it does not change."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from codette_desktop.domain.errors import ModelError, ModelFileError
from codette_desktop.domain.models import ModelInfo
from codette_desktop.models import gguf_split, identity
from codette_desktop.models.adapters import AdapterInfo, read_adapter
from codette_desktop.models.gguf_semantics import AdapterFile
from codette_desktop.models.headers import Headers

_DEEPEST = 16

Found = ModelInfo | AdapterInfo | ModelError


@dataclass(frozen=True, slots=True)
class Problem:
    """A model file, or a folder, that cannot be used, and why."""

    path: Path
    error: ModelError


def model_files(folder: Path, report: Callable[[Problem], None]) -> Iterator[Path]:
    """Every model file below `folder` in a steady order; of split models the first part, if it is there.

    Links to folders are followed, each folder is visited once. A folder that cannot be read is told to `report`.
    """
    visited: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        place = Path(os.fsdecode(error.filename)) if error.filename else folder
        report(Problem(place, ModelFileError(f"The folder {place} cannot be read: {error.strerror or error}.")))

    for root, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        here = Path(root)
        if not _first_visit(here, visited) or len(here.parts) - len(folder.parts) >= _DEEPEST:
            folders.clear()
            continue
        folders.sort()
        for name in sorted(names):
            path = here / name
            if path.suffix.lower() == ".gguf" and not name.startswith("._") and not _has_first_part(path):
                yield path


def _first_visit(folder: Path, visited: set[tuple[int, int]]) -> bool:
    try:
        state = folder.stat()
    except OSError:
        return False
    identifier = (state.st_dev, state.st_ino)
    new = identifier not in visited
    visited.add(identifier)
    return new


def _has_first_part(path: Path) -> bool:
    first = gguf_split.later_part_of(path)
    return first is not None and first.is_file()


class Reader:
    """Describes files of models and adapters; remembers the outcome by path, size and time of change. Any thread."""

    def __init__(self, headers: Headers | None = None) -> None:
        self._headers = headers or Headers()
        self._known: dict[str, tuple[tuple[int, int], Found]] = {}
        self._lock = threading.Lock()

    def describe(self, path: Path, *, starter: bool = False) -> Found:
        """What the file is, or why it cannot be used."""
        state = _state(path)
        with self._lock:
            known = self._known.get(str(path))
        if known is not None and known[0] == state:
            return known[1]
        found = self._read(path, starter)
        if state is not None and _lasting(path, found):
            with self._lock:
                self._known[str(path)] = (state, found)
        return found

    def _read(self, path: Path, starter: bool) -> Found:
        try:
            try:
                return identity.describe(self._headers.read(path), starter=starter)
            except AdapterFile:
                return read_adapter(path)
        except ModelError as error:
            return error.with_traceback(None)


def _state(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except (OSError, ValueError):
        return None
    return state.st_size, state.st_mtime_ns


def _lasting(path: Path, found: Found) -> bool:
    """Whether only a change of this file can change the outcome: not so where another part or the disk is at fault."""
    return not isinstance(found, ModelError) or not (found.retryable or gguf_split.is_part(path))

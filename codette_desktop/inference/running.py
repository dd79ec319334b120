"""Which models answer in this process right now, kept so that the next start knows it if the process goes down.

Each process has a file of its own in one folder: the hashes of its models, written before a model computes and emptied
when none does. It is written without waiting for the disk: the system keeps what a process has written, however the
process ends. A power cut may lose it, and that is no model's fault. What Python says when a fatal signal ends a process
goes to one log for all; that this has grown since the hashes were written tells a crash from an end from outside.
"""

import contextlib
import faulthandler
import json
import logging
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from codette_desktop.store.sessions import FileLock

log = logging.getLogger(__name__)

_ALIVE, _MODELS = ".alive", ".models"


@dataclass(frozen=True, slots=True)
class WentDown:
    """A process that ended while the models of these hashes were answering; `crashed` if by a fatal signal."""

    file_hashes: tuple[str, ...]
    crashed: bool


class RunningModels:
    """Any thread. Nothing is written before the first answer; where nothing can be, answers are given all the same.

    `crash_log` is where fatal signals are told. Where nobody has seen to that (as the window does), it is done here.
    """

    def __init__(self, folder: Path, crash_log: Path) -> None:
        self._folder = folder
        self._crash_log = crash_log
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._alive: FileLock | None = None
        self._models: IO[bytes] | None = None
        self._fatal: IO[bytes] | None = None
        self._broken = False

    def begin(self, file_hash: str) -> None:
        """An answer of this model begins. Takes some microseconds."""
        with self._lock:
            self._counts[file_hash] += 1
            if self._counts[file_hash] == 1:
                self._write()

    def end(self, file_hash: str) -> None:
        """The inverse of `begin`."""
        with self._lock:
            self._counts[file_hash] -= 1
            if self._counts[file_hash] <= 0:
                del self._counts[file_hash]
                self._write()

    def went_down(self) -> list[WentDown]:
        """The processes that went down during answers, each told once."""
        return list(self._find())

    def close(self) -> None:
        """Nothing runs here any more. Idempotent."""
        with self._lock:
            models, self._models = self._models, None
            fatal, self._fatal = self._fatal, None
            alive, self._alive = self._alive, None
            self._broken = True  # nothing is written from now on
        if fatal is not None:
            faulthandler.disable()  # before the file is closed: its number would soon be another's
            fatal.close()
        if models is not None:
            models.close()
        if alive is not None:
            _remove(alive.path.with_suffix(_MODELS))
            alive.release(remove=True)

    def _write(self) -> None:
        if self._broken:
            return
        try:
            if self._models is None:
                self._open()
            models = cast("IO[bytes]", self._models)
            models.seek(0)
            models.truncate()
            models.write(json.dumps({"models": sorted(self._counts), "log": _size(self._crash_log)}).encode())
        except OSError as error:
            self._broken = True
            log.warning("which models are answering cannot be noted: %s", error)

    def _open(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._alive = FileLock(self._folder / f"{uuid.uuid4().hex}{_ALIVE}")
        self._alive.acquire(5.0)
        self._models = self._alive.path.with_suffix(_MODELS).open("wb", buffering=0)
        if not faulthandler.is_enabled():  # somebody who looks for a crash already is not to be kept from it
            self._crash_log.parent.mkdir(parents=True, exist_ok=True)
            self._fatal = self._crash_log.open("ab", buffering=0)
            faulthandler.enable(cast("Any", self._fatal), all_threads=False)

    def _find(self) -> Iterator[WentDown]:
        with contextlib.suppress(OSError):
            for path in sorted(self._folder.glob(f"*{_ALIVE}")):
                lock = FileLock(path)
                if (self._alive is not None and path == self._alive.path) or not lock.try_acquire(create=False):
                    continue
                found = self._read(path.with_suffix(_MODELS))
                _remove(path.with_suffix(_MODELS))
                lock.release(remove=True)
                if found is not None:
                    yield found

    def _read(self, path: Path) -> WentDown | None:
        try:
            noted: dict[str, Any] = json.loads(path.read_bytes())
            hashes = tuple(map(str, noted["models"]))
            return WentDown(hashes, _size(self._crash_log) > int(noted["log"])) if hashes else None
        except (OSError, ValueError, TypeError, KeyError):
            return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)

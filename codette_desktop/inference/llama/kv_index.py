"""The sequences in the folder by their tokens, and the thread that writes them. See `kv_folder`."""

import contextlib
import logging
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from codette_desktop.inference.llama import kv_file
from codette_desktop.inference.llama.kv_file import KvFile, State
from codette_desktop.inference.llama.kv_folder import PART_SUFFIX, SUFFIX
from codette_desktop.inference.llama.spill import WORTH_KEEPING, Found, common
from codette_desktop.inference.llama.vocabulary import Tokens

if TYPE_CHECKING:
    from codette_desktop.inference.llama.kv_folder import KvFolder

log = logging.getLogger(__name__)

KEPT_FOR_S = 7 * 86_400.0
_SHARE_OF_FREE = 0.05
_MOST_PENDING_BYTES = 2**30
_WAIT_FOR_INDEX_S = 1.0
_PART_IS_LEFT_OVER_S = 600.0
_TRIES = 3


@dataclass(slots=True)
class _Entry:
    file: KvFile
    used_at: float


class KvIndex:
    """Any thread. What is in the folder is found, and more written, on a thread of its own."""

    def __init__(self, folder: "KvFolder") -> None:
        self._folder = folder
        self._entries: dict[Path, _Entry] = {}
        self._lock = threading.Lock()  # guards the entries and what is pending; held only for moments
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._pending_bytes = 0
        self._indexed = threading.Event()
        self._stop_at = float("inf")
        self._broken = False
        self._thread = threading.Thread(target=self._work, name="kv-folder", daemon=True)
        self._thread.start()

    def put(self, key: str, tokens: Tokens, state: State, used_at: float) -> None:
        """Keep a sequence, unless there is more to write than can be written. Returns before it is on disk."""
        with self._lock:
            if not state or self._broken or self._pending_bytes + len(state) > _MOST_PENDING_BYTES:
                return
            self._pending_bytes += len(state)
        self._jobs.put(lambda: self._write(key, tokens, state, used_at))

    def fetch(self, key: str, prompt: Tokens, least: int) -> Found | None:
        """See `Below.fetch`. Reads the disk."""
        if self._broken or not self._indexed.wait(_WAIT_FOR_INDEX_S):
            return None
        for _ in range(_TRIES):
            entry, length = self._best(key, prompt)
            if entry is None or length < least:
                return None
            try:
                state = kv_file.read_state(entry.file)
            except (OSError, ValueError) as error:
                log.info("what was kept of a prompt cannot be used and is removed: %s", error)
                self._remove(entry.file.path)
                continue
            self._touch(entry, time.time())
            return Found(length, entry.file.tokens, state)
        return None

    def forget(self) -> None:
        """The files are gone."""
        with self._lock:
            self._entries.clear()

    def close(self, most_s: float) -> None:
        """Write what waits, as far as `most_s` seconds allow, and end the thread."""
        self._stop_at = time.monotonic() + most_s
        self._jobs.put(None)
        self._thread.join(most_s)

    def _work(self) -> None:
        self._guarded(self._index)
        self._indexed.set()
        while (job := self._jobs.get()) is not None:
            self._guarded(job)

    def _guarded(self, job: Callable[[], None]) -> None:
        if self._broken or time.monotonic() > self._stop_at:  # what this needs may be closed by now
            return
        try:
            job()
        except OSError as error:
            self._broken = True
            log.warning("what has been read of prompts is not kept on disk any more: %s", error)
        except Exception:
            log.exception("what has been read of a prompt could not be kept")

    def _index(self) -> None:
        """Find what is there, without reading the states."""
        self._folder.make()
        for path in sorted(self._folder.path.iterdir()):
            with contextlib.suppress(FileNotFoundError):  # removed by somebody else
                used_at = path.stat().st_mtime
                if path.suffix == PART_SUFFIX and time.time() - used_at > _PART_IS_LEFT_OVER_S:
                    path.unlink()
                elif path.suffix == SUFFIX:
                    self._add(path, used_at)
        self._trim()

    def _add(self, path: Path, used_at: float) -> None:
        try:
            entry = _Entry(kv_file.read_head(path), used_at)
        except ValueError as error:
            log.info("%s is damaged and is removed: %s", path.name, error)
            self._remove(path)
            return
        with self._lock:
            self._entries[path] = entry

    def _write(self, key: str, tokens: Tokens, state: State, used_at: float) -> None:
        with self._lock:
            self._pending_bytes -= len(state)
            same = [entry for entry in self._entries.values() if entry.file.key == key]
        if len(state) > self._most_bytes():  # there may be less room than there was
            self._trim()
            return
        if time.monotonic() > self._stop_at or used_at <= self._folder.cleared_at():
            return
        for entry in same:
            if np.array_equal(entry.file.tokens, tokens):
                self._touch(entry, used_at)
                return
        with self._folder.renaming:
            if used_at <= self._folder.cleared_at():
                return
            self._folder.make()
            written = kv_file.write(self._folder.path, key, tokens, state)
            with self._lock:
                self._entries[written.path] = _Entry(written, used_at)
        for entry in same:  # those that it begins with, but for some tokens, are not needed any more
            known = entry.file.tokens
            if len(known) <= len(tokens) and len(known) - common(known, tokens) <= WORTH_KEEPING:
                self._remove(entry.file.path)
        self._trim()

    def _trim(self) -> None:
        """The least recently used files leave, and those that nobody has used for long."""
        most, now = self._most_bytes(), time.time()
        with self._lock:
            oldest_first = sorted(self._entries.values(), key=lambda entry: entry.used_at)
        size = sum(entry.file.size_bytes for entry in oldest_first)
        for entry in oldest_first:
            if size > most or now - entry.used_at > KEPT_FOR_S:
                size -= entry.file.size_bytes
                self._remove(entry.file.path)

    def _most_bytes(self) -> int:
        with self._lock:
            own = sum(entry.file.size_bytes for entry in self._entries.values())
        free = shutil.disk_usage(self._folder.path).free
        return max(0, min(self._folder.most_mb() * 1_000_000, int((free + own) * _SHARE_OF_FREE)))

    def _best(self, key: str, prompt: Tokens) -> tuple[_Entry | None, int]:
        with self._lock:
            entries = [entry for entry in self._entries.values() if entry.file.key == key]
        lengths = [common(entry.file.tokens, prompt) for entry in entries]
        at = int(np.argmax(lengths)) if lengths else -1
        return (entries[at], lengths[at]) if lengths else (None, 0)

    def _touch(self, entry: _Entry, used_at: float) -> None:
        entry.used_at = max(entry.used_at, used_at)
        with contextlib.suppress(OSError):
            os.utime(entry.file.path, (entry.used_at, entry.used_at))

    def _remove(self, path: Path) -> None:
        with self._lock:
            self._entries.pop(path, None)
        with contextlib.suppress(OSError):
            path.unlink()


@dataclass(frozen=True, slots=True)
class KvOfModel:
    """The part of the folder that is one model's."""

    _of: KvIndex
    _key: str

    def put(self, tokens: Tokens, state: State, used_at: float) -> None:
        """See `Below.put`."""
        self._of.put(self._key, tokens, state, used_at)

    def fetch(self, prompt: Tokens, least: int) -> Found | None:
        """See `Below.fetch`."""
        return self._of.fetch(self._key, prompt, least)

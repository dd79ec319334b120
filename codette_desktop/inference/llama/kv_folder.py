"""The folder of sequences that left memory, for all models: what has been read of a conversation survives a restart.

They hold what was said, so the folder is its owner's alone. Whatever is wrong with the disk costs reading prompts
again, never an answer. Who only counts or removes them need not wait for what reads them.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codette_desktop.inference.llama.kv_index import KvIndex, KvOfModel

log = logging.getLogger(__name__)

SUFFIX = ".kv"
PART_SUFFIX = ".part"  # while it is being written
DEFAULT_MB = 1_000
CLOSE_S = 2.0
_CLEARED = "cleared"  # its time is that of the last clearing, for whoever else has the folder open


@dataclass(frozen=True, slots=True)
class KvUsage:
    """What the folder holds now."""

    files: int = 0
    size_bytes: int = 0


class KvFolder:
    """Any thread. `most_mb` is how much may be kept (0: nothing), never more than 5 % of what is free on the disk."""

    def __init__(self, path: Path, most_mb: Callable[[], int] = lambda: DEFAULT_MB) -> None:
        self.path = path
        self.most_mb = most_mb
        self.renaming = threading.Lock()  # held while a file appears, and while all are removed
        self._lock = threading.Lock()
        self._index: KvIndex | None = None
        self._closed = False

    def of(self, key: str) -> "KvOfModel | None":
        """The sequences of one model as it is run now; `key` stands for all that makes them valid ("": they are not).

        None where nothing may be kept. What is there already is found meanwhile.
        """
        from codette_desktop.inference.llama.kv_index import KvIndex, KvOfModel

        with self._lock:
            if not key or self._closed:
                return None
            if self._index is None:
                self._index = KvIndex(self)
            return KvOfModel(self._index, key)

    def usage(self) -> KvUsage:
        """How much is kept; reads the folder."""
        sizes: list[int] = []
        with contextlib.suppress(OSError):
            sizes = [path.stat().st_size for path in self.path.glob(f"*{SUFFIX}")]
        return KvUsage(len(sizes), sum(sizes))

    def clear(self) -> "Future[int]":
        """Remove everything, and keep nothing that was used last before now; gives how many files there were."""
        done: Future[int] = Future()
        threading.Thread(target=self._clear, args=(done,), name="kv-folder-clear", daemon=True).start()
        return done

    def close(self, most_s: float = CLOSE_S) -> None:
        """Write what waits, as far as `most_s` seconds allow."""
        with self._lock:
            self._closed = True
            index, self._index = self._index, None
        if index is not None:
            index.close(most_s)

    def make(self) -> None:
        """Have the folder there, for its owner alone. Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)

    def cleared_at(self) -> float:
        """When it was cleared last, by whomever, in seconds since 1970; 0 for never."""
        try:
            return (self.path / _CLEARED).stat().st_mtime
        except OSError:
            return 0.0

    def _clear(self, done: "Future[int]") -> None:
        removed = 0
        try:
            if self.path.is_dir():
                with self.renaming:
                    marker, now = self.path / _CLEARED, time.time()
                    marker.touch(0o600)
                    os.utime(marker, (now, now))
                    for path in list(self.path.glob(f"*{SUFFIX}")):
                        path.unlink(missing_ok=True)
                        removed += 1
                    for path in list(self.path.glob(f"*{PART_SUFFIX}")):  # what a process was writing when it was ended
                        path.unlink(missing_ok=True)
                    if self._index is not None:
                        self._index.forget()
        except OSError as error:
            log.warning("what has been read of prompts could not be removed from disk: %s", error)
        done.set_result(removed)

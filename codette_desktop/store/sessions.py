"""Who has the data folder open: one locked file per process, and one for the first of them.

An operating system's lock ends with its process, however that ends, so a row marked with a session can be told to
belong to a process that lives or to one that crashed.
"""

import os
import sys
import time
import uuid
from pathlib import Path

from codette_desktop.domain.errors import StoreError

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        # flock, not lockf: a POSIX record lock is lost as soon as the process closes any descriptor of the file.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_SUFFIX = ".session"


class FileLock:
    """An exclusive lock on a file, held until `release()` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def try_acquire(self, *, create: bool = True) -> bool:
        """Take the lock if nobody has it; raises OSError where the file cannot be opened."""
        if self._descriptor is not None:
            return True
        flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | (os.O_CREAT if create else 0)
        descriptor = os.open(self.path, flags, 0o600)
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            return False
        try:
            # Somebody may have removed the file between opening and locking it: that lock would guard nothing.
            current = os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            current = False
        if not current:
            os.close(descriptor)
            return self.try_acquire(create=create)
        self._descriptor = descriptor
        return True

    def acquire(self, timeout_s: float) -> None:
        """Wait for the lock; raises StoreError after `timeout_s` seconds."""
        deadline = time.monotonic() + timeout_s
        while not self.try_acquire():
            if time.monotonic() > deadline:
                raise StoreError("Another program is using the database.", "Close it and try again.", retryable=True)
            time.sleep(0.05)

    def release(self, *, remove: bool = False) -> None:
        """Let go of the lock, removing the file first where the system allows it."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        if remove and sys.platform != "win32":
            self.path.unlink(missing_ok=True)
        os.close(descriptor)
        if remove and sys.platform == "win32":
            try:
                self.path.unlink(missing_ok=True)
            except OSError:
                return


class Sessions:
    """This process's session in `folder`, and what can be told of the others."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.id = uuid.uuid4().hex
        self._own = FileLock(folder / f"{self.id}{_SUFFIX}")
        self._primary = FileLock(folder / "primary.lock")
        self._own.acquire(5.0)
        self._primary.try_acquire()

    @property
    def is_primary(self) -> bool:
        """Whether this was the first of the processes that have the folder open, or has taken over from it."""
        return self._primary.held

    def take_over(self) -> bool:
        """Be the first where that one has ended; gives whether this is the first now."""
        try:
            return self._primary.held or self._primary.try_acquire()
        except OSError:
            return False

    def is_alive(self, session: str) -> bool:
        """Whether the process of `session` still has the folder open."""
        if session == self.id:
            return True
        probe = FileLock(self._folder / f"{session}{_SUFFIX}")
        try:
            if not probe.try_acquire(create=False):
                return True
        except OSError:
            return False
        probe.release()
        return False

    def migration_lock(self) -> FileLock:
        """The lock to hold while the schema changes."""
        return FileLock(self._folder / "migration.lock")

    def remove_dead(self) -> None:
        """Remove the files that crashed processes left; to be called when nothing refers to them any more."""
        for path in self._folder.glob(f"*{_SUFFIX}"):
            lock = FileLock(path)
            try:
                if path != self._own.path and lock.try_acquire(create=False):
                    lock.release(remove=True)
            except OSError:
                continue

    def close(self) -> None:
        """End the session. Idempotent."""
        self._own.release(remove=True)
        self._primary.release()

"""Which processes are ours: this one and those it started."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

_REFRESH_S = 5.0  # looking through all processes is the dearest thing the sensors do
_FIRST_PID_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO of Linux


class Family:
    """This process and its children, grandchildren included. Any thread. A new child is seen within five seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, refresh_s: float = _REFRESH_S) -> None:
        self._clock = clock
        self._refresh_s = refresh_s
        self._lock = threading.Lock()
        self._looked_at: float | None = None
        self._members: tuple[psutil.Process, ...] = ()

    def processes(self) -> tuple[psutil.Process, ...]:
        """Ourselves first. The same objects from call to call, as long as a process lives."""
        with self._lock:
            now = self._clock()
            if self._looked_at is None or now - self._looked_at >= self._refresh_s:
                self._looked_at = now
                self._members = self._look()
            return self._members

    def pids(self) -> frozenset[int]:
        """Their numbers."""
        return frozenset(process.pid for process in self.processes())

    def _look(self) -> tuple[psutil.Process, ...]:
        known = {process: process for process in self._members}
        try:
            me = psutil.Process()
        except psutil.Error:
            return ()
        try:
            found = [me, *me.children(recursive=True)]
        except (psutil.Error, OSError):
            found = [me]
        return tuple(known.get(process, process) for process in found)


def drivers_pids_are_ours(root: Path = Path("/")) -> bool:
    """Whether the graphics driver counts processes as we do. In a container (Docker, Flatpak) it does not: there the
    same number is another program's."""
    if sys.platform != "linux":
        return True
    try:
        return (root / "proc/self/ns/pid").stat().st_ino == _FIRST_PID_NAMESPACE
    except OSError:
        return True

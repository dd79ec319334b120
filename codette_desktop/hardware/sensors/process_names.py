"""The names of other programs, asked once each."""

import psutil


class ProcessNames:
    """Remembers names as long as their processes are asked for."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def of(self, pids: frozenset[int]) -> dict[int, str]:
        """The name of each, "" where it may not be read. What is not asked for is forgotten."""
        self._names = {pid: self._names.get(pid) or _name(pid) for pid in pids}
        return self._names


def _name(pid: int) -> str:
    try:
        return psutil.Process(pid).name()
    except (psutil.Error, OSError, ValueError):
        return ""

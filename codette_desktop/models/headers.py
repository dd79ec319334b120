"""Headers of model files, each read once for as long as the file does not change."""

import threading
from pathlib import Path

from codette_desktop.models.gguf import GgufHeader, read_header

_MOST = 256


class Headers:
    """By path, size and time of change. Any thread."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int], GgufHeader]] = {}
        self._lock = threading.Lock()

    def read(self, path: Path) -> GgufHeader:
        """The header of the file as it is now. Raises what `read_header` raises."""
        state = _state(path)
        with self._lock:
            known = self._known.get(str(path))
        if known is not None and known[0] == state:
            return known[1]
        header = read_header(path)
        if state is not None:
            with self._lock:
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[str(path)] = (state, header)
        return header


def _state(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except (OSError, ValueError):
        return None
    return state.st_size, state.st_mtime_ns

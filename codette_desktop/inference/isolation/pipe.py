"""The pipe to a worker: written by a thread of its own, since a worker that is busy may not read for seconds."""

import contextlib
import logging
import queue
import threading
from collections.abc import Mapping
from typing import IO, Any

from codette_desktop.inference.isolation.wire import line_of

log = logging.getLogger(__name__)


class PipeWriter:
    """Sends messages in order. `send` and `close` return at once, from any thread."""

    def __init__(self, pipe: IO[bytes], name: str) -> None:
        self._pipe = pipe
        self._waiting: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name=name, daemon=True)
        self._thread.start()

    def send(self, message: Mapping[str, Any]) -> None:
        """Write a message when those before it are written; where nobody reads any more it is dropped."""
        self._waiting.put(message)

    def close(self) -> None:
        """Close the pipe when everything is written. May be called twice."""
        self._waiting.put(None)

    def join(self) -> None:
        """Wait for that; only once the other end is closed is it sure to come."""
        self._thread.join()

    def _write(self) -> None:
        try:
            while (message := self._waiting.get()) is not None:
                self._pipe.write(line_of(message))
                self._pipe.flush()
        except (OSError, ValueError) as error:
            log.debug("a worker cannot be written to: %s", error)  # it has died, which its reader will tell
        with contextlib.suppress(OSError):  # what was still to be written to a process that has died
            self._pipe.close()

"""A sensor in a thread of its own, so that one that hangs holds up nobody."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


class Worker(Generic[T]):
    """Reads a sensor when asked to. Its methods, but for `start` and `join`, are called with `changed` held."""

    def __init__(
        self, name: str, read: Callable[[], T], close: Callable[[], object], changed: threading.Condition
    ) -> None:
        """`changed` is notified when an answer has come. `close` is called on the thread, as its last act."""
        self._name = name
        self._read = read
        self._close = close
        self._changed = changed
        self._orders: SimpleQueue[bool] = SimpleQueue()
        self._answer: T | None = None
        self._failed = False
        self.busy = False
        self._thread = threading.Thread(target=self._run, name=f"codette-sensor-{name}", daemon=True)

    def start(self) -> None:
        """Begin to wait for questions."""
        self._thread.start()

    def ask(self) -> bool:
        """Have it read now; False if it still has not answered an earlier question."""
        self._answer = None
        if self.busy:
            return False
        self.busy = True
        self._orders.put(True)
        return True

    def take(self) -> T | None:
        """What it answered since it was asked last; None if it has not, or failed."""
        answer, self._answer = self._answer, None
        return answer

    def end(self) -> None:
        """Have it close its sensor and end, at once or, if it hangs, when it comes to."""
        self._orders.put(False)

    def join(self, timeout_s: float) -> None:
        """Wait for its end, so long at most."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while self._orders.get():
            answer = self._read_one()
            with self._changed:
                self.busy = False
                self._answer = answer
                self._changed.notify_all()
        try:
            self._close()
        except Exception as error:  # noqa: BLE001 - it is over anyway
            log.debug("the sensor %s did not close: %s", self._name, error)

    def _read_one(self) -> T | None:
        try:
            return self._read()
        except Exception:  # a sensor must not raise; if one does, the others go on
            if not self._failed:
                log.warning("the sensor %s fails", self._name, exc_info=True)
            self._failed = True
            return None

"""A steady pace: due times a fixed step apart, whatever the work between them took."""

import math
import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Where time comes from; tests have their own."""

    def monotonic(self) -> float: ...
    def time(self) -> float: ...
    def wait(self, condition: threading.Condition, seconds: float) -> object: ...


class SystemClock:
    """The computer's."""

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since 1970 (UTC)."""
        return time.time()

    def wait(self, condition: threading.Condition, seconds: float) -> object:
        """Until the condition, which is held, is notified, or so long."""
        return condition.wait(seconds)


class Cadence:
    """Says when the next turn is due. Times in seconds of a monotonic clock."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._last: float | None = None

    @property
    def due(self) -> float:
        """When the next turn is due: the first one always is."""
        return -math.inf if self._last is None else self._last + self._step_s

    def turn(self, now: float) -> None:
        """The turn that was due is taken. Those missed meanwhile (the computer slept) are left out, not made up for."""
        if self._last is None:
            self._last = now
        else:
            self._last += self._step_s * max(1, math.floor((now - self._last) / self._step_s))

    def change(self, step_s: float) -> None:
        """From the last turn on another step."""
        self._step_s = step_s

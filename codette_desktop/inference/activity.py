"""What the engine does now and has done, counted while it happens: for the samples of the engine."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from codette_desktop.domain.telemetry import EngineSample

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """What has been counted since the start."""

    tokens: int = 0
    requests: int = 0
    failed: int = 0
    cache_hits: int = 0
    cache_lookups: int = 0

    def less(self, other: "Counts") -> "Counts":
        """What came since `other`."""
        return Counts(
            self.tokens - other.tokens,
            self.requests - other.requests,
            self.failed - other.failed,
            self.cache_hits - other.cache_hits,
            self.cache_lookups - other.cache_lookups,
        )


class Activity:
    """Any thread. `listeners` hear, on the thread that asked, when the first request begins and the last one ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counts()
        self._told = Counts()
        self._waiting = 0
        self._running = 0
        self.listeners: list[Callable[[bool], object]] = []

    @property
    def busy(self) -> bool:
        """Whether anything is being asked now."""
        return self._waiting + self._running > 0

    def asked(self) -> None:
        """A request was made, and waits."""
        with self._lock:
            self._waiting += 1
            first = self._waiting + self._running == 1
        if first:
            self._tell(True)

    def begun(self) -> None:
        """One that waited is being answered."""
        with self._lock:
            self._waiting -= 1
            self._running += 1

    def wrote(self, tokens: int) -> None:
        """An answer grew."""
        with self._lock:
            self._counts.tokens += tokens

    def ended(self, *, begun: bool, failed: bool) -> None:
        """A request ended, however."""
        with self._lock:
            self._running -= begun
            self._waiting -= not begun
            self._counts.requests += 1
            self._counts.failed += failed
            last = self._waiting + self._running == 0
        if last:
            self._tell(False)

    def sample(self, cache_hits: int, cache_lookups: int, models: int, model_bytes: int) -> EngineSample:
        """What was done since the last call. The cache's counts are those since the start."""
        with self._lock:
            self._counts.cache_hits, self._counts.cache_lookups = cache_hits, cache_lookups
            new = self._counts.less(self._told)
            self._told = replace(self._counts)
            running, waiting = self._running, self._waiting
        return EngineSample(
            running, waiting, new.tokens, new.requests, new.failed, new.cache_hits, new.cache_lookups,
            models, model_bytes,
        )  # fmt: skip

    def _tell(self, busy: bool) -> None:
        for listener in tuple(self.listeners):
            try:
                listener(busy)
            except Exception:
                log.exception("a listener failed")

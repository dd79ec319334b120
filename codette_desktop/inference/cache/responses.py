"""The answers that are kept: the latest in memory, all in the store, and how often they were of use."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from codette_desktop.domain.errors import StoreError
from codette_desktop.inference.cache import settings as cache_settings
from codette_desktop.inference.cache.answers import KeptAnswer, decode, encode
from codette_desktop.inference.cache.settings import CacheSettings
from codette_desktop.inference.llama.kv_folder import KvFolder, KvUsage
from codette_desktop.store import Store
from codette_desktop.store.responses import ResponseCounts, ResponseUse

log = logging.getLogger(__name__)

MEMORY_ENTRIES = 1_000
MEMORY_BYTES = 16 * 1024 * 1024
WRITE_EVERY_S = 5.0
WRITE_EVERY = 4_096


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """What is kept now, and the counts since the first start; `hit_rate` from 0 to 1, 0 before the first request.

    `shared` are requests that had the answer another was just being given; they are neither hits nor misses. `kv_files`
    hold what models have read of prompts.
    """

    entries: int
    size_bytes: int
    hits: int
    misses: int
    shared: int
    stores: int
    evictions: int
    kv_files: int = 0
    kv_bytes: int = 0

    @property
    def hit_rate(self) -> float:
        """Hits among the requests that could have been answered from the cache."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0


class ResponseCache:
    """Any thread. A disk that cannot be read or written costs hits, never answers.

    `kv` holds what models have read of prompts: it is counted and cleared with the answers.
    Uses are written down every few seconds, or with the next answer that is kept: a crash forgets the last of them.
    """

    def __init__(
        self, store: Store, kv: KvFolder | None = None, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._kv = kv
        self._now = now
        self._settings = cache_settings.read(store.settings)
        self._lock = threading.Lock()  # guards what follows; held only for moments
        self._memory: OrderedDict[bytes, KeptAnswer] = OrderedDict()
        self._memory_bytes = 0
        self._cleared = 0
        self._counts = ResponseCounts()
        self._counted = ResponseCounts()
        self._writing: list[ResponseUse] = []
        self._touched: dict[bytes, tuple[datetime, int]] = {}
        self._written_at = time.monotonic()

    @property
    def settings(self) -> CacheSettings:
        """What the person has chosen."""
        return self._settings

    def configure(self, settings: CacheSettings) -> None:
        """Use other settings from now on, and keep them. What is too much leaves."""
        before, self._settings = self._settings, settings
        for write in cache_settings.write(self._store.settings, before, settings):
            write.add_done_callback(_log_failure)
        if settings.limits != before.limits:
            with self._lock:
                self._trim_memory()
            self._store.responses.trim(settings.limits, self._now()).add_done_callback(_log_failure)

    def get(self, key: bytes) -> KeptAnswer | None:
        """The answer under `key`, if it is not too old. May read the disk; one that cannot be read is dropped."""
        answer = self.get_from_memory(key)
        if answer is not None:
            return answer
        with self._lock:
            cleared = self._cleared
        try:
            kept = self._store.responses.get(key)
        except StoreError as error:
            log.info("the response cache cannot be read: %s", error)
            return None
        if kept is None or self._is_old(kept.created_at):
            return None
        try:
            answer = decode(kept)
        except ValueError:
            log.info("a cached answer of %s is damaged and was dropped", kept.model)
            self._store.responses.remove(key).add_done_callback(_log_failure)
            return None
        with self._lock:
            if cleared == self._cleared:
                self._remember(key, answer)
        return answer

    def get_from_memory(self, key: bytes) -> KeptAnswer | None:
        """The same without reading the disk."""
        with self._lock:
            answer = self._memory.get(key)
            if answer is None:
                return None
            if self._is_old(answer.created_at):
                self._forget(key)
                return None
            self._memory.move_to_end(key)
            return answer

    def put(self, key: bytes, answer: KeptAnswer) -> None:
        """Keep an answer, in place of what `key` had. Returns before it is on disk."""
        answer = replace(answer, created_at=self._now())
        kept = encode(key, answer)
        limits = self._settings.limits
        if len(key) + len(kept.payload) > limits.size_bytes or not limits.entries:
            return
        with self._lock:
            self._remember(key, answer)
            self._counts = self._counts.plus(ResponseCounts(stores=1))
            use = self._take_use()
        write = self._store.responses.put(kept, limits, use, self._now())
        write.add_done_callback(lambda done: self._written(use, done))

    def hit(self, key: bytes) -> None:
        """Count an answer that was given again."""
        with self._lock:
            _, uses = self._touched.get(key, (None, 0))
            self._touched[key] = (self._now(), uses + 1)
        self.count(ResponseCounts(hits=1))

    def count(self, counts: ResponseCounts) -> None:
        """Add to the counts."""
        with self._lock:
            self._counts = self._counts.plus(counts)
            self._counted = self._counted.plus(counts)
            since_s = time.monotonic() - self._written_at
            # Seldom: the writer's thread holds up an answer given meanwhile (for the GIL). Under constant load that
            # was one in a hundred, and the p99 3.2 ms instead of 0.9, when every 64 uses were written down.
            due = since_s >= WRITE_EVERY_S or len(self._touched) >= WRITE_EVERY
        if due:
            self.flush()

    def flush(self) -> "Future[None]":
        """Write down what was used; done when that is."""
        with self._lock:
            use = self._take_use()
        write = self._store.responses.write_use(use)
        write.add_done_callback(lambda done: self._written(use, done))
        return write

    def clear(self) -> "Future[int]":
        """Forget all answers and what was read of prompts; gives how many answers there were. The counts stay."""
        with self._lock:
            self._cleared += 1
            self._memory.clear()
            self._memory_bytes = 0
            self._touched.clear()
        cleared = self._store.responses.clear()
        if self._kv is None:
            return cleared
        both: Future[int] = Future()
        self._kv.clear().add_done_callback(
            lambda _removed: cleared.add_done_callback(lambda done: _pass_on(done, both))
        )
        return both

    @property
    def counted(self) -> ResponseCounts:
        """The hits, misses and shared answers of this process since it started. Reads no disk."""
        return self._counted

    def statistics(self) -> CacheStatistics:
        """As of now; reads the store. Raises StoreError."""
        with self._lock:
            counts = self._counts
            for use in self._writing:
                counts = counts.plus(use.counts)
        totals = self._store.responses.totals()
        counts = totals.counts.plus(counts)
        read = self._kv.usage() if self._kv is not None else KvUsage()
        return CacheStatistics(
            totals.entries,
            totals.size_bytes,
            counts.hits,
            counts.misses,
            counts.shared,
            counts.stores,
            totals.evictions,
            read.files,
            read.size_bytes,
        )

    def _is_old(self, created_at: datetime) -> bool:
        ttl_s = self._settings.limits.ttl_s
        return ttl_s is not None and self._now() - created_at > timedelta(seconds=ttl_s)

    def _take_use(self) -> ResponseUse:
        use = ResponseUse(self._counts, self._touched)
        self._counts, self._touched = ResponseCounts(), {}
        self._writing.append(use)
        self._written_at = time.monotonic()
        return use

    def _written(self, use: ResponseUse, done: "Future[None]") -> None:
        """Counts that could not be written down are tried again with the next; the order of use is not worth it."""
        error = done.exception()
        with self._lock:
            self._writing = [other for other in self._writing if other is not use]
            if error is not None:
                self._counts = self._counts.plus(use.counts)
        if error is not None:
            log.info("the response cache cannot be written: %s", error)

    def _remember(self, key: bytes, answer: KeptAnswer) -> None:
        self._forget(key)
        self._memory[key] = answer
        self._memory_bytes += answer.size_bytes
        self._trim_memory()

    def _forget(self, key: bytes) -> None:
        answer = self._memory.pop(key, None)
        if answer is not None:
            self._memory_bytes -= answer.size_bytes

    def _trim_memory(self) -> None:
        limits = self._settings.limits
        entries, size = min(MEMORY_ENTRIES, limits.entries), min(MEMORY_BYTES, limits.size_bytes)
        while self._memory and (len(self._memory) > entries or self._memory_bytes > size):
            self._forget(next(iter(self._memory)))


def _pass_on(done: "Future[int]", to: "Future[int]") -> None:
    if (error := done.exception()) is not None:
        to.set_exception(error)
    else:
        to.set_result(done.result())


def _log_failure(done: "Future[None]") -> None:
    if (error := done.exception()) is not None:
        log.info("the response cache cannot be written: %s", error)

"""What models, servers, the queue, the database and the cache did of late, as the rules look at it."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.quantiles import percentile
from codette_desktop.domain.request_log import LOCAL, RequestRecord
from codette_desktop.monitoring.metrics import ModelWatch, first_token_ms_per_1k
from codette_desktop.monitoring.observation import (
    BackendWindow,
    CacheWindow,
    ModelWindow,
    Outcomes,
    QueueWindow,
    StoreWindow,
)

LONGEST_S = 6 * 3600.0
MOST, MOST_OF_ONE = 50_000, 5_000
AHEAD_S = 60.0  # a request that ended later than this from now was noted by a clock that was ahead
LOADS_KEPT = 30
RELOADS_S = 600.0
_WARM = (FinishReason.STOP, FinishReason.LENGTH)

Totals = tuple[int, int, int, int]  # of the cache since its first start: lookups, hits, stores, evictions


@dataclass(slots=True)
class _Backend:
    failed: int = 0
    good: int = 0
    checks: deque[tuple[float, bool]] = field(default_factory=lambda: deque[tuple[float, bool]](maxlen=200))


class Windows:
    """The last six hours. Not for several threads at once. Times in seconds since 1970."""

    def __init__(self, watch: ModelWatch, clock: Callable[[], float] = time.time) -> None:
        self.watch = watch
        self._clock = clock
        self._requests: deque[RequestRecord] = deque(maxlen=MOST)  # in the order in which they ended
        self._of_model: dict[str, deque[RequestRecord]] = {}
        self._labels: dict[str, str] = {}
        self._loads: dict[str, deque[tuple[float, float]]] = {}
        self._backends: dict[str, _Backend] = {}
        self._store_errors: deque[float] = deque(maxlen=1000)
        self._cache: deque[tuple[float, Totals]] = deque(maxlen=120)

    # What is heard

    def add_request(self, request: RequestRecord, *, learn: bool = True) -> None:
        """One that ended. `learn` False: it was heard of before, and what is usual knows it already."""
        self._requests.append(request)
        self._of_model.setdefault(request.model, deque(maxlen=MOST_OF_ONE)).append(request)
        self._labels[request.model] = request.model_label
        if learn and not request.cached and request.reason in _WARM:
            self._learn(request)

    def restore(self, requests: Iterable[RequestRecord]) -> None:
        """Requests of earlier runs, before those that have been heard of meanwhile."""
        heard = list(self._requests)
        known = {request.id for request in heard}
        self._requests.clear()
        self._of_model.clear()
        for request in sorted((one for one in requests if one.id not in known), key=_ended):
            self.add_request(request, learn=False)
        for request in heard:
            self.add_request(request, learn=False)

    def add_load(self, model: str, load_ms: float) -> None:
        """A model was loaded."""
        self._loads.setdefault(model, deque(maxlen=LOADS_KEPT)).append((self._clock(), load_ms))
        self.watch.add(model, "load", load_ms)

    def add_check(self, backend: str, good: bool) -> None:
        """A server was asked whether it is there."""
        found = self._backends.setdefault(backend, _Backend())
        found.checks.append((self._clock(), good))
        found.failed, found.good = (0, found.good + 1) if good else (found.failed + 1, 0)

    def add_store_error(self) -> None:
        """Something could not be saved."""
        self._store_errors.append(self._clock())

    def add_cache(self, totals: Totals) -> None:
        """The cache's counts now; about once a minute."""
        self._cache.append((self._clock(), totals))

    # What is asked

    def since(self, seconds: float) -> list[RequestRecord]:
        """The requests that ended within so many seconds, the oldest first."""
        return self._newest(self._requests, seconds)

    def since_of(self, model: str, seconds: float) -> list[RequestRecord]:
        """The same of one model, by its name."""
        return self._newest(self._of_model.get(model, ()), seconds)

    def _newest(self, requests: Sequence[RequestRecord], seconds: float) -> list[RequestRecord]:
        now = self._clock()
        found: list[RequestRecord] = []
        for request in reversed(requests):
            ended = _ended(request)
            if ended < now - seconds:
                break
            if ended <= now + AHEAD_S:  # else the clock was ahead
                found.append(request)
        return found[::-1]

    def models(self) -> tuple[ModelWindow, ...]:
        """A window for each model that was asked or loaded."""
        recent = {name: self.since_of(name, LONGEST_S) for name in self._of_model}
        asked = {name for name, requests in recent.items() if requests}
        return tuple(self._model(name, recent.get(name, [])) for name in sorted(asked | self._loads.keys()))

    def shifts(self) -> dict[tuple[str, str], float | None]:
        """What the detectors found, by (label, metric); None while they learn."""
        names = {name: self._labels.get(name, name) for name in self._of_model.keys() | self._loads.keys()}
        metrics = ("first_token", "speed")
        return {(label, metric): self.watch.shift(name, metric) for name, label in names.items() for metric in metrics}

    def backends(self) -> tuple[BackendWindow, ...]:
        """A window for each server that was checked."""
        start = self._clock() - 600
        found: list[BackendWindow] = []
        for name, backend in self._backends.items():
            lately = [good for at, good in backend.checks if at >= start]
            uptime = sum(lately) / len(lately) if lately else None
            found.append(BackendWindow(name, backend.failed, backend.good, uptime))
        return tuple(found)

    def queue(self) -> QueueWindow:
        """How long requests waited in the last five minutes."""
        waits = [request.queue_ms for request in self.since(300) if request.queue_ms is not None]
        return QueueWindow(percentile(waits, 0.95) if waits else None, len(waits))

    def store(self) -> StoreWindow:
        """Failures of the last five minutes."""
        start = self._clock() - 300
        return StoreWindow(errors=sum(at >= start for at in self._store_errors))

    def cache(self) -> CacheWindow:
        """The last hour's counts."""
        start = self._clock() - 3600
        kept = [totals for at, totals in self._cache if at >= start]
        if len(kept) < 2:
            return CacheWindow()
        return CacheWindow(*(new - old for new, old in zip(kept[-1], kept[0], strict=True)))

    def usual_first_token(self, model: str) -> float | None:
        """The median of a model's time to first token per 1,000 tokens read, over what is known; None for too few."""
        found = [value for request in self._of_model.get(model, ()) if (value := first_token(request))]
        return median(found) if len(found) >= 10 else None

    def _learn(self, request: RequestRecord) -> None:
        cold = request.load_ms > 0
        if (value := first_token(request)) is not None:
            self.watch.add(request.model, "first_token", value, cold=cold)
        if request.tokens_per_second and request.completion_tokens >= 8:
            self.watch.add(request.model, "speed", request.tokens_per_second, cold=cold)

    def _model(self, name: str, requests: list[RequestRecord]) -> ModelWindow:
        now = self._clock()
        loads = list(self._loads.get(name, ()))
        hour = [request for request in requests if _ended(request) >= now - 3600]
        return ModelWindow(
            self._labels.get(name, name),
            requests[-1].backend if requests else LOCAL,
            *(outcomes(requests, now - seconds) for seconds in (300, 1800, 3600, LONGEST_S)),
            first_token_shift=self.watch.shift(name, "first_token"),
            speed_shift=self.watch.shift(name, "speed"),
            load_ms=loads[-1][1] if loads else None,
            usual_load_ms=median(ms for _at, ms in loads[:-1]) if len(loads) > 3 else None,
            truncated=sum(request.truncated for request in hour),
            prompts=len(hour),
            loads=sum(at >= now - RELOADS_S for at, _ms in loads),
        )


def outcomes(requests: Iterable[RequestRecord], start: float) -> Outcomes:
    """Those that ended since `start`; what the person stopped is left out."""
    stopped = (FinishReason.CANCELLED, FinishReason.INTERRUPTED)
    counted = [one.reason for one in requests if _ended(one) >= start and one.reason not in stopped]
    return Outcomes(len(counted), sum(reason is FinishReason.FAILED for reason in counted))


def first_token(request: RequestRecord) -> float | None:
    """The time to the first token per 1,000 tokens that had to be read, without loading and waiting."""
    if not request.time_to_first_token_ms or request.prompt_tokens is None or request.cached:
        return None
    own = request.time_to_first_token_ms - request.load_ms - (request.queue_ms or 0.0)
    return first_token_ms_per_1k(max(0.001, own), request.prompt_tokens - request.reused_tokens)


def _ended(request: RequestRecord) -> float:
    return request.at + request.total_ms / 1000

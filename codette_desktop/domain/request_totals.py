"""Totals of all requests there ever were: counts that only grow, over restarts and after old requests are removed."""

import math
import re
from bisect import bisect_left
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.request_log import RequestRecord

ENDED_WELL = (FinishReason.STOP, FinishReason.LENGTH)
STOPPED = "cancelled"  # the kind of duration of what was ended before it was done, other than by an error


class Total(StrEnum):
    """What is added up. Those in `BOUNDS` are histograms: by how many values, and by their sum."""

    ENDED = "ended"  # by why they ended
    CACHED = "cached"
    PURPOSE = "purpose"  # of all models together
    ERROR = "error"  # by the class of the error
    TRUNCATED = "truncated"
    FALLBACK = "fallback"  # another model answered in the place of this one
    REUSED = "reused"  # tokens of prompts that need not be read
    ENERGY = "energy"  # joules
    LOAD = "load"  # loads that a request had to wait for
    LAST_LOAD = "last_load"  # seconds; not added up: the last one stands
    DURATION = "duration"  # seconds, by the class of the error
    FIRST_CHUNK = "first_chunk"  # seconds, as the person waited: with loading and waiting
    FIRST_TOKEN = "first_token"  # noqa: S105 - seconds, without loading
    PER_TOKEN = "per_token"  # noqa: S105 - seconds
    QUEUE = "queue"  # seconds
    PREFILL = "prefill"  # seconds
    INPUT = "input"  # tokens
    OUTPUT = "output"  # tokens


_STOOD_IN = re.compile(r"/\d+$")  # the id of a model that failed and for which another stood in: see `RequestRecord`

# OpenTelemetry's advice for generative AI, with more on the side where a small or a slow computer is.
_DURATIONS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68)
_FIRST = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0,
)  # fmt: skip
_PER_TOKEN = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_TOKENS = tuple(float(4**power) for power in range(14))

BOUNDS: dict[Total, tuple[float, ...]] = {
    Total.DURATION: _DURATIONS,
    Total.FIRST_CHUNK: _FIRST,
    Total.FIRST_TOKEN: _FIRST,
    Total.PER_TOKEN: _PER_TOKEN,
    Total.QUEUE: _FIRST,
    Total.PREFILL: _FIRST,
    Total.INPUT: _TOKENS,
    Total.OUTPUT: _TOKENS,
}


class TotalKey(NamedTuple):
    """One row. `bound` is that of the bucket (inf for the last), 0 for what is no bucket; `is_sum` for a sum of values.

    `model` is the label. `kind` says more, where there is more to say of it: see `Total`.
    """

    total: Total
    model: str = ""
    backend: str = ""
    kind: str = ""
    bound: float = 0.0
    is_sum: bool = False


def counted(record: RequestRecord) -> Iterator[tuple[TotalKey, float]]:
    """What a request adds to the totals.

    An answer from the cache is counted and nothing else: nothing was measured of the model.
    """
    model, backend = record.model_label, record.backend
    yield TotalKey(Total.ENDED, model, backend, record.reason.value), 1
    yield TotalKey(Total.PURPOSE, kind=record.purpose.value or "other"), 1
    if record.cached:
        yield TotalKey(Total.CACHED, model, backend), 1
        return
    if record.reason is FinishReason.FAILED:
        yield TotalKey(Total.ERROR, model, backend, record.error_type), 1
    counts = {
        Total.TRUNCATED: float(record.truncated),
        Total.FALLBACK: float(record.reason is FinishReason.FAILED and bool(_STOOD_IN.search(record.id))),
        Total.REUSED: float(record.reused_tokens),
        Total.ENERGY: record.energy_j or 0.0,
        Total.LOAD: float(record.load_ms > 0),
    }
    for total, value in counts.items():
        if value and math.isfinite(value):
            yield TotalKey(total, model, backend), value
    if 0 < record.load_ms < math.inf:
        yield TotalKey(Total.LAST_LOAD, model, backend), record.load_ms / 1000
    for total, kind, value in _measured(record):
        if not math.isfinite(value):
            continue
        yield TotalKey(total, model, backend, kind, bucket(total, value)), 1
        yield TotalKey(total, model, backend, kind, is_sum=True), value


def bucket(total: Total, value: float) -> float:
    """The bound of the bucket a value falls into: the first that is not below it."""
    bounds = BOUNDS[total]
    place = bisect_left(bounds, value)
    return bounds[place] if place < len(bounds) else math.inf


def _measured(record: RequestRecord) -> Iterator[tuple[Total, str, float]]:
    well = record.reason in ENDED_WELL
    kind = "" if well else record.error_type if record.reason is FinishReason.FAILED else STOPPED
    yield Total.DURATION, kind, record.total_ms / 1000
    if record.prompt_tokens is not None:
        yield Total.INPUT, "", float(record.prompt_tokens)
    if record.completion_tokens or well:
        yield Total.OUTPUT, "", float(record.completion_tokens)
    first = record.time_to_first_token_ms
    if first is not None:
        yield Total.FIRST_CHUNK, "", first / 1000
        if well:
            yield Total.FIRST_TOKEN, "", max(0.0, first - record.load_ms) / 1000
    if well and record.tokens_per_second and math.isfinite(record.tokens_per_second):
        yield Total.PER_TOKEN, "", 1 / record.tokens_per_second
    for total, time_ms in ((Total.QUEUE, record.queue_ms), (Total.PREFILL, record.prefill_ms)):
        if time_ms is not None:
            yield total, "", time_ms / 1000

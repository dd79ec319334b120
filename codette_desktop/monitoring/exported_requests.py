"""The totals of all requests as metric families."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.request_log import LOCAL
from codette_desktop.domain.request_totals import BOUNDS, ENDED_WELL, Total, TotalKey
from codette_desktop.monitoring import semantic
from codette_desktop.monitoring.exposition import Family, Histogram
from codette_desktop.monitoring.semantic import Metric

CHAT = "chat"  # OpenTelemetry's name for the operation; requests for vectors are not in the log
_COUNTED = {
    reason.value for reason in (*ENDED_WELL, FinishReason.FAILED)
}  # what was stopped is neither, as in the rules
_PLAIN = {
    Total.CACHED: semantic.REQUESTS_CACHED,
    Total.FALLBACK: semantic.FALLBACKS,
    Total.TRUNCATED: semantic.TRUNCATED,
    Total.REUSED: semantic.REUSED,
    Total.ENERGY: semantic.ENERGY,
    Total.LOAD: semantic.LOADS,
    Total.LAST_LOAD: semantic.LOAD,
}
_OURS = {Total.PER_TOKEN: semantic.PER_TOKEN, Total.QUEUE: semantic.QUEUE_WAIT, Total.PREFILL: semantic.PREFILL}
_CLIENT = {
    Total.DURATION: semantic.OPERATION_DURATION,
    Total.FIRST_CHUNK: semantic.FIRST_CHUNK,
    Total.INPUT: semantic.TOKEN_USAGE,
    Total.OUTPUT: semantic.TOKEN_USAGE,
}
_SERVER = {
    Total.DURATION: semantic.SERVER_DURATION,
    Total.FIRST_TOKEN: semantic.SERVER_FIRST_TOKEN,
    Total.PER_TOKEN: semantic.SERVER_PER_TOKEN,
}
# Beside every model that was ever asked stands a 0, for of a counter that appears with a 1 no rate can be told.
_FROM_ZERO = (
    semantic.REQUESTS, semantic.REQUESTS_FAILED, semantic.REQUESTS_CACHED, semantic.FALLBACKS, semantic.TRUNCATED,
    semantic.REUSED, semantic.LOADS,
)  # fmt: skip


def request_families(totals: Mapping[TotalKey, float], providers: Mapping[str, str]) -> list[Family]:
    """Counters and histograms. `providers` says which engine answers at a backend."""
    families = {metric: Family(metric) for metric in _all_metrics()}
    for key, value in totals.items():
        if key.total in _PLAIN:
            families[_PLAIN[key.total]].add(value, backend=key.backend, model=key.model)
    _by_ending(totals, families)
    _histograms(totals, families, providers)
    return list(families.values())


def _all_metrics() -> Iterable[Metric]:
    others = (semantic.REQUESTS_ENDED, semantic.REQUESTS_BY_PURPOSE, semantic.ERRORS)
    return dict.fromkeys(
        (*_FROM_ZERO, *others, *_PLAIN.values(), *_OURS.values(), *_CLIENT.values(), *_SERVER.values())
    )


def _by_ending(totals: Mapping[TotalKey, float], families: Mapping[Metric, Family]) -> None:
    for key, value in totals.items():
        place = {"backend": key.backend, "model": key.model}
        if key.total is Total.ENDED:
            for metric in _FROM_ZERO:
                families[metric].add(0.0, **place)
            families[semantic.REQUESTS_ENDED].add(value, **place, outcome=key.kind)
            if key.kind in _COUNTED:
                families[semantic.REQUESTS].add(value, **place)
            if key.kind == FinishReason.FAILED.value:
                families[semantic.REQUESTS_FAILED].add(value, **place)
        elif key.total is Total.PURPOSE:
            families[semantic.REQUESTS_BY_PURPOSE].add(value, purpose=key.kind)
        elif key.total is Total.ERROR:
            families[semantic.ERRORS].add(value, **place, error_type=key.kind)


def _histograms(
    totals: Mapping[TotalKey, float], families: Mapping[Metric, Family], providers: Mapping[str, str]
) -> None:
    counts: dict[tuple[Metric, tuple[tuple[str, str], ...]], dict[float, float]] = defaultdict(
        lambda: defaultdict(float)
    )
    sums: dict[tuple[Metric, tuple[tuple[str, str], ...]], float] = defaultdict(float)
    for key, value in totals.items():
        if key.total not in BOUNDS:
            continue
        for metric, labels in _places(key, providers):
            place = (metric, families[metric].key(labels))
            if key.is_sum:
                sums[place] += value
            else:
                counts[place][key.bound] += value
    for place, buckets in counts.items():
        metric, labels = place
        families[metric].values[labels] = Histogram(dict(buckets), sums[place])


def _places(key: TotalKey, providers: Mapping[str, str]) -> Iterable[tuple[Metric, dict[str, str]]]:
    """The metrics a total belongs to, each with its labels there."""
    if key.total in _OURS:
        yield _OURS[key.total], {"backend": key.backend, "model": key.model}
    labels = {
        semantic.OPERATION: CHAT,
        semantic.PROVIDER: providers.get(key.backend, "unknown"),
        semantic.GENAI_MODEL: key.model,
    }
    if key.total is Total.DURATION:
        labels[semantic.ERROR_TYPE] = key.kind
    if key.total in _CLIENT:
        kind = {semantic.TOKEN_TYPE: key.total.value} if key.total in (Total.INPUT, Total.OUTPUT) else {}
        yield _CLIENT[key.total], {**labels, **kind}
    if key.total in _SERVER and key.backend == LOCAL:
        yield _SERVER[key.total], labels

"""The figures of the last moments: what the cards show."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.domain.telemetry import EngineSample

MINUTE_S, LATELY_S = 60.0, 300.0


@dataclass(frozen=True, slots=True)
class RecentFigures:
    """None is "nothing was measured". `tokens_per_second`, `first_token_ms` are medians of the last five minutes'
    answers (left out are the cache's, and those that had to load the model first unless there are no others);
    `requests`, `failed` and the cache's counts are of those five minutes, `running` and `waiting` of this moment,
    `written_per_second` what is being written now, by all together."""

    tokens_per_second: float | None = None
    first_token_ms: float | None = None
    requests: int = 0
    failed: int = 0
    running: int = 0
    waiting: int = 0
    cached: int = 0
    cache_share: float | None = None
    written_per_second: float | None = None
    last_error: str = ""


def recent_figures(requests: Sequence[RequestRecord], engine: EngineSample, interval_s: float) -> RecentFigures:
    """From the requests of the last five minutes, the oldest first, and the engine's last sample."""
    own = [one for one in requests if not one.cached and one.reason is not FinishReason.FAILED]
    own = [one for one in own if not one.load_ms] or own  # as the models' cards and the charts count them
    speeds = [one.tokens_per_second for one in own if one.tokens_per_second]
    firsts = [one.time_to_first_token_ms for one in own if one.time_to_first_token_ms]
    failed = [one for one in requests if one.reason is FinishReason.FAILED]
    cached = sum(one.cached for one in requests)
    return RecentFigures(
        tokens_per_second=median(speeds) if speeds else None,
        first_token_ms=median(firsts) if firsts else None,
        requests=len(requests),
        failed=len(failed),
        running=engine.running,
        waiting=engine.waiting,
        cached=cached,
        cache_share=cached / len(requests) if requests else None,
        written_per_second=engine.tokens / interval_s if engine.running and interval_s > 0 else None,
        last_error=failed[-1].error if failed else "",
    )

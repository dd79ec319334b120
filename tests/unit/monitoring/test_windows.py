"""What requests, loads and checks of late come to, with a clock that a test sets."""

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.domain.telemetry import EngineSample
from codette_desktop.monitoring.metrics import ModelWatch
from codette_desktop.monitoring.observation import CacheWindow, Outcomes
from codette_desktop.monitoring.recent import recent_figures
from codette_desktop.monitoring.windows import Windows, first_token


class Clock:
    now = 100_000.0

    def __call__(self) -> float:
        return self.now


def request(at: float, reason: FinishReason = FinishReason.STOP, **more: object) -> RequestRecord:
    values = {
        "prompt_tokens": 1000, "completion_tokens": 50, "time_to_first_token_ms": 100.0, "tokens_per_second": 40.0,
        "total_ms": 1000.0, "queue_ms": 0.0, **more,
    }  # fmt: skip
    failed = {"error": "It broke."} if reason is FinishReason.FAILED else {}
    return RequestRecord("r", at, "m", "M · Q8", reason=reason, **{**values, **failed})  # type: ignore[arg-type]


def windows() -> tuple[Windows, Clock]:
    clock = Clock()
    return Windows(ModelWatch(), clock), clock


def test_outcomes_of_each_window_and_what_was_stopped_in_none() -> None:
    made, clock = windows()
    for ago, reason in (
        (20_000, FinishReason.FAILED), (3000, FinishReason.STOP), (1000, FinishReason.FAILED),
        (200, FinishReason.LENGTH), (100, FinishReason.CANCELLED), (10, FinishReason.FAILED),
    ):  # fmt: skip
        made.add_request(request(clock.now - ago, reason))
    [window] = made.models()
    assert window.model == "M · Q8"
    assert window.last_5m == Outcomes(2, 1)
    assert window.last_30m == Outcomes(3, 2)
    assert window.last_1h == Outcomes(4, 2)
    assert window.last_6h == Outcomes(5, 3)


def test_a_request_counts_from_its_end() -> None:
    made, clock = windows()
    made.add_request(request(clock.now - 400, total_ms=390_000.0))
    assert made.models()[0].last_5m == Outcomes(1, 0)
    assert len(made.since(60)) == 1


def test_loading_and_waiting_are_no_part_of_the_first_token() -> None:
    slow = request(0.0, time_to_first_token_ms=5100.0, load_ms=4000.0, queue_ms=1000.0)
    assert first_token(slow) == first_token(request(0.0)) == 100.0
    assert first_token(request(0.0, cached=True)) is None
    assert first_token(request(0.0, prompt_tokens=None)) is None
    assert first_token(request(0.0, reused_tokens=500)) == 200.0


def test_queue_loads_checks_cache_and_errors() -> None:
    made, clock = windows()
    for wait in range(101):
        made.add_request(request(clock.now - 50, queue_ms=float(wait)))
    assert made.queue().wait_p95_ms == 95
    for number in range(4):
        made.add_load("m", 1000.0 + number)
    made.add_load("m", 9000.0)
    [window] = made.models()
    assert (window.loads, window.load_ms, window.usual_load_ms) == (5, 9000.0, 1001.5)
    for good in (True, False, False):
        made.add_check("shed", good)
    [backend] = made.backends()
    assert (backend.failed_in_a_row, backend.good_in_a_row, backend.uptime) == (2, 0, 1 / 3)
    made.add_store_error()
    made.add_cache((10, 5, 3, 1))
    assert made.cache() == CacheWindow()
    clock.now += 600
    made.add_cache((30, 15, 13, 2))
    assert made.cache() == CacheWindow(20, 10, 10, 1)
    assert made.store().errors == 0
    assert made.models()[0].loads == 5
    clock.now += 1
    assert made.models()[0].loads == 0


def test_recent_figures_are_of_answers_that_were_written() -> None:
    found = [
        request(0, tokens_per_second=30.0),
        request(1, tokens_per_second=50.0),
        request(2, cached=True, time_to_first_token_ms=0.1, tokens_per_second=None),
        request(3, FinishReason.FAILED, tokens_per_second=None, time_to_first_token_ms=None),
        request(4, tokens_per_second=9.0, time_to_first_token_ms=9_000.0, load_ms=8_000.0),
    ]
    figures = recent_figures(found, EngineSample(running=1, waiting=2, tokens=30), 2.0)
    assert (figures.tokens_per_second, figures.first_token_ms) == (40.0, 100.0)
    assert (figures.requests, figures.failed, figures.cached, figures.cache_share) == (5, 1, 1, 0.2)
    assert (figures.running, figures.waiting, figures.written_per_second) == (1, 2, 15.0)
    assert figures.last_error == "It broke."
    assert recent_figures(found[4:], EngineSample(), 2.0).tokens_per_second == 9.0  # better than nothing
    nothing = recent_figures([], EngineSample(), 0.0)
    assert nothing.tokens_per_second is nothing.cache_share is nothing.written_per_second is None

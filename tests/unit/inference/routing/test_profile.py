"""Profiles: what each request and each vote changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.answers import AnswerFigures, FinishReason
from codette_desktop.domain.profiles import ModelProfile
from codette_desktop.inference.routing.profile import after_answer, after_vote

NEW = ModelProfile("guide-s")


def figures(total_ms: float = 2000, speed: float = 40, load_ms: float = 0, cached: bool = False) -> AnswerFigures:
    return AnswerFigures(10, 80, 100 + load_ms, speed, total_ms + load_ms, load_ms, cached=cached)


def test_the_first_answer_is_what_is_known() -> None:
    known = after_answer(NEW, FinishReason.STOP, figures(load_ms=5000))
    assert (known.requests, known.timed, known.successes, known.failures) == (1, 1, 1, 0)
    assert (known.response_ms, known.first_token_ms, known.tokens_per_second) == (2000, 100, 40)


@pytest.mark.parametrize("reason", [FinishReason.CANCELLED, FinishReason.INTERRUPTED])
def test_a_stopped_answer_counts_as_a_request_alone(reason: FinishReason) -> None:
    assert after_answer(NEW, reason, figures()) == ModelProfile("guide-s", requests=1)


def test_a_cached_answer_tells_nothing_of_speed() -> None:
    known = after_answer(NEW, FinishReason.STOP, figures(speed=1e6, cached=True))
    assert (known.requests, known.timed, known.tokens_per_second) == (1, 0, None)


def test_failures_lower_the_success_rate_and_successes_raise_it_again() -> None:
    failed = after_answer(NEW, FinishReason.FAILED, None)
    assert failed.success_rate < NEW.success_rate < after_answer(NEW, FinishReason.LENGTH, None).success_rate
    known = failed
    for _ in range(100):
        known = after_answer(known, FinishReason.STOP, figures())
    assert known.success_rate > 0.95
    assert known.successes + known.failures <= 1 / (1 - 0.98)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30))
def test_no_figure_breaks_a_profile(samples: list[float]) -> None:
    known = NEW
    for sample in samples:
        known = after_answer(known, FinishReason.STOP, figures(total_ms=sample, speed=sample))
    usable = [sample for sample in samples if 0 < sample < float("inf")]
    assert known.requests == len(samples)
    assert (known.tokens_per_second is None) == (not usable)
    if usable and known.tokens_per_second is not None:
        assert min(usable) * 0.999999 <= known.tokens_per_second <= max(usable) * 1.000001


def test_the_mean_is_geometric_one_outlier_moves_it_little_and_a_lasting_change_is_followed() -> None:
    known = NEW
    for speed in (10, 40):
        known = after_answer(known, FinishReason.STOP, figures(speed=speed))
    assert known.tokens_per_second == pytest.approx(20)
    for _ in range(40):
        known = after_answer(known, FinishReason.STOP, figures(speed=20))
    assert after_answer(known, FinishReason.STOP, figures(speed=1e9)).tokens_per_second == pytest.approx(23, rel=0.02)
    for _ in range(60):
        known = after_answer(known, FinishReason.STOP, figures(speed=80))
    assert known.tokens_per_second == pytest.approx(80, rel=0.02)


def test_votes_make_quality() -> None:
    assert NEW.quality is None
    known = after_vote(NEW, 10)
    assert known.quality == pytest.approx(20 / 3)
    assert after_vote(known, 10).quality == pytest.approx(7.5)
    assert after_vote(known, 0).quality == pytest.approx(5)
    for mark in (-1, 11, float("nan")):
        with pytest.raises(ValueError, match="0 to 10"):
            after_vote(NEW, mark)

"""Waits that are learnt, against RFC 6298 worked by hand."""

import pytest

from codette_desktop.inference.http.timeouts import COLD_LOAD_S, MOST_S, Estimator, ModelTimes


def test_the_estimator_is_that_of_rfc_6298() -> None:
    estimator = Estimator()
    assert estimator.limit is None
    estimator.sample(2.0)
    assert estimator.limit == pytest.approx(2.0 + 4 * 1.0)  # SRTT = R, RTTVAR = R / 2
    estimator.sample(1.0)
    # RTTVAR = 3/4 * 1 + 1/4 * |2 - 1| = 1; SRTT = 7/8 * 2 + 1/8 * 1 = 1.875
    assert estimator.limit == pytest.approx(1.875 + 4 * 1.0)


def test_a_limit_that_ran_out_doubles_until_the_next_sample() -> None:
    estimator = Estimator()
    estimator.sample(1.0)
    estimator.timed_out()
    estimator.timed_out()
    assert estimator.limit == pytest.approx(12.0)
    for _ in range(50):
        estimator.timed_out()
    assert estimator.limit == pytest.approx(3.0 * 64)
    estimator.sample(1.0)
    assert estimator.limit == pytest.approx(1.0 + 4 * 0.375)


def test_before_anything_is_known_the_deadline_is_the_longest() -> None:
    times = ModelTimes()
    assert times.first_token_deadline(10, cold=False, queued=False) == MOST_S
    assert times.first_token_deadline(10, cold=True, queued=False) == MOST_S + COLD_LOAD_S
    assert times.stall == MOST_S


def test_the_deadline_follows_the_length_of_the_prompt() -> None:
    times = ModelTimes()
    times.first_token_took(4.0, 2000)  # 2 s for each thousand: limit 6 s
    assert times.first_token_deadline(2000, cold=False, queued=False) == pytest.approx(12.0)
    assert times.first_token_deadline(10, cold=False, queued=False) == 3.0
    assert times.first_token_deadline(10**6, cold=False, queued=False) == 180.0


def test_a_load_is_kept_apart_from_the_speed() -> None:
    times = ModelTimes()
    times.first_token_took(41.0, 1000, load_s=40.0)
    assert times.first_token_deadline(1000, cold=False, queued=False) == pytest.approx(3.0)
    assert times.first_token_deadline(1000, cold=True, queued=False) == pytest.approx(3.0 + 120.0)


def test_who_may_have_to_wait_for_others_gets_the_longest() -> None:
    times = ModelTimes()
    times.first_token_took(0.1, 1000)
    assert times.first_token_deadline(1000, cold=False, queued=True) == MOST_S


@pytest.mark.parametrize(("gap_s", "stall_s"), [(0.01, 5.0), (0.5, 15.0), (100.0, 180.0)])
def test_a_stall_is_ten_gaps_and_never_less_than_five_seconds(gap_s: float, stall_s: float) -> None:
    times = ModelTimes()
    times.gap.sample(gap_s)
    assert times.stall == pytest.approx(stall_s)

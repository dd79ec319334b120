"""When to try again."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.inference.http.retries import RetryPolicy, retry_after

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@given(st.integers(0, 2), st.integers())
def test_waits_grow_but_stay_below_their_caps(retry: int, seed: int) -> None:
    delay = RetryPolicy(base_s=1, cap_s=3).delay(retry, None, random.Random(seed))
    assert delay is not None
    assert 0 <= delay <= min(3, 2**retry)


def test_three_retries_and_no_more() -> None:
    policy, chance = RetryPolicy(), random.Random(1)
    assert [policy.delay(retry, None, chance) is None for retry in range(5)] == [False, False, False, True, True]


def test_waits_are_spread() -> None:
    policy = RetryPolicy()
    assert len({policy.delay(2, None, random.Random(seed)) for seed in range(20)}) == 20


def test_what_the_server_asks_for_is_the_least_and_too_much_is_not_waited_for() -> None:
    policy, chance = RetryPolicy(patience_s=30), random.Random(1)
    assert policy.delay(0, 30.0, chance) == 30.0
    assert policy.delay(0, 30.5, chance) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        (" 120 ", 120.0),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("-3", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("9" * 400, 1e9),
        ("²", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.text())
def test_no_header_breaks_it(header: str) -> None:
    found = retry_after(header, NOW)
    assert found is None or found >= 0

"""The circuit breaker, with a clock of its own."""

import pytest

from codette_desktop.domain.errors import ServerUnreachable
from codette_desktop.inference.http.breaker import FAILURES, REST_S, Breaker, State


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("Workshop", clock=clock)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.enter()
        breaker.failed("It burns.")


def test_four_failures_change_nothing_and_a_success_forgets_them(breaker: Breaker) -> None:
    fail(breaker, FAILURES - 1)
    breaker.enter()
    breaker.succeeded()
    fail(breaker, FAILURES - 1)
    assert breaker.state is State.CLOSED


def test_the_fifth_opens_it_and_says_how_long_and_why(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FAILURES)
    clock.now += 12
    assert breaker.state is State.OPEN
    with pytest.raises(ServerUnreachable) as caught:
        breaker.enter()
    assert caught.value.message == "Workshop failed 5 times in a row and is left alone for 48 seconds. It burns."
    assert caught.value.retryable


def test_after_a_minute_one_request_may_try_and_only_one(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FAILURES)
    clock.now += REST_S
    assert breaker.state is State.HALF_OPEN
    breaker.enter()
    with pytest.raises(ServerUnreachable):
        breaker.enter()


def test_the_end_of_the_probe_decides(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FAILURES)
    clock.now += REST_S
    fail(breaker)
    assert breaker.state is State.OPEN
    with pytest.raises(ServerUnreachable, match="6 times in a row and is left alone for 60 seconds"):
        breaker.enter()
    clock.now += REST_S
    breaker.enter()
    breaker.succeeded()
    assert breaker.state is State.CLOSED
    fail(breaker, FAILURES - 1)
    assert breaker.state is State.CLOSED


def test_a_probe_that_is_given_up_leaves_the_next_one_its_turn(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FAILURES)
    clock.now += REST_S
    breaker.enter()
    breaker.abandoned()
    breaker.enter()
    breaker.succeeded()
    assert breaker.state is State.CLOSED

"""A circuit breaker: a server that keeps failing is left alone for a while, so that nobody waits for it in vain."""

import time
from collections.abc import Callable
from enum import StrEnum

from codette_desktop.domain.errors import ServerUnreachable

FAILURES = 5
REST_S = 60.0


class State(StrEnum):
    """What becomes of a request."""

    CLOSED = "closed"  # it is sent
    OPEN = "open"  # it is refused at once
    HALF_OPEN = "half-open"  # one is sent, to see whether the server works again


class Breaker:
    """Opens after five failures in a row; after 60 s one request may try, and its end decides.

    For each `enter` exactly one of `succeeded`, `failed` and `abandoned` must follow. Used from one event loop: nothing
    here waits, and no lock is held while a request runs.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = FAILURES,
        rest_s: float = REST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._most, self._rest_s, self._clock = failures, rest_s, clock
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False
        self._why = ""

    @property
    def state(self) -> State:
        """As of now."""
        if self._opened_at is None:
            return State.CLOSED
        return State.OPEN if self._clock() - self._opened_at < self._rest_s else State.HALF_OPEN

    def enter(self) -> None:
        """A request is about to be sent. Raises ServerUnreachable where it must not be."""
        if self._opened_at is None:
            return
        if self.state is State.HALF_OPEN and not self._probing:
            self._probing = True
            return
        left = max(1, round(self._rest_s - (self._clock() - self._opened_at)))
        seconds = "second" if left == 1 else "seconds"
        raise ServerUnreachable(
            f"{self._name} failed {self._failures} times in a row and is left alone for {left} {seconds}. {self._why}",
            "Test the server in the settings to try at once, or choose another model.",
        )

    def succeeded(self) -> None:
        """The server did what was asked, or refused it as a working server does."""
        self._failures, self._opened_at, self._probing, self._why = 0, None, False, ""

    def failed(self, why: str) -> None:
        """The server failed; `why` is told to those who are refused meanwhile."""
        self._failures += 1
        self._why = why
        if self._probing or self._failures >= self._most:
            self._opened_at = self._clock()
        self._probing = False

    def abandoned(self) -> None:
        """The request was given up by the person: nothing was learnt."""
        self._probing = False

"""Time that passes when a test says so."""

import threading


class ManualClock:
    """A `Clock` for the sampler. Who waits on it waits until the test has moved it far enough."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._waiting: threading.Condition | None = None
        self._somebody = threading.Event()

    def __call__(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1.7e9 + self.now

    def wait(self, condition: threading.Condition, seconds: float) -> object:
        self._waiting = condition
        self._somebody.set()
        return condition.wait(5)

    def advance(self, seconds: float) -> None:
        """Move on, once the sampler has come to wait."""
        assert self._somebody.wait(5)
        assert self._waiting is not None
        with self._waiting:
            self._somebody.clear()
            self.now += seconds
            self._waiting.notify_all()

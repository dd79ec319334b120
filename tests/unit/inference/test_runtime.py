"""The engine's thread: order, cancelling, errors, and its end."""

import threading

import pytest

from codette_desktop.domain.errors import Cancelled, EngineFailure
from codette_desktop.inference.llama.runtime import Engine, Job


class Counting(Job):
    """Counts its steps up to `most`, writing its name in `order` at each."""

    def __init__(self, name: str, most: int, order: list[str], gate: threading.Event | None = None) -> None:
        super().__init__()
        self.name, self.most, self.order, self.gate = name, most, order, gate
        self.error: Exception | None = None

    def step(self) -> bool:
        if self.gate:
            self.gate.wait(5)
        self.order.append(self.name)
        if self.most < 0:
            raise ValueError("broken")
        self.most -= 1
        return self.most > 0 and not self.cancelled

    def fail(self, error: Exception) -> None:
        self.error = error


def test_jobs_run_in_order_and_errors_stay_with_their_job() -> None:
    engine, order = Engine(), list[str]()
    jobs = [Counting("a", 2, order), Counting("b", -1, order), Counting("c", 1, order)]
    for job in jobs:
        engine.submit(job)
    for job in jobs:
        job.ended.result(5)
    assert order == ["a", "a", "b", "c"]
    assert isinstance(jobs[1].error, ValueError)
    assert jobs[2].error is None
    assert engine.call(lambda: threading.current_thread().name).result(5) == "engine"
    with pytest.raises(ZeroDivisionError):
        engine.call(lambda: 1 // 0).result(5)
    assert engine.close()


def test_a_waiting_job_ends_at_once_when_cancelled_and_never_runs() -> None:
    engine, order, gate = Engine(), list[str](), threading.Event()
    running, waiting = Counting("a", 1, order, gate), Counting("b", 1, order)
    engine.submit(running)
    engine.submit(waiting)
    waiting.cancel()
    waiting.ended.result(1)
    gate.set()
    running.ended.result(5)
    assert engine.call(lambda: 1).result(5) == 1  # the engine has passed the place of the cancelled job
    assert engine.close()
    assert order == ["a"]
    assert isinstance(waiting.error, Cancelled)


def test_closing_cancels_what_runs_and_drops_what_waits() -> None:
    engine, order, gate = Engine(), list[str](), threading.Event()
    running, waiting = Counting("a", 10**9, order, gate), Counting("b", 1, order)
    engine.submit(running)
    engine.submit(waiting)
    threading.Timer(0.05, gate.set).start()
    assert engine.close()
    assert "b" not in order
    assert running.ended.done()
    assert waiting.ended.done()
    with pytest.raises(EngineFailure, match="shut down"):
        engine.submit(Counting("c", 1, order))
    assert engine.close()


def test_an_engine_that_was_never_used_closes() -> None:
    assert Engine().close()

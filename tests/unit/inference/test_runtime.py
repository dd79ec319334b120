"""The engine's thread: order, cancelling, errors, and its end."""

import threading
import time

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


def test_cancelled_calls_do_not_end_the_thread() -> None:
    engine, gate = Engine(), threading.Event()
    done: list[str] = []
    running = engine.call(lambda: gate.wait(5) and done.append("first"))
    waiting = engine.call(lambda: done.append("never"))
    while not running.running():
        time.sleep(0.001)
    assert not running.cancel()  # it has begun
    assert waiting.cancel()
    gate.set()
    assert engine.call(lambda: "alive").result(5) == "alive"
    assert done == ["first"]
    assert engine.close()


def test_a_cancelled_call_may_be_dropped_with_the_queue() -> None:
    engine, order, gate = Engine(), list[str](), threading.Event()
    engine.submit(Counting("a", 1, order, gate))
    cancelled, waiting = engine.call(lambda: 1), engine.call(lambda: 2)
    assert cancelled.cancel()
    threading.Timer(0.05, gate.set).start()
    assert engine.close()
    assert isinstance(waiting.exception(1), Cancelled)


@pytest.mark.allow_log("could not hear")
def test_a_job_that_cannot_hear_of_its_end_does_not_end_the_thread() -> None:
    class Deaf(Counting):
        def fail(self, error: Exception) -> None:
            raise RuntimeError("deaf")

    engine, job = Engine(), Deaf("a", -1, [])
    engine.submit(job)
    job.ended.result(5)
    assert engine.call(lambda: 1).result(5) == 1
    assert engine.close()


def test_a_job_that_has_ended_is_not_touched_again() -> None:
    engine, order, gate = Engine(), list[str](), threading.Event()
    engine.submit(Counting("a", 1, order, gate))
    waiting = Counting("b", 1, order)
    engine.submit(waiting)
    waiting.cancel()
    waiting.ended.result(1)
    assert isinstance(waiting.error, Cancelled)  # told at once, not when its turn comes
    waiting.error = None
    waiting.cancel()
    gate.set()
    engine.call(lambda: None).result(5)
    assert waiting.error is None
    assert order == ["a"]
    assert engine.close()


def test_an_engine_that_was_never_used_closes() -> None:
    assert Engine().close()

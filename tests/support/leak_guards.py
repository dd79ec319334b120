"""Guards that fail a test which leaves a thread, a Qt timer or a QThread running.

A pytest plugin, loaded by tests/conftest.py. What belongs to a fixture of a wider scope (a server for a whole module)
was there before the test and is not its fault; `@pytest.mark.allow_threads("name")` excuses threads by their name.
"""

import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

GRACE_S = 2.0


def _wait_until(done: Callable[[], bool]) -> bool:
    """Whether `done` became true within the grace: what was told to stop needs a moment."""
    end = time.monotonic() + GRACE_S
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def _threads() -> set[threading.Thread]:
    """Threads Python started. Those of C code that only called into Python have no end Python can see."""
    return {thread for thread in threading.enumerate() if type(thread).__name__ != "_DummyThread"}


@pytest.fixture(autouse=True)
def no_leaked_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail when a thread that was started during the test still runs after it."""
    excused = tuple(str(mark.args[0]) for mark in request.node.iter_markers("allow_threads"))
    before = _threads()
    yield

    def leaked() -> list[threading.Thread]:
        return [thread for thread in _threads() - before if not thread.name.startswith(excused or ("\0",))]

    if not _wait_until(lambda: not leaked()):
        pytest.fail(f"threads left running: {', '.join(sorted(thread.name for thread in leaked()))}", pytrace=False)


class _Started:
    """Remembers, without keeping them alive, the objects whose `start` was called."""

    def __init__(self, patch: pytest.MonkeyPatch, kind: Any) -> None:
        self.objects: list[weakref.ref[Any]] = []
        original = kind.start

        def start(item: Any, *args: Any, **kwargs: Any) -> Any:
            self.objects.append(weakref.ref(item))
            return original(item, *args, **kwargs)

        patch.setattr(kind, "start", start)

    def running(self, is_running: Callable[[Any], bool]) -> list[str]:
        """Descriptions of those that still run."""
        from shiboken6 import isValid

        alive = {id(item): item for ref in self.objects if (item := ref()) is not None and isValid(item)}
        return [f"{item!r} of {item.parent()!r}" for item in alive.values() if is_running(item)]


@pytest.fixture(autouse=True)
def no_leaked_qt(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail when a QTimer or a QThread started during the test still runs after its widgets were closed."""
    if "qtbot" not in request.fixturenames and "PySide6.QtWidgets" not in sys.modules:
        yield
        return
    from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer

    with pytest.MonkeyPatch.context() as patch:
        timers, threads = _Started(patch, QTimer), _Started(patch, QThread)
        yield

    def leaked() -> list[str]:
        return timers.running(lambda item: item.isActive()) + threads.running(lambda item: item.isRunning())

    def settled() -> bool:
        if QCoreApplication.instance() is not None:
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            QCoreApplication.processEvents()
        return not leaked()

    if not _wait_until(settled):
        pytest.fail("left running: " + "; ".join(leaked()), pytrace=False)

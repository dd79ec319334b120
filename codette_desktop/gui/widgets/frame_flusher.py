"""One timer for everything that is redrawn while text streams in, and how much of it one frame may do."""

import time
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer
from shiboken6 import isValid

FRAME_MS = 16
BUDGET_MS = 8.0  # what one frame may spend in callbacks before the rest waits for the next

PANES = 2  # callbacks of one frame: what they change is painted after it, which their own time does not count

Callback = Callable[[], bool | None]

_flusher: "FrameFlusher | None" = None


class FrameFlusher(QObject):
    """Calls what was requested once, at the next frame. Its timer runs only while something is pending. GUI thread.

    A callback that returns True is called again at the next frame. Where the budget of a frame is used up, in time or
    in callbacks, those that have not run keep their place and run first in the next one.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pending: dict[Callback, None] = {}
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._on_frame)

    @property
    def pending(self) -> int:
        """How many callbacks wait for the next frame."""
        return len(self._pending)

    @property
    def running(self) -> bool:
        """Whether the timer runs."""
        return self._timer.isActive()

    def request(self, callback: Callback) -> None:
        """Has `callback` called at the next frame; asking again before that changes nothing."""
        self._pending.setdefault(callback)
        if not self._timer.isActive():
            self._timer.start()

    def cancel(self, callback: Callback) -> None:
        """Forgets a request."""
        self._pending.pop(callback, None)

    def _on_frame(self) -> None:
        end = time.perf_counter() + BUDGET_MS / 1000
        again: list[Callback] = []
        ran = 0
        for callback in list(self._pending):
            if callback not in self._pending:
                continue
            del self._pending[callback]
            if not _alive(callback):
                continue
            ran += 1
            if callback():
                again.append(callback)
            if ran == PANES or time.perf_counter() > end:
                break
        for callback in again:
            self._pending.setdefault(callback)
        if not self._pending:
            self._timer.stop()


def _alive(callback: Callback) -> bool:
    """Whether the widget a method belongs to still exists: it may have gone since it asked."""
    owner = getattr(callback, "__self__", None)
    return not isinstance(owner, QObject) or isValid(owner)


def frame_flusher() -> FrameFlusher:
    """The flusher of the running application."""
    global _flusher
    app = QCoreApplication.instance()
    if _flusher is None or _flusher.parent() is not app:
        _flusher = FrameFlusher(app)
    return _flusher

"""Loading slow Python modules in a thread without making the window stutter."""

import sys
import threading
from collections.abc import Callable

_SWITCH_SECONDS = 0.0005
_lock = threading.Lock()
_running = 0
_usual = 0.005


def load_in_background(work: Callable[[], None], name: str) -> threading.Thread:
    """Runs `work` in a daemon thread.

    Qt calls give the interpreter away and the GUI thread then waits a whole switch interval to get it back, a hundred
    times a frame. While anything loads, the interval is a tenth of the usual one.
    """
    thread = threading.Thread(target=_run, args=(work,), name=name, daemon=True)
    thread.start()
    return thread


def _run(work: Callable[[], None]) -> None:
    global _running, _usual
    with _lock:
        if _running == 0:
            _usual = sys.getswitchinterval()
            sys.setswitchinterval(_SWITCH_SECONDS)
        _running += 1
    try:
        work()
    finally:
        with _lock:
            _running -= 1
            if _running == 0:
                sys.setswitchinterval(_usual)

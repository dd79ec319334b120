"""The guards of tests/support catch what they are for, and let clean tests pass."""

import pytest

from tests.support import leak_guards, log_guard

PLUGINS = ("-p", leak_guards.__name__, "-p", log_guard.__name__, "-p", "no:asyncio", "-p", "no:cacheprovider")
INI = """
[pytest]
qt_api = pyside6
markers =
    allow_log
    allow_threads
"""

LEAVING = """
import logging, threading
import pytest
from PySide6.QtCore import QThread, QTimer

kept = []

def test_thread():
    threading.Thread(target=threading.Event().wait, args=(30,), name="forgotten", daemon=True).start()

def test_timer(qtbot):
    timer = QTimer(); timer.start(60_000); kept.append(timer)

def test_qthread(qtbot):
    thread = QThread(); thread.start(); kept.append(thread)

def test_log():
    logging.getLogger("codette_desktop.store").warning("nobody expected %s", "this")

@pytest.mark.allow_log("never comes")
def test_announced_but_silent():
    pass

def test_last():
    kept[1].quit(); kept[1].wait()
"""

CLEAN = """
import logging, threading
import pytest
from PySide6.QtCore import QThread, QTimer
from PySide6.QtWidgets import QWidget

@pytest.mark.allow_threads("engine")
def test_excused_thread():
    threading.Thread(target=threading.Event().wait, args=(30,), name="engine-0", daemon=True).start()

def test_thread_that_ends():
    threading.Timer(0.2, lambda: None).start()

def test_timer_of_a_widget_that_is_closed(qtbot):
    widget = QWidget(); qtbot.addWidget(widget)
    timer = QTimer(widget); timer.start(60_000)

def test_short_timer(qtbot):
    timer = QTimer(); timer.setSingleShot(True); timer.start(100); global kept; kept = timer

def test_qthread_that_ends(qtbot):
    thread = QThread(); thread.start(); thread.quit(); thread.wait()

@pytest.mark.allow_log("disk is full")
def test_announced_log():
    logging.getLogger("codette_desktop").error("the disk is full")

def test_other_loggers_and_levels():
    logging.getLogger("codette_desktop").info("hello")
    logging.getLogger("somebody.else").error("not ours")
"""


@pytest.fixture
def house(pytester: pytest.Pytester, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A test suite of its own, with our guards."""
    monkeypatch.setenv(
        "PYTHONPATH", str(pytestconfig.rootpath)
    )  # plugins named by -p are loaded before `pythonpath` counts
    pytester.makefile(".ini", pytest=INI)
    return pytester


def test_what_a_test_leaves_behind_fails_it(house: pytest.Pytester) -> None:
    house.makepyfile(LEAVING)
    result = house.runpytest_subprocess(*PLUGINS)
    result.assert_outcomes(passed=6, errors=5)
    result.stdout.fnmatch_lines_random(
        [
            "*threads left running: forgotten*",
            "*left running: <PySide6.QtCore.QTimer*",
            "*left running: <PySide6.QtCore.QThread*",
            "*WARNING codette_desktop.store: nobody expected this*",
            "*never logged: never comes*",
        ]
    )


def test_tests_that_clean_up_pass(house: pytest.Pytester) -> None:
    house.makepyfile(CLEAN)
    house.runpytest_subprocess(*PLUGINS).assert_outcomes(passed=7)

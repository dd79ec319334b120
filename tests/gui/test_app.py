"""The whole way from start to end, in a process of its own as a person starts it."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from codette_desktop.gui import app, main_window

start = main_window.MainWindow.start
def start_and_close(window):
    start(window)
    window.ask.composer.edit.setPlainText("not sent yet")
    QTimer.singleShot(400, window, window.close)
main_window.MainWindow.start = start_and_close
sys.exit(app.run(Path(sys.argv[1])))
"""


def run(folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_window_opens_and_closes_in_order_and_keeps_the_draft(codette_home: Path) -> None:
    from codette_desktop.store import Store

    done = run(codette_home)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    log = (codette_home / "logs" / "codette.log").read_text(encoding="utf-8")
    assert "ERROR" not in log, log
    assert "WARNING" not in log, log
    with Store.open(codette_home) as store:
        assert [item.draft for item in store.conversations.list()] == ["not sent yet"]
        assert store.settings.get("window")
        assert store.check() == []


def test_a_database_that_is_none_is_refused_in_words(codette_home: Path) -> None:
    codette_home.mkdir()
    (codette_home / "codette.sqlite3").write_bytes(b"no database" * 100)
    environment = {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": os.pathsep.join(sys.path)}
    script = SCRIPT.replace("sys.exit(", "app.QMessageBox.exec = lambda box: print(box.text())\nsys.exit(")
    done = subprocess.run(
        [sys.executable, "-c", script, str(codette_home)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "not a database" in done.stdout
    assert "Traceback" not in done.stderr


def test_what_only_answers_need_is_not_imported_before_the_window_is_there() -> None:
    """They take as long to import as all the rest; the first load imports them, on the engine's thread."""
    script = (
        "import sys, codette_desktop.application, codette_desktop.gui.app\n"
        "print([name for name in ('numpy', 'jinja2', 'llama_cpp', 'pyqtgraph', 'torch') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"

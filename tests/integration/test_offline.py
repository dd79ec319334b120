"""Nothing leaves the machine: no connection is attempted, no port opened, no name looked up."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WATCHED = """
import sys

FORBIDDEN = {f"socket.{name}" for name in ("connect", "bind", "sendto", "getaddrinfo", "gethostbyname")}

def watch(event, arguments):
    local = event in ("socket.connect", "socket.bind") and isinstance(arguments[1], (str, bytes))
    if event in FORBIDDEN and not local:
        print("NETWORK", event, arguments, flush=True)
        sys.stdout.flush()
        import os
        os._exit(99)

sys.addaudithook(watch)
"""

ASK = "from codette_desktop.cli import main; main(['ask', 'hello', '--max-tokens', '10'])"
TOUR = "from codette_desktop.cli import main; main(['tour', sys.argv[1]])"
PHONE_HOME = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')"


def run_watched(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A local socket of the file system (its address is text) is not the network."""
    return subprocess.run(
        [sys.executable, "-c", WATCHED + script, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_question_from_the_command_line_opens_no_connection(tmp_path: Path) -> None:
    done = run_watched(ASK, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def test_the_whole_tour_opens_no_connection_and_takes_its_pictures(tmp_path: Path) -> None:
    done = run_watched(TOUR, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Question: How do I compare two models?" in done.stdout
    tabs = ("ask", "compare", "rate", "tune", "models", "watch")
    wanted = {f"{tab}-{mode}.png" for tab in tabs for mode in ("light", "dark")}
    assert wanted <= {picture.name for picture in tmp_path.iterdir()}


@pytest.mark.parametrize("script", [PHONE_HOME, "import socket; socket.create_connection(('localhost', 9))"])
def test_the_watch_would_notice(script: str, tmp_path: Path) -> None:
    assert run_watched(script, tmp_path).returncode == 99

"""What the steps share: how people are told, where caches lie, locks, and how programs are run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parents[2]

# Settings of an outer environment that would point our Python, or its pip, somewhere else.
_OUTER = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")


class Stop(Exception):
    """The work cannot go on; the text says why and how to mend it. `status` is the exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def say(text: str) -> None:
    """Tell the person, at once even when standard output is a file."""
    print(text, flush=True)


def cache_dir(environ: Mapping[str, str], platform: str, home: Path) -> Path:
    """Our folder in the system's place for caches."""
    if platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "codette-desktop"


def child_environment(environ: Mapping[str, str], **changes: str) -> dict[str, str]:
    """The variables for a program in our environment: the person's own, without those of another environment."""
    kept = {name: value for name, value in environ.items() if name not in _OUTER}
    return kept | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONNOUSERSITE": "1"} | changes


def has_display(environ: Mapping[str, str], platform: str) -> bool:
    """Whether a window can be shown: always on Windows and macOS, elsewhere with an X or Wayland display.

    Somebody who chose Qt's platform themselves (QT_QPA_PLATFORM) is believed.
    """
    if platform in ("win32", "darwin"):
        return True
    return any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def opens_window(arguments: list[str]) -> bool:
    """Whether these arguments of codette-desktop mean the window: options only, no command, no question for help."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "--data-dir":
            next(rest, None)
        elif not argument.startswith("-") or argument in ("-h", "--help", "--version"):
            return False
    return True


def duration(seconds: float) -> str:
    """ "45 s", "3 min 5 s"."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@contextmanager
def locked(path: Path, doing: str) -> Iterator[BinaryIO]:
    """Hold a lock that the system itself releases when this process ends, however it ends. Yields the lock's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if not _try_lock(file):
            say(f"Another run is {doing}; waiting for it to finish ...")
            while not _try_lock(file):
                time.sleep(0.3)
        yield file


def _try_lock(file: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def follow(
    command: list[str], environ: Mapping[str, str], log: Path, lock: BinaryIO, on_output: Callable[[str], None]
) -> int:
    """Run a program with its output in the file `log`, and twice a second what is new to `on_output`; the exit status.

    Whatever ends this function early also ends the program and all it started. If we are killed outright, the program
    goes on undisturbed and keeps `lock` until it is done, so that the next run waits for its result.
    """
    with log.open("wb") as out, log.open(encoding="utf-8", errors="replace") as output:
        posix = os.name == "posix"
        process = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=posix,
            pass_fds=(lock.fileno(),) if posix else (),
        )
        try:
            while (status := process.poll()) is None:
                on_output(output.read())
                time.sleep(0.5)
        finally:
            if process.poll() is None:
                _end_tree(process)
        on_output(output.read())
        return status


def _end_tree(process: "subprocess.Popen[bytes]") -> None:
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], check=False, capture_output=True)
    else:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()

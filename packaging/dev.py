#!/usr/bin/env python3
"""From a fresh checkout to the running application, or to its tests, with one command.

    python3 packaging/dev.py run [arguments of codette-desktop]
    python3 packaging/dev.py test [arguments of pytest]
    python3 packaging/dev.py setup | clean [--cache]

`--env DIR` before the command puts the Python environment elsewhere than in `.venv`. The first run compiles the engine
(5 to 20 minutes) and keeps the result for later checkouts; CODETTE_GPU=cuda, vulkan or hip compiles it for a GPU.
This file keeps to syntax that older Pythons understand, so that they can be told which one is needed.
"""

import shutil
import sys

if sys.version_info < (3, 11):
    newer = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11") if shutil.which(name)]
    first = "Run" if newer else "Install one from https://www.python.org/downloads/ , then run"
    message = "Codette Desktop needs Python 3.11 or newer; this is Python %d.%d.  %s:\n    %s %s"
    sys.exit(message % (*sys.version_info[:2], first, (newer or ["python3.12"])[0], " ".join(sys.argv)))

import argparse
import os
import signal
import subprocess
from pathlib import Path

from dev_tools import environment, shared
from dev_tools.shared import ROOT, Stop, say

COMMANDS = ("run", "test", "setup", "clean")
LEFT_BEHIND = ("build", "dist", ".pytest_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache", ".benchmarks")


def main(arguments: "list[str]") -> int:
    """Do one command; the exit status is that of the program it started."""
    for name in ("SIGTERM", "SIGHUP"):  # end like Ctrl+C, so that a compilation does not go on without us
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        options, rest = parse(arguments)
        env = Path(options.env).absolute()
        if options.command == "clean":
            return clean(env, cache=options.cache)
        python = environment.ensure(env)
        if options.command == "run":
            return run(python, rest)
        if options.command == "test":
            return start([str(python), "-m", "pytest", *rest])
    except Stop as stop:
        print(f"\n{stop}", file=sys.stderr)
        return stop.status
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


def parse(arguments: "list[str]") -> "tuple[argparse.Namespace, list[str]]":
    """Our own options, and what follows `run` or `test` untouched: it belongs to the program that is started."""
    parser = argparse.ArgumentParser(
        prog="dev.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--env", default=ROOT / ".venv", help="folder of the Python environment (default: .venv)")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--cache", action="store_true", help="with clean: forget the compiled engine too")
    for index, argument in enumerate(arguments):
        if argument in ("run", "test") and (index == 0 or arguments[index - 1] != "--env"):
            return parser.parse_args(arguments[: index + 1]), arguments[index + 1 :]
    return parser.parse_args(arguments), []


def run(python: Path, arguments: "list[str]") -> int:
    """Start the application; without a display, its tour instead of its window."""
    if shared.has_display(os.environ, sys.platform) or not shared.opens_window(arguments):
        return start([str(python), "-m", "codette_desktop", *arguments])
    pictures = ROOT / "build" / "tour"
    say("There is no display here, so the tour runs instead of the window: it does the main jobs and takes pictures.")
    pictures.mkdir(parents=True, exist_ok=True)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    status = start([str(python), "-m", "codette_desktop", *arguments, "tour", str(pictures)], replace=False)
    say(f"The pictures are in {pictures}" if status == 0 else f"The tour failed with exit status {status}.")
    return status


def start(command: "list[str]", *, replace: bool = True) -> int:
    """Run a program in the checkout. Where the system can, it takes this process's place (`replace`)."""
    child = shared.child_environment(os.environ)
    if command[2] == "pytest":
        os.chdir(ROOT)
    sys.stdout.flush()
    if replace and os.name == "posix":
        os.execve(command[0], command, child)  # noqa: S606
    process = subprocess.Popen(command, env=child)
    try:
        status = process.wait()
    except KeyboardInterrupt:  # Ctrl+C reached the program as well, and it may have something to finish
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
        raise
    return status if status >= 0 else 128 - status


def clean(env: Path, *, cache: bool) -> int:
    """Remove the environment and what tools left behind; with `cache` the compiled engine too."""
    if env.exists() and not (env / "pyvenv.cfg").is_file():
        raise Stop(f"{env} is not a Python environment, so it is left alone.")
    targets = [env, environment.lock_file(env), *(ROOT / name for name in LEFT_BEHIND)]
    if cache:
        targets.append(shared.cache_dir(os.environ, sys.platform, Path.home()) / "wheels")
    for target in targets:
        if target.is_dir():
            shutil.rmtree(target)
        elif target.exists():
            target.unlink()
        else:
            continue
        say(f"removed {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

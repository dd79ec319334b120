"""The Python environment: made, filled, tried once, and left alone while nothing changed."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

from dev_tools import engine_wheel, shared, system_libraries, troubles
from dev_tools.shared import ROOT, Stop, say

ENVIRONMENT_BYTES = 1_800_000_000  # Qt, node for the type checker, the engine, and room for downloads
_TRIAL = "import llama_cpp; from PySide6.QtWidgets import QApplication; QApplication([])"


def python_of(env: Path) -> Path:
    """The interpreter of an environment."""
    return env / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def lock_file(env: Path) -> Path:
    """What two runs at once agree by."""
    return env.with_name(env.name + ".lock")


def fingerprint(sources: list[bytes], settings: list[str]) -> str:
    """Names one state of the environment: it changes with any of the files and settings that decide what is in it."""
    digest = hashlib.sha256()
    for part in (*sources, *(setting.encode() for setting in settings)):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def ensure(env: Path) -> Path:
    """An environment that holds the application and its tools; returns its interpreter.

    Takes milliseconds when nothing changed since the last time. Raises Stop with a plain sentence.
    """
    wanted = _wanted()
    if _stamp(env) == wanted and python_of(env).exists():
        return python_of(env)
    with shared.locked(lock_file(env), "setting up"):
        if _stamp(env) != wanted or not python_of(env).exists():
            _fill(env, wanted)
    return python_of(env)


def _wanted() -> dict[str, str]:
    files = [ROOT / "pyproject.toml", *sorted((ROOT / "packaging" / "dev_tools").glob("*.py"))]
    settings = [sys.version, *(os.environ.get(name, "") for name in ("CODETTE_GPU", "CMAKE_ARGS"))]
    state = fingerprint([file.read_bytes() for file in files], settings)
    return {"root": str(ROOT), "python": sys.version, "state": state}


def _stamp_file(env: Path) -> Path:
    return env / "codette-setup.json"


def _stamp(env: Path) -> dict[str, str]:
    try:
        return json.loads(_stamp_file(env).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _fill(env: Path, wanted: dict[str, str]) -> None:
    began = time.monotonic()
    if env.exists() and any(env.iterdir()) and not (env / "pyvenv.cfg").is_file():
        raise Stop(f"{env} exists and is not a Python environment.  Choose another folder with --env.")
    if not env.exists():
        troubles.require_space(env, ENVIRONMENT_BYTES, "setting up")
    _, folder = engine_wheel.wanted()
    missing = system_libraries.ensure(compiler=engine_wheel.built(folder) is None)
    _create(env, wanted)
    wheel = engine_wheel.ensure(python_of(env))
    log = env / "codette-setup.log"
    say("Installing the libraries (about 400 MB to fetch the first time) ...")
    # The engine alone and by force: the same version may be there with other flags.
    _pip(env, log, ["--force-reinstall", "--no-deps", str(wheel)])
    _pip(env, log, ["--editable", f"{ROOT}[dev]"])
    _try_it(env, missing)
    _stamp_file(env).write_text(json.dumps(wanted), encoding="utf-8")
    say(f"Ready after {shared.duration(time.monotonic() - began)}.")


def _create(env: Path, wanted: dict[str, str]) -> None:
    """Make the environment, anew where it was made by another Python or moved, which leaves its scripts broken."""
    before = _stamp(env)
    same = all(before.get(name) == wanted[name] for name in ("root", "python"))
    maker = {name: wanted[name] for name in ("root", "python")}
    if same and _works(env):
        _stamp_file(env).write_text(json.dumps(maker), encoding="utf-8")  # from here on it is unfinished again
        return
    say(f"Making a Python environment in {env}")
    shutil.rmtree(env, ignore_errors=True)
    try:
        venv.create(env, with_pip=True, symlinks=os.name == "posix")
    except (OSError, subprocess.CalledProcessError) as error:
        package = f"python3.{sys.version_info.minor}-venv"
        hint = system_libraries.install_command("debian", [package], root=False)
        known = troubles.cause(str(error)) or f"On Debian and Ubuntu install what it needs:\n    {hint}"
        raise Stop(f"The Python environment could not be made: {error}.  {known}") from error
    _stamp_file(env).write_text(json.dumps(maker), encoding="utf-8")


def _works(env: Path) -> bool:
    python = python_of(env)
    command = [str(python), "-c", "import pip"]
    return python.exists() and subprocess.run(command, check=False, capture_output=True).returncode == 0


def _pip(env: Path, log: Path, arguments: list[str]) -> None:
    """`pip install`. On a terminal pip's own progress is shown, elsewhere nothing but a failure."""
    command = [str(python_of(env)), "-m", "pip", "install", *arguments]
    terminal = sys.stdout.isatty()
    with log.open("w", encoding="utf-8") as file:
        result = subprocess.run(
            command,
            check=False,
            env=shared.child_environment(os.environ),
            stdout=None if terminal else file,
            stderr=subprocess.STDOUT if not terminal else file,
        )
    if result.returncode:
        raise Stop(troubles.failure("The libraries could not be installed.", log))


def _try_it(env: Path, missing: list[str]) -> None:
    """Load the engine and Qt once, without a screen: better now with a plain sentence than later with a traceback."""
    environ = shared.child_environment(os.environ, QT_QPA_PLATFORM="offscreen")
    command = [str(python_of(env)), "-c", _TRIAL]
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environ)
    if result.returncode == 0:
        return
    reason = (result.stderr.strip().splitlines() or [f"exit status {result.returncode}"])[-1]
    system = system_libraries.this_family()
    root = system_libraries.is_root()
    mend = "Install them with:\n    " + system_libraries.install_command(system, missing, root=root) if missing else ""
    raise Stop(f"The engine or Qt does not start here: {reason}  {mend}")

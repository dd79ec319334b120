"""Compiles llama-cpp-python once, with flags that run on every CPU, and keeps the wheel for later checkouts.

The flags matter: the build for the compiling machine's own CPU (GGML_NATIVE, the default) crashes on CPUs with AMX.
"""

import hashlib
import os
import platform
import re
import shutil
import sys
import sysconfig
import time
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, TextIO

from dev_tools import shared, system_libraries, troubles
from dev_tools.shared import ROOT, Stop, say

PACKAGE = "llama-cpp-python"
BUILD_BYTES = 1_500_000_000  # source, objects and wheel together

_X86 = {"x86_64", "amd64"}
_INSTRUCTIONS = ("AVX", "AVX2", "FMA", "F16C", "BMI2")
_GPU = {"cuda": "-DGGML_CUDA=ON", "vulkan": "-DGGML_VULKAN=ON", "hip": "-DGGML_HIP=ON"}
_COUNT = re.compile(r"\[\s*(\d+)/(\d+)\]")


def pinned_version(pyproject: str) -> str:
    """The version of llama-cpp-python that `pyproject` (its text) asks for."""
    for requirement in tomllib.loads(pyproject)["project"]["dependencies"]:
        name, _, version = requirement.partition("==")
        if name == PACKAGE:
            return version
    raise Stop(f"pyproject.toml does not pin {PACKAGE}.")


def cpu_features(cpuinfo: str) -> frozenset[str] | None:
    """The instruction sets of `/proc/cpuinfo`; None where they cannot be known, which is taken for a usual CPU."""
    found = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    return frozenset(found[1].split()) if found else None


def cmake_flags(machine: str, environ: Mapping[str, str], features: frozenset[str] | None) -> list[str]:
    """The CMake flags: portable CPU code, the GPU of CODETTE_GPU, then the person's own CMAKE_ARGS."""
    flags = ["-DGGML_NATIVE=OFF"]
    if machine.lower() in _X86:
        for name in _INSTRUCTIONS:
            usable = features is None or name.lower() in features
            flags.append(f"-DGGML_{name}={'ON' if usable else 'OFF'}")
    if gpu := environ.get("CODETTE_GPU", "").lower():
        if gpu not in _GPU:
            raise Stop(f"CODETTE_GPU is {gpu!r}; it can be {', '.join(_GPU)}, or empty for the CPU alone.", 2)
        flags.append(_GPU[gpu])
    return flags + environ.get("CMAKE_ARGS", "").split()


def cache_key(version: str, flags: list[str], python_tag: str, system: str) -> str:
    """The name of one build: a wheel is used again only where all of this is equal."""
    digest = hashlib.sha256(" ".join(flags).encode()).hexdigest()[:12]
    return f"{version}-{python_tag}-{system}-{digest}"


def wanted() -> tuple[list[str], Path]:
    """The flags for this machine, and the folder its wheel lies in once it has been built."""
    cpuinfo = Path("/proc/cpuinfo")
    features = cpu_features(cpuinfo.read_text(encoding="utf-8", errors="replace") if cpuinfo.exists() else "")
    flags = cmake_flags(platform.machine(), os.environ, features)
    version = pinned_version((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    cache = shared.cache_dir(os.environ, sys.platform, Path.home())
    return flags, cache / "wheels" / cache_key(version, flags, tag, sysconfig.get_platform())


def built(folder: Path) -> Path | None:
    """The finished wheel in `folder`, if there is one."""
    return next((path for path in sorted(folder.glob("*.whl")) if zipfile.is_zipfile(path)), None)


def ensure(python: Path) -> Path:
    """The wheel for this machine, compiled now if nobody did before. Raises Stop with a plain sentence."""
    flags, folder = wanted()
    if wheel := built(folder):
        return wheel
    building = folder.with_name(folder.name + ".building")
    with shared.locked(folder.with_name(folder.name + ".lock"), "compiling the engine") as lock:
        try:  # a compiler that outlived its dev.py leaves a finished wheel in `building`
            found = built(folder)
            finished = found or built(building) or _compile(python, flags, folder, building, lock)
            folder.mkdir(parents=True, exist_ok=True)
            return found or finished.replace(folder / finished.name)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _compile(python: Path, flags: list[str], folder: Path, building: Path, lock: BinaryIO) -> Path:
    shutil.rmtree(building, ignore_errors=True)  # what an interrupted build left is of no use
    _check(folder.parent)
    (building / "tmp").mkdir(parents=True)
    log = folder.with_name(folder.name + ".log")
    version = folder.name.split("-")[0]
    say(f"Compiling the engine ({PACKAGE} {version}): this happens once and takes 5 to 20 minutes.")
    # Without pip's own cache: it may hold a wheel of the same version that was compiled with other flags.
    command = [str(python), "-m", "pip", "wheel", "-v", "--no-cache-dir", "--no-deps", "--progress-bar", "off"]
    command += ["--no-binary", PACKAGE, "--wheel-dir", str(building), f"{PACKAGE}=={version}"]
    temporary = str(building / "tmp")
    environ = shared.child_environment(
        os.environ, CMAKE_ARGS=" ".join(flags), TMPDIR=temporary, TEMP=temporary, TMP=temporary
    )
    progress = Progress(sys.stdout, time.monotonic)
    status = shared.follow(command, environ, log, lock, progress.read)
    progress.end()
    wheel = built(building)
    if status or wheel is None:
        raise Stop(troubles.failure("The engine could not be compiled.", log))
    return wheel


def _check(folder: Path) -> None:
    if not system_libraries.has_compiler():
        raise Stop(
            "The engine has to be compiled once, and there is no C++ compiler here.  Install one:\n    "
            + system_libraries.compiler_command()
        )
    troubles.require_space(folder, BUILD_BYTES, "compiling the engine")


class Progress:
    """Shows how far a compilation is: one line drawn over and over on a terminal, else a line every 20 seconds."""

    def __init__(self, out: TextIO, clock: Callable[[], float]) -> None:
        self._out = out
        self._clock = clock
        self._terminal = out.isatty()
        self._start = self._shown = clock()
        self._first: float | None = None
        self._done = self._total = 0

    def read(self, output: str) -> None:
        """Take what the compiler printed since the last call, which may be nothing."""
        for done, total in _COUNT.findall(output):
            self._done, self._total = int(done), int(total)
        if self._total and self._first is None:
            self._first = self._clock()
        self._show()

    def text(self) -> str:
        """How far it is, in words."""
        elapsed = shared.duration(self._clock() - self._start)
        if not self._total:
            return f"  {elapsed}: fetching and preparing"
        text = f"  {elapsed}: {self._done} of {self._total} files"
        if self._first is not None and self._done >= 10:
            left = (self._clock() - self._first) / self._done * (self._total - self._done)
            text += f", about {shared.duration(left)} left"
        return text

    def _show(self) -> None:
        now = self._clock()
        if now - self._shown < (0.5 if self._terminal else 20):
            return
        self._shown = now
        self._out.write(f"\r{self.text():<60}" if self._terminal else self.text() + "\n")
        self._out.flush()

    def end(self) -> None:
        """Leave the last word on the screen."""
        self._out.write(f"{chr(13) if self._terminal else ''}{self.text():<60}\n")
        self._out.flush()

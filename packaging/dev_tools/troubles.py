"""Turns what pip, CMake and the compiler print when they fail into one sentence and the way to mend it."""

import re
import shutil
from pathlib import Path

from dev_tools import system_libraries
from dev_tools.shared import Stop

_CAUSES: tuple[tuple[str, str], ...] = (
    (
        r"No space left on device|Errno 28|not enough space on the disk",
        "The disk is full.  Free some space, then run the same command again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "The package index's certificate was not accepted.  If your network uses its own, tell pip:\n"
        "    pip config set global.cert /path/to/certificate.pem",
    ),
    (
        r"NewConnectionError|NameResolutionError|name resolution|getaddrinfo failed|nodename nor servname"
        r"|Network is unreachable|ConnectTimeout|ConnectionRefused|Connection refused|ProxyError|Read timed out",
        "The package index could not be reached.  Connect to the internet, or set a mirror with\n"
        "    pip config set global.index-url URL\nand then run the same command again.",
    ),
    (
        r"Killed signal|Killed \(program|fatal error: Killed|cannot allocate memory|out of memory|out of heap space",
        "The memory was used up while compiling.  Compile one file at a time:\n"
        "    CMAKE_BUILD_PARALLEL_LEVEL=1 python3 packaging/dev.py setup",
    ),
    (
        r"Could not find nvcc|CUDA Toolkit not found|Failed to find nvcc|Could NOT find Vulkan|hipconfig",
        "The GPU's development kit was not found.  Install it, or leave CODETTE_GPU empty to use the CPU.",
    ),
    (
        r"No matching distribution found|Could not find a version",
        "The package index could not be reached, or does not offer what is needed.  Connect to the internet, then run\n"
        "the same command again; `python3 -m pip config list` shows which index is asked.",
    ),
)
_NO_COMPILER = r"No CMAKE_CXX?_COMPILER could be found|is not able to compile a simple test program"


def cause(output: str) -> str | None:
    """Why it failed and how to mend it, where the output says it clearly."""
    if re.search(_NO_COMPILER, output):
        return "There is no working C++ compiler.  Install one:\n    " + system_libraries.compiler_command()
    return next((text for pattern, text in _CAUSES if re.search(pattern, output, re.IGNORECASE)), None)


def failure(what: str, log: Path) -> str:
    """A message for a failed step whose output is in `log`: the cause if it is known, else the last lines."""
    output = log.read_text(encoding="utf-8", errors="replace")
    known = cause(output)
    tail = "" if known else "The last lines were:\n" + "\n".join(output.splitlines()[-25:])
    return f"{what}  {known or tail}\nAll output: {log}"


def require_space(folder: Path, needed_bytes: int, purpose: str) -> None:
    """Raise Stop when the disk of `folder`, which need not exist yet, has less room than `needed_bytes`."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < needed_bytes:
        raise Stop(
            f"{purpose.capitalize()} needs {needed_bytes / 1e9:.1f} GB, and {existing} has {free / 1e9:.1f} GB free."
            "  Free some space, then run the same command again."
        )

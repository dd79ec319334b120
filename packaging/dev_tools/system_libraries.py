"""The system's part: libraries Qt and the engine load, a compiler, and the command that installs what is missing."""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dev_tools import shared
from dev_tools.shared import say

Family = Literal["debian", "fedora", "arch", "other"]


@dataclass(frozen=True)
class Library:
    """A shared library, and the package that brings it in each family of distributions."""

    soname: str
    debian: str
    fedora: str
    arch: str


# Found by starting a window on a bare Debian 12. The first group is what Qt needs even without a screen.
OFFSCREEN = (
    Library("libglib-2.0.so.0", "libglib2.0-0", "glib2", "glib2"),
    Library("libGL.so.1", "libgl1", "libglvnd-glx", "libglvnd"),
    Library("libEGL.so.1", "libegl1", "libglvnd-egl", "libglvnd"),
    Library("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    Library("libfontconfig.so.1", "libfontconfig1", "fontconfig", "fontconfig"),
    Library("libfreetype.so.6", "libfreetype6", "freetype", "freetype2"),
    Library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs", "dbus"),
    Library("libgomp.so.1", "libgomp1", "libgomp", "gcc-libs"),  # the engine's threads
)
XCB = (
    Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
    Library("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    Library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    Library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    Library("libxcb-shape.so.0", "libxcb-shape0", "libxcb", "libxcb"),
)
_COMPILER = {"debian": ["build-essential"], "fedora": ["gcc-c++", "make"], "arch": ["base-devel"]}
_INSTALL = {"debian": "apt-get install -y", "fedora": "dnf install -y", "arch": "pacman -S --needed"}


def family(os_release: str) -> Family:
    """The family of a distribution, from the text of /etc/os-release."""
    values = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    names = f"{values.get('ID', '')} {values.get('ID_LIKE', '')}".replace('"', "").split()
    if "debian" in names or "ubuntu" in names:
        return "debian"
    if {"fedora", "rhel", "centos"} & set(names):
        return "fedora"
    return "arch" if "arch" in names else "other"


def this_family() -> Family:
    """The family of the system we run on."""
    file = Path("/etc/os-release")
    found = family(file.read_text(encoding="utf-8")) if file.exists() else "other"
    return "other" if found == "debian" and not shutil.which("dpkg-query") else found


def missing_packages(packages: list[str], installed: str) -> list[str]:
    """Those of `packages` that are not in dpkg's list `installed` (lines "ii  name").

    Newer Debian and Ubuntu renamed some: libglib2.0-0t64 is libglib2.0-0.
    """
    present = {line.split()[1].removesuffix("t64") for line in installed.splitlines() if line.startswith("ii ")}
    return [name for name in packages if name.removesuffix("t64") not in present]


def install_command(system: Family, packages: list[str], *, root: bool) -> str:
    """What a person types to install `packages`."""
    if system == "other":
        return "your system's packages for: " + " ".join(packages)
    return f"{'' if root else 'sudo '}{_INSTALL[system]} {' '.join(packages)}"


def has_compiler() -> bool:
    """Whether there is a C++ compiler. On Windows CMake looks for Visual Studio itself, so it is not judged here."""
    if sys.platform == "win32":
        return True
    if sys.platform == "darwin":  # /usr/bin/c++ exists there even when the tools behind it do not
        return subprocess.run(["xcode-select", "-p"], check=False, capture_output=True).returncode == 0
    own = os.environ.get("CXX", "").split()
    return any(shutil.which(name) for name in (*own[:1], "c++", "g++", "clang++"))


def compiler_command() -> str:
    """What a person types to install a compiler."""
    if sys.platform == "darwin":
        return "xcode-select --install"
    if sys.platform == "win32":
        tools = "Microsoft.VisualStudio.Workload.VCTools"
        return f'winget install Microsoft.VisualStudio.2022.BuildTools --override "--add {tools}"'
    system = this_family()
    return install_command(system, _COMPILER.get(system, ["a C++ compiler"]), root=is_root())


def ensure(*, compiler: bool) -> list[str]:
    """Install what is missing on Debian as root. Returns the packages still missing, after telling how to get them.

    `compiler` says whether one is going to be needed.
    """
    if sys.platform != "linux":
        return []
    system = this_family()
    wanted = _missing(system, compiler=compiler)
    if wanted and system == "debian" and is_root():
        say(f"Installing system packages: {' '.join(wanted)}")
        _apt(wanted)
        wanted = _missing(system, compiler=compiler)
    if wanted:
        command = install_command(system, wanted, root=is_root())
        say(f"Some system packages are missing. Install them with:\n    {command}")
    return wanted


def _missing(system: Family, *, compiler: bool) -> list[str]:
    libraries = OFFSCREEN + XCB
    if system == "debian":
        listing = subprocess.run(
            ["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n"], check=False, capture_output=True, text=True
        )
        wanted = missing_packages([library.debian for library in libraries], listing.stdout)
    else:
        absent = [library for library in libraries if not _loads(library.soname)]
        wanted = list(dict.fromkeys(getattr(library, system, library.soname) for library in absent))
    if compiler and not has_compiler():
        wanted += _COMPILER.get(system, ["a C++ compiler"])
    if system == "debian" and importlib.util.find_spec("ensurepip") is None:
        wanted.append(f"python3.{sys.version_info.minor}-venv")
    return wanted


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def _apt(packages: list[str]) -> None:
    environ = shared.child_environment(os.environ, DEBIAN_FRONTEND="noninteractive")
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    result = subprocess.run(install, check=False, capture_output=True, text=True, env=environ)
    if result.returncode:  # most often the lists are old, or were never fetched
        subprocess.run(["apt-get", "update"], check=False, capture_output=True, env=environ)
        result = subprocess.run(install, check=False, capture_output=True, text=True, env=environ)
    if result.returncode:
        say("\n".join(result.stderr.splitlines()[-5:]))


def is_root() -> bool:
    """Whether we may install system packages without asking."""
    return sys.platform != "win32" and os.geteuid() == 0

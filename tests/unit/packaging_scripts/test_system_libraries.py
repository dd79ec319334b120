"""packaging/dev_tools/system_libraries.py and troubles.py: what is missing, what went wrong, and the words for it."""

from pathlib import Path

import pytest
from dev_tools import system_libraries, troubles
from dev_tools.shared import Stop


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ID=debian\nVERSION_ID="12"', "debian"),
        ('NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"', "debian"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', "fedora"),
        ("ID=fedora", "fedora"),
        ("ID=manjaro\nID_LIKE=arch", "arch"),
        ("ID=nixos", "other"),
        ("", "other"),
    ],
)
def test_the_family_of_a_system_is_recognised(text: str, expected: str) -> None:
    assert system_libraries.family(text) == expected


def test_missing_packages_are_those_that_are_not_wholly_installed() -> None:
    listing = "ii  libgl1\nrc  libegl1\nii  libglib2.0-0t64\nun  libdbus-1-3\n"
    wanted = ["libgl1", "libegl1", "libglib2.0-0", "libdbus-1-3"]
    assert system_libraries.missing_packages(wanted, listing) == ["libegl1", "libdbus-1-3"]


def test_the_command_is_the_systems_own() -> None:
    assert system_libraries.install_command("debian", ["a", "b"], root=False) == "sudo apt-get install -y a b"
    assert system_libraries.install_command("debian", ["a"], root=True) == "apt-get install -y a"
    assert system_libraries.install_command("fedora", ["a"], root=False) == "sudo dnf install -y a"
    assert system_libraries.install_command("arch", ["a"], root=False) == "sudo pacman -S --needed a"
    assert "libX.so.1" in system_libraries.install_command("other", ["libX.so.1"], root=False)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        (
            "NewConnectionError(...): Temporary failure in name resolution\nERROR: No matching distribution found",
            "reached",
        ),
        ("No CMAKE_CXX_COMPILER could be found.", "no working C++ compiler"),
        ("c++: fatal error: Killed signal terminated program cc1plus", "one file at a time"),
        ("SSLError(SSLCertVerificationError: CERTIFICATE_VERIFY_FAILED", "certificate"),
        ("CUDA Toolkit not found", "CODETTE_GPU"),
    ],
)
def test_known_failures_are_told_in_words(output: str, words: str) -> None:
    assert words in (troubles.cause(output) or "")


def test_an_unknown_failure_shows_the_last_lines_and_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("first\n" + "middle\n" * 50 + "the reason\n", encoding="utf-8")
    text = troubles.failure("It failed.", log)
    assert "the reason" in text
    assert "first" not in text
    assert str(log) in text


def test_too_little_room_is_said_before_the_work(tmp_path: Path) -> None:
    troubles.require_space(tmp_path / "not" / "yet", 1, "compiling")
    with pytest.raises(Stop, match=r"Compiling needs 1000000000\.0 GB"):
        troubles.require_space(tmp_path / "not" / "yet", 10**18, "compiling")

"""packaging/dev_tools/shared.py: caches, displays, the environment of programs, locks, programs that are followed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dev_tools import shared

HOME = Path("/home/ada")


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, HOME / ".cache"),
        ("linux", {"XDG_CACHE_HOME": "/fast"}, Path("/fast")),
        ("darwin", {"XDG_CACHE_HOME": "/fast"}, HOME / "Library" / "Caches"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local")),
        ("win32", {}, HOME / "AppData" / "Local"),
    ],
)
def test_caches_lie_where_the_system_wants_them(platform: str, environ: dict[str, str], expected: Path) -> None:
    assert shared.cache_dir(environ, platform, HOME) == expected / "codette-desktop"


def test_another_environment_does_not_leak_in_but_pips_settings_stay() -> None:
    outer = {
        "VIRTUAL_ENV": "/v",
        "PYTHONPATH": "/p",
        "PYTHONHOME": "/h",
        "PIP_USER": "1",
        "PIP_INDEX_URL": "u",
        "A": "b",
    }
    child = shared.child_environment(outer, CMAKE_ARGS="-D")
    assert not {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PIP_USER"} & set(child)
    assert (child["PIP_INDEX_URL"], child["A"], child["CMAKE_ARGS"]) == ("u", "b", "-D")


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "win32", True),
        ({}, "darwin", True),
    ],
)
def test_a_display_is_recognised(environ: dict[str, str], platform: str, expected: bool) -> None:
    assert shared.has_display(environ, platform) is expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], True),
        (["--data-dir", "tour"], True),
        (["--data-dir"], True),
        (["--data-dir=x"], True),
        (["doctor", "--json"], False),
        (["--data-dir", "x", "ask", "hi"], False),
        (["--help"], False),
    ],
)
def test_only_options_mean_the_window(arguments: list[str], expected: bool) -> None:
    assert shared.opens_window(arguments) is expected


def test_durations_are_readable() -> None:
    assert [shared.duration(seconds) for seconds in (0.9, 59, 60, 725)] == ["0 s", "59 s", "1 min 0 s", "12 min 5 s"]


def test_a_second_run_waits_for_the_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock, holder = (
        tmp_path / "deep" / "x.lock",
        "import sys, time\nfrom dev_tools.shared import locked\nfrom pathlib import Path\n",
    )
    holder += "with locked(Path(sys.argv[1]), 'busy'):\n    print('held', flush=True)\n    time.sleep(1)\n"
    environ = os.environ | {"PYTHONPATH": str(shared.ROOT / "packaging")}
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(lock)], env=environ, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        began = time.monotonic()
        with shared.locked(lock, "compiling"):
            assert time.monotonic() - began > 0.4
    assert "Another run is compiling" in capsys.readouterr().out


def _follow(code: str, tmp_path: Path, heard: list[str]) -> int:
    with (tmp_path / "lock").open("wb") as lock:
        return shared.follow([sys.executable, "-c", code], os.environ, tmp_path / "log", lock, heard.append)


def test_a_followed_program_is_heard_and_logged(tmp_path: Path) -> None:
    heard: list[str] = []
    assert _follow("import sys; print('größe'); print('bad', file=sys.stderr); sys.exit(3)", tmp_path, heard) == 3
    assert sorted("".join(heard).split()) == ["bad", "größe"]
    assert "bad" in (tmp_path / "log").read_text(encoding="utf-8")


def test_an_interruption_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    grandchild = f"import time, pathlib; time.sleep(1.5); pathlib.Path({str(marker)!r}).touch()"
    code = (
        f"import subprocess, sys; print('started', flush=True); subprocess.run([sys.executable, '-c', {grandchild!r}])"
    )

    def interrupt(text: str) -> None:
        if "started" in text:
            raise KeyboardInterrupt

    with (tmp_path / "lock").open("wb") as lock, pytest.raises(KeyboardInterrupt):
        shared.follow([sys.executable, "-c", code], os.environ, tmp_path / "log", lock, interrupt)
    time.sleep(2)
    assert not marker.exists()

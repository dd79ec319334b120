"""packaging/dev.py and dev_tools/environment.py: arguments, fingerprints, cleaning, and what an old Python is told."""

import ast
import subprocess
import sys
from pathlib import Path

import dev
import pytest
from dev_tools import environment
from dev_tools.shared import ROOT, Stop


def test_what_follows_run_and_test_is_passed_on_untouched() -> None:
    options, rest = dev.parse(["--env", "test", "test", "-k", "x", "--env", "y"])
    assert (options.env, options.command, rest) == ("test", "test", ["-k", "x", "--env", "y"])
    assert dev.parse(["run", "clean", "--help"])[1] == ["clean", "--help"]


def test_our_own_commands_take_their_options_on_either_side() -> None:
    options, rest = dev.parse(["clean", "--cache", "--env", "e"])
    assert (options.command, options.cache, options.env, rest) == ("clean", True, "e", [])
    assert dev.parse(["setup"])[0].env == ROOT / ".venv"


@pytest.mark.parametrize("arguments", [[], ["fly"], ["setup", "--fast"]])
def test_wrong_usage_exits_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        dev.parse(arguments)
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_the_fingerprint_changes_with_every_part() -> None:
    base = environment.fingerprint([b"a", b"b"], ["c"])
    assert base == environment.fingerprint([b"a", b"b"], ["c"])
    others = [([b"ab", b""], ["c"]), ([b"a"], ["b", "c", ""]), ([b"a", b"b"], ["d"]), ([b"b", b"a"], ["c"])]
    assert base not in {environment.fingerprint(*other) for other in others}


def test_cleaning_leaves_a_folder_that_is_no_environment_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Stop, match="left alone"):
        dev.clean(tmp_path, cache=False)
    assert (tmp_path / "thesis.txt").exists()


def test_cleaning_removes_an_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "LEFT_BEHIND", ())
    env = tmp_path / "env"
    env.mkdir()
    (env / "pyvenv.cfg").touch()
    assert dev.clean(env, cache=False) == 0
    assert not env.exists()


def test_exit_statuses_are_passed_through() -> None:
    assert dev.start([sys.executable, "-c", "import sys; sys.exit(7)"], replace=False) == 7


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between programs")
def test_a_program_ended_by_a_signal_gives_the_shells_status() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert dev.start([sys.executable, "-c", code], replace=False) == 137


def test_an_older_python_understands_the_file_and_is_told_what_to_do(tmp_path: Path) -> None:
    source = (ROOT / "packaging" / "dev.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))
    pretend = "import sys\nsys.version_info = (3, 9, 2, 'final', 0)\n"
    script = tmp_path / "dev.py"
    script.write_text(source.replace("import shutil\n", pretend + "import shutil\n", 1), encoding="utf-8")
    result = subprocess.run([sys.executable, script, "run"], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "needs Python 3.11 or newer; this is Python 3.9." in result.stderr
    assert "dev.py run" in result.stderr


def test_only_the_standard_library_is_needed_before_setup() -> None:
    for path in [ROOT / "packaging" / "dev.py", *(ROOT / "packaging" / "dev_tools").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"dev_tools"}, path

"""packaging/dev_tools/engine_wheel.py: flags, the name of a build, progress, and a build with a stand-in for pip."""

import io
import os
import sys
import zipfile
from pathlib import Path

import pytest
from dev_tools import engine_wheel, system_libraries
from dev_tools.shared import Stop

MODERN = frozenset({"avx", "avx2", "fma", "f16c", "bmi2"})
PORTABLE = ["-DGGML_NATIVE=OFF", *(f"-DGGML_{name}=ON" for name in ("AVX", "AVX2", "FMA", "F16C", "BMI2"))]

# Behaves like `python -m pip wheel`: prints what ninja prints, and leaves a wheel in --wheel-dir.
STAND_IN = """#!{python}
import os, sys, zipfile
folder = sys.argv[sys.argv.index("--wheel-dir") + 1]
print("  [1/2] Building CXX object a.o", "  [2/2] Linking", os.environ["CMAKE_ARGS"], sep="\\n", flush=True)
if os.environ.get("STAND_IN_FAILS"):
    sys.exit(os.environ["STAND_IN_FAILS"])
with zipfile.ZipFile(folder + "/llama_cpp_python-0.3.36-py3-none-any.whl", "w") as file:
    file.writestr("engine", "engine")
"""


def test_the_engine_never_gets_instructions_for_one_cpu_only() -> None:
    assert engine_wheel.cmake_flags("x86_64", {}, MODERN) == PORTABLE
    assert engine_wheel.cmake_flags("AMD64", {}, None) == PORTABLE
    assert engine_wheel.cmake_flags("arm64", {}, None) == ["-DGGML_NATIVE=OFF"]


def test_a_cpu_without_an_instruction_set_gets_an_engine_without_it() -> None:
    flags = engine_wheel.cmake_flags("x86_64", {}, frozenset({"avx"}))
    assert "-DGGML_AVX=ON" in flags
    assert {"-DGGML_AVX2=OFF", "-DGGML_FMA=OFF", "-DGGML_F16C=OFF", "-DGGML_BMI2=OFF"} <= set(flags)


def test_cpu_features_are_read_where_they_are_told() -> None:
    assert engine_wheel.cpu_features("processor\t: 0\nflags\t\t: fpu avx avx2\n") == {"fpu", "avx", "avx2"}
    assert engine_wheel.cpu_features("") is None


def test_a_gpu_is_chosen_by_its_variable_and_own_flags_come_last() -> None:
    flags = engine_wheel.cmake_flags("arm64", {"CODETTE_GPU": "Vulkan", "CMAKE_ARGS": "-DA=1 -DB=2"}, None)
    assert flags == ["-DGGML_NATIVE=OFF", "-DGGML_VULKAN=ON", "-DA=1", "-DB=2"]
    with pytest.raises(Stop, match="cuda, vulkan, hip"):
        engine_wheel.cmake_flags("arm64", {"CODETTE_GPU": "abacus"}, None)


def test_a_build_is_used_again_only_where_everything_is_equal() -> None:
    base = engine_wheel.cache_key("0.3.36", PORTABLE, "cp311", "linux-x86_64")
    assert base == engine_wheel.cache_key("0.3.36", list(PORTABLE), "cp311", "linux-x86_64")
    others = {
        engine_wheel.cache_key("0.3.37", PORTABLE, "cp311", "linux-x86_64"),
        engine_wheel.cache_key("0.3.36", PORTABLE[:1], "cp311", "linux-x86_64"),
        engine_wheel.cache_key("0.3.36", PORTABLE, "cp312", "linux-x86_64"),
        engine_wheel.cache_key("0.3.36", PORTABLE, "cp311", "linux-aarch64"),
    }
    assert len(others - {base}) == 4


def test_the_version_is_the_one_of_pyproject() -> None:
    text = '[project]\ndependencies = ["numpy>=2", "llama-cpp-python==1.2.3"]'
    assert engine_wheel.pinned_version(text) == "1.2.3"
    with pytest.raises(Stop):
        engine_wheel.pinned_version("[project]\ndependencies = []")


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal() -> None:
    clock, out = _Clock(), _Terminal()
    progress = engine_wheel.Progress(out, clock)
    clock.now = 1
    progress.read("")
    clock.now = 61
    progress.read("[1/20] a\nnoise\n[ 5/20] b\n")
    clock.now = 121
    progress.read("[10/20] c\n")
    progress.end()
    assert out.getvalue().count("\n") == 1
    assert [part.strip() for part in out.getvalue().split("\r")[1:4]] == [
        "1 s: fetching and preparing",
        "1 min 1 s: 5 of 20 files",
        "2 min 1 s: 10 of 20 files, about 1 min 0 s left",
    ]


def test_progress_is_a_line_every_twenty_seconds_in_a_file() -> None:
    clock, out = _Clock(), io.StringIO()
    progress = engine_wheel.Progress(out, clock)
    for second in range(60):
        clock.now = second
        progress.read("")
    assert out.getvalue().splitlines() == ["  20 s: fetching and preparing", "  40 s: fetching and preparing"]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that acts as pip would, and an empty cache."""
    script = tmp_path / "python"
    script.write_text(STAND_IN.format(python=sys.executable), encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    monkeypatch.delenv("CODETTE_GPU", raising=False)
    monkeypatch.setattr(system_libraries, "has_compiler", lambda: True)
    monkeypatch.setattr(engine_wheel, "BUILD_BYTES", 1)
    return script


needs_scripts = pytest.mark.skipif(os.name != "posix", reason="the stand-in is a script with a shebang")


@needs_scripts
def test_a_wheel_is_built_once_and_then_found(stand_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = engine_wheel.ensure(stand_in)
    _, folder = engine_wheel.wanted()
    assert wheel.parent == folder
    assert zipfile.is_zipfile(wheel)
    assert "2 of 2 files" in capsys.readouterr().out
    assert "-DGGML_NATIVE=OFF" in folder.with_name(folder.name + ".log").read_text(encoding="utf-8")
    assert not folder.with_name(folder.name + ".building").exists()
    stand_in.unlink()
    assert engine_wheel.ensure(stand_in) == wheel


@needs_scripts
def test_a_failed_build_says_why_and_leaves_nothing_half(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_FAILS", "OSError: [Errno 28] No space left on device")
    with pytest.raises(Stop, match="disk is full"):
        engine_wheel.ensure(stand_in)
    _, folder = engine_wheel.wanted()
    assert not folder.exists()
    assert not folder.with_name(folder.name + ".building").exists()


@needs_scripts
def test_a_wheel_cut_off_in_the_middle_is_not_used(stand_in: Path) -> None:
    _, folder = engine_wheel.wanted()
    building = folder.with_name(folder.name + ".building")
    for place in (folder, building):
        place.mkdir(parents=True)
        (place / "llama_cpp_python-0.3.36-py3-none-any.whl").write_bytes(b"PK\x03\x04 half of it")
    assert zipfile.is_zipfile(engine_wheel.ensure(stand_in))


@needs_scripts
def test_the_wheel_of_a_compiler_that_outlived_its_run_is_taken(stand_in: Path) -> None:
    _, folder = engine_wheel.wanted()
    building = folder.with_name(folder.name + ".building")
    building.mkdir(parents=True)
    with zipfile.ZipFile(building / "engine.whl", "w") as file:
        file.writestr("engine", "engine")
    stand_in.unlink()
    assert engine_wheel.ensure(stand_in) == folder / "engine.whl"


def test_without_a_compiler_the_command_to_install_one_is_told(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_libraries, "has_compiler", lambda: False)
    with pytest.raises(Stop) as stop:
        engine_wheel.ensure(stand_in)
    assert system_libraries.compiler_command() in str(stop.value)

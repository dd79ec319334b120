"""Before every test: no display, a home of its own; after it: nothing left behind."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# Qt reads these when it starts. Pictures must not depend on the screen or the settings of who runs the tests.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_SCALE_FACTOR"] = "1"
os.environ["QT_FONT_DPI"] = "96"
for _name in ("QT_SCREEN_SCALE_FACTORS", "QT_STYLE_OVERRIDE", "QT_QPA_PLATFORMTHEME"):
    os.environ.pop(_name, None)

pytest_plugins = ["pytester", "tests.support.leak_guards", "tests.support.log_guard"]

BENCHMARKS = Path(__file__).parent / "benchmarks"

# No deadline: other work on the machine would fail a test that has nothing to do with it.
hypothesis.settings.register_profile("codette", deadline=None, print_blob=True)
hypothesis.settings.load_profile("codette")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Benchmarks run only when they are named: `pytest tests/benchmarks`."""
    if collection_path != BENCHMARKS and BENCHMARKS not in collection_path.parents:
        return None
    return None if any("benchmarks" in argument for argument in config.args) else True


@pytest.fixture(scope="session", autouse=True)
def _home_away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the settings of the person who runs it."""
    home = tmp_path_factory.mktemp("home")
    patch = pytest.MonkeyPatch()
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        patch.setenv(name, str(home))
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def codette_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The application's data folder for this test alone; it does not exist yet."""
    folder = tmp_path / "codette"
    monkeypatch.setenv("CODETTE_HOME", str(folder))
    return folder

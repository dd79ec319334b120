"""Where the data folder and the resources are found."""

from pathlib import Path

import platformdirs
import pytest

from codette_desktop import paths


def test_a_chosen_folder_wins_over_the_variable(tmp_path: Path, codette_home: Path) -> None:
    assert paths.data_dir(tmp_path / "mine") == tmp_path / "mine"
    assert paths.data_dir() == codette_home


def test_the_systems_own_place_without_choice_or_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CODETTE_HOME")
    assert paths.data_dir() == Path(platformdirs.user_data_dir("codette-desktop", appauthor=False))
    monkeypatch.setenv("CODETTE_HOME", "")
    assert paths.data_dir("").name == "codette-desktop"


def test_relative_and_home_paths_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert paths.data_dir("here") == tmp_path / "here"
    monkeypatch.setenv("CODETTE_HOME", "~/codette")
    assert paths.data_dir() == Path.home() / "codette"


def test_asking_for_the_folder_does_not_make_it(codette_home: Path) -> None:
    paths.data_dir()
    assert not codette_home.exists()


def test_resources_of_the_checkout_are_found() -> None:
    assert paths.resource().is_dir()
    assert paths.resource("fonts", "x.ttf") == paths.resource("fonts") / "x.ttf"


def test_resources_of_an_installed_package_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "codette_desktop"
    (package / "_resources").mkdir(parents=True)
    monkeypatch.setattr(paths, "_PACKAGE", package)
    assert paths.resource("icons") == package / "_resources" / "icons"


def test_no_test_sees_the_persons_own_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert Path.home().is_relative_to(tmp_path_factory.getbasetemp())

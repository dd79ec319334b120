"""Where things lie: the person's data folder, and the read-only resources shipped with the application."""

import os
from pathlib import Path

import platformdirs

DATA_DIR_VARIABLE = "CODETTE_HOME"
DATABASE_NAME = "codette.sqlite3"

_PACKAGE = Path(__file__).resolve().parent


def data_dir(chosen: str | os.PathLike[str] | None = None) -> Path:
    """The folder of all state: `chosen`, else the variable CODETTE_HOME, else the system's place for user data."""
    if chosen:
        return Path(chosen).expanduser().absolute()
    if variable := os.environ.get(DATA_DIR_VARIABLE):
        return Path(variable).expanduser().absolute()
    return Path(platformdirs.user_data_dir("codette-desktop", appauthor=False))


def resource(*parts: str) -> Path:
    """A file or folder of `resources/`, in a checkout as in an installed wheel (where it lies in `_resources`)."""
    installed = _PACKAGE / "_resources"
    root = installed if installed.is_dir() else _PACKAGE.parent / "resources"
    return root.joinpath(*parts)

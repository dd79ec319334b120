"""Copies of the database, made before anything about it changes."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from codette_desktop.domain.errors import StoreDamaged
from codette_desktop.store.errors import translate, translate_os

KEPT = 10
_PATTERN = "codette-*.sqlite3"


def write(source: sqlite3.Connection, folder: Path, version: str) -> Path:
    """Copy the database of `source` into `folder`, check the copy, and keep the newest ten.

    The name holds the schema version and the time in UTC. Raises StoreFull, StoreDamaged.
    """
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    target = folder / f"codette-{moment}-v{version}.sqlite3"
    unfinished = target.with_suffix(".unfinished")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _copy(source, unfinished)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
        for old in existing(folder)[KEPT:]:
            old.unlink(missing_ok=True)
    except sqlite3.Error as error:
        raise translate(error, writing=True) from error
    except OSError as error:
        raise translate_os(error) from error
    return target


def existing(folder: Path) -> list[Path]:
    """The backups in `folder`, newest first."""
    return sorted(folder.glob(_PATTERN), reverse=True)


def _copy(source: sqlite3.Connection, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        source.backup(copy)
        # The copy would inherit WAL, and then be incomplete without a second file.
        copy.execute("PRAGMA journal_mode = DELETE")
    with closing(sqlite3.connect(path)) as copy:
        verdict = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreDamaged(f"The database could not be backed up: it is damaged ({verdict}).")
    with path.open("rb+") as file:
        os.fsync(file.fileno())

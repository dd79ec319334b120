"""Profiles of models: what every request has taught, kept over restarts."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import astuple, fields
from sqlite3 import Connection, Row

from codette_desktop.domain.profiles import ModelProfile
from codette_desktop.store.access import Access
from codette_desktop.store.text import clean

_COLUMNS = tuple(item.name for item in fields(ModelProfile))
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM model_profiles"
_REPLACE = f"INSERT OR REPLACE INTO model_profiles({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


class Profiles:
    """One profile for each (model, task), the task "" meaning all."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def all(self) -> dict[tuple[str, str], ModelProfile]:
        """Every profile by (model, task); raises StoreError."""
        with self._access.read() as connection:
            found = [_profile(row) for row in connection.execute(_SELECT)]
        return {(profile.model, profile.task): profile for profile in found}

    def get(self, model: str, task: str = "") -> ModelProfile | None:
        """The profile of a model for one kind of task ("": over all); None before its first request."""
        with self._access.read() as connection:
            row = connection.execute(f"{_SELECT} WHERE model = ? AND task = ?", (clean(model), clean(task))).fetchone()
        return _profile(row) if row else None

    def update(
        self, model: str, tasks: Sequence[str], change: Callable[[ModelProfile], ModelProfile]
    ) -> "Future[None]":
        """Apply `change` to the model's profiles for `tasks`, made where there are none, in one transaction.

        Reading and writing are one step, so that no request is lost when several end at once, in other processes too.
        `change` runs on the writer's thread and must not touch the store.
        """
        names = [(clean(model), clean(task)) for task in dict.fromkeys(tasks)]

        def work(connection: Connection) -> None:
            for name in names:
                row = connection.execute(f"{_SELECT} WHERE model = ? AND task = ?", name).fetchone()
                connection.execute(_REPLACE, astuple(change(_profile(row) if row else ModelProfile(*name))))

        # Telemetry: a power cut may cost the last requests' figures, and no answer waits for the disk.
        return self._access.write(work, durable=False)

    def forget(self, model: str) -> "Future[None]":
        """Remove all that is known of the model."""

        def work(connection: Connection) -> None:
            connection.execute("DELETE FROM model_profiles WHERE model = ?", (clean(model),))

        return self._access.write(work)


def _profile(row: Row) -> ModelProfile:
    return ModelProfile(*(row[name] for name in _COLUMNS))

"""Presets: named choices of sampling parameters."""

from concurrent.futures import Future
from sqlite3 import Connection

from codette_desktop.domain.conversations import BUILT_IN_PRESETS, Preset
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.store import rows
from codette_desktop.store.access import Access
from codette_desktop.store.text import clean

_BUILT_IN = {preset.name.casefold() for preset in BUILT_IN_PRESETS}


class Presets:
    """The built-in presets and the person's own."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def list(self) -> "list[Preset]":
        """The built-in ones, then the person's own by name."""
        with self._access.read() as connection:
            found = connection.execute("SELECT name, sampling, system_prompt FROM presets").fetchall()
        own = [Preset(row["name"], rows.sampling(row["sampling"]), row["system_prompt"]) for row in found]
        return [*BUILT_IN_PRESETS, *sorted(own, key=lambda preset: preset.name.casefold())]

    def save(self, preset: Preset) -> "Future[None]":
        """Add or replace; fails with InvalidRequest for a built-in or an empty name."""

        def work(connection: Connection) -> None:
            values = (_own_name(preset.name), rows.sampling_text(preset.sampling), clean(preset.system_prompt))
            connection.execute("INSERT OR REPLACE INTO presets(name, sampling, system_prompt) VALUES (?, ?, ?)", values)

        return self._access.write(work)

    def delete(self, name: str) -> "Future[None]":
        """Remove, if there is one; fails with InvalidRequest for a built-in name."""

        def work(connection: Connection) -> None:
            connection.execute("DELETE FROM presets WHERE name = ?", (_own_name(name),))

        return self._access.write(work)


def _own_name(name: str) -> str:
    name = clean(name).strip()
    if not name:
        raise InvalidRequest("The preset has no name.", "Type a name for it.")
    if name.casefold() in _BUILT_IN:
        raise InvalidRequest(f"The preset {name} is built in and stays as it is.", "Choose another name.")
    return name

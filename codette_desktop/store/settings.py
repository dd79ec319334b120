"""Settings: JSON values by key."""

import json
from concurrent.futures import Future
from sqlite3 import Connection
from typing import Any

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.store.access import Access, canonical_json


class Settings:
    """What the person has chosen, each under one key."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def get(self, key: str, default: Any = None) -> Any:
        """The value under `key`, or `default`."""
        with self._access.read() as connection:
            row = connection.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return json.loads(row["value"]) if row else default

    def set(self, key: str, value: Any) -> "Future[None]":
        """Keep `value` as it is now; fails with InvalidRequest for what JSON cannot say."""
        text: str | None
        try:
            text = canonical_json(value)
        except (TypeError, ValueError):
            text = None

        def work(connection: Connection) -> None:
            if text is None:
                raise InvalidRequest(f"The setting {key} cannot be kept: it is not JSON.")
            connection.execute("INSERT OR REPLACE INTO settings(key, value) VALUES (?, ?)", (key, text))

        return self._access.write(work)

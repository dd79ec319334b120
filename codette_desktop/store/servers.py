"""Servers: those the person added, and the models each one listed when it was last asked. Never a token."""

import json
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import asdict
from sqlite3 import Connection, Row
from typing import Any

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.models import ServerModel
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.store.access import Access, canonical_json, now_text
from codette_desktop.store.text import clean

_LEFT_OUT = ("server", "remote")  # said by the server they belong to, whose address may change


class Servers:
    """The servers, by name whatever the case."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def list(self) -> "list[Server]":
        """All servers in the order they were added."""
        return [server for server, _models in self.list_models()]

    def get(self, name: str) -> Server | None:
        """The server of that name."""
        wanted = name.casefold()
        return next((server for server in self.list() if server.name.casefold() == wanted), None)

    def list_models(self) -> "list[tuple[Server, list[ServerModel]]]":
        """All servers, each with the models it listed when it was last asked."""
        with self._access.read() as connection:
            sql = "SELECT name, url, kind, token_env, models FROM servers ORDER BY added_at, rowid"
            return [_server(row) for row in connection.execute(sql).fetchall()]

    def add(self, server: Server) -> "Future[None]":
        """Keep a new server; fails with InvalidRequest where its name is taken."""
        values = (clean(server.name), clean(server.url), server.kind.value, clean(server.token_env), now_text())

        def work(connection: Connection) -> None:
            if connection.execute("SELECT 1 FROM servers WHERE name = ?", values[:1]).fetchone():
                raise InvalidRequest(f"There is a server named {server.name} already.", "Choose another name.")
            sql = "INSERT INTO servers(name, url, kind, token_env, models, added_at) VALUES (?, ?, ?, ?, '[]', ?)"
            connection.execute(sql, values)

        return self._access.write(work)

    def remove(self, name: str) -> "Future[bool]":
        """Forget a server; False where there is none of that name."""

        def work(connection: Connection) -> bool:
            return connection.execute("DELETE FROM servers WHERE name = ?", (clean(name),)).rowcount > 0

        return self._access.write(work)

    def remember_models(self, server: Server, models: Sequence[ServerModel]) -> "Future[None]":
        """Keep what the server listed; without effect where it has been removed or changed meanwhile."""
        kept = [{key: value for key, value in asdict(model).items() if key not in _LEFT_OUT} for model in models]
        values = (clean(canonical_json(kept)), clean(server.name), clean(server.url))

        def work(connection: Connection) -> None:
            connection.execute("UPDATE servers SET models = ? WHERE name = ? AND url = ?", values)

        # The server can be asked again: not worth waiting for the disk.
        return self._access.write(work, durable=False)


def _server(row: Row) -> "tuple[Server, list[ServerModel]]":
    kind = row["kind"] if row["kind"] in set(ServerKind) else ServerKind.AUTO
    server = Server(row["name"], row["url"], ServerKind(kind), row["token_env"])
    known = ServerModel.__dataclass_fields__
    items: list[dict[str, Any]] = json.loads(row["models"])
    models = [
        ServerModel(
            server=server.name, remote=server.remote, **{key: value for key, value in item.items() if key in known}
        )
        for item in items
    ]
    return server, models

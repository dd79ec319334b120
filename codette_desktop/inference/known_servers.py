"""All servers: those the person added, and those that stand in the configuration file."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from codette_desktop.configuration.file import Configuration
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.models import ServerModel
from codette_desktop.domain.servers import Server
from codette_desktop.store.servers import Servers


class KnownServers:
    """Those of the file come first, and hide one of the same name. They are changed in the file alone.

    What a server of the file listed is remembered until the application ends.
    """

    def __init__(self, added: Servers, configuration: Configuration) -> None:
        self._added = added
        self._configuration = configuration
        self._listed: dict[Server, list[ServerModel]] = {}

    def list(self) -> "list[Server]":
        """All servers."""
        return [server for server, _models in self.list_models()]

    def get(self, name: str) -> Server | None:
        """The server of that name, whatever the case."""
        return self._of_file(name) or self._added.get(name)

    def list_models(self) -> "list[tuple[Server, list[ServerModel]]]":
        """All servers, each with the models it listed when it was last asked."""
        own = list(self._configuration.settings.servers.values())
        hidden = {server.name.casefold() for server in own}
        added = [item for item in self._added.list_models() if item[0].name.casefold() not in hidden]
        return [*((server, self._listed.get(server, [])) for server in own), *added]

    def add(self, server: Server) -> "Future[None]":
        """Keep a new server; fails with InvalidRequest where its name is taken."""
        if (known := self._of_file(server.name)) is not None:
            return _failed(InvalidRequest(f"There is a server named {known.name} already.", self._place(known)))
        return self._added.add(server)

    def remove(self, name: str) -> "Future[bool]":
        """Forget an added server; fails with InvalidRequest for one of the file."""
        if (known := self._of_file(name)) is not None:
            return _failed(InvalidRequest(f"{known.name} cannot be removed here.", self._place(known)))
        return self._added.remove(name)

    def remember_models(self, server: Server, models: Sequence[ServerModel]) -> "Future[None]":
        """Keep what the server listed."""
        if self._of_file(server.name) is None:
            return self._added.remember_models(server, models)
        self._listed[server] = list(models)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def _of_file(self, name: str) -> Server | None:
        wanted = name.casefold()
        servers = self._configuration.settings.servers.values()
        return next((server for server in servers if server.name.casefold() == wanted), None)

    def _place(self, server: Server) -> str:
        line = self._configuration.line("servers", server.name)
        return f"It stands in line {line} of {self._configuration.path}: change it there."


def _failed(error: InvalidRequest) -> "Future[Any]":
    failed: Future[Any] = Future()
    failed.set_exception(error)
    return failed

"""All providers as one: "SERVER/model" goes to that server, everything else to the provider in this process."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from codette_desktop.domain.answers import AnswerPart, ContextUse
from codette_desktop.domain.errors import CodetteError, ModelNotFound
from codette_desktop.domain.events import EventBus, ServersChanged
from codette_desktop.domain.models import ServerModel
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.domain.servers import Server
from codette_desktop.inference.provider import (
    CacheableProvider,
    Embeddings,
    LoadedModel,
    ModelIdentity,
    Provider,
    embedder_of,
)

if TYPE_CHECKING:
    from codette_desktop.inference.http.provider import ServerProvider


@dataclass(frozen=True, slots=True)
class ServerState:
    """What came of asking a server: its product and models, or the error."""

    server: Server
    product: str = ""
    models: tuple[ServerModel, ...] = ()
    error: CodetteError | None = None


class ServerList(Protocol):
    """The servers there are, and the models each one listed when it was last asked: see `store.servers.Servers`."""

    def list(self) -> "list[Server]": ...
    def get(self, name: str) -> Server | None: ...
    def list_models(self) -> "list[tuple[Server, list[ServerModel]]]": ...
    def add(self, server: Server) -> "Future[None]": ...
    def remove(self, name: str) -> "Future[bool]": ...
    def remember_models(self, server: Server, models: Sequence[ServerModel]) -> "Future[None]": ...


class ProviderSet:
    """Itself a provider. No server is contacted before one of its models is asked for, or `test` or `refresh` called.

    What a server listed last is kept in the store, so that its models can be shown and found without asking it.
    `context_length` is what the person chose for models (0: as long as is usual). One event loop, as every provider;
    `find_model`, `models` and `servers` may be called from any thread.
    """

    def __init__(
        self,
        local: CacheableProvider,
        servers: ServerList,
        bus: EventBus,
        *,
        context_length: Callable[[], int] = lambda: 0,
    ) -> None:
        self.local = local
        self._servers = servers
        self._bus = bus
        self._context_length = context_length
        self._open: dict[str, ServerProvider] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._checks: dict[str, asyncio.Task[str]] = {}

    # The provider

    def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
        """See `Provider.stream`."""
        return self._for(request.model).stream(request)

    async def count(self, request: ChatRequest) -> ContextUse:
        """See `Provider.count`. Nothing is sent to a remote server: its tokens are estimated."""
        return await self._for(request.model).count(request)

    async def load(self, model: str) -> LoadedModel:
        """See `Provider.load`."""
        return await self._for(model).load(model)

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """See `EmbeddingProvider.embed`."""
        return await embedder_of(self._for(model), model).embed(model, texts)

    async def unload(self, model: str) -> bool:
        """See `Provider.unload`."""
        return await self._for(model).unload(model)

    def loaded(self) -> list[LoadedModel]:
        """The models of this process, then those of the servers."""
        return [*self.local.loaded(), *(model for opened in tuple(self._open.values()) for model in opened.loaded())]

    def identity(self, model: str) -> ModelIdentity | None:
        """See `CacheableProvider.identity`. What decides a server's answers cannot be known from here."""
        return None if self.find_model(model) is not None else self.local.identity(model)

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        opened, self._open = list(self._open.values()), {}
        for check in self._checks.values():
            check.cancel()
        await asyncio.gather(*self._checks.values(), return_exceptions=True)
        await asyncio.gather(*(provider.aclose() for provider in opened), *self._leaving)
        await self.local.aclose()

    # The servers and their models

    def servers(self) -> list[Server]:
        """Those the person added."""
        return self._servers.list()

    def models(self) -> list[ServerModel]:
        """The models all servers listed when they were last asked."""
        return [model for _server, models in self._servers.list_models() for model in models]

    def find_model(self, name: str) -> ServerModel | None:
        """The model "SERVER/model" means, whether the server listed it or not; None where no server has that name.

        A server's model is found by its label too, once it was listed.
        """
        wanted = name.casefold()
        known = self._servers.list_models()
        for server, models in known:
            if wanted.startswith(f"{server.name.casefold()}/") and len(name) > len(server.name) + 1:
                listed = next((model for model in models if model.name.casefold() == wanted), None)
                return listed or ServerModel.unseen(server, name[len(server.name) + 1 :])
        return next((model for _server, models in known for model in models if model.label.casefold() == wanted), None)

    async def add(self, server: Server) -> None:
        """Keep a new server, without asking it anything. Raises InvalidRequest where its name is taken."""
        await asyncio.wrap_future(self._servers.add(server))
        self._bus.publish(ServersChanged())

    async def remove(self, name: str) -> Server:
        """Forget a server and close its connections. Raises ModelNotFound where there is none of that name."""
        server = self.server(name)
        await asyncio.wrap_future(self._servers.remove(server.name))
        if (opened := self._open.pop(server.name, None)) is not None:
            await opened.aclose()
        self._bus.publish(ServersChanged())
        return server

    def server(self, name: str) -> Server:
        """The server of that name. Raises ModelNotFound."""
        found = self._servers.get(name)
        if found is None:
            have = ", ".join(server.name for server in self._servers.list())
            hint = f"There are: {have}." if have else "Add one with 'codette-desktop servers add NAME URL'."
            raise ModelNotFound(f"There is no server '{name}'.", hint)
        return found

    async def test(self, server: Server) -> ServerState:
        """Ask a server, kept or not, what it is and what it has. At once, even where it is left alone for failing."""
        kept = self._servers.get(server.name) == server
        provider = self._provider(server) if kept else self._make(server)
        provider.connection.breaker.succeeded()
        try:
            product = await provider.check()
            models = tuple(await provider.models())
        except CodetteError as error:
            return ServerState(server, error=error)
        finally:
            if not kept:
                await provider.aclose()
        if kept:
            await self._remember(server, models)
        return ServerState(server, product, models)

    async def check(self, model: ServerModel) -> None:
        """Whether a server that has been asked something in this session is still there. Raises CodetteErrors.

        One that nobody has asked is not contacted, and one question at a time serves all its models.
        """
        opened = self._open.get(model.server)
        if opened is None:
            return
        running = self._checks.get(model.server)
        if running is None:
            running = self._checks[model.server] = asyncio.get_event_loop().create_task(opened.check())
            running.add_done_callback(lambda _done: self._checks.pop(model.server, None))
        await asyncio.shield(running)

    async def refresh(self) -> list[ServerState]:
        """Ask all servers for their models, all at once."""
        return list(await asyncio.gather(*(self._refreshed(server) for server in self.servers())))

    async def find_local(self) -> list[Server]:
        """Servers that answer on the well-known ports of this computer and are not kept yet, under free names."""
        from codette_desktop.inference.http.discovery import find_local

        known = {server.url for server in self.servers()}
        taken = {server.name.casefold() for server in self.servers()}
        found = [server for server in await find_local() if server.url not in known]
        return [replace(server, name=_free(server.name, taken)) for server in found]

    async def _refreshed(self, server: Server) -> ServerState:
        try:
            models = tuple(await self._provider(server).models())
        except CodetteError as error:
            return ServerState(server, error=error)
        await self._remember(server, models)
        return ServerState(server, models=models)

    async def _remember(self, server: Server, models: tuple[ServerModel, ...]) -> None:
        if self._known(server) != models:
            await asyncio.wrap_future(self._servers.remember_models(server, models))
            self._bus.publish(ServersChanged())

    def _known(self, server: Server) -> tuple[ServerModel, ...]:
        return next((tuple(models) for known, models in self._servers.list_models() if known == server), ())

    def _for(self, model: str) -> Provider:
        head, slash, _rest = model.partition("/")
        server = self._servers.get(head) if slash and head else None
        return self._provider(server) if server is not None else self.local

    def _provider(self, server: Server) -> "ServerProvider":
        opened = self._open.get(server.name)
        if opened is not None and opened.server != server:  # removed and added anew, perhaps by another process
            leaving = asyncio.get_event_loop().create_task(opened.aclose())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
            opened = None
        if opened is None:
            opened = self._open[server.name] = self._make(server)
        return opened

    def _make(self, server: Server) -> "ServerProvider":
        # Imported here: who uses no server need not wait at start for what speaks HTTP.
        from codette_desktop.inference.http.provider import ServerProvider

        def remembered(model: str) -> int:
            found = self.find_model(f"{server.name}/{model}")
            return found.context_length if found else 0

        return ServerProvider(server, self._bus, context_length=self._context_length, remembered=remembered)


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate.casefold() in taken:
        candidate, number = f"{name} {number}", number + 1
    taken.add(candidate.casefold())
    return candidate

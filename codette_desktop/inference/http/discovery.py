"""Which protocol a server speaks, and which servers run on this computer. Only ever done when somebody asks."""

import asyncio

from codette_desktop.domain.errors import CodetteError, InvalidRequest, ServerFailed, ServerRefused
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.inference.http.connection import Connection
from codette_desktop.inference.http.reading import text_of
from codette_desktop.inference.http.retries import RetryPolicy

WELL_KNOWN = {"Ollama": 11434, "LM Studio": 1234, "llama.cpp": 8080, "vLLM": 8000}
PROBE_S = 2.0


async def kind_of(connection: Connection, limit_s: float = 10.0, *, retry: bool = True) -> ServerKind:
    """The protocol of a server: Ollama tells its version, the others do not know that address. Raises ServerErrors."""
    try:
        answer = await connection.ask("/api/version", limit_s=limit_s, retry=retry)
    except (ServerFailed, InvalidRequest, ServerRefused) as error:
        # A page that is not there is an answer; whoever wants a token is asked again in the other protocol.
        if isinstance(error, ServerFailed) and error.retryable:
            return await _kind_by_models(connection, error, limit_s)
        return ServerKind.OPENAI
    return ServerKind.OLLAMA if text_of(answer.get("version")) else ServerKind.OPENAI


async def _kind_by_models(connection: Connection, error: ServerFailed, limit_s: float) -> ServerKind:
    """Some answer an unknown address with a page or a failure of their own; their list of models decides."""
    try:
        answer = await connection.ask("/v1/models", limit_s=limit_s, retry=False)
    except CodetteError:
        raise error from None
    if not isinstance(answer.get("data"), list):
        raise error
    return ServerKind.OPENAI


async def find_local(ports: dict[str, int] | None = None) -> list[Server]:
    """The servers that answer on the well-known ports of this computer, each with its kind."""
    wanted = WELL_KNOWN if ports is None else ports
    found = await asyncio.gather(*(_probe(name, port) for name, port in wanted.items()))
    return [server for server in found if server is not None]


async def _probe(name: str, port: int) -> Server | None:
    """Any program may listen there: it counts only if it lists models, or tells Ollama's version."""
    server = Server(name, f"http://127.0.0.1:{port}")
    connection = Connection(server, retries=RetryPolicy(retries=0))
    try:
        kind = await kind_of(connection, PROBE_S, retry=False)
        path, key = ("/api/tags", "models") if kind is ServerKind.OLLAMA else ("/v1/models", "data")
        try:
            listed = (await connection.ask(path, limit_s=PROBE_S, retry=False)).get(key)
        except ServerRefused as error:
            return Server(name, server.url, kind) if "token" in error.message else None
        return Server(name, server.url, kind) if isinstance(listed, list) else None
    except CodetteError:
        return None
    finally:
        await connection.aclose()

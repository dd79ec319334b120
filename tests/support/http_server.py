"""A real HTTP server on loopback whose every byte a test decides: for recorded exchanges, and for faults."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Exchange:
    """One request and the connection it came on."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def raw(self, data: bytes) -> None:
        """Exactly these bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def json(self, value: Any, status: int = 200, **headers: str) -> None:
        """A whole response."""
        await self.text(value if isinstance(value, str) else json.dumps(value), status, **headers)

    async def text(self, text: str, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        """A whole response of that kind; underscores in names of headers become hyphens."""
        body = text.encode()
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
        await self.raw(head.encode() + body)

    async def begin(self, kind: str = "application/x-ndjson") -> None:
        """The head of a response in chunks."""
        await self.raw(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())

    async def chunk(self, text: str | bytes) -> None:
        """One chunk of it."""
        data = text.encode() if isinstance(text, str) else text
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self) -> None:
        """The end of it."""
        await self.raw(b"0\r\n\r\n")

    def reset(self) -> None:
        """Cut the connection without a farewell."""
        self.writer.transport.abort()


Handler = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True)
class Served:
    """A running server: its address, the requests it got, and how many connections were gone before their answer."""

    url: str
    requests: list[Exchange] = field(default_factory=list)
    connections: int = 0
    left: int = 0

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [request.path for request in self.requests]


@asynccontextmanager
async def serve(handler: Handler) -> AsyncIterator[Served]:
    """Serve on a free port of 127.0.0.1 until the block ends; `handler` writes the whole response."""
    served = Served("")
    tasks: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        try:
            while (exchange := await _request(reader, writer)) is not None:
                served.requests.append(exchange)
                await handler(exchange)
                if writer.is_closing():
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            served.left += 1
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(connection(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange | None:
    head = await reader.readline()
    if not head:
        return None
    method, path, _version = head.decode().split(" ", 2)
    headers: dict[str, str] = {}
    while (line := (await reader.readline()).decode().strip()) != "":
        name, _colon, value = line.partition(":")
        headers[name.casefold()] = value.strip()
    data = await reader.readexactly(int(headers.get("content-length", "0")))
    return Exchange(method, path, headers, json.loads(data) if data else None, reader, writer)

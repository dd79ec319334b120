"""A proxy between the application and a real server of models that spoils the answers of the chat, as a test says.

What is asked besides (lists of models, counts of tokens) passes through whole.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

import httpx

from tests.support.http_server import Exchange, Served, serve

CHAT_PATHS = ("/api/chat", "/v1/chat/completions")
DELAY_S, DRIP_S = 0.2, 0.002
DRIPPED_BYTES = 400  # what comes byte by byte; the rest comes at once, since a thousand sleeps prove no more


class Fault(StrEnum):
    """What happens to an answer."""

    NONE = "none"
    DELAY = "delay"  # it begins late
    CUT = "cut in mid-line"  # the connection is closed in the middle of a line
    RESET = "reset"  # the connection is reset after some lines
    ERROR_LINE = "200 with an error line"
    STATUS_500 = "500"
    DRIP = "slow drip"  # byte by byte
    DUPLICATE = "duplicate last chunk"
    GARBAGE = "garbage"  # bytes that are no answer
    SILENCE = "silence"  # nothing comes, and the connection stays


class FaultProxy:
    """The handler of a server. `fault` may be changed at any time; `spoiled` counts the answers it was done to."""

    def __init__(self, upstream: str) -> None:
        self.fault = Fault.NONE
        self.spoiled = 0
        self._client = httpx.AsyncClient(base_url=upstream, timeout=60, trust_env=False)

    async def aclose(self) -> None:
        """Close the connections to the real server."""
        await self._client.aclose()

    async def __call__(self, exchange: Exchange) -> None:
        """Pass one request on."""
        if exchange.path not in CHAT_PATHS:
            await self._whole(exchange)
            return
        fault = self.fault
        self.spoiled += fault is not Fault.NONE
        if fault is Fault.SILENCE:
            await exchange.reader.read(1)  # until the other side gives up
            return
        if fault is Fault.STATUS_500:
            await exchange.json({"error": "something broke"}, 500)
            return
        if fault is Fault.DELAY:
            await asyncio.sleep(DELAY_S)
        async with self._client.stream(exchange.method, exchange.path, json=exchange.body) as response:
            if response.status_code != httpx.codes.OK:
                await exchange.text((await response.aread()).decode(), response.status_code)
                return
            await exchange.begin(response.headers.get("content-type", "application/x-ndjson"))
            await _spoil(exchange, fault, response.aiter_bytes(), "/v1/" in exchange.path)

    async def _whole(self, exchange: Exchange) -> None:
        response = await self._client.request(exchange.method, exchange.path, json=exchange.body)
        await exchange.text(response.text, response.status_code, response.headers.get("content-type", "text/plain"))


async def _spoil(exchange: Exchange, fault: Fault, data: AsyncIterator[bytes], openai: bool) -> None:
    passed, last = 0, b""
    async for part in data:
        if fault is Fault.DRIP and passed < DRIPPED_BYTES:
            for byte in part:
                await exchange.chunk(bytes([byte]))
                await asyncio.sleep(DRIP_S)
        elif fault in (Fault.CUT, Fault.RESET, Fault.ERROR_LINE, Fault.GARBAGE) and passed > DRIPPED_BYTES:
            await _break_off(exchange, fault, part, openai)
            return
        else:
            await exchange.chunk(part)
        passed, last = passed + len(part), part
    if fault is Fault.DUPLICATE:
        await exchange.chunk(last)
    await exchange.end()


async def _break_off(exchange: Exchange, fault: Fault, part: bytes, openai: bool) -> None:
    match fault:
        case Fault.CUT:
            await exchange.chunk(part[: max(1, len(part) // 2)])
            exchange.reset()
        case Fault.RESET:
            exchange.reset()
        case Fault.ERROR_LINE:
            line = json.dumps({"error": {"message": "the model has left"} if openai else "the model has left"})
            await exchange.chunk(f"data: {line}\n\n" if openai else f"{line}\n")
            await exchange.end()
        case _:
            await exchange.chunk(b"\x00\xff<html>no answer</html>\n\n")
            await exchange.end()


@asynccontextmanager
async def spoiled(upstream: str) -> AsyncIterator[tuple[FaultProxy, Served]]:
    """A proxy before the server at `upstream`, on a free port of this computer."""
    proxy = FaultProxy(upstream)
    try:
        async with serve(proxy) as served:
            yield proxy, served
    finally:
        await proxy.aclose()

"""A server of models that does everything well, but chats as a test says: in both protocols."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from codette_desktop.domain.answers import AnswerPart
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.inference.http.connection import Connection
from codette_desktop.inference.http.provider import ServerProvider
from codette_desktop.inference.http.retries import RetryPolicy
from tests.integration.provider_contract import answer, ask
from tests.support.http_server import Exchange, Served, serve

Chat = Callable[[Exchange], Awaitable[None]]
KINDS = (ServerKind.OLLAMA, ServerKind.OPENAI)
LINES = {
    ServerKind.OLLAMA: [
        *({"message": {"role": "assistant", "content": word}, "done": False} for word in ("One", " two", " three")),
        {
            "message": {"content": ""},
            "done": True,
            "done_reason": "stop",
            "eval_count": 3,
            "prompt_eval_count": 9,
        },
    ],
    ServerKind.OPENAI: [
        *({"choices": [{"delta": {"content": word}, "finish_reason": None}]} for word in ("One", " two", " three")),
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}},
    ],
}


def wire(kind: ServerKind, index: int) -> str:
    """A line of the answer as the protocol sends it."""
    text = json.dumps(LINES[kind][index])
    return f"{text}\n" if kind is ServerKind.OLLAMA else f"data: {text}\n\n"


@asynccontextmanager
async def server_with(
    kind: ServerKind, chat: Chat, *, retries: int = 0, token_env: str = ""
) -> AsyncIterator[tuple[ServerProvider, Served]]:
    """A provider of a server that does everything well but chats as `chat` does."""

    async def handle(exchange: Exchange) -> None:
        match exchange.path:
            case "/api/version":
                await exchange.json({"version": "1.0"})
            case "/api/tags":
                await exchange.json({"models": [{"name": "m", "details": {"context_length": 4096}}]})
            case "/api/ps":
                await exchange.json({"models": []})
            case "/v1/models":
                await exchange.json({"data": [{"id": "m", "max_model_len": 4096, "owned_by": "vllm"}]})
            case _:
                await chat(exchange)

    async with serve(handle) as served:
        server = Server("Odd", served.url, kind, token_env)
        policy = RetryPolicy(retries=retries, base_s=0.01, patience_s=1.5)
        provider = ServerProvider(server, connection=Connection(server, retries=policy, chance=random.Random(1)))
        try:
            yield provider, served
        finally:
            await provider.aclose()


async def asked(kind: ServerKind, chat: Chat, retries: int = 0) -> list[AnswerPart]:
    async with server_with(kind, chat, retries=retries) as (provider, _served):
        return await asyncio.wait_for(answer(provider, ask("Odd/m")), 20)


async def whole(exchange: Exchange, kind: ServerKind) -> None:
    await exchange.begin()
    for index in range(len(LINES[kind])):
        await exchange.chunk(wire(kind, index))
    await exchange.end()


async def until(done: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.01)

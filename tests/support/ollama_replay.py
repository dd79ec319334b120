"""What a real Ollama 0.33 sent, sent again: recorded exchanges with their chunks and, quickened, their rhythm.

Three things follow the request, as they did there: an unknown model gets the recorded 404, loading and unloading
decide which of the two recorded lists of loaded models is shown, and `num_predict` cuts the recorded answer short.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.support.http_server import Exchange

RECORDED: dict[str, Any] = json.loads((Path(__file__).with_name("ollama_exchanges.json")).read_text(encoding="utf-8"))
MODEL = "tiny"
QUICKENED = 100


class OllamaReplay:
    """The handler of a server. `prompt_tokens` replaces the recorded count of the prompt, to act as if it was cut."""

    def __init__(self, *, prompt_tokens: int | None = None) -> None:
        self.loaded = False
        self.prompt_tokens = prompt_tokens

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        model = str((exchange.body or {}).get("model", "")).removesuffix(":latest")
        match exchange.path:
            case "/api/version" | "/api/tags":
                await self._whole(exchange, exchange.path.removeprefix("/api/"))
            case "/api/ps":
                await self._whole(exchange, "ps" if self.loaded else "ps after unload")
            case "/api/show":
                await self._whole(exchange, "show missing")
            case "/api/generate" | "/api/chat" if model != MODEL:
                await self._whole(exchange, "chat missing model" if model else "chat no model")
            case "/api/generate":
                unload = exchange.body.get("keep_alive") == 0
                self.loaded = not unload
                await self._whole(exchange, "unload" if unload else "load only")
            case "/api/chat":
                self.loaded = True
                await self._stream(exchange)
            case _:
                await exchange.text("404 page not found", 404, "text/plain")

    async def _whole(self, exchange: Exchange, name: str) -> None:
        response = RECORDED[name]["response"]
        await exchange.text(response["body"], response["status"], response["headers"]["content-type"])

    async def _stream(self, exchange: Exchange) -> None:
        recorded = [(at, json.loads(line)) for at, line in RECORDED["chat stream"]["response"]["lines"]]
        most = exchange.body["options"]["num_predict"]
        kept = [*recorded[:-1][:most], recorded[-1]]
        kept[-1][1]["eval_count"] = len(kept) - 1
        if self.prompt_tokens is not None:
            kept[-1][1]["prompt_eval_count"] = self.prompt_tokens
        before = 0.0
        await exchange.begin()
        for at, item in kept:
            await asyncio.sleep(max(0.0, at - before) / QUICKENED)
            before = at
            await exchange.chunk(json.dumps(item) + "\n")
        await exchange.end()

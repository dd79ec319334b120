"""Against llama.cpp's own server, same file, one thread each: four answers at once, a long conversation's next turn.

    python -m tests.benchmarks.bench_server [--rounds N] [--tokens N]

The server runs beside us in its own process and is asked over loopback; each waits while the other is measured.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from codette_desktop.domain.events import EventBus
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import EngineSettings
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.models.identity import info_from_header
from tests.benchmarks.bench_batch import CONVERSATION_TOKENS, TOGETHER, TURNS, WORDS, answer, speed
from tests.support.gguf_files import write_large_model
from tests.support.llama_server import llama_server

Say = Callable[[tuple[Message, ...], int], Awaitable[object]]


async def ask(client: httpx.AsyncClient, messages: tuple[Message, ...], tokens: int) -> int:
    """How many tokens the server wrote."""
    body = {
        "messages": [{"role": message.role.value, "content": message.content} for message in messages],
        "temperature": 0,
        "max_tokens": tokens,
    }
    reply = await client.post("/v1/chat/completions", json=body, timeout=300)
    return int(reply.json()["usage"]["completion_tokens"])


async def their_speed(client: httpx.AsyncClient, tokens: int, turn: int) -> float:
    asked = [(Message(Role.USER, f"Question {turn}-{number}: what is next?"),) for number in range(TOGETHER)]
    started = time.perf_counter()
    written = await asyncio.gather(*(ask(client, messages, tokens) for messages in asked))
    return sum(written) / (time.perf_counter() - started)


async def last_turn(say: Say, number: int) -> float:
    """Seconds until the first token of the last, short turn; `say(messages, tokens)` answers."""
    messages: tuple[Message, ...] = ()
    words = WORDS * (CONVERSATION_TOKENS // (TURNS - 1) // 17)
    took = 0.0
    for turn in range(TURNS):
        text = f"{number}-{turn} {words}" if turn < TURNS - 1 else "And why is that so?"
        messages += (Message(Role.USER, text),)
        started = time.perf_counter()
        await say(messages, 1)
        took = time.perf_counter() - started
        messages += (Message(Role.ASSISTANT, "so it is"),)
    return took


async def compare(path: Path, address: str, rounds: int, tokens: int) -> None:
    info = info_from_header(path)
    settings = EngineSettings(context_length=4096, threads=1)
    provider = LlamaProvider(lambda _name: info, EventBus(), settings=lambda _info: settings)
    await answer(provider, (Message(Role.USER, "warm up"),), 4)
    speeds: list[float] = []
    turns: list[float] = []
    async with httpx.AsyncClient(base_url=address) as client:
        await ask(client, (Message(Role.USER, "warm up"),), 4)
        for turn in range(rounds):
            ours = await speed(provider, tokens, together=True, turn=turn)
            theirs = await their_speed(client, tokens, turn)
            speeds.append(ours / theirs)
            print(f"round {turn + 1}: {TOGETHER} at once: ours {ours:.1f} tokens/s, theirs {theirs:.1f}")
            mine = await last_turn(lambda messages, most: answer(provider, messages, most), turn)
            other = await last_turn(lambda messages, most: ask(client, messages, most), turn)
            turns.append(mine / other)
            print(f"round {turn + 1}: turn {TURNS}: ours {1000 * mine:.0f} ms, theirs {1000 * other:.0f} ms")
    print(f"{TOGETHER} answers at once: {statistics.median(speeds):.2f} of the server's tokens/s (goal: at least 0.95)")
    print(f"turn {TURNS}: {statistics.median(turns):.2f} times the server's first token (goal: at most 1.1)")
    await provider.aclose()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        write_large_model(path)
        with llama_server(path, parallel=TOGETHER, context=TOGETHER * 4096) as address:
            asyncio.run(compare(path, address, chosen.rounds, chosen.tokens))


if __name__ == "__main__":
    main()

"""Servers that fail, with a model of this computer to fall back on: who answers, how soon, and what is kept.

    python -m tests.benchmarks.bench_faults [--requests N]

A proxy spoils what a real llama.cpp server and a recorded Ollama send; every request goes through the chat and its
store, as from the window. The circuit breaker is closed before each request, so that every one of them meets its fault.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

from codette_desktop.application import Application
from codette_desktop.domain.answers import AnswerEnd
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.inference.fallback import FallbackProvider
from codette_desktop.inference.observing import ObservedProvider
from tests.support.fault_proxy import Fault, FaultProxy, spoiled
from tests.support.http_server import serve
from tests.support.llama_server import llama_server
from tests.support.ollama_replay import OllamaReplay

DEADLINE_S = 30.0
SILENT_REQUESTS = 5  # each waits for its whole deadline
FAULTS = [fault for fault in Fault if fault is not Fault.NONE]


async def ask(application: Application, model: str, number: int) -> tuple[str, float]:
    """Who answered ("server", "stand-in", "error" or "hung"), and the seconds it took."""
    sampling = Sampling(temperature=0.0, max_tokens=32)
    conversation = await asyncio.wrap_future(application.store.conversations.create(model=model, sampling=sampling))
    started = time.perf_counter()
    who = "hung"
    try:
        async with asyncio.timeout(DEADLINE_S):
            async for part in application.chat.send(conversation.id, f"Question {number}: how do I compare models?"):
                if isinstance(part, AnswerEnd):
                    who = "server" if part.model == model else "stand-in"
    except CodetteError:
        who = "error"
    except TimeoutError:
        pass
    took = time.perf_counter() - started
    branch = application.store.conversations.branch(conversation.id)
    if who != "hung" and len(_answers(branch)) != 1:
        who = f"{len(_answers(branch))} answers kept"
    return who, took


def _answers(branch: list[Node]) -> list[str]:
    return list(branch[-1].sibling_ids) if len(branch) == 2 else [node.id for node in branch[1:]]


async def spoil(application: Application, proxy: FaultProxy, fault: Fault, requests: int) -> Counter[str]:
    name = next(model.name for model in application.servers.models())
    found: Counter[str] = Counter()
    times: list[float] = []
    proxy.fault, proxy.spoiled = fault, 0
    connection = application.servers._provider(application.servers.servers()[0]).connection
    for number in range(requests):
        connection.breaker.succeeded()
        who, took = await ask(application, name, number)
        found[who] += 1
        times.append(took)
    print(
        f"  {fault.value:24} {proxy.spoiled:3} spoiled of {requests}: "
        f"{', '.join(f'{count} {who}' for who, count in sorted(found.items()))}; "
        f"median {statistics.median(times):.2f} s, most {max(times):.2f} s"
    )
    return found


async def run(requests: int) -> None:
    switches: list[float] = []
    total: Counter[str] = Counter()
    with llama_server() as address:
        async with serve(OllamaReplay()) as replay:
            for kind, upstream in ((ServerKind.OPENAI, address), (ServerKind.OLLAMA, replay.url)):
                print(f"{kind.value}:")
                with tempfile.TemporaryDirectory() as folder:
                    application = Application.open(Path(folder))
                    assert isinstance(application.provider, ObservedProvider)
                    assert isinstance(application.provider.inner, FallbackProvider)
                    application.provider.inner.on_switch = switches.append
                    async with spoiled(upstream) as (proxy, served):
                        await application.servers.add(Server.checked("shaky", served.url, kind))
                        await application.servers.refresh()
                        await application.provider.load(application.library.default().name)
                        for fault in FAULTS:
                            count = min(SILENT_REQUESTS, requests) if fault is Fault.SILENCE else requests
                            total += await spoil(application, proxy, fault, count)
                    await application.aclose()
    asked = sum(total.values())
    good = total["server"] + total["stand-in"] + total["error"]
    print(f"{asked} requests: {100 * good / asked:.1f} % answered or told (goal 100), {total['hung']} hung (goal 0)")
    ordered = sorted(switches)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    print(
        f"{len(ordered)} switches, from the failure to the next model's start: median "
        f"{1000 * statistics.median(ordered):.2f} ms, p99 {1000 * p99:.2f} ms (goal: p99 at most 10)"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=50)
    asyncio.run(run(parser.parse_args().requests))


if __name__ == "__main__":
    main()

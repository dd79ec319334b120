"""Two models that do not fit together: alternating requests, in this process and with processes of their own.

    python -m tests.benchmarks.bench_scheduling [--requests N] [--tokens N] [--share X]

The limit is `share` times what one model needs (134 M random weights), so that two never fit. Printed are the answers,
the loads, and the peak of memory over the bare process (and of its children), sampled every 5 ms.
"""

import argparse
import asyncio
import statistics
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

from codette_desktop.domain.answers import AnswerEnd
from codette_desktop.domain.events import Event, EventBus, ModelLoaded
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.domain.requests import ChatRequest, Sampling
from codette_desktop.inference.isolation.provider import IsolatedProvider
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.inference.provider import Provider
from codette_desktop.inference.scheduling import Scheduler
from codette_desktop.models.identity import info_from_header
from tests.support.gguf_files import write_large_model, write_model

SETTINGS = EngineSettings(context_length=2048, parallel=1)
SAMPLE_S = 0.005


class Peak:
    """The most memory this process and its children have held at once, in bytes, over what they hold at the start."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._stopped = threading.Event()
        self._bare = self._now()
        self.bytes = 0
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._stopped.set()
        self._thread.join()
        return self.bytes

    def _now(self) -> int:
        total = self._process.memory_info().rss
        for child in self._process.children(recursive=True):
            with suppress(psutil.Error):
                total += child.memory_info().rss
        return total

    def _sample(self) -> None:
        while not self._stopped.wait(SAMPLE_S):
            self.bytes = max(self.bytes, self._now() - self._bare)


async def answered(provider: Provider, model: str, tokens: int) -> bool:
    """Whether a request was answered whole."""
    sampling = Sampling(temperature=0.0, max_tokens=tokens)
    async for part in provider.stream(ChatRequest(model, (Message(Role.USER, "What is next?"),), sampling)):
        if isinstance(part, AnswerEnd):
            return True
    return False


async def alternate(
    apart: bool, infos: dict[str, ModelInfo], share: float, requests: int, tokens: int, *, together: bool
) -> None:
    bus, loads, limit = EventBus(), list[Event](), 0
    scheduler = Scheduler(limit_bytes=lambda: limit)
    need = max(scheduler.planner.plan(infos[name], SETTINGS, apart=apart).need.cpu for name in "ab")
    limit = int(need * share)
    bus.subscribe(ModelLoaded, loads.append)
    kind = IsolatedProvider if apart else LlamaProvider
    provider: Provider = kind(lambda name: infos[name], bus, settings=lambda _info: SETTINGS, scheduler=scheduler)
    if not apart:
        await answered(provider, "warm", 1)  # libraries are loaded with the first answer; they are no model's memory
        await provider.unload("warm")
        loads.clear()
    peak, started = Peak(), time.perf_counter()
    asked = [answered(provider, "ab"[number % 2], tokens) for number in range(requests)]
    times: list[float] = []
    if together:
        done = await asyncio.gather(*asked)
    else:
        done = []
        for request in asked:
            begun = time.perf_counter()
            done.append(await request)
            times.append(time.perf_counter() - begun)
    seconds, most = time.perf_counter() - started, peak.stop()
    await provider.aclose()
    place = "in processes of their own" if apart else "in this process"
    order = "all at once" if together else "one after the other"
    each = f", median {statistics.median(times):.2f} s each" if times else ""
    print(
        f"{place}, {order}: {sum(done)} of {requests} answered with {len(loads)} loads in {seconds:.1f} s{each}; "
        f"one model needs {need / 1e6:.0f} MB, two {2 * need / 1e6:.0f}, budget {limit / 1e6:.0f}, "
        f"peak {most / 1e6:.0f} MB, {most / limit:.2f} of the budget (goal: at most 1)"
    )


async def compare(folder: Path, share: float, requests: int, tokens: int) -> None:
    for number, name in enumerate("ab"):
        write_large_model(folder / f"{name}.gguf", seed=number)
    write_model(folder / "warm.gguf")
    infos = {name: info_from_header(folder / f"{name}.gguf") for name in ("a", "b", "warm")}
    for apart in (False, True):
        for together in (False, True):
            await alternate(apart, infos, share, requests, tokens, together=together)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--share", type=float, default=1.2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare(Path(folder), chosen.share, chosen.requests, chosen.tokens))


if __name__ == "__main__":
    main()

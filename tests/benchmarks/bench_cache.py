"""The response cache: how fast a known answer comes, and what it saves where questions repeat themselves.

    python -m tests.benchmarks.bench_cache [--entries N] [--samples N] [--repeats N]

1. A hit through the whole service (request to last part: library of models, settings, key, cache, database), with
   100,000 entries kept: of answers in memory, and of answers that only the database has. The yardstick is an empty call
   on another thread, of which each hit needs one: its tail is the machine's.
2. 100 distinct questions, 20 times each in random order, to the smallest starter model: hit rate and mean latency with
   and without the cache. Without it only some are asked: their mean is all that is wanted.
"""

import argparse
import asyncio
import gc
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from codette_desktop.application import Application
from codette_desktop.domain.answers import AnswerEnd, AnswerPart, FinishReason
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import ChatRequest, Sampling
from codette_desktop.inference.cache.answers import encode, whole_answer
from codette_desktop.inference.cache.key import key_of
from codette_desktop.inference.cache.settings import CacheSettings
from codette_desktop.store.responses import ResponseUse

MODEL = "guide-s-q8_0"
SUBJECTS = "a token,a seed,temperature,the context,a quantised model,a preset,an ensemble,a duel,a vote,LoRA".split(",")
WORDINGS = (
    "What is {}?|Tell me about {}.|Explain {} to me.|Why does {} matter?|How do I use {}?|What does {} do?|"
    "Is {} important?|Where do I find {}?|When do I need {}?|Describe {} briefly."
).split("|")
QUESTIONS = [wording.format(subject) for wording in WORDINGS for subject in SUBJECTS]


def request(text: str) -> ChatRequest:
    """A greedy question that the model ends itself."""
    return ChatRequest(MODEL, (Message(Role.USER, text),), Sampling(temperature=0.0))


async def ask(application: Application, asked: ChatRequest) -> tuple[float, list[AnswerPart]]:
    """Milliseconds from the request to the last part, and the parts."""
    started = time.perf_counter()
    parts = [part async for part in application.provider.stream(asked)]
    return (time.perf_counter() - started) * 1000, parts


def end_of(parts: list[AnswerPart]) -> AnswerEnd:
    """The last part."""
    end = parts[-1]
    assert isinstance(end, AnswerEnd)
    return end


def line(name: str, values: Sequence[float]) -> str:
    """Median and tail."""
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return f"{name}: median {statistics.median(ordered):.3f} ms, p99 {p99:.3f} ms, of {len(ordered)}"


async def hop() -> float:
    """Milliseconds to a thread and back: what this machine takes for it just now."""
    started = time.perf_counter()
    await asyncio.to_thread(int)
    return (time.perf_counter() - started) * 1000


async def hits(folder: Path, entries: int, samples: int) -> list[str]:
    """Figure 1."""
    application = Application.open(folder)
    application.cache.configure(CacheSettings(entries=2 * entries, max_bytes=2**31))
    model_ms, parts = await ask(application, request("What is a token?"))
    kept = whole_answer(parts)
    identity = application.servers.identity(MODEL)
    assert kept is not None
    assert identity is not None
    limits, write = application.cache.settings.limits, None
    for number in range(entries):
        key = key_of(identity.traits, request(f"question {number}"))
        write = application.store.responses.put(encode(key, kept), limits, ResponseUse(), datetime.now(UTC))
    if write is not None:
        await asyncio.wrap_future(write)
    found = application.cache.statistics()
    gc.freeze()  # the garbage of filling the cache is not part of an answer
    hops = [await hop() for _ in range(samples)]
    chosen = random.Random(1).sample(range(entries), samples)
    first = [await ask(application, request(f"question {number}")) for number in chosen]
    again = [await ask(application, request(f"question {chosen[-1 - step % 500]}")) for step in range(samples)]
    assert all(end_of(parts).figures.cached for _ms, parts in (*first, *again))
    await application.aclose()
    return [
        f"{found.entries:,} entries, {found.size_bytes / 1e6:.1f} MB of answers",
        line("yardstick, an empty call on another thread", hops),
        line("hit, from the database", [ms for ms, _ in first]),
        line("hit, from memory", [ms for ms, _ in again]),
        f"the model itself: {model_ms:.0f} ms with its load",
    ]


async def repeats(folder: Path, times: int) -> list[str]:
    """Figure 2."""
    application = Application.open(folder)
    await application.provider.load(MODEL)
    order = random.Random(2).sample(QUESTIONS * times, len(QUESTIONS) * times)
    with_cache = [await ask(application, request(text)) for text in order]
    found = application.cache.statistics()
    whole = sum(end_of(parts).reason is FinishReason.STOP for _ms, parts in with_cache)
    application.cache.configure(replace(application.cache.settings, enabled=False))
    without = [(await ask(application, request(text)))[0] for text in order[:150]]
    await application.aclose()
    mean = statistics.fmean(ms for ms, _ in with_cache)
    return [
        f"{len(QUESTIONS)} questions, {times} times each: {found.hits} hits, {found.misses} misses, "
        f"hit rate {found.hit_rate:.1%}; {whole} of {len(order)} answers were ended by the model",
        f"mean latency with the cache {mean:.2f} ms, without {statistics.fmean(without):.1f} ms "
        f"(of {len(without)}): ratio {statistics.fmean(without) / mean:.1f}",
    ]


def test_cache_figures(tmp_path: Path) -> None:
    """The figures of small runs, printed; they gate nothing."""
    for text in (*asyncio.run(hits(tmp_path / "a", 500, 100)), *asyncio.run(repeats(tmp_path / "b", 2))):
        print(text)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=3_000)
    parser.add_argument("--repeats", type=int, default=20)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for text in asyncio.run(hits(Path(folder) / "hits", chosen.entries, chosen.samples)):
            print(text, flush=True)
        for text in asyncio.run(repeats(Path(folder) / "repeats", chosen.repeats)):
            print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Decoding speed: the provider against the bare library, and against llama-cpp-python's own chat.

    python -m tests.benchmarks.bench_decode [--rounds N] [--tokens N] [--long N] [--quick]

Everything runs in one process on one model (134 M random weights, 32,000 tokens of vocabulary), one thread each, in
turns, so that whatever else the machine does falls on all alike. Ratios are medians over rounds; each round compares
runs that followed each other. The yardstick is what `llama-bench` times: decode and synchronise, nothing else.

Two ratios each: of time on the clock, and of processor time of the whole process (event loop and request handling
among it), which other programs on the machine hardly change.
"""

import argparse
import asyncio
import contextlib
import io
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codette_desktop.domain.answers import AnswerEnd, TextChunk
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import EngineSettings
from codette_desktop.domain.requests import ChatRequest, Sampling
from codette_desktop.inference.llama.library import library
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.models.identity import info_from_header
from tests.support.gguf_files import write_large_model

QUESTION = "Explain how a language model chooses its next word."
SETTINGS = EngineSettings(context_length=2048, threads=1)
GREEDY, DEFAULT = Sampling(temperature=0.0), Sampling(seed=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds a token: on the clock, and of processor time."""

    clock: float
    processor: float


class Bare:
    """Decode and synchronise over the low-level library, with the provider's own settings."""

    def __init__(self, path: Path) -> None:
        engine = library()
        self.c = c = engine.c
        params = c.llama_model_default_params()
        params.use_extra_bufts = engine.extra_buffers
        params.n_gpu_layers = 0
        self.model = c.llama_model_load_from_file(str(path).encode(), params)
        wanted = c.llama_context_default_params()
        wanted.n_ctx, wanted.n_batch, wanted.n_ubatch, wanted.no_perf = 2048, 2048, 512, True
        wanted.n_threads = wanted.n_threads_batch = 1
        self.context = c.llama_init_from_model(self.model, wanted)
        self.token = (c.llama_token * 1)(300)
        self.batch = c.llama_batch_get_one(self.token, 1)

    def run(self, prompt_tokens: int, tokens: int) -> "Pace":
        """The pace at the places in the context where an answer to `prompt_tokens` tokens would be."""
        c = self.c
        c.llama_memory_clear(c.llama_get_memory(self.context), True)
        prompt = (c.llama_token * prompt_tokens)(*[300] * prompt_tokens)
        assert c.llama_decode(self.context, c.llama_batch_get_one(prompt, prompt_tokens)) == 0
        c.llama_synchronize(self.context)
        decode, synchronize, context, batch = c.llama_decode, c.llama_synchronize, self.context, self.batch
        started, worked = time.perf_counter(), time.process_time()
        for step in range(tokens):
            self.token[0] = 300 + step % 1000
            decode(context, batch)
            synchronize(context)
        return Pace((time.perf_counter() - started) / tokens, (time.process_time() - worked) / tokens)

    def close(self) -> None:
        self.c.llama_free(self.context)
        self.c.llama_model_free(self.model)


async def ours(provider: LlamaProvider, model: str, sampling: Sampling) -> tuple[Pace, AnswerEnd]:
    """The pace of an answer read to its end: on the clock after the first token, processor time of all of it."""
    request = ChatRequest(model, (Message(Role.USER, QUESTION),), sampling)
    seen, worked = 0, time.process_time()
    async for part in provider.stream(request):
        if isinstance(part, TextChunk):
            seen += part.tokens
        elif isinstance(part, AnswerEnd):
            assert seen == part.figures.completion_tokens
            return Pace(1 / part.figures.tokens_per_second, (time.process_time() - worked) / seen), part
    raise AssertionError("no end")


def theirs(llama: Any, prompt_tokens: int, tokens: int) -> tuple[Pace, int]:
    """The pace of `Llama.create_chat_completion`, streamed, greedy, and its number of tokens."""
    worked = time.process_time()
    question = [{"role": "user", "content": QUESTION}]
    stream = llama.create_chat_completion(question, max_tokens=tokens, temperature=0.0, stream=True)
    stamps = [time.perf_counter() for _part in stream]
    made = llama.n_tokens + 1 - prompt_tokens  # its last token is never decoded
    return Pace((stamps[-1] - stamps[1]) / max(1, made - 1), (time.process_time() - worked) / made), made


async def compare(path: Path, rounds: int, tokens: int, long: int) -> dict[str, float]:
    """All ratios; 1.0 means as fast as the yardstick, more is faster."""
    info = info_from_header(path)
    provider = LlamaProvider(lambda _name: info, EventBus(), settings=lambda _info: SETTINGS)
    await ours(provider, "model", GREEDY.with_changes(max_tokens=2))
    bare = Bare(path)
    ratios: dict[str, list[float]] = {}
    for turn in range(rounds):
        for name, sampling in (("greedy", GREEDY), ("default sampler", DEFAULT)):
            first, end = await ours(provider, "model", sampling.with_changes(max_tokens=tokens))
            yardstick = bare.run(end.use.prompt, end.figures.completion_tokens)
            second, _end = await ours(provider, "model", sampling.with_changes(max_tokens=tokens))
            clock, processor = _ratios(yardstick, first, second)
            ratios.setdefault(f"{name} / bare, clock", []).append(clock)
            ratios.setdefault(f"{name} / bare, processor", []).append(processor)
            print(f"round {turn + 1} {name}: {end.figures.completion_tokens} tokens, ", end="")
            print(f"bare {1 / yardstick.clock:.1f}/s, clock {clock:.3f}, processor {processor:.3f}")
    bare.close()
    if long:
        clock, processor = await _against_llama(provider, path, long)
        ratios["greedy / create_chat_completion, clock"] = [clock]
        ratios["greedy / create_chat_completion, processor"] = [processor]
    await provider.aclose()
    return {name: statistics.median(values) for name, values in ratios.items()}


def _ratios(yardstick: Pace, first: Pace, second: Pace) -> tuple[float, float]:
    clock = yardstick.clock / ((first.clock + second.clock) / 2)
    return clock, yardstick.processor / ((first.processor + second.processor) / 2)


async def _against_llama(provider: LlamaProvider, path: Path, tokens: int) -> tuple[float, float]:
    import llama_cpp

    with contextlib.redirect_stderr(io.StringIO()):  # `verbose=False` would close the process's own streams meanwhile
        llama = llama_cpp.Llama(str(path), n_ctx=2048, n_threads=1, n_threads_batch=1, flash_attn=True)
    list(llama.create_chat_completion([{"role": "user", "content": QUESTION}], max_tokens=1, stream=True))
    prompt = llama.n_tokens
    first, _end = await ours(provider, "model", GREEDY.with_changes(max_tokens=tokens))
    yardstick, made = await asyncio.to_thread(theirs, llama, prompt, tokens)
    second, end = await ours(provider, "model", GREEDY.with_changes(max_tokens=tokens))
    llama.close()
    print(f"create_chat_completion: {made} tokens, {1 / yardstick.clock:.1f}/s", end="; ")
    print(f"ours {end.figures.completion_tokens} tokens, {1 / second.clock:.1f}/s")
    return _ratios(yardstick, first, second)


def test_decode_ratios(tmp_path: Path) -> None:
    """The figures, printed; they gate nothing."""
    ratios = asyncio.run(compare(write_large_model(tmp_path / "large.gguf"), 3, 64, 256))
    print(ratios)
    assert all(value > 0 for value in ratios.values())


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument(
        "--long", type=int, default=1024, help="tokens of the answer to compare with create_chat_completion"
    )
    parser.add_argument("--quick", action="store_true", help="2 rounds of 64 tokens, 256 for the long answer")
    chosen = parser.parse_args()
    rounds, tokens, long = (2, 64, 256) if chosen.quick else (chosen.rounds, chosen.tokens, chosen.long)
    with tempfile.TemporaryDirectory() as folder:
        path = write_large_model(Path(folder) / "large.gguf")
        for name, value in asyncio.run(compare(path, rounds, tokens, long)).items():
            print(f"{name}: {value:.3f}")


if __name__ == "__main__":
    sys.exit(main())

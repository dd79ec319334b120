"""Several answers of one model together and one after the other; a long conversation's next turn, warm and cold.

    python -m tests.benchmarks.bench_batch [--rounds N] [--tokens N] [--threads N] [--quantisation Q4_0]

One process, one model (134 M random weights), both ways in turns; ratios are medians over rounds.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from codette_desktop.domain.answers import AnswerEnd
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import EngineSettings
from codette_desktop.domain.requests import ChatRequest, Sampling
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.models.identity import info_from_header
from tests.support.gguf_files import write_large_model

TOGETHER = 4
TURNS = 6
CONVERSATION_TOKENS = 2_000
WORDS = "the time of day and the memory of a model in the first layer of all "


async def answer(provider: LlamaProvider, messages: tuple[Message, ...], tokens: int) -> AnswerEnd:
    sampling = Sampling(temperature=0.0, max_tokens=tokens)
    async for part in provider.stream(ChatRequest("model", messages, sampling)):
        if isinstance(part, AnswerEnd):
            return part
    raise AssertionError("no end")


async def speed(provider: LlamaProvider, tokens: int, *, together: bool, turn: int) -> float:
    """Tokens a second of all answers, from the first request to the last answer's end."""
    asked = [(Message(Role.USER, f"Question {turn}-{number}: what is next?"),) for number in range(TOGETHER)]
    started = time.perf_counter()
    if together:
        ends = await asyncio.gather(*(answer(provider, messages, tokens) for messages in asked))
    else:
        ends = [await answer(provider, messages, tokens) for messages in asked]
    return sum(end.figures.completion_tokens for end in ends) / (time.perf_counter() - started)


async def conversation(provider: LlamaProvider, number: int) -> list[AnswerEnd]:
    """The ends of each turn; the last is a short question after about CONVERSATION_TOKENS tokens."""
    messages: tuple[Message, ...] = ()
    ends: list[AnswerEnd] = []
    words = WORDS * (CONVERSATION_TOKENS // (TURNS - 1) // 17)
    for turn in range(TURNS):
        messages += (Message(Role.USER, f"{number}-{turn} {words}" if turn < TURNS - 1 else "And why is that so?"),)
        ends.append(await answer(provider, messages, 8))
        messages += (Message(Role.ASSISTANT, "so it is"),)
    return ends


async def compare(path: Path, rounds: int, tokens: int, threads: int) -> None:
    info = info_from_header(path)
    settings = EngineSettings(context_length=4096, threads=threads)

    def opened() -> LlamaProvider:
        return LlamaProvider(lambda _name: info, EventBus(), settings=lambda _info: settings)

    provider = opened()
    await answer(provider, (Message(Role.USER, "warm up"),), 4)
    gains: list[float] = []
    for turn in range(rounds):
        alone = await speed(provider, tokens, together=False, turn=2 * turn)
        both = await speed(provider, tokens, together=True, turn=2 * turn + 1)
        gains.append(both / alone)
        print(f"round {turn + 1}: one after the other {alone:.1f} tokens/s, together {both:.1f}, {gains[-1]:.2f}")
    print(f"{TOGETHER} answers together: {statistics.median(gains):.2f} times the tokens/s (goal: at least 2)")
    shares: list[float] = []
    for turn in range(rounds):
        last = (await conversation(provider, turn))[-1]
        cold_provider = opened()
        await answer(cold_provider, (Message(Role.USER, "warm up"),), 4)
        words = WORDS * (CONVERSATION_TOKENS // 17)
        cold = await answer(cold_provider, (Message(Role.USER, words),), 8)
        await cold_provider.aclose()
        per_token = cold.figures.time_to_first_token_ms / cold.figures.prompt_tokens
        shares.append(last.figures.time_to_first_token_ms / (per_token * last.figures.prompt_tokens))
        print(
            f"turn {TURNS}: {last.figures.prompt_tokens} tokens, {last.figures.reused_tokens} in memory, first token "
            f"after {last.figures.time_to_first_token_ms:.0f} ms; cold {per_token * last.figures.prompt_tokens:.0f} ms"
        )
    print(f"turn {TURNS} warm: {100 * statistics.median(shares):.1f} % of cold (goal: at most 10 %)")
    await provider.aclose()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quantisation", choices=("F32", "F16", "Q8_0", "Q4_0"), default="Q8_0")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        write_large_model(path, chosen.quantisation)
        asyncio.run(compare(path, chosen.rounds, chosen.tokens, chosen.threads))


if __name__ == "__main__":
    main()

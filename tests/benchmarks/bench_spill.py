"""The next turn of a long conversation after a restart: what was read comes back from disk, against reading it again.

    python -m tests.benchmarks.bench_spill [--rounds N] [--threads N]

Turn 6 of about 2,000 tokens on a model of 134 M random weights. Times are those to the first token, load apart. "warm"
is the same turn without a restart. The files were just written, so the system has them in memory: a slow disk adds
what reading 74 MB takes there.
"""

import argparse
import asyncio
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from codette_desktop.domain.answers import AnswerEnd
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import EngineSettings
from codette_desktop.inference.llama.kv_folder import KvFolder
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.models.identity import file_hash, info_from_header
from tests.benchmarks.bench_batch import CONVERSATION_TOKENS, TURNS, WORDS, answer
from tests.support.gguf_files import write_large_model


def turns(number: int) -> list[tuple[Message, ...]]:
    """The messages of each turn; the last asks a short question."""
    words = WORDS * (CONVERSATION_TOKENS // (TURNS - 1) // 17)
    messages: tuple[Message, ...] = ()
    found: list[tuple[Message, ...]] = []
    for turn in range(TURNS):
        messages += (Message(Role.USER, f"{number}-{turn} {words}" if turn < TURNS - 1 else "And why is that so?"),)
        found.append(messages)
        messages += (Message(Role.ASSISTANT, "so it is"),)
    return found


def first_token_ms(end: AnswerEnd) -> float:
    return end.figures.time_to_first_token_ms - end.figures.load_ms


async def compare(path: Path, kept: Path, rounds: int, threads: int) -> None:
    info = replace(info_from_header(path), file_hash=file_hash(path))
    settings = EngineSettings(context_length=4096, threads=threads)

    async def opened(*, on_disk: bool = True) -> LlamaProvider:
        folder = KvFolder(kept) if on_disk else None
        provider = LlamaProvider(lambda _name: info, EventBus(), settings=lambda _info: settings, kv=folder)
        await answer(provider, (Message(Role.USER, "warm up"),), 2)
        return provider

    shares: list[float] = []
    for number in range(rounds):
        asked = turns(number)
        before = await opened()
        for messages in asked[:-1]:
            await answer(before, messages, 8)
        stayed = [await answer(before, messages, 8) for messages in turns(100 + number)][-1]
        await before.aclose()
        after = await opened()
        restored = await answer(after, asked[-1], 8)
        await after.aclose()
        cold = await opened(on_disk=False)
        again = await answer(cold, asked[-1], 8)
        await cold.aclose()
        shares.append(first_token_ms(restored) / first_token_ms(again))
        print(
            f"round {number + 1}: {restored.figures.prompt_tokens} tokens; after a restart "
            f"{restored.figures.reused_tokens} from disk, first token after {first_token_ms(restored):.0f} ms; cold "
            f"{first_token_ms(again):.0f} ms; warm {first_token_ms(stayed):.0f} ms"
        )
    print(f"turn {TURNS} after a restart: {100 * statistics.median(shares):.1f} % of cold")
    print(f"{KvFolder(kept).usage().size_bytes / 1e6:.0f} MB on disk")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        write_large_model(path)
        asyncio.run(compare(path, Path(folder) / "kv", chosen.rounds, chosen.threads))


if __name__ == "__main__":
    main()

"""Five personas on one model together against one after the other.

    python -m tests.benchmarks.bench_personas [--rounds N] [--tokens N] [--threads N] [--quantisation Q4_0]

One process, one model (134 M random weights), both ways in turns; the ratio of wall times is the median over rounds.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from codette_desktop.application import Application
from codette_desktop.domain.answers import AnswerEnd
from codette_desktop.domain.ensembles import EnsembleRequest, Member, MemberPart
from codette_desktop.domain.messages import Message, Role
from tests.support.gguf_files import Quantisation, write_large_model

GOAL = 0.5


def personas(application: Application, tokens: int) -> tuple[Member, ...]:
    roles = [role for role in application.roles.all() if application.roles.is_shipped(role)]
    specs = [f"model#{role.name}" for role in roles[:5]]
    return application.members.read_all(specs, sampling={"temperature": 0.0, "max_tokens": tokens})


async def seconds(application: Application, members: tuple[Member, ...], turn: int, *, together: bool) -> float:
    """Wall time of all five; every question is another, so that nothing but the persona's prompt was read before."""
    started = time.perf_counter()
    ended = 0
    for group in [members] if together else [(member,) for member in members]:
        question = (Message(Role.USER, f"Question {turn}: what is next?"),)
        async for part in application.ensembles.start(EnsembleRequest(question, group, fresh=True)).parts():
            ended += isinstance(part, MemberPart) and isinstance(part.part, AnswerEnd)
    assert ended == len(members)
    return time.perf_counter() - started


async def compare(home: Path, rounds: int, tokens: int, threads: int, quantisation: Quantisation) -> None:
    (home / "models").mkdir()
    write_large_model(home / "models" / "model.gguf", quantisation)
    application = Application.open(home)
    await asyncio.wrap_future(application.store.settings.set("engine", {"threads": threads}))
    members = personas(application, tokens)
    await seconds(application, members, -1, together=True)
    ratios: list[float] = []
    for turn in range(rounds):
        alone = await seconds(application, members, 2 * turn, together=False)
        both = await seconds(application, members, 2 * turn + 1, together=True)
        ratios.append(both / alone)
        print(f"round {turn + 1}: one after the other {alone:.2f} s, together {both:.2f} s, {ratios[-1]:.2f}")
    print(f"{len(members)} personas together: {statistics.median(ratios):.2f} of the time (goal: at most {GOAL})")
    await application.aclose()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quantisation", choices=("F32", "F16", "Q8_0", "Q4_0"), default="Q8_0")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare(Path(folder), chosen.rounds, chosen.tokens, chosen.threads, chosen.quantisation))


if __name__ == "__main__":
    main()

"""Measures a starter model through the application's own engine: held-out wordings, off-topic questions, exact tasks.

An answer to a held-out wording is right when, of all answers in the corpus, it resembles that topic's most, and shares
at least 80 % of its words with it (F1 over words). A refusal is right by the same rule. A task is right when its key
(number, yes or no, letter) is.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tasks
from corpus import REFUSAL, read_lines, read_topics

from codette_desktop.domain.answers import TextChunk
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import ChatRequest, Sampling
from codette_desktop.inference.provider import Provider

CLOSE_ENOUGH = 0.8
TASKS = 300


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its kind, and what a right answer is: a text of the corpus, or a key for tasks."""

    kind: str
    text: str
    wanted: str


@dataclass(slots=True)
class Measurement:
    """How many of how many were right, by kind, and what was said wrongly."""

    right: Counter[str] = field(default_factory=Counter[str])
    asked: Counter[str] = field(default_factory=Counter[str])
    wrong: list[tuple[Question, str]] = field(default_factory=list[tuple[Question, str]])

    def share(self, kind: str) -> float:
        """Share of right answers from 0 to 1."""
        return self.right[kind] / self.asked[kind] if self.asked[kind] else 0.0


def questions() -> list[Question]:
    """Everything that is measured; nothing of it was trained on."""
    chance = random.Random(2024)
    drawn = [tasks.draw(chance, measuring=True) for _ in range(TASKS)]
    return [
        *(Question("held-out", wording, topic.answer) for topic in read_topics() for wording in topic.held_out),
        *(Question("off-topic", line, REFUSAL) for line in read_lines("offtopic_heldout.txt")),
        *(Question(task.kind, task.question, task.key) for task in drawn),
    ]


async def measure(provider: Provider, model: str, asked: Sequence[Question]) -> Measurement:
    """Ask `model` every question, greedily, and judge the answers."""
    judge = Judge()
    found = Measurement()
    for question in asked:
        request = ChatRequest(model, (Message(Role.USER, question.text),), Sampling(temperature=0.0, max_tokens=160))
        answer = "".join([part.text async for part in provider.stream(request) if isinstance(part, TextChunk)])
        found.asked[question.kind] += 1
        if judge.right(question, answer):
            found.right[question.kind] += 1
        else:
            found.wrong.append((question, answer))
    return found


class Judge:
    """Decides whether an answer is right."""

    def __init__(self) -> None:
        self._known = {answer: _words(answer) for answer in [REFUSAL, *(topic.answer for topic in read_topics())]}

    def right(self, question: Question, answer: str) -> bool:
        """Whether `answer` is what `question` wants."""
        if question.wanted not in self._known:
            return _key(question.kind, answer) == question.wanted
        words = _words(answer)
        best = max(self._known, key=lambda known: _f1(words, self._known[known]))
        return best == question.wanted and _f1(words, self._known[best]) >= CLOSE_ENOUGH


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def _f1(first: Counter[str], second: Counter[str]) -> float:
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 0.0


def _key(kind: str, answer: str) -> str:
    if kind == "arithmetic":
        return (re.findall(r"-?\d+", answer) or [""])[-1]
    if kind == "yes-no":
        return (re.findall(r"[a-z]+", answer.lower()) or [""])[0]
    return answer.strip()[:1]


def card(model: str, path: Path, parameters: int, trained: str, found: Measurement) -> str:
    """The model card: what it is, what it was measured to do, and what it cannot."""
    rows = "\n".join(
        f"| {kind} | {found.asked[kind]} | {100 * found.share(kind):.1f} % |" for kind in sorted(found.asked)
    )
    return f"""# {model}

A very small language model ({parameters / 1e6:.1f} million parameters) that ships with Codette Desktop and explains it
offline. It was trained from nothing on the text in `packaging/starter/corpus`, which was written for it, by
`packaging/starter/train.py` ({trained}). It knows nothing else, has no opinions, and speaks English only.

File: `{path.name}`, {path.stat().st_size / 1e6:.1f} MB. Licence: Apache-2.0.

## Measured

Through the application's own engine, greedily, on questions that were kept out of training
(`packaging/starter/measure.py` says when an answer counts as right).

| questions | asked | right |
|---|---|---|
{rows}

"held-out": wordings never trained on, of topics it was taught. "off-topic": questions it should refuse,
and "right" means it did. The others are exact tasks with numbers, or pairs of formats, it has never seen together.

## What it cannot do

Everything else. It may refuse a question about Codette Desktop that is worded unusually, or answer a neighbouring one.
It does not remember what was said before in a way one could rely on, and follows no instructions.
"""


async def main(folder: Path) -> None:
    """Measure every model in `folder` and print the figures."""
    from codette_desktop.application import Application

    application = Application.open(folder)
    try:
        for model in application.library.list():
            found = await measure(application.provider, model.name, questions())
            print(model.label, {kind: round(found.share(kind), 3) for kind in found.asked})
            for question, answer in found.wrong[:40]:
                print("   ", question.kind, repr(question.text), "->", repr(answer[:60]))
    finally:
        await application.aclose()


if __name__ == "__main__":
    import sys

    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".starter-work/data")))

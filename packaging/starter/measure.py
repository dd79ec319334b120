"""Measures a starter model through the application's own engine: held-out wordings, off-topic questions, exact tasks.

An answer to a held-out wording is right when, of all answers in the corpus, it resembles that topic's most, and shares
at least 80 % of its words with it (F1 over words). A refusal is right by the same rule. A task is right when its key
(number, yes or no, letter) is.
"""

import argparse
import asyncio
import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tasks
from corpus import REFUSAL, read_lines, read_topics

from codette_desktop.application import Application
from codette_desktop.domain.answers import TextChunk
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import ModelInfo
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
    return (re.findall(r"\b([A-C])\)", answer) or [""])[-1]


def card(models: Sequence[ModelInfo], found: Mapping[str, Measurement], trained: str) -> str:
    """The model card: what the models are, what they were measured to do, and what they cannot."""
    kinds = sorted({kind for one in found.values() for kind in one.asked})
    head = "| model | parameters | file | " + " | ".join(f"{kind} ({_asked(found, kind)})" for kind in kinds) + " |"
    rows = [
        f"| {model.label} | {model.parameters / 1e6:.1f} M | `{model.path.name}`, {model.size_bytes / 1e6:.1f} MB | "
        + " | ".join(f"{100 * found[model.name].share(kind):.1f} %" for kind in kinds)
        + " |"
        for model in models
    ]
    table = "\n".join([head, "|" + "---|" * (3 + len(kinds)), *rows])
    return CARD.format(table=table, trained=trained)


def _asked(found: Mapping[str, Measurement], kind: str) -> int:
    return max(one.asked[kind] for one in found.values())


CARD = """# The starter models

Two very small language models that ship with Codette Desktop and explain it offline. They were trained from nothing on
the text in `packaging/starter/corpus`, which was written for them, by `packaging/starter/train.py`. They know nothing
else, have no opinions, and speak English only. Licence: Apache-2.0.

{trained}

## Measured

Share of right answers, through the application's own engine, greedily, on questions that were kept out of training;
in brackets how many were asked. `packaging/starter/measure.py` asks them and says when an answer counts as right.

{table}

- **held-out**: wordings never trained on, of topics that were taught.
- **off-topic**: questions about anything else; right means that the model refused.
- **arithmetic**: sums and differences of two numbers below 100 that were trained on in neither order.
- **yes-no**, **choice**: comparisons of numbers or file formats that were not trained on in this order.

## What they cannot do

Everything else. They may refuse a question about Codette Desktop that is worded unusually, or answer a neighbouring
one.
They follow no instructions and do not reliably use what was said before.
"""


async def main(folder: Path, trained: str) -> None:
    """Measure every starter model, print what was wrong, and write the card and the figures beside the models."""
    application = Application.open(folder)
    found: dict[str, Measurement] = {}
    try:
        models = [model for model in application.library.list() if model.starter]
        for model in models:
            found[model.name] = one = await measure(application.provider, model.name, questions())
            print(model.label, {kind: round(one.share(kind), 3) for kind in one.asked})
            for question, answer in one.wrong:
                print("   ", question.kind, repr(question.text), "->", repr(answer[:60]))
    finally:
        await application.aclose()
    beside = models[0].path.parent
    (beside / "README.md").write_text(card(models, found, trained), encoding="utf-8")
    shares = {name: {kind: round(one.share(kind), 4) for kind in one.asked} for name, one in found.items()}
    (beside / "measured.json").write_text(json.dumps(shares, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the starter models and write their card.")
    parser.add_argument("--trained", default="", help="a sentence about how they were trained, for the card")
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(main(Path(home), parser.parse_args().trained))

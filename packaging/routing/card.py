"""The card of the task classifier: what it is, and how often it was right on prompts it was not made from."""

import json
import math
from pathlib import Path

from codette_desktop.domain.tasks import TaskType
from codette_desktop.inference.routing.classify import Classifier

_TEXT = """# The task classifier

`weights.json` tells from a prompt which of eight kinds of work it asks for. It is a linear model over words, parts of
words, families of words (in English, German, Spanish and French) and the structure of the text, made by
`packaging/routing/train.py` from {training} prompts written for it (`packaging/routing/prompts_train.jsonl`).
Licence: Apache-2.0.

## Measured

On {count} other prompts (`packaging/routing/prompts_held_out.jsonl`), set aside before the first weight was made and
never used to choose one: **{accuracy:.1%} right** (95 % interval {low:.1%} to {high:.1%}, Wilson).

- English: {english:.1%} of {english_count}; German, Spanish and French: {other:.1%} of {other_count}.
- Where its confidence is 0.5 or more: {sure:.1%} of {sure_count}; elsewhere: {unsure:.1%} of {unsure_count}.
- Mean confidence: {confidence:.2f}.

Rows: what was meant. Columns: what was found.

{table}

## What it cannot do

Both sets, and the word families too, come from the same authors: expect fewer right answers on prompts of other people.
Every prompt has one label, though some ask for two things. Text in other languages than the four is recognised by code,
error messages and loan words alone, and else called general with a low confidence.
"""


def write(folder: Path, held_out: list[tuple[str, str, str]], training: int) -> str:
    """Measure the weights in `folder`, write README.md and measured.json there, and give the card's text."""
    classifier = Classifier.load(folder / "weights.json")
    found = [(label, classifier.classify(text), language == "en") for label, language, text in held_out]
    right = [(label == result.type, result.confidence, english) for label, result, english in found]
    counts = {(row, column): 0 for row in TaskType for column in TaskType}
    for label, result, _ in found:
        counts[TaskType(label), result.type] += 1
    count, hits = len(right), sum(hit for hit, _, _ in right)
    low, high = _wilson(hits, count)
    groups = {
        "english": [hit for hit, _, english in right if english],
        "other": [hit for hit, _, english in right if not english],
        "sure": [hit for hit, confidence, _ in right if confidence >= 0.5],
        "unsure": [hit for hit, confidence, _ in right if confidence < 0.5],
    }
    text = _TEXT.format(
        training=training,
        count=count,
        accuracy=hits / count,
        low=low,
        high=high,
        confidence=sum(confidence for _, confidence, _ in right) / count,
        table=_table(counts),
        **{name: sum(hits) / max(1, len(hits)) for name, hits in groups.items()},
        **{f"{name}_count": len(hits) for name, hits in groups.items()},
    )
    (folder / "README.md").write_text(text, encoding="utf-8", newline="\n")
    measured = {"held_out_accuracy": round(hits / count, 4), "held_out_prompts": count, "training_prompts": training}
    (folder / "measured.json").write_text(json.dumps(measured) + "\n", encoding="utf-8", newline="\n")
    return text


def _table(counts: dict[tuple[TaskType, TaskType], int]) -> str:
    lines = ["| | " + " | ".join(TaskType) + " |", "|---" * (len(TaskType) + 1) + "|"]
    lines += [f"| {row} | " + " | ".join(str(counts[row, column]) for column in TaskType) + " |" for row in TaskType]
    return "\n".join(lines)


def _wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z, share = 1.96, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return middle - half, middle + half

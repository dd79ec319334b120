"""Writes the suites that come with the application from what is held out of the starter models' training."""

import json
import random
from collections.abc import Iterable
from pathlib import Path

import tasks
from corpus import REFUSAL, read_lines, read_topics

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "suites"
QUESTIONS = 240


def main() -> None:
    """Write all three; equal text each time."""
    chance = random.Random(7)
    topics = [(wording, topic.answer) for topic in read_topics() for wording in topic.held_out]
    refused = [(line, REFUSAL) for line in read_lines("offtopic_heldout.txt")]
    chosen = chance.sample(topics, QUESTIONS - len(refused)) + refused
    chance.shuffle(chosen)
    _write(
        "guide",
        "The application explained",
        "Questions about Codette Desktop and local models in wordings no starter model was trained on, and questions "
        "about other things, which a starter model should refuse.",
        [{"prompt": prompt, "reference": answer, "scorer": "similar"} for prompt, answer in chosen],
    )
    drawn = _drawn(chance)
    _write(
        "arithmetic",
        "Arithmetic",
        "Sums and differences of numbers below 100.",
        [{"prompt": task.question, "reference": task.key, "scorer": "number"} for task in drawn if _is_number(task)],
    )
    _write(
        "choice",
        "Multiple choice",
        "Two to four options, one of which is right.",
        [{"prompt": task.question, "reference": task.key, "scorer": "choice"} for task in drawn if _is_choice(task)],
    )


def _drawn(chance: random.Random) -> list[tasks.Task]:
    """Different questions, in the order they were drawn."""
    found = {task.question: task for task in (tasks.draw(chance, measuring=True) for _ in range(40 * QUESTIONS))}
    return list(found.values())


def _is_number(task: tasks.Task) -> bool:
    return task.key.lstrip("-").isdigit()


def _is_choice(task: tasks.Task) -> bool:
    return len(task.key) == 1 and task.key.isupper()


def _write(name: str, title: str, description: str, questions: Iterable[dict[str, str]]) -> None:
    lines = [{"suite": title, "description": description}, *list(questions)[:QUESTIONS]]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

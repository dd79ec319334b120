"""Reads the corpus: topics with their wordings, off-topic questions, and templates that make more of those."""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"

REFUSAL = (
    "I do not know that. I only know Codette Desktop and how language models run on your own computer. "
    "For anything else, open **Models** and get a bigger model: it shows which ones fit this machine."
)


@dataclass(slots=True)
class Topic:
    """One thing the starter models can explain. `held_out` wordings are never trained on."""

    id: str
    answer: str = ""
    wordings: list[str] = field(default_factory=list)
    held_out: list[str] = field(default_factory=list)


def read_topics(folder: Path = CORPUS) -> list[Topic]:
    """All topics of all corpus files, in order of file name. Raises ValueError where a topic is incomplete."""
    topics = [topic for path in sorted(folder.glob("*.md")) for topic in _parse(path.read_text(encoding="utf-8"))]
    if len({topic.id for topic in topics}) != len(topics):
        raise ValueError("two topics have the same id")
    return topics


def _parse(text: str) -> list[Topic]:
    topics: list[Topic] = []
    for line in text.splitlines():
        marker, body = line[:3], line[3:].strip()
        if marker == "## ":
            topics.append(Topic(body))
        elif marker == "A: ":
            topics[-1].answer = body
        elif marker == "Q: ":
            topics[-1].wordings.append(body)
        elif marker == "H: ":
            topics[-1].held_out.append(body)
        elif line.strip():
            topics[-1].answer += "\n" + line.strip()
    for topic in topics:
        if not topic.answer or len(topic.wordings) < 12 or not topic.held_out:
            raise ValueError(f"topic {topic.id} lacks an answer, twelve wordings or a held-out wording")
    return topics


def read_lines(name: str) -> list[str]:
    """The lines of a corpus file that are not empty."""
    return [line.strip() for line in (CORPUS / name).read_text(encoding="utf-8").splitlines() if line.strip()]


class OffTopicTemplates:
    """Makes off-topic questions from templates with slots: "how do I repair my {object}"."""

    def __init__(self) -> None:
        self.templates: list[str] = []
        self.words: dict[str, list[str]] = {}
        for line in read_lines("offtopic_templates.txt"):
            if line.startswith("T: "):
                self.templates.append(line[3:])
            else:
                head, _, body = line.partition(":")
                self.words[head.removeprefix("W ").strip()] = [word.strip() for word in body.split("|")]

    def draw(self, chance: random.Random) -> str:
        """One question with every slot filled."""
        template = chance.choice(self.templates)
        return re.sub(r"\{([^{}]+)\}", lambda slot: chance.choice(self.words[slot[1]]), template)

"""Suites of questions with known answers, as JSON lines: a question, its reference, and how answers are scored.

    {"suite": "Arithmetic", "description": "Sums below 100"}      (the first line, where it has no prompt)
    {"prompt": "What is 2 + 2?", "reference": "4", "scorer": "number"}
    {"prompt": "...", "reference": "B", "scorer": "choice", "options": ["Q4_0", "Q8_0"], "system": "..."}

`reference` may be a list: the best of its scores counts. Blank lines and lines that begin with # are skipped.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.evaluation.scorers import SCORERS
from codette_desktop.paths import resource

MOST_BYTES = 64 * 2**20
_FIELDS = {"prompt", "reference", "scorer", "options", "system", "id"}


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `references` are right answers, any of them; `scorer` names how an answer is compared to them."""

    prompt: str
    references: tuple[str, ...]
    scorer: str
    options: tuple[str, ...] = ()
    system: str = ""

    def score(self, answer: str) -> float:
        """0 (wrong) to 1 (right), by the best of the references."""
        scorer = SCORERS[self.scorer]
        return max(scorer(answer, reference, self.options) for reference in self.references)


@dataclass(frozen=True, slots=True)
class Suite:
    """A named list of questions."""

    name: str
    questions: tuple[Question, ...]
    description: str = ""
    path: Path | None = field(default=None, compare=False)


def load_suite(path: Path) -> Suite:
    """Read a file of JSON lines. Raises InvalidRequest, naming the line, for anything else."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InvalidRequest(f"{path.name} is larger than {MOST_BYTES >> 20} MB.", "Split it into several suites.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise InvalidRequest(f"{path.name} is not UTF-8 text.", "Save it as UTF-8.") from None
    head: Mapping[str, Any] = {}
    questions: list[Question] = []
    for number, item in _objects(text, path.name):
        if "suite" in item and "prompt" not in item and not questions:
            head = item
        else:
            questions.append(_question(item, f"{path.name}, line {number}"))
    if not questions:
        raise InvalidRequest(f"{path.name} holds no question.", 'Each line is {"prompt": ..., "reference": ...}.')
    return Suite(str(head.get("suite") or path.stem), tuple(questions), str(head.get("description") or ""), path)


def shipped_suites() -> list[Path]:
    """The suites that come with the application."""
    return sorted(resource("suites").glob("*.jsonl"))


def find_suite(name_or_path: str) -> Path:
    """A shipped suite by its file's name without ending, or any file. Raises InvalidRequest."""
    shipped = {path.stem: path for path in shipped_suites()}
    if name_or_path in shipped:
        return shipped[name_or_path]
    path = Path(name_or_path).expanduser()
    if not path.is_file():
        raise InvalidRequest(
            f"There is no suite '{name_or_path}'.", f"Give a file of JSON lines, or one of: {', '.join(shipped)}."
        )
    return path


def _objects(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            item: object = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(f"{name}, line {number} is not JSON: {error}.") from None
        if not isinstance(item, dict):
            raise InvalidRequest(f"{name}, line {number} is no JSON object.")
        yield number, cast("Mapping[str, Any]", item)


def _question(item: Mapping[str, Any], where: str) -> Question:
    if unknown := set(item) - _FIELDS:
        raise InvalidRequest(f"{where}: '{min(unknown)}' is not known here.", f"Known: {_known(_FIELDS)}.")
    prompt, references = item.get("prompt"), item.get("reference")
    if not isinstance(prompt, str) or not prompt.strip():
        raise InvalidRequest(f"{where} has no prompt.")
    listed = _texts(references)
    if not listed:
        raise InvalidRequest(f"{where} has no reference.", "Give the right answer as text, or a list of right answers.")
    scorer = item.get("scorer", "normalised")
    if scorer not in SCORERS:
        raise InvalidRequest(f"{where}: there is no scorer '{scorer}'.", f"There are: {_known(SCORERS)}.")
    options = _texts(item.get("options") or [])
    return Question(prompt, listed, scorer, options, str(item.get("system") or ""))


def _texts(value: object) -> tuple[str, ...]:
    """The texts of a list, or one alone; what is no text as JSON says it. () for nothing."""
    if value is None:
        return ()
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    return tuple(item if isinstance(item, str) else json.dumps(item) for item in items)


def _known(names: Sequence[str] | Mapping[str, object] | set[str]) -> str:
    return ", ".join(sorted(names))

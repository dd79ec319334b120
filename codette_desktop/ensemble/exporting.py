"""Comparisons as a table: one row a prompt, the columns of each member beside each other."""

import csv
import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from codette_desktop.domain.comparisons import TOGETHER, OpenedComparison
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.ensembles import Method, Outcome
from codette_desktop.domain.errors import InvalidRequest

ENDINGS = (".csv", ".jsonl", ".ndjson")
_FIGURES = ("completion_tokens", "tokens_per_second", "time_to_first_token_ms", "total_ms")
_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r")


def export(path: Path, comparisons: Iterable[OpenedComparison]) -> int:
    """Write them as .csv (one table; all must have the same members) or .jsonl; gives how many.

    Raises InvalidRequest where the file cannot be written or the members differ. In CSV a text that
    a spreadsheet would take for a formula gets an apostrophe before it. A file that is there is replaced when all has
    been written, and not before.
    """
    records = (record(item) for item in comparisons)
    try:
        with _replacing(path) as part:
            if path.suffix.lower() in (".jsonl", ".ndjson"):
                return _write_jsonl(part, records)
            return _write_csv(part, records)
    except OSError as error:
        raise InvalidRequest(
            f"{path} cannot be written: {error.strerror or error}.", "Choose another folder."
        ) from None


@contextmanager
def _replacing(path: Path) -> Generator[Path]:
    """A file beside `path` that takes its place at the end; it goes where that fails."""
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def record(item: OpenedComparison) -> dict[str, Any]:
    """One comparison as JSON can say it."""
    comparison, outcome = item.comparison, item.comparison.outcome
    members = [
        {"member": member.spec, "label": member.label, **_answer(node, outcome)}
        for member, node in zip(comparison.setup.members, item.answers, strict=True)
    ]
    found: dict[str, Any] = {
        "id": comparison.id,
        "prompt": item.question.message.content,
        "asked_at": comparison.created_at.isoformat(timespec="seconds"),
        "members": members,
        "method": comparison.setup.method.value,
    }
    if outcome is not None:
        found |= {
            "answer": outcome.text,
            "used": outcome.used.value,
            "winner": None if outcome.winner is None else comparison.setup.members[outcome.winner].label,
            "agreement": round(outcome.agreement, 4),
            "quality": round(outcome.quality, 4),
            "disagree": outcome.disagree,
            "reasons": list(outcome.reasons),
        }
    if comparison.chosen is not None:
        together = comparison.chosen == TOGETHER
        found["chosen"] = "together" if together else comparison.setup.members[comparison.chosen].label
    return found


def _answer(node: Node | None, outcome: Outcome | None) -> dict[str, Any]:
    generation = node.generation if node else None
    if node is None or generation is None:
        if outcome is not None and outcome.used is Method.TOKEN:
            return {"answer": "", "error": ""}  # it wrote with the others
        return {"answer": "", "error": "It was not asked."}
    figures = (
        {name: round(getattr(generation.figures, name, 0.0), 2) for name in _FIGURES} if generation.figures else {}
    )
    return {
        "answer": node.message.content,
        "error": generation.error,
        "finish_reason": generation.reason.value if generation.reason else "",
        **figures,
        "seed": generation.seed,
        "model": generation.model,
        "model_hash": generation.model_hash,
    }


def _write_jsonl(path: Path, records: Iterable[dict[str, Any]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for item in records:
            file.write(json.dumps(item, ensure_ascii=False) + "\n")
            count += 1
    return count


def _write_csv(path: Path, records: Iterable[dict[str, Any]]) -> int:
    count, heads = 0, list[str]()
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        for item in records:
            cells = list(_cells(item))
            if not count:
                heads = [name for name, _value in cells]
                writer.writerow([_safe(name) for name in heads])
            if [name for name, _value in cells] != heads:
                raise InvalidRequest(
                    "They have different members or methods, and a table has the same columns throughout.",
                    "Export them as .jsonl, or one batch at a time.",
                )
            writer.writerow([_safe(value) for _name, value in cells])
            count += 1
    return count


def _cells(item: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "prompt", item["prompt"]
    for member in item["members"]:
        for key in ("answer", "error", *_FIGURES):
            yield f"{member['label']}: {key.replace('_', ' ')}", member.get(key, "")
    if item["method"] != "none":
        for key in ("answer", "used", "winner", "agreement", "quality"):
            yield f"together: {key}", item.get(key, "")
        yield "together: reasons", " ".join(item.get("reasons", []))


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_SPREADSHEET) else value

"""What `evaluate --methods` reads and prints: the table of members and methods, the gains, and what to use."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from codette_desktop.domain.ensembles import Method
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.evaluation.comparison import FEWEST, Interval
from codette_desktop.evaluation.gains import Gain, Measured
from codette_desktop.proof.service import MEASURED_METHODS, Measurement

SAMPLING = {"temperature": 0.0, "max_tokens": 256}  # unless a member says otherwise


def read_methods(text: str) -> list[Method]:
    """Names with commas between, or "all". Raises InvalidRequest."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if names == ["all"]:
        return list(MEASURED_METHODS)
    known = {method.value: method for method in MEASURED_METHODS}
    for name in names:
        if name not in known:
            raise InvalidRequest(f"There is no method '{name}' to measure.", f"There are: all, {', '.join(known)}.")
    if not names:
        raise InvalidRequest("No method is named.", f"There are: all, {', '.join(known)}.")
    return list(dict.fromkeys(known[name] for name in names))


def proof_fields(measured: Measurement) -> dict[str, Any]:
    """Plain values for JSON. Shares and scores from 0 to 1, times in seconds."""
    proof = measured.proof
    return {
        "suite": proof.suite,
        "questions": proof.questions,
        "members": [_measured(item) | {"failed": measured.errors.get(item.name, 0)} for item in proof.members],
        "methods": [_measured(item) for item in proof.methods],
        "best_member": proof.best.name,
        "gains": [
            {
                "method": gain.name,
                "difference": _interval(gain.difference),
                "error_avoided": _interval(gain.error_avoided),
                "excludes_zero": gain.settled,
                "times_the_seconds": round(gain.times, 2),
                "more_memory_bytes": gain.more_memory_bytes,
            }
            for gain in proof.gains
        ],
        "recommended": proof.chosen,
        "reasons": list(proof.reasons),
    }


def _measured(item: Measured) -> dict[str, Any]:
    return {
        "name": item.name,
        "score": _interval(item.mean),
        "seconds": round(item.seconds, 3),
        "memory_bytes": item.memory_bytes,
        "calls": item.calls,
    }


def _interval(found: Interval) -> dict[str, float]:
    return {"value": round(found.value, 4), "low": round(found.low, 4), "high": round(found.high, 4)}


def proof_text(measured: Measurement) -> str:
    """A table for a terminal, then what to use and why."""
    proof = measured.proof
    gains = {gain.name: gain for gain in proof.gains}
    lines = [f"{proof.suite}: {proof.questions} questions", ""]
    head = f"{'':36} {'score':>7}  {'95 % interval':>15}  {'error avoided':>13} {'95 % interval':>17} {'seconds':>8}"
    lines.append(f"{head} {'times':>6} {'memory':>8}")
    for item in proof.members:
        mark = "  the best member" if item is proof.best else ""
        lines.append(f"{_row(item)}{'':33}{_cost(item, proof.best)}{mark}")
    lines += [
        f"{_row(item)}{_gain(gains[item.name], proof.questions)}{_cost(item, proof.best)}" for item in proof.methods
    ]
    failed = [f"{name}: {count}" for name, count in measured.errors.items() if count]
    if failed:
        lines += ["", f"Questions without an answer, which count as wrong: {', '.join(failed)}."]
    return "\n".join([*lines, "", f"Use {proof.chosen}.", *proof.reasons])


def _row(item: Measured) -> str:
    mean = item.mean
    return f"{item.name[:36]:36} {100 * mean.value:5.1f} %  {100 * mean.low:5.1f} to {100 * mean.high:5.1f} "


def _gain(gain: Gain, questions: int) -> str:
    if questions < FEWEST:
        return f"  {'too few questions':31}"
    found = gain.error_avoided
    return f"  {100 * found.value:11.1f} %  {f'{100 * found.low:.1f} to {100 * found.high:.1f}':>16} "


def _cost(item: Measured, best: Measured) -> str:
    times = item.seconds / best.seconds if best.seconds else 1.0
    return f"{item.seconds:8.1f} {times:6.1f} {item.memory_bytes / 1e9:5.2f} GB"


def answer_lines(measured: Measurement) -> Iterator[Mapping[str, Any]]:
    """One for each answer of each member and method."""
    proof = measured.proof
    for item in (*proof.members, *proof.methods):
        texts = measured.answers[item.name]
        for question, text, score in zip(measured.suite.questions, texts, item.scores, strict=True):
            yield {
                "answered_by": item.name,
                "prompt": question.prompt,
                "reference": list(question.references),
                "answer": text,
                "score": score,
            }


def write_lines(path: Path, lines: Sequence[Mapping[str, Any]] | Iterator[Mapping[str, Any]]) -> None:
    """JSON lines. Raises InvalidRequest where the file cannot be written."""
    try:
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be written: {error.strerror or error}.") from None

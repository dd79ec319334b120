"""Prompts for a batch: pasted, or from a CSV or JSONL file. Mistakes name their line."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from codette_desktop.domain.errors import InvalidRequest

MOST_PROMPTS = 100_000
MOST_BYTES = 64 * 2**20
LONGEST_PROMPT = 1_000_000  # characters
COLUMNS = ("prompt", "question", "input", "text", "instruction")


@dataclass(frozen=True, slots=True)
class Prompts:
    """`empty` counts the rows that were left out because they hold no text."""

    prompts: tuple[str, ...]
    empty: int = 0
    column: str = ""


def from_text(text: str, *, blocks: bool = False) -> Prompts:
    """One prompt a line; with `blocks`, one a block of lines with empty lines between. Raises InvalidRequest."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not blocks:
        return _checked(lines, empty_counts=False)
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return _checked(["\n".join(block) for block in found], empty_counts=False)


def from_file(path: Path, column: str = "") -> Prompts:
    """By its ending: .csv and .tsv, .jsonl and .ndjson, else one prompt a line. Raises InvalidRequest.

    `column` names the one that holds the prompts; without it, it is found by its name, or is the only one.
    """
    text = _read(path)
    ending = path.suffix.lower()
    if ending in (".csv", ".tsv"):
        return from_csv(text, path.name, column, tab=ending == ".tsv")
    if ending in (".jsonl", ".ndjson"):
        return from_jsonl(text, path.name, column)
    return from_text(text)


def from_csv(text: str, name: str = "the table", column: str = "", *, tab: bool = False) -> Prompts:
    """A table whose first row names the columns; of one column without a known name, the first row is a prompt too."""
    csv.field_size_limit(LONGEST_PROMPT * 4)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if tab else _delimiter(text), strict=True)
    rows: list[tuple[int, list[str]]] = []  # with the line each begins on
    try:
        first = 1
        for row in reader:
            if row:
                rows.append((first, row))
            first = reader.line_num + 1
    except csv.Error as error:
        raise InvalidRequest(f"{name}, line {reader.line_num} is no CSV: {error}.", "Check its quotes.") from None
    if not rows:
        raise InvalidRequest(f"{name} is empty.", "Give it a column named prompt.")
    heads = [head.strip() for head in rows[0][1]]
    place, has_head = _column(heads, column, name)
    chosen = rows[1:] if has_head else rows
    for line, row in chosen:
        if len(row) <= place:
            raise InvalidRequest(f"{name}, line {line} has no column '{heads[place]}'.", "Add what is missing there.")
    return _checked([row[place] for _line, row in chosen], column=heads[place] if has_head else "")


def from_jsonl(text: str, name: str = "the file", column: str = "") -> Prompts:
    """A JSON object a line, with the prompt under one of the known names, or a JSON text a line."""
    found: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):  # not splitlines: JSON may hold U+2028 and its like as they are
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            item: object = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = f"{error.msg} at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else str(error)
            raise InvalidRequest(
                f"{name}, line {number} is not JSON: {why}.", "Write one JSON object a line."
            ) from None
        if isinstance(item, dict) and "suite" in item and "prompt" not in item:
            continue  # the head of a suite
        found.append(_prompt(cast("object", item), f"{name}, line {number}", column))
    return _checked(found)


def _prompt(item: object, where: str, column: str) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        values = cast("dict[str, Any]", item)
        for key in (column,) if column else COLUMNS:
            if isinstance(values.get(key), str):
                return values[key]
    raise InvalidRequest(f"{where} has no prompt.", 'Each line is {"prompt": "..."}.')


def _column(heads: Sequence[str], column: str, name: str) -> tuple[int, bool]:
    lowered = [head.casefold() for head in heads]
    if column:
        wanted = column.strip().casefold()
        if wanted not in lowered:
            raise InvalidRequest(f"{name} has no column '{column}'.", f"It has: {', '.join(heads)}.")
        return lowered.index(wanted), True
    for known in COLUMNS:
        if known in lowered:
            return lowered.index(known), True
    if len(heads) == 1:
        return 0, False
    raise InvalidRequest(
        f"None of the columns of {name} is called prompt.", f"Name one of them prompt; it has: {', '.join(heads)}."
    )


def _delimiter(text: str) -> str:
    """Spreadsheets of half the world write semicolons. What stands in quotes does not count."""
    first = "".join(text.split("\n", 1)[0].split('"')[::2])
    return ";" if first.count(";") > first.count(",") else ","


def _checked(prompts: Iterable[str], *, column: str = "", empty_counts: bool = True) -> Prompts:
    everything = [prompt.strip() for prompt in prompts]
    found = [prompt for prompt in everything if prompt]
    if not found:
        raise InvalidRequest("There is no prompt in it.", "Write one prompt a line, or give a column named prompt.")
    if len(found) > MOST_PROMPTS:
        raise InvalidRequest(f"{len(found):,} prompts are too many.", f"At most {MOST_PROMPTS:,} go into one batch.")
    longest = max(map(len, found))
    if longest > LONGEST_PROMPT:
        raise InvalidRequest(f"A prompt of {longest:,} characters is too long.", f"At most {LONGEST_PROMPT:,}.")
    return Prompts(tuple(found), len(everything) - len(found) if empty_counts else 0, column)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)  # not by its size: a pipe has none
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror or error}.") from None
    if len(data) > MOST_BYTES:
        raise InvalidRequest(f"{path.name} is larger than {MOST_BYTES >> 20} MB.", "Split it into several files.")
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{path.name} is not UTF-8 text.", "Save it as UTF-8 (in Excel: CSV UTF-8).") from None

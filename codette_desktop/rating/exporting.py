"""Votes as a table for statistics, and as lines of JSON for tuning."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from codette_desktop.domain.votes import Vote, VoteFilter
from codette_desktop.files import replacing
from codette_desktop.rating import columns, preferences
from codette_desktop.rating.preferences import Unusable
from codette_desktop.store import Store
from codette_desktop.store.vote_texts import VoteTexts


class Format(StrEnum):
    """What is written."""

    CSV = "csv"  # arena-rank's columns, for statistics
    DPO = "dpo"  # preference pairs
    KTO = "kto"  # answers labelled good or bad
    SFT = "sft"  # corrections


Rows = Callable[[Vote, VoteTexts], list[dict[str, Any]]]
_ROWS: dict[Format, Rows] = {
    Format.DPO: preferences.dpo_rows,
    Format.KTO: preferences.kto_rows,
    Format.SFT: preferences.sft_rows,
}
_NO_TEXTS = VoteTexts((), None, None)


@dataclass(frozen=True, slots=True)
class Usable:
    """How many rows each kind of tuning would have of some votes, and why no pair for DPO follows from the others."""

    votes: int
    dpo: int
    kto: int
    sft: int
    unusable: tuple[tuple[Unusable, int], ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """How many rows were written, and of how many votes that were meant no row follows."""

    rows: int
    left_out: int


def export(store: Store, path: Path, kind: Format, wanted: VoteFilter, *, everything: bool = False) -> Exported:
    """Write votes to `path`, which is replaced when all has been written; raises InvalidRequest, StoreError.

    A table has the votes that count (see `Vote.counts`), or with `everything` all between two answers, each with the
    reason why it does not. For tuning, the names may have been in sight: it has whatever was not taken back.
    """
    with replacing(path) as part:
        if kind is Format.CSV:
            return _write_table(store, part, wanted if everything else replace(wanted, blind=True))
        return _write_lines(store, part, _ROWS[kind], wanted)


def usable(store: Store, wanted: VoteFilter) -> Usable:
    """What could be had of votes for tuning. Reads the texts of all of them: not for the thread of a window."""
    votes, rows, why = 0, Counter[Format](), Counter[Unusable]()
    for vote, texts in _with_texts(store, wanted):
        votes += 1
        for kind, rows_of in _ROWS.items():
            rows[kind] += len(rows_of(vote, texts))
        reason = preferences.pairs(vote, texts).why
        why.update([reason] if reason else [])
    reasons = tuple((item, why[item]) for item in Unusable if why[item])
    return Usable(votes, rows[Format.DPO], rows[Format.KTO], rows[Format.SFT], reasons)


def _write_table(store: Store, path: Path, wanted: VoteFilter) -> Exported:
    names = columns.names_of(store.contestants.all())
    rows = left_out = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.COLUMNS)
        for vote in store.votes.each(wanted):
            if vote.right is None:
                left_out += 1
                continue
            writer.writerow(columns.cells(vote, names))
            rows += 1
    return Exported(rows, left_out)


def _write_lines(store: Store, path: Path, rows_of: Rows, wanted: VoteFilter) -> Exported:
    rows = left_out = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for vote, texts in _with_texts(store, wanted):
            found = rows_of(vote, texts)
            left_out += not found
            rows += len(found)
            file.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in found)
    return Exported(rows, left_out)


def _with_texts(store: Store, wanted: VoteFilter) -> Iterator[tuple[Vote, VoteTexts]]:
    for vote in store.votes.each(wanted):
        kept = vote.left.node_id or (vote.right is not None and vote.right.node_id)
        yield vote, store.votes.texts(vote) if kept else _NO_TEXTS

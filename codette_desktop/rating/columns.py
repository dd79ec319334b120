"""The columns of a table of votes: those of arena-rank first, then what else is known, all of it by hashes.

`model_a` is who stood on the left. arena-rank (lmarena, "arena-rank" 0.1) reads the first three and leaves the others.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from codette_desktop.domain.votes import Contestant, GivenAnswer, Preference, Vote
from codette_desktop.rating.files import guarded

REQUIRED = ("model_a", "model_b", "winner")
WINNERS = {
    Preference.LEFT: "model_a",
    Preference.RIGHT: "model_b",
    Preference.TIE: "tie",
    Preference.BOTH_BAD: "both_bad",
}
STYLE = ("characters", "tokens", "headers", "list_items", "bold")
_OF_SIDE = ("answer_hash", "seed", "engine_build", "device", *STYLE)
COLUMNS = (
    *REQUIRED, "cast_at", "prompt_hash", "task", "source", "exclusion", "taken_back_at", "experiment", "seconds",
    "seed", "swapped", "tags", "leaks", "model_a_hash", "model_b_hash",
    *(f"{name}_{side}" for name in _OF_SIDE for side in "ab"),
)  # fmt: skip


def names_of(contestants: Iterable[Contestant]) -> dict[str, str]:
    """What each is called in a table, by key: its label, with the beginning of its key where two share one."""
    known = list(contestants)
    labels = [item.label for item in known]
    return {item.key: f"{item.label} #{item.key[:8]}" if labels.count(item.label) > 1 else item.label for item in known}


def told_apart(contestants: Sequence[Contestant]) -> tuple[Contestant, ...]:
    """The same ones, each with a label of its own: of two called alike, one that is read from a file says so."""
    labels = Counter(item.label for item in contestants)
    here = names_of(item for item in contestants if item.members)
    imported = {item.key: f"{item.label} (imported)" for item in contestants if not item.members}
    names = here | imported
    return tuple(replace(item, label=names[item.key]) if labels[item.label] > 1 else item for item in contestants)


def cells(vote: Vote, names: dict[str, str]) -> list[Any]:
    """One row in the order of COLUMNS; `vote` has two answers."""
    left, right = vote.left, vote.right
    if right is None:
        raise ValueError("a thumb has no place in a table of pairs")
    values: list[Any] = [
        names.get(left.contestant.key, left.contestant.label),
        names.get(right.contestant.key, right.contestant.label),
        WINNERS[vote.preference],
        vote.cast_at.isoformat(timespec="microseconds"),
        vote.prompt_hash,
        vote.task,
        vote.source.value,
        vote.exclusion.value,
        vote.taken_back_at.isoformat(timespec="microseconds") if vote.taken_back_at else "",
        vote.experiment_id,
        vote.seconds,
        vote.seed,
        "true" if vote.swapped else "false",
        _listed(vote.tags),
        _listed(vote.leaks),
        left.contestant.key,
        right.contestant.key,
    ]
    for one, other in zip(_side(left), _side(right), strict=True):
        values += (one, other)
    return [guarded(value) if isinstance(value, str) else value for value in values]


def _side(answer: GivenAnswer) -> list[Any]:
    style = [getattr(answer.style, name) for name in STYLE]
    return [answer.message_hash, answer.seed, answer.engine_build, answer.device, *style]


def _listed(items: tuple[str, ...]) -> str:
    return json.dumps(items, ensure_ascii=False) if items else ""

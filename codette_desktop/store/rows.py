"""Rows to domain objects and back."""

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from sqlite3 import Row
from typing import Any

from codette_desktop.domain.answers import AnswerFigures, ContextUse, FinishReason
from codette_desktop.domain.conversations import Conversation, Generation, Node
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.store.access import time_from_text, time_to_text
from codette_desktop.store.text import clean

TEXT_FIELDS = ("model", "model_label", "model_hash", "quantisation", "engine_build", "device", "error", "note")
FIGURE_FIELDS = (
    "prompt_tokens",
    "completion_tokens",
    "time_to_first_token_ms",
    "tokens_per_second",
    "total_ms",
    "load_ms",
    "reused_tokens",
    "cached",
    "first_written_s",
)
# Column by field: a column named "system" says less than "system_tokens".
USE_FIELDS = {
    "length": "context_length",
    "system": "system_tokens",
    "history": "history_tokens",
    "question": "question_tokens",
    "left_out_messages": "left_out_messages",
    "estimated": "use_estimated",
}
GENERATION_COLUMNS = (
    "id",
    *TEXT_FIELDS,
    "sampling",
    "seed",
    "started_at",
    "reason",
    *FIGURE_FIELDS,
    *USE_FIELDS.values(),
)
CONVERSATION_COLUMNS = (
    "c.id, c.title, c.created_at, c.updated_at, c.leaf_id, c.draft, c.system_prompt, c.model, c.sampling"
)


def conversation(row: Row) -> Conversation:
    """From a row of CONVERSATION_COLUMNS."""
    return Conversation(
        id=row["id"],
        title=row["title"],
        created_at=time_from_text(row["created_at"]),
        updated_at=time_from_text(row["updated_at"]),
        leaf_id=row["leaf_id"],
        draft=row["draft"],
        system_prompt=row["system_prompt"],
        model=row["model"],
        sampling=sampling(row["sampling"]),
    )


def node(row: Row, sibling_ids: tuple[str, ...]) -> Node:
    """From a row of a node, its message, and its generation under the prefix "g_"."""
    return Node(
        id=row["id"],
        conversation_id=row["conversation_id"],
        parent_id=row["parent_id"],
        message=Message(Role(row["role"]), row["content"]),
        created_at=time_from_text(row["created_at"]),
        sibling_ids=sibling_ids,
        generation=generation(row, "g_") if row["g_id"] is not None else None,
    )


def generation(row: Row, prefix: str = "") -> Generation:
    """From a row of GENERATION_COLUMNS, each with `prefix` before its name."""
    values = {name: row[prefix + name] for name in GENERATION_COLUMNS}
    return Generation(
        id=values["id"],
        **{name: values[name] for name in TEXT_FIELDS},
        sampling=sampling(values["sampling"]),
        seed=values["seed"],
        started_at=time_from_text(values["started_at"]),
        reason=FinishReason(values["reason"]) if values["reason"] else None,
        figures=_figures(values),
        use=_use(values),
    )


def generation_values(item: Generation) -> dict[str, Any]:
    """The columns of `item`."""
    return {
        "id": clean(item.id),
        **{name: clean(getattr(item, name)) for name in TEXT_FIELDS},
        "sampling": sampling_text(item.sampling),
        "seed": item.seed,
        "started_at": time_to_text(item.started_at),
        "reason": item.reason.value if item.reason else None,
        **{name: _number(getattr(item.figures, name, None)) for name in FIGURE_FIELDS},
        **{column: getattr(item.use, name, None) for name, column in USE_FIELDS.items()},
    }


@lru_cache(maxsize=1024)  # a list shows the same few parameters hundreds of times
def sampling(text: str) -> Sampling:
    """The parameters kept as `text`."""
    return Sampling.from_mapping(json.loads(text))


def sampling_text(item: Sampling) -> str:
    """Canonical JSON that SQLite can keep."""
    return clean(item.to_json())


def _figures(values: Mapping[str, Any]) -> AnswerFigures | None:
    if values["prompt_tokens"] is None:
        return None
    return AnswerFigures(
        **{name: values[name] for name in FIGURE_FIELDS if name not in ("cached", "first_written_s")},
        cached=bool(values["cached"]),
        first_written_s=values["first_written_s"] or 0.0,  # NULL in rows of versions that had no cache
    )


def _use(values: Mapping[str, Any]) -> ContextUse | None:
    if values["context_length"] is None:
        return None
    numbers = {name: values[column] for name, column in USE_FIELDS.items() if name != "estimated"}
    return ContextUse(**numbers, estimated=bool(values["use_estimated"]))


def _number(value: float | None) -> float | None:
    """SQLite turns NaN into NULL and JSON knows no infinity: a figure that could not be measured is 0."""
    return value if value is None or math.isfinite(value) else 0.0

"""Requests: what is asked of a model, with everything that can change the answer."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.messages import Message
from codette_desktop.domain.request_log import Purpose


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. `temperature` 0 is greedy: always the most probable token.

    `top_k` 0, `top_p` 1, `min_p` 0, `repeat_penalty` 1, `frequency_penalty` 0 and `presence_penalty` 0 switch their
    filter off. `penalty_window` counts the last tokens the penalties look at. `seed` None draws a fresh one, which the
    answer reports. `max_tokens` None lets the answer use all the room the context has. `stop` ends the answer before
    any of its strings. `grammar` is GBNF; `json_schema` is a JSON schema as text; at most one of the two.
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    penalty_window: int = 64
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    grammar: str | None = None
    json_schema: str | None = None

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InvalidRequest(
                    f"{name.replace('_', ' ')} is {value}.", f"It must lie between {low:,} and {high:,}."
                )
        if self.grammar and self.json_schema:
            raise InvalidRequest("A grammar and a JSON schema were both given.", "Remove one of the two.")
        if any(not text for text in self.stop):
            raise InvalidRequest("A stop string is empty.", "Remove the empty line.")

    def with_changes(self, **changes: Any) -> "Sampling":
        """A copy with some fields replaced; raises InvalidRequest where a value is out of range."""
        return replace(self, **changes)

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, so that equal parameters give equal text."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "Sampling":
        """The inverse of `to_json` after parsing; unknown keys, of newer versions, are ignored."""
        known = {item.name for item in fields(cls)}
        chosen = {key: value for key, value in values.items() if key in known}
        if "stop" in chosen:
            chosen["stop"] = tuple(chosen["stop"])
        return cls(**chosen)


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("temperature", 0, 5),
    ("top_k", 0, 1_000_000),
    ("top_p", 0, 1),
    ("min_p", 0, 1),
    ("repeat_penalty", 0.1, 5),
    ("frequency_penalty", -2, 2),
    ("presence_penalty", -2, 2),
    ("penalty_window", 0, 1_000_000),
    ("seed", 0, 2**32 - 2),
    ("max_tokens", 1, 10_000_000),
)


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """Where a request comes from, which changes nothing in its answer.

    `id` is what the answer is kept under (`Generation.id`), "" where it is not kept. `reasons` say why this model is
    asked, () where the person chose it.
    """

    id: str = ""
    purpose: Purpose = Purpose.OTHER
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question to one model: the messages in order (a system message, if any, comes first), and how to sample.

    The last message is the user's. `model` is a library name or the path of a GGUF file. `fresh` asks the model itself
    even where its answer is known. `alternatives` are the names of the models that answer in its place should it fail,
    in that order. `scored` asks for the answer's `Confidence` too, which takes some time a token.
    """

    model: str
    messages: tuple[Message, ...]
    sampling: Sampling = field(default_factory=Sampling)
    fresh: bool = False
    alternatives: tuple[str, ...] = ()
    scored: bool = False
    origin: RequestOrigin = field(default_factory=RequestOrigin)

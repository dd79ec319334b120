"""What is said between the application and a worker: domain objects as JSON, one message a line."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, cast

from codette_desktop.domain import errors
from codette_desktop.domain.answers import (
    AnswerEnd,
    AnswerFigures,
    Confidence,
    ContextUse,
    FinishReason,
    PromptRead,
    TextChunk,
)
from codette_desktop.domain.events import ModelLoaded, ModelLoading, ModelUnloaded
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import Adapter, EngineSettings, FlashAttention, KvType, ModelInfo, Numa
from codette_desktop.domain.request_log import Purpose
from codette_desktop.domain.requests import ChatRequest, RequestOrigin, Sampling
from codette_desktop.inference.provider import Embeddings, LoadedModel

_TYPES = {
    each.__name__: each
    for each in (
        Adapter, AnswerEnd, AnswerFigures, ChatRequest, Confidence, ContextUse, Embeddings, EngineSettings, LoadedModel,
        Message, ModelInfo, ModelLoaded, ModelLoading, ModelUnloaded, PromptRead, RequestOrigin, Sampling, TextChunk,
    )
}  # fmt: skip
_CONVERTERS: dict[tuple[str, str], Any] = {
    ("AnswerEnd", "reason"): FinishReason,
    ("Message", "role"): Role,
    ("Adapter", "path"): Path,
    ("ModelInfo", "path"): Path,
    ("ModelInfo", "adapters"): tuple,
    ("EngineSettings", "kv_type"): KvType,
    ("EngineSettings", "flash_attention"): FlashAttention,
    ("EngineSettings", "numa"): Numa,
    ("ChatRequest", "messages"): tuple,
    ("ChatRequest", "alternatives"): tuple,
    ("RequestOrigin", "purpose"): Purpose,
    ("RequestOrigin", "reasons"): tuple,
    ("Sampling", "stop"): tuple,
    ("TextChunk", "times_s"): tuple,
}
_KIND = "#"


def line_of(message: Mapping[str, Any]) -> bytes:
    """One message as a line. Text that is no Unicode (lone surrogates) survives, as escapes."""
    return json.dumps(_plain(message)).encode("ascii") + b"\n"


def message_of(line: bytes) -> dict[str, Any]:
    """The inverse of `line_of`. Raises ValueError for anything else."""
    try:
        message = _object(json.loads(line))
    except (ValueError, TypeError, KeyError, RecursionError, errors.CodetteError) as error:
        raise ValueError(f"not a message: {error}") from error
    if not isinstance(message, dict):
        raise ValueError("not a message")
    return cast("dict[str, Any]", message)


def _plain(value: Any) -> Any:
    if isinstance(value, errors.CodetteError):
        plain = {"message": value.message, "hint": value.hint, "retryable": value.retryable}
        return {_KIND: "error", "type": type(value).__name__, **plain}
    if is_dataclass(value) and not isinstance(value, type):
        return {_KIND: type(value).__name__, **{item.name: _plain(getattr(value, item.name)) for item in fields(value)}}
    if isinstance(value, Enum | Path):
        return str(value.value if isinstance(value, Enum) else value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("list[Any]", value)]
    return value


def _object(value: Any) -> Any:
    if isinstance(value, list):
        return [_object(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    values = {key: _object(item) for key, item in cast("dict[str, Any]", value).items()}
    kind = values.pop(_KIND, None)
    if kind is None:
        return values
    if kind == "error":
        return _error(values)
    return _TYPES[kind](**{key: _CONVERTERS.get((kind, key), _same)(item) for key, item in values.items()})


def _error(values: dict[str, Any]) -> errors.CodetteError:
    found = getattr(errors, str(values["type"]), errors.EngineFailure)
    kind = found if isinstance(found, type) and issubclass(found, errors.CodetteError) else errors.EngineFailure
    return kind(str(values["message"]), str(values["hint"]), retryable=bool(values["retryable"]))


def _same(value: Any) -> Any:
    return value

"""Setups and outcomes of comparisons as JSON and back. What newer versions have added is ignored."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, TypeVar, cast

from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.comparisons import ComparisonSetup
from codette_desktop.domain.ensembles import Choice, Member, Method, Outcome
from codette_desktop.domain.joint import JointToken
from codette_desktop.domain.requests import Sampling
from codette_desktop.store.access import canonical_json
from codette_desktop.store.text import clean

T = TypeVar("T")


def setup_text(setup: ComparisonSetup) -> str:
    """Canonical JSON that SQLite can keep."""
    return clean(canonical_json(asdict(setup)))


def setup(text: str) -> ComparisonSetup:
    """The inverse."""
    values: dict[str, Any] = json.loads(text)
    chosen: dict[str, Any] = _known(ComparisonSetup, values) | {
        "members": tuple(_member(item) for item in values.get("members", [])),
        "method": _method(values, "method"),
        "kind": _kind(values),
    }
    return ComparisonSetup(**chosen)


def outcome_text(outcome: Outcome) -> str:
    """Canonical JSON that SQLite can keep. Infinite and undefined figures become 0."""
    return clean(json.dumps(_finite(asdict(outcome)), sort_keys=True, allow_nan=False, separators=(",", ":")))


def outcome(text: str | None) -> Outcome | None:
    """The inverse; None for None."""
    if text is None:
        return None
    values: dict[str, Any] = json.loads(text)
    chosen: dict[str, Any] = _known(Outcome, values) | {
        "method": _method(values, "method"),
        "used": _method(values, "used"),
        "tally": tuple(_with_places(Choice, item, "members") for item in _list(values, "tally")),
        "weights": tuple(_list(values, "weights")),
        "likeness": tuple(tuple(map(float, row)) for row in _list(values, "likeness")),
        "reasons": tuple(_list(values, "reasons")),
        "alternatives": tuple(_list(values, "alternatives")),
        "tokens": tuple(_with_places(JointToken, item, "decided_by") for item in _list(values, "tokens")),
        "kind": _kind(values),
    }
    return Outcome(**chosen)


def _method(values: Mapping[str, Any], name: str) -> Method:
    value = values.get(name)
    return Method(value) if value in set(Method) else Method.NONE


def _kind(values: Mapping[str, Any]) -> AnswerKind | None:
    value = values.get("kind")
    return AnswerKind(value) if value in set(AnswerKind) else None


def _member(values: Mapping[str, Any]) -> Member:
    chosen: dict[str, Any] = _known(Member, values) | {"sampling": Sampling.from_mapping(values.get("sampling", {}))}
    return Member(**chosen)


def _with_places(kind: type[T], values: Mapping[str, Any], name: str) -> T:
    chosen: dict[str, Any] = _known(kind, values) | {name: tuple(values[name])}
    return kind(**chosen)


def _known(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    names = {item.name for item in fields(kind)}
    return {key: value for key, value in values.items() if key in names}


def _list(values: Mapping[str, Any], name: str) -> Sequence[Any]:
    return cast("Sequence[Any]", values.get(name) or [])


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in cast("Sequence[Any]", value)]
    if isinstance(value, float):
        return value if abs(value) < float("inf") else 0.0
    return value

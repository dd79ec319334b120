"""Reading data that somebody else may have written: every field's type and range is checked before it is used."""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from typing import Any, NoReturn, cast

from codette_desktop.domain.answers import AnswerFigures, ContextUse, FinishReason
from codette_desktop.domain.conversations import Conversation, Generation, Node
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.store.rows import TEXT_FIELDS
from codette_desktop.store.text import clean

_MAX_INTEGER = 2**63 - 1
_MAX_ID_LENGTH = 200


class Fields:
    """The fields of one object of the file. Every method raises InvalidRequest for a value of the wrong kind."""

    def __init__(self, value: Any, where: str) -> None:
        self.where = where
        if not isinstance(value, Mapping):
            self._refuse("is not an object")
        self.mapping = cast("Mapping[str, Any]", value)

    def text(self, name: str, default: str | None = None) -> str:
        """A string; `default` where the field is absent and one is given."""
        value = self.mapping.get(name, default)
        if not isinstance(value, str):
            self._refuse(f"has no text in '{name}'")
        return value

    def identity(self, name: str) -> str:
        """A string fit to be an id."""
        value = clean(self.text(name))
        if not 0 < len(value) <= _MAX_ID_LENGTH:
            self._refuse(f"has no identity in '{name}'")
        return value

    def optional_identity(self, name: str) -> str | None:
        """A string fit to be an id, or None where it is null or absent."""
        return None if self.mapping.get(name) is None else self.identity(name)

    def integer(self, name: str) -> int:
        """A whole number that SQLite can keep."""
        value = self.mapping.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _MAX_INTEGER:
            self._refuse(f"has no whole number in '{name}'")
        return value

    def number(self, name: str) -> float:
        """A finite number."""
        value = self.mapping.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > _MAX_INTEGER:
            self._refuse(f"has no number in '{name}'")
        if not math.isfinite(value):
            self._refuse(f"has no finite number in '{name}'")
        return float(value)

    def moment(self, name: str) -> datetime:
        """A point in time; without a zone it is UTC."""
        try:
            moment = datetime.fromisoformat(self.text(name))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self._refuse(f"has no time in '{name}'")

    def list(self, name: str) -> "list[Any]":
        """A list."""
        value = self.mapping.get(name)
        if not isinstance(value, list):
            self._refuse(f"has no list in '{name}'")
        return cast("list[Any]", value)

    def fields(self, name: str) -> "Fields":
        """An object in this one."""
        return Fields(self.mapping.get(name), f"{self.where}: '{name}'")

    def optional_fields(self, name: str) -> "Fields | None":
        """An object in this one, or None where it is null or absent."""
        return None if self.mapping.get(name) is None else self.fields(name)

    def one_of(self, name: str, choices: Callable[[str], Any]) -> Any:
        """A member of an enumeration, by its value."""
        try:
            return choices(self.text(name))
        except ValueError:
            self._refuse(f"has an unknown value in '{name}'")

    def _refuse(self, what: str) -> NoReturn:
        raise InvalidRequest(f"{self.where} {what}.", "The file is damaged or was changed by another program.")


def read_conversation(item: Fields) -> Conversation:
    """The conversation without its messages."""
    return Conversation(
        id=item.identity("id"),
        title=item.text("title"),
        created_at=item.moment("created_at"),
        updated_at=item.moment("updated_at"),
        leaf_id=item.optional_identity("leaf_id"),
        draft=item.text("draft", ""),
        system_prompt=item.text("system_prompt", ""),
        model=item.text("model", ""),
        sampling=read_sampling(item.fields("sampling")),
    )


def read_node(item: Fields, conversation_id: str, generation: Callable[[Fields], Generation]) -> Node:
    """One message at its place."""
    made = item.optional_fields("generation")
    return Node(
        id=item.identity("id"),
        conversation_id=conversation_id,
        parent_id=item.optional_identity("parent_id"),
        message=Message(item.one_of("role", Role), item.text("content")),
        created_at=item.moment("created_at"),
        generation=generation(made) if made else None,
    )


def read_generation(item: Fields) -> Generation:
    """How an answer came to be."""
    figures, use = item.optional_fields("figures"), item.optional_fields("use")
    return Generation(
        id=item.identity("id"),
        **{name: item.text(name, "") for name in TEXT_FIELDS},
        sampling=read_sampling(item.fields("sampling")),
        seed=None if item.mapping.get("seed") is None else item.integer("seed"),
        started_at=item.moment("started_at"),
        reason=None if item.mapping.get("reason") is None else item.one_of("reason", FinishReason),
        figures=AnswerFigures(**_numbers(figures, AnswerFigures)) if figures else None,
        use=ContextUse(**_numbers(use, ContextUse)) if use else None,
    )


def read_sampling(item: Fields) -> Sampling:
    """Sampling parameters; unknown ones are ignored, absent ones have their default."""
    defaults = Sampling()
    values: dict[str, Any] = {}
    for name in (field.name for field in fields(Sampling)):
        value, default = item.mapping.get(name), getattr(defaults, name)
        if name not in item.mapping or (value is None and default is None):
            continue
        if name == "stop":
            stops = item.list(name)
            values[name] = tuple(Fields({name: stop}, item.where).text(name) for stop in stops)
        elif name in ("grammar", "json_schema"):
            values[name] = item.text(name)
        else:
            values[name] = item.number(name) if isinstance(default, float) else item.integer(name)
    return Sampling(**values)


def _numbers(item: Fields, kind: type[AnswerFigures] | type[ContextUse]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in fields(kind):
        if field.name not in item.mapping and field.default is not MISSING:
            continue
        if field.type is bool:
            values[field.name] = item.mapping[field.name] is True
        else:
            values[field.name] = item.number(field.name) if field.type is float else item.integer(field.name)
    return values

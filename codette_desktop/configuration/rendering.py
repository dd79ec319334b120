"""Values as YAML text, as a person would write them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from codette_desktop.configuration.document import resolve

_PLAIN = re.compile(r"[A-Za-z0-9_/$~.+(][^\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff]*")
_INDICATORS = re.compile(r":(\s|$)|\s#|[\[\]{},\"'`]|\s$")
_SHORT = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def inline(value: Any) -> str:
    """A value in one line: a scalar, or a collection in brackets."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return f"{{{', '.join(f'{scalar(key)}: {inline(item)}' for key, item in items)}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(inline(item) for item in cast('Sequence[Any]', value))}]"
    return scalar(value)


def scalar(value: Any) -> str:
    """A scalar: without quotes where it is then read as it was meant, else in double ones."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and not _INDICATORS.search(text) and isinstance(resolve(text), str):
        return text
    return f'"{"".join(_escaped(character) for character in text)}"'


def lines(key: str, value: Any, indent: int) -> list[str]:
    """`key: value` as lines indented by so many blanks: groups of keys below their key, lists in brackets."""
    blanks = " " * indent
    if isinstance(value, Mapping) and value:
        items = cast("Mapping[str, Any]", value).items()
        return [f"{blanks}{scalar(key)}:", *(line for name, item in items for line in lines(name, item, indent + 2))]
    if isinstance(value, str) and _fits_a_block(value):
        mark = "|" if value.endswith("\n") else "|-"
        body = value.removesuffix("\n").split("\n")
        return [f"{blanks}{scalar(key)}: {mark}", *(f"{blanks}  {line}" if line else "" for line in body)]
    return [f"{blanks}{scalar(key)}: {inline(value)}"]


def _fits_a_block(text: str) -> bool:
    """Whether it reads well as it is: several lines without anything a block would change or hide."""
    if "\n" not in text.rstrip("\n") or text.endswith("\n\n") or text[:1] in (" ", "\n", "\t"):
        return False
    return all(line == line.rstrip() and line.isprintable() for line in text.split("\n"))


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    return repr(value)


def _escaped(character: str) -> str:
    if (short := _SHORT.get(character)) is not None:
        return short
    code = ord(character)
    if character.isprintable() and code != 0xFEFF:
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

"""What is wrong in a configuration file, and where."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

Path = tuple[str, ...]  # of keys, from the top: ("models", "writer", "priority"); places in lists count from "0"

_PLAIN = re.compile(r"[^\s.\"]+")
_KEY = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s."]+)', re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. `line` and `column` count from 1; `path` is as `path_text` writes it.

    One that is not `grave` keeps no file from being used: what it names may be there again tomorrow.
    """

    line: int
    column: int
    path: str
    message: str
    hint: str = ""
    grave: bool = True

    def __str__(self) -> str:
        return f"line {self.line}: {self.words}"

    @property
    def words(self) -> str:
        """What is wrong and what to do, without the place."""
        return f"{self.message} {self.hint}".strip()


def path_text(path: Sequence[str]) -> str:
    """`models.writer.priority`; a key with a dot, a blank or a quote in it stands in double quotes."""
    return ".".join(key if _PLAIN.fullmatch(key) else f'"{_escaped(key)}"' for key in path)


def parse_path(text: str) -> Path:
    """The inverse of `path_text`. Raises ValueError where a key is empty or a quote is not closed."""
    text, keys, at = text.strip(), list[str](), 0
    while True:
        match = _KEY.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is no path")
        quoted: str | None = match[1]
        keys.append(match[2] if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL))
        at = match.end()
        if at == len(text):
            return tuple(keys)
        if text[at] != ".":
            raise ValueError(f"{text!r} is no path")
        at += 1


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace('"', '\\"')

"""The text of a configuration file as a tree that knows where everything stands.

ruamel.yaml reads the text into events, and the tree is made of those: no object is ever constructed, every part knows
its place in the text, and a change can be made in the text itself, which keeps comments, order and quotes by nature.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from codette_desktop.configuration.problems import Problem, path_text

MOST_BYTES = 256 * 1024
MOST_NODES = 20_000  # with what aliases stand for
MOST_DEPTH = 24

Scalar = str | int | float | bool | None

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUTH = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,40}")
_OCTAL, _HEX = re.compile(r"0o[0-7]{1,40}"), re.compile(r"0x[0-9a-fA-F]{1,40}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ODD_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(slots=True)
class Node:
    """A part of the tree. `start` and `end` are places in the text, `line` and `column` count from 1.

    `text` of a scalar is what it says, without quotes. `style` is "" for a plain scalar, else its mark: ' " | >.
    `flow` collections stand in brackets. `size` counts the nodes below it and itself, with those of aliases.
    """

    kind: Literal["scalar", "mapping", "sequence"]
    start: int
    end: int
    line: int
    column: int
    text: str = ""
    style: str = ""
    flow: bool = False
    alias: bool = False
    size: int = 1
    entries: "list[tuple[Node, Node]]" = field(default_factory=lambda: list[tuple[Node, Node]]())
    items: "list[Node]" = field(default_factory=lambda: list[Node]())

    @property
    def value(self) -> Scalar:
        """What a scalar is in YAML 1.2's core schema."""
        return self.text if self.style else resolve(self.text)

    @property
    def is_null(self) -> bool:
        """Whether nothing stands there."""
        return self.kind == "scalar" and not self.style and self.value is None

    def get(self, key: str) -> "tuple[Node, Node] | None":
        """Key and value of a mapping's entry."""
        return next((entry for entry in self.entries if entry[0].text == key), None)


def resolve(text: str) -> Scalar:
    """A plain scalar's value by YAML 1.2's core schema: `no`, `off` and `1_000` are texts."""
    if _NULL.fullmatch(text):
        return None
    if _TRUTH.fullmatch(text):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text) or _HEX.fullmatch(text):
        return int(text, 0)
    if _NUMBER.fullmatch(text):
        return float(text)
    if _ODD_NUMBER.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def plain(node: Node | None) -> Any:
    """The tree as dictionaries, lists and scalars; of keys that stand twice the last counts. Nothing is expanded."""
    if node is None:
        return None
    if node.kind == "mapping":
        return {key.text: plain(value) for key, value in node.entries}
    if node.kind == "sequence":
        return [plain(item) for item in node.items]
    return node.value


def parse(text: str) -> tuple[Node | None, list[Problem]]:
    """The tree of a text; None where it is empty or cannot be read. Problems are the mistakes against YAML."""
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        hint = f"A configuration file holds at most {MOST_BYTES // 1024} KiB. Put long prompts into files of their own."
        return None, [Problem(1, 1, "", "The file is too large.", hint)]
    builder = _Builder(text)
    try:
        root = builder.build()
    except _Refused as refused:
        return None, [refused.problem]
    except Exception as error:  # noqa: BLE001 - whatever the reader stumbles over is a mistake in the file
        if hasattr(error, "problem_mark"):  # the reader's own error, which knows the place
            return None, [_told(text, error)]
        line = _line_of(text, getattr(error, "position", 0))
        return None, [Problem(line, 1, "", "This cannot be read as YAML.", "Look for odd characters.")]
    return root, list(_said_twice(root, ()))


class _Refused(Exception):
    def __init__(self, event: Any, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(event.start_mark.line + 1, event.start_mark.column + 1, "", message, hint)


class _Builder:
    """Events into a tree, one after the other."""

    def __init__(self, text: str) -> None:
        from ruamel.yaml import YAML  # with the first file there is: the window need not wait for it at start

        self._text = text
        reader: Any = YAML(typ="safe", pure=True)
        self._events: Iterator[Any] = iter(reader.parse(text))
        self._anchors: dict[str, Node | None] = {}
        self._total = 0

    def build(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self._events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise _Refused(event, "A second document begins here.", "Remove the line with '---'.")
            elif not kind.startswith(("Stream", "Document")):
                root = self._node(event, 0)
        return None if root is None or root.is_null else root

    def _node(self, event: Any, depth: int) -> Node:
        kind = type(event).__name__
        if depth > MOST_DEPTH:
            raise _Refused(event, f"This is nested more than {MOST_DEPTH} levels deep.")
        if kind == "AliasEvent":
            return self._alias(event)
        if getattr(event, "tag", None) is not None and event.tag != "!":
            raise _Refused(event, "Tags (words that begin with '!') are not used here.", "Write the value without it.")
        start, end = event.start_mark, event.end_mark
        node = Node("scalar", start.index, end.index, start.line + 1, start.column + 1)
        self._count(event, 1)
        anchor: str | None = event.anchor
        if anchor:
            self._anchors[anchor] = None  # an alias within it would have no end
        if kind == "ScalarEvent":
            node.text, node.style = event.value, event.style or ""
        else:
            self._fill(node, event, depth)
        if anchor:
            self._anchors[anchor] = node
        return node

    def _count(self, event: Any, nodes: int) -> None:
        self._total += nodes
        if self._total > MOST_NODES:
            hint = "Aliases count as often as they are used."
            raise _Refused(event, f"The file says more than {MOST_NODES:,} things.", hint)

    def _alias(self, event: Any) -> Node:
        target = self._anchors.get(event.anchor)
        if target is None:
            raise _Refused(event, f"There is nothing named &{event.anchor} above that *{event.anchor} could stand for.")
        self._count(event, target.size)
        start, end = event.start_mark, event.end_mark
        return Node(
            target.kind, start.index, end.index, start.line + 1, start.column + 1, target.text, target.style,
            alias=True, size=target.size, entries=target.entries, items=target.items,
        )  # fmt: skip

    def _fill(self, node: Node, event: Any, depth: int) -> None:
        is_mapping = type(event).__name__ == "MappingStartEvent"
        node.kind = "mapping" if is_mapping else "sequence"
        node.flow = bool(event.flow_style)
        for inner in self._events:
            if type(inner).__name__ in ("MappingEndEvent", "SequenceEndEvent"):
                node.end = inner.end_mark.index if node.flow else self._end_of_last(node)
                return
            child = self._node(inner, depth + 1)
            node.size += child.size
            if is_mapping:
                self._entry(node, inner, child, depth)
            else:
                node.items.append(child)

    def _entry(self, node: Node, event: Any, key: Node, depth: int) -> None:
        if key.kind != "scalar":
            raise _Refused(event, "A key must be one word or text.")
        value = self._node(next(self._events), depth + 1)
        if value.kind == "scalar" and not value.style and not value.text and value.start == value.end:
            colon = self._text.find(":", key.end)  # where nothing stands, the reader names the next thing's place
            value.start = value.end = max(key.end, colon + 1)
            value.line, value.column = key.line, key.column
        node.size += value.size
        node.entries.append((key, value))

    def _end_of_last(self, node: Node) -> int:
        if node.kind == "mapping":
            return node.entries[-1][1].end if node.entries else node.start
        return node.items[-1].end if node.items else node.start


def _said_twice(node: Node | None, path: tuple[str, ...]) -> Iterator[Problem]:
    """Keys that stand twice in one mapping."""
    if node is None or node.alias:
        return
    seen: dict[str, int] = {}
    for key, value in node.entries:
        here = (*path, key.text)
        if key.text in seen:
            message = f"{key.text} stands here twice: on line {seen[key.text]} already."
            yield Problem(key.line, key.column, path_text(here), message, "Remove one of the two.")
        seen.setdefault(key.text, key.line)
        yield from _said_twice(value, here)
    for place, item in enumerate(node.items):
        yield from _said_twice(item, (*path, str(place)))


def _told(text: str, error: Any) -> Problem:
    mark: Any = error.problem_mark or error.context_mark
    what = str(error.problem or error.context or "").strip()
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    lines = text.splitlines()
    shown = lines[line - 1] if line <= len(lines) else ""
    if "\t" in shown[: len(shown) - len(shown.lstrip())] or "'\\t'" in what:
        return Problem(line, column, "", "A line begins with a tab.", "Indent with blanks.")
    hint = "Look at this line and the one above: colons, quotes, brackets, and how far lines are indented."
    return Problem(line, column, "", f"This is no YAML: {what}." if what else "This is no YAML.", hint)


def _line_of(text: str, position: Any) -> int:
    return text.count("\n", 0, position) + 1 if isinstance(position, int) else 1

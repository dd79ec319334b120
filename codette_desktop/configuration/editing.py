"""Changes to the text of a configuration file that leave everything else as it is: comments, order, quotes, variables.

A change is made in the text, at the place the tree names, and the new text is read again: unless it says exactly what
it should, and every comment line is still there, the change is refused.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from codette_desktop.configuration import rendering
from codette_desktop.configuration.document import Node, parse, plain
from codette_desktop.configuration.problems import Path, path_text
from codette_desktop.domain.errors import ConfigurationError

INDENT = 2


def set_value(text: str, path: Path, value: Any) -> str:
    """`text` with `value` (what JSON can say) at `path`; what is missing above it is added. Raises ConfigurationError.

    A group of keys replaces a group of keys key by key.
    """
    if not path:
        raise ConfigurationError("Nothing was named to change.", "Name it, as in models.writer.priority.")
    before = _tree(text)
    after = _set(text, before, path, value)
    return _checked(text, after, _with(plain(before), path, value), path)


def add(text: str, path: Path, value: Any) -> str:
    """Append `value` to the list at `path`, or put it there where nothing is. Raises ConfigurationError."""
    found = get(text, path)
    if isinstance(found, list):
        return set_value(text, path, [*cast("list[Any]", found), value])
    if found is not None:
        raise ConfigurationError(f"{path_text(path)} is there already.", "Change it instead.")
    return set_value(text, path, value)


def remove(text: str, path: Path) -> str:
    """`text` without what stands at `path`. Raises ConfigurationError where there is nothing."""
    before = _tree(text)
    if _find(before, path) is None:
        raise ConfigurationError(f"There is no {path_text(path)} in the file.")
    node = _find(before, path[:-1])
    if node is None or node.kind == "sequence":
        items = [item for place, item in enumerate(_list_at(text, path[:-1])) if str(place) != path[-1]]
        return set_value(text, path[:-1], items)
    return _checked(text, _removed(text, before, path), _without(plain(before), path), path)


def get(text: str, path: Path) -> Any:
    """What stands at `path`, unexpanded; None where nothing does. Raises ConfigurationError."""
    return plain(_find(_tree(text), path))


def comment_lines(text: str) -> list[str]:
    """The lines that hold nothing but a comment, without their indentation."""
    return [line for _number, line in _comments(text, parse(text)[0])]


def _tree(text: str) -> Node | None:
    root, problems = parse(text)
    if problems:
        first = problems[0]
        hint = "Mend that first, in a text editor."
        raise ConfigurationError(f"The file has a mistake on line {first.line}: {first.message}", hint)
    if root is not None and root.kind != "mapping":
        raise ConfigurationError("The file does not begin with a section such as 'models:'.", "Mend that first.")
    return root


def _find(root: Node | None, path: Path) -> Node | None:
    node = root
    for key in path:
        if node is None:
            return None
        if node.kind == "sequence":
            node = node.items[int(key)] if key.isdecimal() and int(key) < len(node.items) else None
        else:
            entry = node.get(key)
            node = entry[1] if entry else None
    return node


def _list_at(text: str, path: Path) -> list[Any]:
    found = get(text, path)
    return cast("list[Any]", found) if isinstance(found, list) else []


def _set(text: str, root: Node | None, path: Path, value: Any) -> str:
    depth = next((depth for depth in range(len(path), 0, -1) if _find(root, path[:depth]) is not None), 0)
    for key in reversed(path[max(depth, 1) :] if depth else path[1:]):
        value = {key: value}
    if depth == 0:
        return _appended(text, root, path[0], value)
    here, node = path[:depth], _find(root, path[:depth])
    assert node is not None  # noqa: S101 - `depth` is where it was found
    if node.kind == "mapping" and isinstance(value, Mapping) and not node.alias:
        return _merged(text, here, node, cast("Mapping[str, Any]", value), whole=depth == len(path))
    parent = _find(root, here[:-1])
    if parent is not None and parent.kind == "sequence":
        return _spliced(text, node.start, node.end, rendering.inline(value))
    return _replaced(text, root, here, node, value)


def _merged(text: str, here: Path, node: Node, value: Mapping[str, Any], *, whole: bool) -> str:
    """Key by key; a `whole` value also takes away what it does not hold."""
    if whole and not value:
        for key in [key.text for key, _value in node.entries]:
            text = _removed(text, _tree(text), (*here, key))
        return text
    for key, item in value.items():
        current = _tree(text)
        if _find(current, (*here, key)) is None:
            node = cast("Node", _find(current, here))
            text = _inserted(text, node, key, item)
        else:
            text = _set(text, current, (*here, key), item)
    for key in [key.text for key, _value in node.entries if whole and key.text not in value]:
        text = _removed(text, _tree(text), (*here, key))
    return text


def _appended(text: str, root: Node | None, key: str, value: Any) -> str:
    """A new section at the end of the file."""
    if root is not None and root.flow:
        return _inserted(text, root, key, value)
    return _with_lines(text, len(text), rendering.lines(key, value, 0))


def _inserted(text: str, parent: Node, key: str, value: Any) -> str:
    """A new key after the last one of a mapping."""
    if parent.flow:
        close = parent.end - 1
        comma = ", " if parent.entries else ""
        at = parent.entries[-1][1].end if parent.entries else close
        return _spliced(text, at, at, f"{comma}{rendering.scalar(key)}: {rendering.inline(value)}")
    last = _last_line(text, parent)
    indent = parent.entries[0][0].column - 1
    return _with_lines(text, _line_end(text, last), rendering.lines(key, value, indent))


def _replaced(text: str, root: Node | None, path: Path, node: Node, value: Any) -> str:
    """Another value behind a key that is there."""
    parent = cast("Node", _find(root, path[:-1]))
    key = cast("tuple[Node, Node]", parent.get(path[-1]))[0]
    block = rendering.lines(path[-1], value, key.column - 1)
    in_one_line = node.flow or (node.kind == "scalar" and node.style not in ("|", ">"))
    if parent.flow or node.alias or (in_one_line and len(block) == 1):
        blank = "" if node.end > node.start and text[node.start - 1 : node.start] != ":" else " "
        return _spliced(text, node.start, node.end, blank + rendering.inline(value))
    rest = _line_end(text, _line_of(text, key.end))
    tail = text[node.end : rest] if in_one_line else ""
    first, last = _line_of(text, key.end), max(_line_of(text, key.end), _last_line(text, node))
    kept = [line for number, line in _raw_comments(text, root) if first < number <= last]
    head = text[_line_start(text, first) : key.end]  # as it was written, quotes and all
    behind = block[0].removeprefix(" " * (key.column - 1) + rendering.scalar(path[-1]))
    note = tail if tail.lstrip().startswith("#") else ""
    new = "\n".join([f"{head}{behind}{note}", *block[1:], *kept])
    return _spliced(text, _line_start(text, first), _line_end(text, last), new)


def _removed(text: str, root: Node | None, path: Path) -> str:
    parent = cast("Node", _find(root, path[:-1]))
    place = next(place for place, (key, _value) in enumerate(parent.entries) if key.text == path[-1])
    key, value = parent.entries[place]
    if parent.flow:
        following = parent.entries[place + 1][0].start if place + 1 < len(parent.entries) else None
        if following is not None:
            return _spliced(text, key.start, following, "")
        start = parent.entries[place - 1][1].end if place else key.start
        return _spliced(text, start, value.end, "")
    first = _line_of(text, key.start)
    if text[_line_start(text, first) : key.start].strip():
        raise _by_hand(path, first)
    last = max(first, _last_line(text, value))
    kept = [line for number, line in _raw_comments(text, root) if first < number <= last]
    start, end = _line_start(text, first), _line_end(text, last)
    if kept:
        return _spliced(text, start, end, "\n".join(kept))
    return _spliced(text, start, min(len(text), end + _break_length(text, end)), "")


def _by_hand(path: Path, line: int) -> ConfigurationError:
    message = f"{path_text(path)} cannot be changed without rewriting what stands around line {line}."
    return ConfigurationError(message, "Change it in a text editor.")


def _checked(before: str, after: str, wanted: Any, path: Path) -> str:
    root, problems = parse(after)
    kept = comment_lines(after)
    lost = [line for line in comment_lines(before) if line not in kept or kept.remove(line)]
    if problems or lost or _without_nothing(plain(root)) != _without_nothing(wanted):
        node = _find(parse(before)[0], path)
        raise _by_hand(path, node.line if node else 1)
    return after


def _with(tree: Any, path: Path, value: Any) -> Any:
    """`tree` with the value at the path."""
    tree = copy.deepcopy(tree)
    if not path:
        return value
    if isinstance(tree, list) and path[0].isdecimal():
        items = cast("list[Any]", tree)
        if int(path[0]) >= len(items):
            raise ConfigurationError(f"The list has no item {path[0]}.", f"It has {len(items)}, counted from 0.")
        items[int(path[0])] = _with(items[int(path[0])], path[1:], value)
        return items
    found = cast("dict[str, Any]", tree) if isinstance(tree, dict) else {}
    found[path[0]] = _with(found.get(path[0]), path[1:], value)
    return found


def _without(tree: Any, path: Path) -> Any:
    tree = copy.deepcopy(tree)
    node: Any = tree
    for key in path[:-1]:
        place = int(key) if isinstance(node, list) else key
        node = cast("dict[Any, Any]", node)[place]
    del node[path[-1]]
    return tree


def _without_nothing(tree: Any) -> Any:
    """A key with nothing behind it, or with an empty group, is as good as no key."""
    if isinstance(tree, Mapping):
        items = {key: _without_nothing(value) for key, value in cast("Mapping[str, Any]", tree).items()}
        return {key: value for key, value in items.items() if value is not None} or None
    if isinstance(tree, Sequence) and not isinstance(tree, str):
        return [_without_nothing(item) for item in cast("Sequence[Any]", tree)]
    return tree


# The text and its lines, which count from 1


def _spliced(text: str, start: int, end: int, new: str) -> str:
    ending = "\r\n" if "\r\n" in text else "\n"
    return text[:start] + (new.replace("\r\n", "\n").replace("\n", ending) if ending != "\n" else new) + text[end:]


def _with_lines(text: str, at: int, new: list[str]) -> str:
    """`new` lines after the line that ends at `at`."""
    head = "" if at == 0 or text[at - 1 : at] == "\n" else "\n"
    tail = "\n" if not head or at >= len(text) else ""
    return _spliced(text, at, at, head + "\n".join(new) + tail)


def _line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _line_start(text: str, line: int) -> int:
    at = 0
    for _ in range(line - 1):
        at = text.index("\n", at) + 1
    return at


def _line_end(text: str, line: int) -> int:
    """Where a line's break begins."""
    end = text.find("\n", _line_start(text, line))
    end = len(text) if end < 0 else end
    return end - 1 if text[end - 1 : end] == "\r" else end


def _break_length(text: str, at: int) -> int:
    return 2 if text[at : at + 2] == "\r\n" else 1


def _last_line(text: str, node: Node) -> int:
    """The line on which a node ends; a block's blank lines at its end are not counted."""
    if node.kind != "scalar" and not node.flow and not node.alias and (node.entries or node.items):
        return _last_line(text, node.entries[-1][1] if node.kind == "mapping" else node.items[-1])
    end = node.end
    if node.style in ("|", ">"):
        end = node.start + len(text[node.start : node.end].rstrip())
    return _line_of(text, end)


def _scalars(node: Node) -> Iterator[Node]:
    if node.kind == "scalar":
        yield node
    if not node.alias:
        for child in [*(part for entry in node.entries for part in entry), *node.items]:
            yield from _scalars(child)


def _raw_comments(text: str, root: Node | None) -> list[tuple[int, str]]:
    """Number and text of every comment line, as it is indented."""
    spans = [(node.start, node.end) for node in _scalars(root)] if root is not None else []
    found: list[tuple[int, str]] = []
    at = 0
    for number, line in enumerate(text.split("\n"), 1):
        mark = at + len(line) - len(line.lstrip())
        if line.lstrip().startswith("#") and not any(start <= mark < end for start, end in spans):
            found.append((number, line.rstrip("\r")))
        at += len(line) + 1
    return found


def _comments(text: str, root: Node | None) -> list[tuple[int, str]]:
    return [(number, line.strip()) for number, line in _raw_comments(text, root)]

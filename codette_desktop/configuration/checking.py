"""The tree of a file against the schema: what it says in plain values, and every mistake at its place."""

import difflib
from collections.abc import Mapping
from typing import Any

from codette_desktop.configuration.document import Node, resolve
from codette_desktop.configuration.problems import Path, Problem, path_text
from codette_desktop.configuration.schema import FILE, Named, Number, Rule, Section, Text, Texts, Truth
from codette_desktop.configuration.variables import VariableMissing, expand, mentions_variables

NOTHING: Any = object()  # in place of a value that is not there or is a mistake


class Checker:
    """Reads a tree once.

    `places` gives line and column of everything that stands in the file, `problems` the mistakes so far; others may
    add theirs with `complain`.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.places: dict[Path, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def read(self, root: Node | None) -> dict[str, Any]:
        """The file as nested dictionaries that hold what is right, and nothing for what is not."""
        found: Any = {} if root is None else self._value(root, FILE, ())
        return {} if found is NOTHING else found

    def complain(self, path: Path, message: str, hint: str = "", *, grave: bool = True) -> None:
        """A mistake at that path, or at the nearest thing above it that stands in the file."""
        place, at = path, self.places.get(path)
        while at is None and place:
            place = place[:-1]
            at = self.places.get(place)
        line, column = at or (1, 1)
        self.problems.append(Problem(line, column, path_text(path), message, hint, grave))

    def _value(self, node: Node, rule: Rule, path: Path) -> Any:
        self.places.setdefault(path, (node.line, node.column))
        if node.is_null:  # a key with nothing behind it is as good as no key
            return {} if isinstance(rule, Section | Named) else NOTHING
        if isinstance(rule, Section):
            return self._section(node, rule, path)
        if isinstance(rule, Named):
            return self._named(node, rule, path)
        if isinstance(rule, Texts):
            return self._texts(node, path)
        return self._scalar(node, rule, path)

    def _section(self, node: Node, rule: Section, path: Path) -> Any:
        found: dict[str, Any] = {}
        for key, value in self._entries(node, path):
            here = self._placed(key, path)
            if key.text not in rule.fields:
                message = f"{path_text(here)} is not known here."
                self.complain(here, message, _unknown(key.text, tuple(rule.fields)))
            elif (got := self._value(value, rule.fields[key.text], here)) is not NOTHING:
                found[key.text] = got
        return found

    def _named(self, node: Node, rule: Named, path: Path) -> Any:
        found: dict[str, Any] = {}
        names: dict[str, str] = {}
        for key, value in self._entries(node, path):
            here = self._placed(key, path)
            name = key.text
            if not name.strip() or name != name.strip() or not name.isprintable():
                self.complain(here, f"This cannot be the name of {rule.what}.", "Give it a word.")
                continue
            known = names.setdefault(name.casefold(), name)
            if known != name:
                line = self.places[(*path, known)][0]
                message = f"{name} and {known} (line {line}) are the same name: capitals make no difference."
                self.complain(here, message, "Rename one of the two.")
                continue
            if (got := self._value(value, rule.rule, here)) is not NOTHING:
                found[name] = got
        return found

    def _entries(self, node: Node, path: Path) -> "list[tuple[Node, Node]]":
        if node.kind == "mapping":
            return node.entries
        what = path_text(path) if path else "The file"
        hint = (
            "Write KEY: VALUE, one a line, indented below it." if path else "It begins with a section like 'models:'."
        )
        self.complain(path, f"{what} must hold keys with values, and is {_kind(node)}.", hint)
        return []

    def _placed(self, key: Node, path: Path) -> Path:
        here = (*path, key.text)
        self.places.setdefault(here, (key.line, key.column))
        return here

    def _texts(self, node: Node, path: Path) -> Any:
        if node.kind != "sequence":
            hint = f"Put it into brackets: [{node.text}]" if node.kind == "scalar" else "Write [one, another]."
            self.complain(path, f"{path_text(path)} must be a list, and is {_kind(node)}.", hint)
            return NOTHING
        items = [self._value(item, Text(), (*path, str(place))) for place, item in enumerate(node.items)]
        return tuple(item for item in items if item is not NOTHING)

    def _scalar(self, node: Node, rule: Text | Truth | Number, path: Path) -> Any:
        if node.kind != "scalar":
            self._wrong_kind(node, rule, path)
            return NOTHING
        text, value = node.text, node.value
        if mentions_variables(text) and isinstance(value, str):
            try:
                text = expand(text, self._environment)
            except VariableMissing as missing:
                self._missing(missing.name, path)
                return NOTHING
            value = text if isinstance(rule, Text) else resolve(text)  # in quotes too: brackets need them
        if isinstance(rule, Text):
            return self._text(node, value, rule, path)
        if isinstance(rule, Truth):
            if isinstance(value, bool):
                return value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return self._number(value, rule, path)
        self._wrong_kind(node, rule, path)
        return NOTHING

    def _text(self, node: Node, value: Any, rule: Text, path: Path) -> Any:
        if not isinstance(value, str) and not rule.words:
            self._wrong_kind(node, rule, path)
            return NOTHING
        if rule.words and value not in rule.words:
            message = f"{path_text(path)} is {node.text!r}." if node.text else f"{path_text(path)} is empty."
            self.complain(path, message, f"It must be {_either(rule.words)}.")
            return NOTHING
        return value

    def _number(self, value: float, rule: Number, path: Path) -> Any:
        if rule.whole and value != int(value) if abs(value) < 2**53 else rule.whole and isinstance(value, float):
            self.complain(path, f"{path_text(path)} is {value:g}.", "It must be a whole number.")
            return NOTHING
        if not rule.low <= value <= rule.high:
            hint = f"It must lie between {rule.low:,.0f} and {rule.high:,.0f}."
            self.complain(path, f"{path_text(path)} is {value:g}.", hint)
            return NOTHING
        return int(value) if rule.whole else float(value)

    def _missing(self, name: str, path: Path) -> None:
        if not name:
            message = "After '${' comes the name of a variable and '}'."
            self.complain(path, message, "Write '$${' where you mean these two characters.")
            return
        hint = f"Set it before you start the application, or give a default: ${{{name}:-text}}."
        self.complain(path, f"The variable {name} is not set.", hint)

    def _wrong_kind(self, node: Node, rule: Text | Truth | Number, path: Path) -> None:
        if isinstance(rule, Text):
            wanted, hint = "a text", f'Put it into quotes: "{node.text}".' if node.kind == "scalar" else ""
            if rule.words:
                wanted, hint = "a word", f"It must be {_either(rule.words)}."
        elif isinstance(rule, Truth):
            wanted, hint = "true or false", ""
        else:
            wanted, hint = "a whole number" if rule.whole else "a number", "Write it in digits, without quotes."
        self.complain(path, f"{path_text(path)} must be {wanted}, and is {_kind(node)}.", hint)


def _kind(node: Node) -> str:
    if node.kind != "scalar":
        return "a list" if node.kind == "sequence" else "a group of keys"
    if node.is_null:
        return "empty"
    shown = node.text if len(node.text) <= 40 else node.text[:39] + "…"
    return f"{'a text' if isinstance(node.value, str) else 'the value'} {shown!r}"


def _unknown(key: str, known: tuple[str, ...]) -> str:
    lowered = {name.casefold(): name for name in known}
    if key == "<<":
        return "Merged keys are not part of YAML 1.2: write the values themselves."
    close = difflib.get_close_matches(key.casefold(), lowered, n=1, cutoff=0.6)
    return f"Did you mean {lowered[close[0]]}?" if close else f"There are: {', '.join(known)}."


def _either(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"

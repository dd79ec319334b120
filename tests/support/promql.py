"""Which metrics and labels a PromQL expression names."""

import re
from dataclasses import dataclass

_WORDS = {"by", "without", "on", "ignoring", "and", "or", "unless", "bool", "offset", "group_left", "group_right"}
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)\s*")
_SELECTOR = re.compile(r"(?<![\w:$])([A-Za-z_:][\w:]*)(?:\{([^}]*)\})?(?!\w)\s*(\(?)")
_MATCHER = re.compile(r"""([A-Za-z_]\w*)\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"\s*,?\s*""")


@dataclass(frozen=True)
class Named:
    """A metric with the labels that must be its own: those it is selected by, and those it is added up by."""

    metric: str
    labels: frozenset[str]


def named(expression: str) -> set[Named]:
    """Every metric of an expression. Raises AssertionError for what this cannot read."""
    text = re.sub(r"\[[^\]]*\]", "", expression)
    grouped = [(match.group(1), _inside(text, match.end())) for match in _GROUPING.finditer(text)]
    found: dict[str, set[str]] = {}
    for metric, labels in _selected(text):
        found.setdefault(metric, set()).update(labels)
    for names, inside in grouped:
        for metric, _labels in _selected(inside):
            found[metric].update(name.strip() for name in names.split(",") if name.strip())
    return {Named(metric, frozenset(labels)) for metric, labels in found.items()}


def _selected(text: str) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for match in _SELECTOR.finditer(_GROUPING.sub(" ", text)):
        name, matchers, opened = match.groups()
        if name in _WORDS or (opened and matchers is None):
            continue
        assert not _MATCHER.sub("", matchers or ""), matchers
        found.append((name, _MATCHER.findall(matchers or "")))
    return found


def _inside(text: str, start: int) -> str:
    """What stands in the parentheses that open there."""
    assert text[start] == "(", text[start:]
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return text[start + 1 : place]
    raise AssertionError(text)

"""Reads a GBNF grammar before llama.cpp does, and refuses those that its parser does not survive.

llama.cpp calls itself once for each bracket and for each rule that another begins with, visits rules as often as there
are ways to them, copies what is repeated, and trusts the counts: some grammars of a few bytes exhaust the stack or the
memory, or are never finished. Grammars come with imported conversations, so they are judged here, where a mistake is an
error in words. The reading mirrors `llama_grammar_parser` (src/llama-grammar.cpp) and may only be stricter.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from codette_desktop.domain.errors import InvalidRequest

MAX_BRACKETS = 1_200  # half a megabyte of stack; the smallest threads have one or two
MAX_DEPTH = 2_500  # rules that begin with a rule that begins with a rule ...: the library calls itself for each
MAX_ELEMENTS = 300_000  # once repetitions are written out; 8 bytes each, three times
MAX_WAYS = 20_000  # to begin what comes next; the library follows all of them, and compares each with each
MAX_WAYS_OF_ALL = 5_000_000  # all rules together: the library may count them again from each
MAX_REPETITIONS = 2_000  # the library's own; a maximum above it means "any number"

_GUIDE = "See the GBNF guide of llama.cpp."
_SIMPLER = "Use fewer or simpler rules."
_ESCAPE = r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[trn\\\"\[\]-])"
_WORD = re.compile(
    rf'(?P<text>"(?:{_ESCAPE}|[^"\\])*")'
    rf"|(?P<set>\[(?:{_ESCAPE}|[^\]\\])*\])"
    r"|(?P<space>[ \t]+|#[^\r\n]*)"
    r"|(?P<line>[\r\n]+)"
    r"|(?P<head>[a-zA-Z0-9-]+[ \t]*::=)"
    r"|(?P<name>[a-zA-Z0-9-]+)"
    r"|(?P<times>[*+?]|\{[ \t]*[0-9]{1,9}[ \t]*(?:,[ \t]*(?:[0-9]{1,9}[ \t]*)?)?\})"
    r"|(?P<sign>[.|()])"
    r"|(?P<token>!?<)"
)

# An item of a sequence: the number of a rule, or below zero how many elements of text a literal or class takes.
_Sequence = list[int]


def check_grammar(grammar: str) -> None:
    """Raise InvalidRequest, saying why, unless the library can read `grammar` and begin to follow it."""
    rules = _Reader().read(grammar)
    empty = _possibly_empty(rules)
    _check_beginnings(rules, empty)


@dataclass(slots=True)
class _Open:
    """A rule, or a group in brackets, that is being read."""

    rule: int
    done: list[_Sequence] = field(default_factory=list[_Sequence])
    items: _Sequence = field(default_factory=list[int])
    last: int = 0  # where the item begins that a repetition would repeat


class _Reader:
    """Grammar text to rules, each a list of alternatives, with groups and repetitions made rules as there."""

    def __init__(self) -> None:
        self._rules: dict[int, list[_Sequence]] = {}
        self._numbers: dict[str, int] = {}
        self._used: dict[int, str] = {}
        self._count = 0
        self._elements = 0

    def read(self, grammar: str) -> dict[int, list[_Sequence]]:
        """The rules by number."""
        stack: list[_Open] = []
        awaited = False  # after "::=" and "|" a sequence may begin on the next line
        for kind, word in _words(grammar):
            if kind == "space" or (kind == "line" and (awaited or len(stack) != 1)):
                continue
            if kind == "line":
                self._define(stack.pop())
            elif kind == "head":
                if stack:
                    raise _mistake(f"a rule begins in the middle of another, at '{word}'")
                stack.append(_Open(self._number(word.removesuffix("::=").rstrip())))
            elif not stack:
                raise _mistake(f"there is '{word[:20]}' where a rule should begin")
            else:
                self._take(stack, kind, word)
            awaited = kind == "head" or word == "|"
        if len(stack) > 1:
            raise _mistake("a bracket is not closed")
        for last in stack:
            self._define(last)
        if missing := next((name for number, name in self._used.items() if number not in self._rules), None):
            raise _mistake(f"there is no rule named {missing}")
        if self._numbers.get("root") not in self._rules:
            raise _mistake("there is no rule named root")
        return self._rules

    def _take(self, stack: list[_Open], kind: str, word: str) -> None:
        """One word of a sequence."""
        here = stack[-1]
        if kind == "times":
            self._repeat(here, *_times(word))
        elif word == "|":
            here.done.append(here.items)
            here.items, here.last = [], 0
        elif word == "(":
            if len(stack) > MAX_BRACKETS:
                raise InvalidRequest("The brackets of the grammar are nested too deeply.", "Use rules instead.")
            stack.append(_Open(self._new()))
        elif word == ")":
            if len(stack) == 1:
                raise _mistake("a bracket is closed that was never opened")
            self._define(stack.pop())
            stack[-1].last = len(stack[-1].items)
            stack[-1].items.append(here.rule)
        else:
            here.last = len(here.items)
            size = 0 if kind == "name" else 1 if word == "." else len(word.replace("[^", "[", 1)) - 2
            if kind == "name":
                here.items.append(self._number(word))
                self._used.setdefault(here.items[-1], word)
            elif size:  # empty literals and classes leave nothing
                here.items.append(-size)
            self._spend(max(1, size))

    def _repeat(self, here: _Open, least: int, most: int | None) -> None:
        """Write out `least` to `most` (None: any number) of the last item, as the library does."""
        item = here.items[here.last :]
        if not item:
            raise _mistake("there is nothing that could be repeated")
        if least > MAX_REPETITIONS or (most is not None and most < least):
            raise _mistake(f"nothing can be repeated {least} to {'any number of' if most is None else most} times")
        size = sum(-part if part < 0 else 1 for part in item)
        optional = 1 if most is None else most - least
        self._spend(size * max(0, least - 1) + (size + 3) * optional)
        here.items[here.last :] = item * least
        following: list[int] = []
        for _ in range(optional):
            rule = self._new()
            self._rules[rule] = [item + ([rule] if most is None else following), []]
            following = [rule]
        here.items += following

    def _define(self, done: _Open) -> None:
        self._rules[done.rule] = [*done.done, done.items]
        self._spend(1)

    def _number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = self._new()
        return number

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def _spend(self, elements: int) -> None:
        self._elements += elements
        if self._elements > MAX_ELEMENTS:
            raise InvalidRequest("The grammar repeats too much.", _SIMPLER)


def _words(grammar: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(grammar):
        found = _WORD.match(grammar, at)
        kind = found.lastgroup if found else None
        if found is None or kind is None or "\0" in found[0]:
            raise _mistake(f"it cannot be read from '{grammar[at : at + 20]}' on")
        if kind == "token":
            # The library offers tokens by such a rule that it then cannot take, and ends the process over it.
            raise _mistake("rules for single tokens (<...>) are not supported")
        yield kind, found[0]
        at = found.end()


def _times(word: str) -> tuple[int, int | None]:
    if word in "*+?":
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[word]
    least, comma, most = word.strip("{}").partition(",")
    if not comma:
        return int(least), int(least)
    return int(least), int(most) if most.strip() and int(most) <= MAX_REPETITIONS else None


def _possibly_empty(rules: dict[int, list[_Sequence]]) -> set[int]:
    """The rules that can stand for no text at all."""
    waiting: dict[int, list[tuple[int, int]]] = defaultdict(list)  # by rule: alternatives in which it occurs
    missing: dict[tuple[int, int], int] = {}
    found: list[int] = []
    for rule, alternatives in rules.items():
        for index, items in enumerate(alternatives):
            if not items:
                found.append(rule)
            elif min(items) >= 0:
                missing[rule, index] = len(items)
                for item in items:
                    waiting[item].append((rule, index))
    empty: set[int] = set()
    while found:
        rule = found.pop()
        if rule in empty:
            continue
        empty.add(rule)
        for place in waiting[rule]:
            missing[place] -= 1
            if not missing[place]:
                found.append(place[0])
    return empty


def _check_beginnings(rules: dict[int, list[_Sequence]], empty: set[int]) -> None:
    """Follow every rule to the texts it can begin with, from the innermost outwards; count ways and depth."""
    begins = {rule: _first_rules(alternatives, empty) for rule, alternatives in rules.items()}
    begun_by: dict[int, list[int]] = defaultdict(list)
    for rule, firsts in begins.items():
        for first in firsts:
            begun_by[first].append(rule)
    left = {rule: len(firsts) for rule, firsts in begins.items()}
    ready = [rule for rule, count in left.items() if not count]
    ways: dict[int, int] = {}
    depth: dict[int, int] = {}
    total = 0
    while ready:
        rule = ready.pop()
        ways[rule] = 1 + sum(_ways(items, ways, empty) for items in rules[rule])
        depth[rule] = 1 + max((depth[first] for first in begins[rule]), default=0)
        total += ways[rule]
        if ways[rule] > MAX_WAYS or total > MAX_WAYS_OF_ALL or depth[rule] > MAX_DEPTH:
            raise InvalidRequest("There are too many ways to follow the grammar.", _SIMPLER)
        for other in begun_by[rule]:
            left[other] -= 1
            if not left[other]:
                ready.append(other)
    if len(ways) < len(rules):
        raise _mistake("a rule begins with itself (left recursion), which would never end")
    for alternatives in rules.values():
        for items in alternatives:
            _check_middle(items, ways, empty)


def _first_rules(alternatives: list[_Sequence], empty: set[int]) -> list[int]:
    firsts: list[int] = []
    for items in alternatives:
        for item in items:
            if item < 0:
                break
            firsts.append(item)
            if item not in empty:
                break
    return firsts


def _ways(items: _Sequence, ways: dict[int, int], empty: set[int]) -> int:
    """How many ways there are into `items`: into its first one, and past each that can be empty into the next."""
    total = 0
    for item in items:
        total += ways[item] if item >= 0 else 1
        if item < 0 or item not in empty:
            break
    return max(1, total)


def _check_middle(items: _Sequence, ways: dict[int, int], empty: set[int]) -> None:
    """The same from every place inside a sequence, where the library goes on after a character."""
    total = 0
    for item in reversed(items):
        total = (ways[item] if item >= 0 else 1) + (total if item in empty else 0)
        if total > MAX_WAYS:
            raise InvalidRequest("There are too many ways to follow the grammar.", _SIMPLER)


def _mistake(reason: str) -> InvalidRequest:
    return InvalidRequest(f"The grammar cannot be used: {reason}.", _GUIDE)

"""Where chat templates run: jinja2's immutable sandbox, with limits on what it leaves open.

A template is text from a stranger. The sandbox keeps it from attributes and functions of Python; what remains are
templates that never end or that ask for more memory than there is. So every operation that can multiply a value is
guarded before it runs, and a deadline is checked at every line the template executes.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

MAX_SOURCE_CHARS = 512_000
MAX_VALUE_SIZE = 8_000_000  # characters of one value and of all that is in it
_ITEM_WEIGHT = 32  # an item takes more memory, and more time to count, than a character
MAX_INDENT = 64
DEADLINE_S = 2.0
_MEASURED = "measured"

_STRING_METHODS = frozenset(
    "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit islower isnumeric isspace "
    "istitle isupper join lower lstrip partition removeprefix removesuffix replace rfind rindex rpartition rsplit "
    "rstrip split splitlines startswith strip swapcase title upper".split()
)
_FILTERS = frozenset(
    "abs attr capitalize count d default dictsort e escape first float forceescape groupby int items last length list "
    "lower map max min reject rejectattr reverse safe select selectattr sort string title trim unique upper".split()
)


class TemplateRefused(Exception):
    """The template itself called `raise_exception` with this text."""


class TemplateLimit(TemplateError):
    """The template ran for too long, or asked for too much memory."""


class _GenerationBlocks(Extension):
    """`{% generation %}`, by which training code marks answers; here it only shows what it holds."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        """The block's body."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class ChatEnvironment(ImmutableSandboxedEnvironment):
    """The environment chat templates expect (that of Hugging Face's transformers), within limits."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    @staticmethod
    def concat(parts: Iterable[str]) -> str:
        """What captured blocks and macros put together, up to the largest size allowed."""
        return bounded_join(parts)

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationBlocks, loopcontrols])
        known: dict[str, Any] = dict(self.filters)
        self.filters: dict[str, Any] = {name: known[name] for name in _FILTERS} | {
            "tojson": _to_json,
            "join": _join,
            "replace": _replace,
            "indent": _indent,
            "round": _round,
            _MEASURED: _measured,
        }
        self.globals: dict[str, Any] = {
            "range": safe_range,
            "namespace": Namespace,
            "dict": _dict,
            "raise_exception": _refuse,
            "strftime_now": _now,
        }

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return _GuardedValues().visit(super()._parse(source, name, filename))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`left operator right`, unless the result would be too large."""
        if operator == "%" and isinstance(left, str):
            raise SecurityError("formatting with % is not available")
        if operator == "**" and not (abs(left) < 1e6 and 0 <= right <= 16):
            raise TemplateLimit("a power is too large")
        if operator == "*":
            _check_product(left, right)
        if operator == "+" and not isinstance(left, int):
            _check_size(_size(left) + _size(right))
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:
        """No `str.format`: a width in it can be as large as it likes."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Strings offer only the methods whose results are no larger than what goes in."""
        if isinstance(obj, str | bytes) and attr not in _STRING_METHODS:
            return False
        return super().is_safe_attribute(obj, attr, value)

    # jinja2 names these three parameters with two underscores, since a template may pass keywords of any other name.
    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Call what the template calls; the two string methods that can multiply are guarded."""
        _check_size(_size(args) + _size(kwargs))
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, str) and name == "join":
            return _join(args[0] if args else kwargs.get("iterable", ()), owner)
        if isinstance(owner, str) and name == "replace":
            return _replace(owner, *args)
        return super().call(__context, __obj, *args, **kwargs)


def bounded_join(parts: Iterable[str]) -> str:
    """`parts` put together. Raises TemplateLimit as soon as they are too long."""
    kept: list[str] = []
    total = 0
    for part in parts:
        total += len(part)
        _check_size(total)
        kept.append(part)
    return "".join(kept)


class _GuardedValues(NodeTransformer):
    """Sends every literal that can hold other values, and every `~`, through a filter that knows its size.

    `{% set x = [x, x] %}` repeated sixty times is small in memory, but to print it would take for ever.
    """

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - named by jinja2
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), "join")

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        return _filter(self.generic_visit(node), _MEASURED)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        return _filter(self.generic_visit(node), _MEASURED)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return node if node.ctx != "load" else _filter(node, _MEASURED)


class Deadline:
    """A block in which Python code of this thread is stopped after `seconds`, at the next line it executes."""

    def __init__(self, seconds: float = DEADLINE_S) -> None:
        self._end = time.monotonic() + seconds
        self._previous: Any = None

    def __enter__(self) -> None:
        self._previous = sys.gettrace()
        sys.settrace(self._check)

    def __exit__(self, *exc_info: object) -> None:
        sys.settrace(self._previous)

    def _check(self, frame: FrameType, _event: str, _arg: object) -> Callable[..., Any] | None:
        if time.monotonic() > self._end:
            raise TemplateLimit("it ran for too long")
        return self._check if frame.f_code.co_filename == "<template>" else None


def _refuse(message: object = "") -> NoReturn:
    raise TemplateRefused(str(message)[:500])


def _now(form: str = "%Y-%m-%d") -> str:
    if len(form) > 100 or any(char.isdigit() for char in form):
        raise TemplateLimit("a date format is too long")
    return time.strftime(form)


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **others: Any) -> str:
    keys = bool(others.get("sort_keys", False))
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent and min(indent, MAX_INDENT), sort_keys=keys)
    _check_size(len(text))
    return text


def _join(value: Iterable[Any], d: str = "", attribute: str | None = None) -> str:
    if attribute is not None:
        value = [item[attribute] if isinstance(item, dict) else "" for item in value]  # pyright: ignore[reportUnknownVariableType]
    texts = [str(item) for item in value]
    _check_size(sum(map(len, texts)) + len(d) * len(texts))
    return d.join(texts)


def _replace(value: str, old: str, new: str, count: int | None = None) -> str:
    found = value.count(old)
    found = found if count is None or count < 0 else min(found, count)
    _check_size(len(value) + found * len(new))
    return value.replace(old, new, found)


def _indent(value: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    margin = width[:MAX_INDENT] if isinstance(width, str) else " " * min(width, MAX_INDENT)
    _check_size(len(value) + value.count("\n") * len(margin))
    lines = value.split("\n")
    rest = [margin + line if line or blank else line for line in lines[1:]]
    return "\n".join([(margin if first else "") + lines[0], *rest])


def _round(value: float, precision: int = 0, _method: str = "common") -> float:
    return round(value, max(-20, min(precision, 20)))


def _dict(*args: Any, **kwargs: Any) -> dict[Any, Any]:
    return dict(*args, **kwargs)


def _filter(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _measured(value: Any) -> Any:
    _check_size(_size(value))
    return value


def _size(value: Any) -> int:
    """Characters and items of `value` and of everything in it, counted as often as it would be printed.

    An item counts as much as `_ITEM_WEIGHT` characters.
    """
    total = 0
    waiting = [value]
    while waiting and total <= MAX_VALUE_SIZE:
        item: Any = waiting.pop()
        total += _ITEM_WEIGHT
        if isinstance(item, str | bytes):
            total += len(item)
        elif isinstance(item, dict):
            waiting += item.keys()  # pyright: ignore[reportUnknownMemberType]
            waiting += item.values()  # pyright: ignore[reportUnknownMemberType]
        elif isinstance(item, list | tuple | set | frozenset):
            waiting += item
    return total


def _check_product(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        _check_size((left.bit_length() + right.bit_length()) * 1000)
    for values, times in ((left, right), (right, left)):
        if isinstance(times, int) and not isinstance(values, int | float):
            _check_size(_size(values) * max(0, times))


def _check_size(size: int) -> None:
    if size > MAX_VALUE_SIZE:
        raise TemplateLimit("it asks for too much memory")

"""What a chunk of Markdown is made of, independent of Qt: text blocks, code, tables. All values compare by content."""

from dataclasses import dataclass
from enum import Flag, auto


class Style(Flag):
    """How a span is written."""

    PLAIN = 0
    BOLD = auto()
    ITALIC = auto()
    STRIKE = auto()
    CODE = auto()
    MATH = auto()  # the text is LaTeX
    DISPLAY = auto()  # with MATH: a formula of its own line
    IMAGE = auto()  # the text is the description of an image that is not loaded


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text in one style; `href` is the link's address. `source` is what was written for a formula."""

    text: str
    style: Style = Style.PLAIN
    href: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ListMark:
    """The mark before a list item: `number` for an ordered list, else None; `checked` for a task, else None."""

    number: int | None = None
    suffix: str = "."
    checked: bool | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph of a text document.

    `kind`: "p", "h" (with `level` 1..6), "rule" or "math". `indent` counts lists, `quote` counts quotes around it;
    `tight` says that it follows its neighbour closely, as list items do.
    """

    kind: str
    spans: tuple[Span, ...] = ()
    level: int = 0
    indent: int = 0
    quote: int = 0
    mark: ListMark | None = None
    tight: bool = False


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Blocks that go into one text document."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class CodePiece:
    """A code block; `indent` counts the lists and quotes around it."""

    language: str
    code: str
    indent: int = 0


@dataclass(frozen=True, slots=True)
class TablePiece:
    """A table: the first row is the header; `aligns` holds "left", "center", "right" or "" for each column."""

    aligns: tuple[str, ...]
    rows: tuple[tuple[tuple[Span, ...], ...], ...]
    indent: int = 0


Piece = TextPiece | CodePiece | TablePiece

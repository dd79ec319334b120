"""Markdown text to pieces: CommonMark, tables, strike-through, task lists, LaTeX; HTML stays text."""

import re
from dataclasses import replace
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from codette_desktop.gui.widgets.markdown.inline import spans_of
from codette_desktop.gui.widgets.markdown.math_rules import add_math
from codette_desktop.gui.widgets.markdown.pieces import (
    Block,
    CodePiece,
    ListMark,
    Piece,
    Span,
    Style,
    TablePiece,
    TextPiece,
)

MAX_CHUNK = 60_000  # characters; a single block longer than that is shown as it was written
MAX_NESTING = 60  # lists and quotes inside each other; beyond that the parser drops text, so it is shown as written
MAX_CELLS = 4_000
MAX_COLUMNS = 60

_TASK = re.compile(r"\[([ xX])\]\s+")


def make_parser() -> MarkdownIt:
    """The parser of all answers. HTML is no markup to it; which links are offered is decided in `inline`."""
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])
    parser.validateLink = lambda _url: True  # type: ignore[method-assign]
    add_math(parser)
    return parser


class ChunkParser:
    """Parses the chunks of one answer in order; remembers link definitions and how far an ordered list had counted."""

    def __init__(self) -> None:
        self._parser = make_parser()
        self._env: dict[str, Any] = {}
        self._last_number: int | None = None

    def parse(self, chunk: str, *, final: bool = True) -> list[Piece]:
        """The pieces of one chunk. `final=False` looks at an open chunk and leaves the memory as it was."""
        if len(chunk) > MAX_CHUNK:
            return [_as_written(chunk)]
        env = self._env if final else {"references": dict(self._env.get("references", {}))}
        tokens = self._parser.parse(chunk, env)
        if any(token.level >= MAX_NESTING - 2 for token in tokens):
            return [_as_written(chunk)]
        walker = _Walker(chunk, self._last_number)
        pieces = walker.walk(tokens)
        if final and chunk.strip():
            self._last_number = walker.last_number
        return pieces


class _Walker:
    """Turns the token list of one chunk into pieces."""

    def __init__(self, source: str, last_number: int | None) -> None:
        self._source = source.split("\n")
        self._pieces: list[Piece] = []
        self._blocks: list[Block] = []
        self._lists: list[int | None] = []  # the next number of each open ordered list, None for a bullet list
        self._suffixes: list[str] = []
        self._mark: ListMark | None = None  # waits for the first block of its item
        self._quote = 0
        self._heading = 0
        self._previous_number = last_number
        self.last_number: int | None = None

    def walk(self, tokens: list[Token]) -> list[Piece]:
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.type == "table_open":
                end = next(i for i in range(at, len(tokens)) if tokens[i].type == "table_close")
                self._table(tokens[at : end + 1])
                at = end
            else:
                self._token(token)
            at += 1
        self._flush_text()
        return self._pieces

    def _token(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self._open_list(None, "")
            case "ordered_list_open":
                self._open_list(self._first_number(token), token.markup)
            case "bullet_list_close" | "ordered_list_close":
                self._close_list()
            case "list_item_open":
                self._open_item()
            case "list_item_close":
                self._close_item()
            case "blockquote_open":
                self._quote += 1
            case "blockquote_close":
                self._quote -= 1
            case "heading_open":
                self._heading = int(token.tag[1])
            case "heading_close":
                self._heading = 0
            case "inline":
                self._inline(token)
            case "hr":
                self._add(Block("rule"))
            case "math_block":
                self._add(Block("math", _math_spans(token)))
            case "fence" | "code_block":
                self._code(token)
            case _:
                pass

    def _first_number(self, token: Token) -> int:
        start = int(token.attrs.get("start", 1))
        if not self._lists and self._previous_number is not None and not self._pieces and not self._blocks:
            # "1." written before every item still counts up across the chunks of one list.
            return self._previous_number + 1 if start == 1 or start <= self._previous_number else start
        return start

    def _open_list(self, first: int | None, suffix: str) -> None:
        self._lists.append(first)
        self._suffixes.append(suffix)

    def _close_list(self) -> None:
        number = self._lists.pop()
        self._suffixes.pop()
        if not self._lists:
            self.last_number = None if number is None else number - 1

    def _open_item(self) -> None:
        self._mark = ListMark(number=self._lists[-1], suffix=self._suffixes[-1] or ".")

    def _close_item(self) -> None:
        if self._mark is not None:
            self._add(Block("p", tight=True))
        number = self._lists[-1]
        if number is not None:
            self._lists[-1] = number + 1

    def _inline(self, token: Token) -> None:
        spans = spans_of(token)
        if self._mark is not None and spans and (task := _TASK.match(spans[0].text)):
            self._mark = replace(self._mark, checked=task.group(1) != " ")
            spans = [replace(spans[0], text=spans[0].text[task.end() :]), *spans[1:]]
        kind = "h" if self._heading else "p"
        for group in _split_display(spans):
            display = len(group) == 1 and Style.DISPLAY in group[0].style
            self._add(Block("math" if display else kind, tuple(group), level=self._heading))

    def _add(self, block: Block) -> None:
        mark, self._mark = self._mark, None
        self.last_number = None
        self._blocks.append(
            replace(
                block, indent=len(self._lists), quote=self._quote, mark=mark, tight=block.tight or bool(self._lists)
            )
        )

    def _code(self, token: Token) -> None:
        if self._mark is not None:
            self._add(Block("p", tight=True))
        self._flush_text()
        self.last_number = None
        language = token.info.strip().split(maxsplit=1)[0] if token.info.strip() else ""
        code = token.content.removesuffix("\n")
        self._pieces.append(CodePiece(language, code, len(self._lists) + self._quote))

    def _table(self, tokens: list[Token]) -> None:
        self._flush_text()
        self.last_number = None
        rows: list[tuple[tuple[Span, ...], ...]] = []
        cells: list[tuple[Span, ...]] = []
        aligns: list[str] = []
        for token in tokens:
            if token.type == "tr_open":
                cells = []
            elif token.type == "th_open":
                aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
            elif token.type == "inline":
                cells.append(tuple(spans_of(token)))
            elif token.type == "tr_close":
                rows.append(tuple(cells))
        indent = len(self._lists) + self._quote
        if len(aligns) > MAX_COLUMNS or len(rows) * len(aligns) > MAX_CELLS:
            first, last = tokens[0].map or (0, len(self._source))
            self._pieces.append(CodePiece("", "\n".join(self._source[first:last]).rstrip("\n"), indent))
        else:
            self._pieces.append(TablePiece(tuple(aligns), tuple(rows), indent))

    def _flush_text(self) -> None:
        if self._blocks:
            self._pieces.append(TextPiece(tuple(self._blocks)))
            self._blocks = []


def _as_written(chunk: str) -> TextPiece:
    return TextPiece(tuple(Block("p", (Span(line),), tight=True) for line in chunk.rstrip("\n").split("\n")))


def _math_spans(token: Token) -> tuple[Span, ...]:
    formula = Span(token.content, Style.MATH | Style.DISPLAY, source=token.markup)
    return (formula, Span(token.info)) if token.info else (formula,)


def _split_display(spans: list[Span]) -> list[list[Span]]:
    """Display formulas inside a paragraph stand on lines of their own."""
    groups: list[list[Span]] = [[]]
    for span in spans:
        if Style.DISPLAY in span.style:
            groups += [[span], []]
        else:
            groups[-1].append(span)
    kept = [group for group in groups if any(span.text.strip() for span in group)]
    return kept or [[]]

"""Pygments colours for a code box: lexed in slices, so that long code never holds up a frame."""

import time
from collections.abc import Iterator

from pygments.token import Token, _TokenType
from PySide6.QtGui import QColor, QFont, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from codette_desktop.gui.theme.manager import theme
from codette_desktop.gui.widgets.lexers import lexers

MAX_CODE = 200_000  # characters; longer code stays in one colour
SLICE_MS = 4.0

_ROLES: tuple[tuple[_TokenType, str], ...] = (
    (Token.Comment, "comment"),
    (Token.Keyword.Type, "type"),
    (Token.Keyword, "keyword"),
    (Token.Operator.Word, "keyword"),
    (Token.Literal.String, "string"),
    (Token.Literal.Number, "number"),
    (Token.Name.Function, "function"),
    (Token.Name.Class, "type"),
    (Token.Name.Builtin, "type"),
    (Token.Name.Decorator, "function"),
    (Token.Name.Tag, "keyword"),
    (Token.Name.Attribute, "function"),
    (Token.Name.Exception, "type"),
    (Token.Generic.Inserted, "added"),
    (Token.Generic.Deleted, "removed"),
    (Token.Generic.Heading, "keyword"),
    (Token.Operator, "operator"),
)
Run = tuple[int, int, str]  # first column, length, role


class CodeHighlighter(QSyntaxHighlighter):
    """Holds the colour runs of each line.

    `start` begins anew; `work` goes on for one slice and says whether more is left.
    """

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._lines: list[list[Run]] = []
        self._column = 0  # where the next token stands in the last line
        self._tokens: Iterator[tuple[int, _TokenType, str]] | None = None
        self._formats: dict[str, QTextCharFormat] = {}
        self.restyle()

    def restyle(self) -> None:
        """Takes the colours of the theme in force."""
        syntax = theme().tokens.syntax
        for role in {role for _, role in _ROLES}:
            made = QTextCharFormat()
            made.setForeground(QColor(getattr(syntax, role)))
            if role == "comment":
                made.setFontItalic(True)
            if role == "keyword":
                made.setFontWeight(QFont.Weight.Bold)
            self._formats[role] = made
        if self._lines:
            self.rehighlight()

    def start(self, language: str, code: str) -> bool:
        """Begins to lex; False where the language is unknown or not loaded yet, or the code too long."""
        lexer = lexers().get(language) if len(code) <= MAX_CODE else None
        self._lines, self._column = [[]], 0
        self._tokens = iter(lexer.get_tokens_unprocessed(code)) if lexer is not None else None
        return self._tokens is not None

    def work(self, budget_ms: float = SLICE_MS) -> bool:
        """Colours what can be coloured in that time; True while more is left."""
        if self._tokens is None:
            return False
        first = len(self._lines) - 1
        end = time.perf_counter() + budget_ms / 1000
        more = True
        column = self._column
        for count, (_, kind, text) in enumerate(self._tokens):
            column = self._take(column, _role_of(kind), text)
            if count % 32 == 31 and time.perf_counter() > end:
                break
        else:
            more, self._tokens = False, None
        self._column = column
        document = self.document()
        for number in range(first, len(self._lines)):
            block = document.findBlockByNumber(number)
            if block.isValid():
                self.rehighlightBlock(block)
        return more

    def highlightBlock(self, _text: str) -> None:
        number = self.currentBlock().blockNumber()
        if number < len(self._lines):
            for start, length, role in self._lines[number]:
                self.setFormat(start, length, self._formats[role])

    def _take(self, column: int, role: str, text: str) -> int:
        for number, part in enumerate(text.split("\n")):
            if number:
                self._lines.append([])
                column = 0
            width = _units(part)
            if role and part.strip():
                self._lines[-1].append((column, width, role))
            column += width
        return column


def _units(text: str) -> int:
    """The length in UTF-16 units, which Qt counts in."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _role_of(kind: _TokenType) -> str:
    for parent, role in _ROLES:
        if kind in parent:
            return role
    return ""

"""markdown-it rules for LaTeX: $...$, $$...$$, \\(...\\), \\[...\\]. Amounts of money are left alone."""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

MAX_LATEX = 2_000  # characters; what is longer stays as it was written

_AMOUNT = re.compile(r"\d[\d.,]*(?:[kKmMbB]|\s*%)?(?:\s+\S*[^\W\d_]{2,}|\s*$|\s*[-–/]\s*$|,)")
_PAIRS = {"\\(": ("\\)", False), "\\[": ("\\]", True), "$$": ("$$", True)}


def add_math(parser: MarkdownIt) -> None:
    """Teaches the parser LaTeX; its tokens are "math_inline" and "math_display" with the LaTeX as content."""
    parser.inline.ruler.before("escape", "math", _inline)
    parser.block.ruler.before("fence", "math", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def _inline(state: StateInline, silent: bool) -> bool:
    opener = state.src[state.pos : state.pos + 2]
    if opener in _PAIRS:
        closer, display = _PAIRS[opener]
        return _paired(state, silent, opener, closer, display)
    if opener[:1] == "$":
        return _dollar(state, silent)
    return False


def _paired(state: StateInline, silent: bool, opener: str, closer: str, display: bool) -> bool:
    start = state.pos + len(opener)
    end = state.src.find(closer, start, start + MAX_LATEX)
    if end < 0 or not state.src[start:end].strip():
        return False
    return _push(state, silent, state.src[start:end], end + len(closer), display)


def _dollar(state: StateInline, silent: bool) -> bool:
    start, text = state.pos + 1, state.src
    before = text[state.pos - 1 : state.pos] if state.pos else ""
    if before.isalnum() or before == "\\" or not text[start : start + 1].strip():
        return False
    end = text.find("$", start, start + MAX_LATEX)
    while end > 0 and text[end - 1] == "\\":
        end = text.find("$", end + 1, start + MAX_LATEX)
    if end <= start or text[end - 1].isspace() or text[end + 1 : end + 2].isalnum():
        return False
    content = text[start:end]
    if "\n\n" in content or "`" in content or (_AMOUNT.match(content) and not set(content) & set("\\=")):
        # "$5 and 10$" is money; "$5$" alone is as well a formula as an amount, and reads the same either way.
        if content.strip().isdigit():
            return _push(state, silent, content, end + 1, display=False)
        return False
    return _push(state, silent, content, end + 1, display=False)


def _push(state: StateInline, silent: bool, latex: str, position: int, display: bool) -> bool:
    if not silent:
        token = state.push("math_display" if display else "math_inline", "", 0)
        token.content = latex.strip()
        token.markup = state.src[state.pos : position]
    state.pos = position
    return True


def _block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    begin = state.bMarks[start_line] + state.tShift[start_line]
    opener = state.src[begin : begin + 2]
    if opener not in ("$$", "\\[") or state.is_code_block(start_line):
        return False
    closer = _PAIRS[opener][0]
    for line in range(start_line, end_line):
        text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
        if line > start_line and not text.strip():
            return False
        found = text.find(closer, 2 if line == start_line else 0)
        if found < 0:
            continue
        if text[found + 2 :].strip(" \t.,;"):
            return False
        return silent or _push_block(state, begin, start_line, line, found, text[found + 2 :].strip())
    return False


def _push_block(state: StateBlock, begin: int, first: int, last: int, found: int, after: str) -> bool:
    end = state.bMarks[last] + state.tShift[last] + found
    latex = state.src[begin + 2 : end].strip()
    if not latex or len(latex) > MAX_LATEX:
        return False
    token = state.push("math_block", "", 0)
    token.content = latex
    token.markup = state.src[begin : end + 2]
    token.info = after
    token.map = [first, last + 1]
    state.line = last + 1
    return True

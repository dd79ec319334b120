"""The open end of an answer, made presentable while it grows."""

import re

from codette_desktop.gui.widgets.markdown.parser import ChunkParser
from codette_desktop.gui.widgets.markdown.pieces import CodePiece, Piece

MAX_FORMATTED = 2_000  # characters; a longer open block is shown as it was written until it closes

_OPENER = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^\n]*)")


def open_fence(tail: str) -> CodePiece:
    """An open fenced code block as code; a closing fence that is only half there is left out."""
    first, _, code = tail.partition("\n")
    opener = _OPENER.match(first)
    marker, info = (opener.group(1), opener.group(2)) if opener else ("```", "")
    last = code.rpartition("\n")[2].strip()
    if last and set(last) == {marker[0]}:
        code = code.rpartition("\n")[0]
    # The word after the fence counts once its line is complete.
    language = info.split(maxsplit=1)[0] if info.strip() and "\n" in tail else ""
    return CodePiece(language, code.removesuffix("\n"))


def formatted(parser: ChunkParser, tail: str) -> list[Piece]:
    """An open block as it would look if it ended here."""
    return parser.parse(completed(tail), final=False)


def completed(tail: str) -> str:
    """Closes bold, italic and code that have begun, so that their marks do not flash up as text."""
    end = tail.rstrip("\n")
    start = max(end.rfind("\n\n"), 0)
    last = end[start:]
    if "```" in last or "~~~" in last or "$$" in last:
        return tail
    if last.count("`") % 2:
        return end.removesuffix("`") if last.endswith("`") else end + "`"
    stripped = re.sub(r"`[^`]*`", "", last)
    if stripped.endswith(("*", "_")) and not stripped.endswith(("** ", "* ")):
        marks = re.search(r"[*_]+$", stripped)
        if marks and stripped[: marks.start()][-1:] in ("", " ", "\n", "(", '"'):
            return end[: -len(marks.group())]
    if stripped.count("**") % 2:
        # "**word*" is half of its closing mark.
        return end + ("*" if stripped.endswith("*") and not stripped.endswith("**") else "**")
    return tail

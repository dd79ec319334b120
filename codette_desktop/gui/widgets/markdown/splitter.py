"""Cuts growing Markdown into chunks that later text cannot change, so that each is parsed and drawn once.

A chunk is one top-level block (a list is cut at its top-level items). The cuts depend on whole lines alone, never on
how the text arrived, so a streamed answer and the same answer read from the database give the same chunks.
"""

import re

_FENCE = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*$)|~{3,})")
_TOP_FENCE = re.compile(r" {0,3}(?:`{3,}[^`]*|~{3,}.*)$")
_ITEM = re.compile(r" {0,1}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_CONTINUES_LIST = re.compile(r"(?: {2}|\t)")
_CONTINUES_CODE = re.compile(r"(?: {4}|\t)")


class ChunkSplitter:
    """Takes text in any pieces; `feed` returns the chunks closed by it, `tail` is what is still open."""

    def __init__(self) -> None:
        self._lines: list[str] = []  # whole lines of the open chunk, with their newline
        self._partial: list[str] = []  # pieces of the line that has no newline yet
        self._fence = ""  # the marker that opened the fence we are in
        self._kind = ""  # "list", "code" (indented), "fence", "" for the rest
        self._blank = False  # a blank line was seen after the chunk's text

    @property
    def tail(self) -> str:
        """The open chunk, with the line that is still growing."""
        return "".join(self._lines) + "".join(self._partial)

    @property
    def tail_is_fence(self) -> bool:
        """Whether the open chunk is a fenced code block of its own (not one inside a list)."""
        return self._kind == "fence"

    def feed(self, text: str) -> list[str]:
        """The chunks that are closed now, in order; together with the later ones they are the whole text."""
        closed: list[str] = []
        lines = text.split("\n")
        for piece in lines[:-1]:
            line = "".join(self._partial) + piece + "\n"
            self._partial.clear()
            self._take(line, closed)
        if lines[-1]:
            self._partial.append(lines[-1])
            self._close_early(closed)
        return closed

    def finish(self) -> list[str]:
        """Closes what is open: the last chunks."""
        closed: list[str] = []
        if self._partial:
            line = "".join(self._partial)
            self._partial.clear()
            self._take(line, closed)
        self._close(closed)
        return closed

    def _take(self, line: str, closed: list[str]) -> None:
        if self._fence:
            self._take_fenced(line, closed)
            return
        if not line.strip():
            self._lines.append(line)
            self._blank = True
            return
        if self._lines and self._starts_chunk(line):
            self._close(closed)
        if not any(part.strip() for part in self._lines):
            self._kind = _kind_of(line)
        self._blank = False
        self._lines.append(line)
        opened = _FENCE.match(line.rstrip("\n"))
        if opened and (self._kind in ("list", "fence") or not line.startswith(("    ", "\t"))):
            self._fence = opened.group(1)
        elif self._kind == "heading":
            self._close(closed)

    def _take_fenced(self, line: str, closed: list[str]) -> None:
        self._lines.append(line)
        stripped = line.strip()
        if len(stripped) >= len(self._fence) and set(stripped) == {self._fence[0]}:
            self._fence = ""
            if self._kind == "fence":
                self._close(closed)

    def _starts_chunk(self, line: str) -> bool:
        if self._kind == "list" and _ITEM.match(line):
            return True
        if self._blank:
            if self._kind == "list":
                return not _CONTINUES_LIST.match(line)
            if self._kind == "code":
                return not _CONTINUES_CODE.match(line)
            return any(part.strip() for part in self._lines)
        if self._kind == "list" and line.startswith("  "):
            return False
        return bool(_TOP_FENCE.match(line.rstrip("\n")) or _HEADING.match(line))

    def _close_early(self, closed: list[str]) -> None:
        """After a blank line the first letter of the next one often decides, as the whole line will."""
        if not self._blank or self._fence:
            return
        start = "".join(self._partial[:8])
        undecided = {"list": " \t-*+0123456789", "code": " \t"}.get(self._kind, "")
        if start.strip() and start[0] not in undecided and any(part.strip() for part in self._lines):
            self._close(closed)

    def _close(self, closed: list[str]) -> None:
        if self._lines:
            closed.append("".join(self._lines))
        self._lines, self._fence, self._kind, self._blank = [], "", "", False


def _kind_of(line: str) -> str:
    if _TOP_FENCE.match(line.rstrip("\n")):
        return "fence"
    if _HEADING.match(line):
        return "heading"
    if _ITEM.match(line):
        return "list"
    return "code" if line.startswith(("    ", "\t")) else ""

"""What an answer looks like apart from what it says, counted the way public arenas count it."""

import re

from codette_desktop.domain.votes import Style

_FENCE = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})")
_HEADER = re.compile(r"^#{1,6}[ \t]", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]*(?:\d+\.|[-*+])[ \t]", re.MULTILINE)
_BOLD = re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")


def style_of(text: str, tokens: int) -> Style:
    """The style of an answer in Markdown. Headers, list items and bold passages within code blocks do not count.

    After FastChat's `add_markdown_info.py`; a block that was not closed ends with the text. `tokens` is the number
    that were generated.
    """
    prose = _without_code(text)
    return Style(
        characters=len(text),
        tokens=tokens,
        headers=len(_HEADER.findall(prose)),
        list_items=len(_ITEM.findall(prose)),
        bold=len(_BOLD.findall(prose)),
    )


def _without_code(text: str) -> str:
    """The lines outside of fenced code blocks. A fence is closed by one of the same kind, at least as long."""
    kept: list[str] = []
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and not line.strip(" \t" + fence[0]):
                fence = ""
        elif found:
            fence = found[1]
        else:
            kept.append(line)
    return "\n".join(kept)


def style_differences(left: Style, right: Style) -> tuple[float, float, float, float]:
    """(left - right) / (left + right) for each of STYLE_FEATURES, 0 where neither has any; within -1 to 1."""
    return (
        _difference(left.tokens, right.tokens),
        _difference(left.headers, right.headers),
        _difference(left.list_items, right.list_items),
        _difference(left.bold, right.bold),
    )


def _difference(left: int, right: int) -> float:
    return (left - right) / (left + right) if left + right else 0.0

"""Inline tokens to spans."""

import re
from dataclasses import replace

from markdown_it.token import Token

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.widgets.markdown.pieces import Span, Style

_URL = re.compile(r"https?://[^\s<>\"'`|\\^{}\u00a0]+")
_TRAILING = ".,;:!?)]*_~"
_OPENERS = {"strong_open": Style.BOLD, "em_open": Style.ITALIC, "s_open": Style.STRIKE}
_CLOSERS = {"strong_close": Style.BOLD, "em_close": Style.ITALIC, "s_close": Style.STRIKE}


def is_safe_link(url: str) -> bool:
    """Whether a link may be offered at all: http, https and mailto. Any other becomes plain text."""
    return url.strip().lower().startswith(("http://", "https://", "mailto:"))


def spans_of(token: Token) -> list[Span]:
    """The spans of an inline token, neighbours of the same style joined."""
    spans: list[Span] = []
    depth: dict[Style, int] = {}
    href = ""
    for child in token.children or ():
        if child.type in _OPENERS:
            depth[_OPENERS[child.type]] = depth.get(_OPENERS[child.type], 0) + 1
        elif child.type in _CLOSERS:
            depth[_CLOSERS[child.type]] -= 1
        elif child.type == "link_open":
            href = str(child.attrs.get("href", ""))
            href = href if is_safe_link(href) else ""
        elif child.type == "link_close":
            href = ""
        else:
            style = Style.PLAIN
            for flag, count in depth.items():
                if count > 0:
                    style |= flag
            spans += _leaf(child, style, href)
    return _joined(spans)


def _leaf(token: Token, style: Style, href: str) -> list[Span]:
    match token.type:
        case "softbreak":
            return [Span(" ", style, href)]
        case "hardbreak":
            return [Span("\u2028", style, href)]
        case "code_inline":
            return [Span(token.content, style | Style.CODE, href)]
        case "math_inline":
            return [Span(token.content, style | Style.MATH, href, token.markup)]
        case "math_display":
            return [Span(token.content, style | Style.MATH | Style.DISPLAY, href, token.markup)]
        case "image":
            words = token.content.strip() or str(token.attrs.get("src", ""))[:80]
            return [Span(tr("Image not loaded: {words}", words=words), style | Style.IMAGE, href)]
        case _:
            return [Span(token.content, style, href)] if href else _linked(token.content, style)


def _linked(text: str, style: Style) -> list[Span]:
    """Bare web addresses become links."""
    spans: list[Span] = []
    at = 0
    for found in _URL.finditer(text) if "://" in text else ():
        url = found.group().rstrip(_TRAILING)
        if "(" in url and found.group()[len(url) :].startswith(")"):
            url += ")"
        spans += [Span(text[at : found.start()], style), Span(url, style, url)]
        at = found.start() + len(url)
    return [*spans, Span(text[at:], style)]


def _joined(spans: list[Span]) -> list[Span]:
    result: list[Span] = []
    for span in spans:
        if not span.text:
            continue
        last = result[-1] if result else None
        if last and last.style == span.style and last.href == span.href and not span.source and not last.source:
            result[-1] = replace(last, text=last.text + span.text)
        else:
            result.append(span)
    return result

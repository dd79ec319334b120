"""Text for SQLite and for the full-text index: cleaning, folding, queries and snippets.

Folding happens here and not in SQLite's tokenizer, whose Unicode tables are old, differ between builds, and know
nothing of scripts written without spaces. The index holds folded text with one space around each token.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import chain, repeat

MARK_START, MARK_END = "\x02", "\x03"

_REPLACEMENT = "\ufffd"
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKS_TO_SPACES = str.maketrans({MARK_START: " ", MARK_END: " "})
_PLAIN_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "ħ": "h", "\u0640": ""})
_MAX_WORDS = 16
_MAX_TOKENS = 64
_SNIPPET_LENGTH = 160
_SNIPPET_LEAD = 40
_CHUNK = 400
_OVERLAP = 100

# Scripts written without spaces between words, where each character is indexed as a token and a word is a phrase.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # CJK radicals
    (0x3005, 0x3007),  # ideographic iteration and closing marks
    (0x3040, 0x31FF),  # Kana, Bopomofo, Hangul compatibility letters
    (0x3400, 0x9FFF),  # CJK ideographs
    (0xA960, 0xA97F),  # Hangul letters
    (0xAC00, 0xD7FF),  # Hangul syllables
    (0xF900, 0xFAFF),  # CJK compatibility ideographs
    (0x20000, 0x3FFFF),  # CJK ideographs, extensions
)


def clean(text: str) -> str:
    """`text` as SQLite can keep it: surrogate pairs joined, lone surrogates and NUL replaced by U+FFFD.

    NUL is legal in SQLite's text, but its own functions stop there, so it is not kept.
    """
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", _REPLACEMENT)


def fold(text: str) -> str:
    """`text` as it is indexed: lower case, without diacritics, everything but tokens replaced by spaces."""
    return unicodedata.normalize("NFC", text).translate(_FOLDED)


class _FoldTable(dict[int, str]):
    """Folded text by code point, filled as characters turn up."""

    def __missing__(self, code: int) -> str:
        decomposed = unicodedata.normalize("NFKD", chr(code).casefold()).translate(_PLAIN_LETTERS)
        kept = "".join(char for char in decomposed if not _is_diacritic(char))
        folded = self[code] = "".join(map(_token_text, unicodedata.normalize("NFC", kept)))
        return folded


def _is_diacritic(char: str) -> bool:
    """Accents, Hebrew points and Arabic vowel signs; not the marks that make another letter (kana, Indic, Thai)."""
    return unicodedata.combining(char) >= 200 or 10 <= unicodedata.combining(char) <= 35


def _token_text(char: str) -> str:
    category = unicodedata.category(char)
    if char == _REPLACEMENT:
        return " "
    if category == "Cf" or 0xFE00 <= ord(char) <= 0xFE0F:  # joiners, soft hyphens, variation selectors
        return ""
    if category == "So" or (category[0] in "LNM" and _is_unspaced(char)):
        return f" {char} "
    return char if category[0] in "LNM" or category == "Co" else " "


def _is_unspaced(char: str) -> bool:
    code = ord(char)
    return code >= _UNSPACED[0][0] and any(low <= code <= high for low, high in _UNSPACED)


_FOLDED = _FoldTable()


class Query:
    """What a person typed into a search field. `expression` is None when it has no letter, digit or symbol.

    All words must occur, the last one as the beginning of a word. Nothing typed has a special meaning.
    """

    def __init__(self, text: str) -> None:
        self.raw = clean(text).strip()
        words = [tokens for word in self.raw.split() if (tokens := fold(word).split())]
        self._phrases = [tokens[:_MAX_TOKENS] for tokens in words[:_MAX_WORDS]]
        self._open = bool(self._phrases) and not _ends_whole(self._phrases[-1][-1])
        self._pattern = re.compile(f" (?:{'|'.join(self._patterns())})" if self._phrases else "$^")

    @property
    def expression(self) -> str | None:
        """The FTS5 expression."""
        quoted = ['"' + " ".join(tokens) + '"' for tokens in self._phrases]
        if not quoted:
            return None
        return " ".join(quoted) + ("*" if self._open else "")

    def _patterns(self) -> Iterable[str]:
        """What stands behind a space in folded text: a first character that can be sought is what makes it fast."""
        for index, tokens in enumerate(self._phrases):
            is_open = self._open and index == len(self._phrases) - 1
            yield " +".join(map(re.escape, tokens)) + ("[^ ]*" if is_open else "(?![^ ])")

    def snippet(self, text: str) -> str:
        """A piece of `text` around the first word found, the words marked; its beginning when none is found."""
        text = text.translate(_MARKS_TO_SPACES)
        for start in range(0, max(1, len(text)), _CHUNK):
            chunk = text[start : start + _CHUNK + _OVERLAP]
            folded = " " + chunk.translate(_FOLDED)
            if self._pattern.search(folded):
                spans = self._spans(chunk, folded)
                return _cut(text, [(start + low, start + high) for low, high in spans])
        at = text.find(self.raw) if self.raw and not self._phrases else -1
        return _cut(text, [(at, at + len(self.raw))] if at >= 0 else [])

    def _spans(self, chunk: str, folded: str) -> list[tuple[int, int]]:
        if chunk.isascii():  # folded character by character
            return [(hit.start(), hit.end() - 1) for hit in self._pattern.finditer(folded)]
        pieces = [_FOLDED[ord(char)] for char in chunk]
        origins = list(chain.from_iterable(map(repeat, range(len(pieces)), map(len, pieces))))
        found = self._pattern.finditer(folded)
        return [(origins[hit.start()], origins[hit.end() - 2] + 1) for hit in found]


def _ends_whole(token: str) -> bool:
    """Whether nothing could be typed after `token` that belonged to the same token."""
    return len(token) == 1 and _token_text(token) != token


def _cut(text: str, spans: list[tuple[int, int]]) -> str:
    start = max(0, spans[0][0] - _SNIPPET_LEAD) if spans else 0
    if start and (space := text.find(" ", start, spans[0][0])) >= 0:
        start = space + 1
    end = start + _SNIPPET_LENGTH
    parts, at = ["…" if start else ""], start
    for low, high in spans:
        if low < at or low >= end:
            continue
        high = min(high, end)
        parts += [text[at:low], MARK_START, text[low:high], MARK_END]
        at = high
    parts += [text[at:end], "…" if len(text) > end else ""]
    return re.sub(r"\s+", " ", "".join(parts)).strip()

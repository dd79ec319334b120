"""Words of a text in any script, with their places; a text that grows is not read again from its beginning."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Generator
from functools import lru_cache

WORDS_A_STEP = 1_000

# Scripts that put no spaces between words: each letter counts as a word of its own.
_SPACELESS = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2e80-\u2fdf\u3005-\u3007"
    "\u3021-\u3029\u3031-\u3035\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f\U00016fe0-\U00018cff\U0001b000-\U0001b2ff"
    "\U00020000-\U0003ffff"
)
# Where marks that combine with the letter before them lie, beside the few of the symbols.
_MARK_BLOCKS = ((0x300, 0x1E00), (0x200C, 0x200D), (0x20D0, 0x2100), (0xA66F, 0xAC00), (0xFE00, 0xFE30))
_FAR_MARK_BLOCKS = ((0x10A00, 0x11F60), (0x1E000, 0x1E95B), (0x1F3FB, 0x1F400))  # the last: colours of skin


class WordList:
    """`words` in order, with `starts` and `ends` in characters (code points)."""

    def __init__(self) -> None:
        self.text = ""
        self.words: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []

    def read(self, text: str) -> Generator[None, None, None]:
        """Take the words of `text` in steps; those of the beginning it shares with the text before are kept."""
        # The last word of the shared beginning may have grown.
        kept = max(0, bisect_right(self.ends, _shared(self.text, text)) - 1)
        for places in (self.words, self.starts, self.ends):
            del places[kept:]
        self.text = text
        found = _pattern().finditer(text, self.ends[-1] if self.ends else 0)
        for number, match in enumerate(found, start=1):
            self.words.append(match[0])
            self.starts.append(match.start())
            self.ends.append(match.end())
            if number % WORDS_A_STEP == 0:
                yield


def _shared(first: str, second: str) -> int:
    """The length of the beginning that two texts have in common."""
    low, high = 0, min(len(first), len(second))
    if first[:high] == second[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle
    return low


@lru_cache(maxsize=1)
def _pattern() -> "re.Pattern[str]":
    """A number, a letter of a script without spaces, a word, or one other sign; each with its combining marks."""
    mark = f"[{_marks()}]"
    letter = rf"(?:(?![{_SPACELESS}])\w{mark}*)"
    sign = rf"[^\w\s]{mark}*(?:\u200d[^\w\s]{mark}*)*"
    return re.compile(rf"\d+(?:[.,:]\d+)+|[{_SPACELESS}]{mark}*|{letter}+(?:['’]{letter}+)*|{sign}|{mark}+", re.UNICODE)


def _marks() -> str:
    """All combining marks, as the inside of a character class."""
    ranges: list[str] = []
    for low, high in (*_MARK_BLOCKS, *_FAR_MARK_BLOCKS):
        start = None
        for point in range(low, high + 1):
            combining = point < high and (
                unicodedata.category(chr(point)) in ("Mn", "Mc", "Me") or low in (0x200C, 0x1F3FB)
            )
            if combining and start is None:
                start = point
            elif not combining and start is not None:
                ranges.append(f"{chr(start)}-{chr(point - 1)}")
                start = None
    return "".join(ranges)

"""What the classifier sees of a prompt: words, parts of words, pairs of words, and how the text is built.

Reading is bounded: of a long text only its beginning and its end are looked at, which is where people say what they
want; a paste of a megabyte costs no more than a page.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from codette_desktop.inference.routing.lexicon import families

HEAD_CHARS, TAIL_CHARS = 600, 200
MAX_WORDS = 80
OPENING_WORDS = 6
_MAX_WORD_CHARS = 20
_GRAM_SIZES = (4, 5)

_WORD = re.compile(r"[^\W\d_]+(?:'(?:s|t|re|ve|ll|d|m)\b)?")  # "doesn't" is one word, "l'heure" two
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_NUMBER = re.compile(r"\d+")
_LIST_ITEM = re.compile(r"^\s{0,6}(?:[-*•]|\d{1,2}[.)])\s", re.MULTILINE)
# A line counts as code when it ends, begins or is joined as prose never is.
_CODE_LINE = re.compile(
    r"[;{}]\s*$|^\s*(?:def|class|import|from|return|public|private|const|let|var|fn|func|function|#include|SELECT|"
    r"for|while|if|else|try)\b.{0,200}[:;{(]|=>|\w\(\w{0,40}\)\s*[.{;]|^\s{2,}\w{1,40}\s*[=+(]|^\w{1,40} = |^@\w"
)
_TRACE = re.compile(
    r"Traceback \(most recent|^\s*at [\w$.<>]{2,80}\s?\(|File \"[^\"\n]{1,200}\", line \d|#\d+ +0x|panicked at|"
    r"\bat [\w./]{1,80}:\d+|Exception in thread|core dumped",
    re.MULTILINE,
)
_ERROR_NAME = re.compile(
    r"\b[A-Z]\w{1,40}(?:Error|Exception)\b|\b(?:ERR_?|E)[A-Z]{4,20}\b|\b(?:ORA|TS|CS|C)-?\d{4,5}\b"
)
_STATUS = re.compile(
    r"\b(?:error|code|status|http|exit)\W{0,3}(?:code\W{0,3})?[1-5]\d{2}\b|\bSIG[A-Z]{3,4}\b|^\w{0,20}(?:error|fatal|panic)\b.{0,5}:",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt as the classifier sees it: the words of its prose in order, folded, and marks of its structure."""

    words: tuple[str, ...]
    marks: tuple[str, ...]


def window(text: str) -> str:
    """The part of `text` that is read: all of a short one, beginning and end of a long one."""
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return text
    return f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"


def read(text: str) -> Reading:
    """Read any text, in time that does not grow with its length. Never raises."""
    seen = window(text)
    prose = _FENCE.sub("\n", seen)
    fenced = len(prose) < len(seen)
    lines = prose.split("\n")
    code_lines = [line for line in lines if _CODE_LINE.search(line)]
    # One long line is a question with code in it: its words count.
    if len(lines) > 1:
        prose = "\n".join(line for line in lines if not _CODE_LINE.search(line))
    words = tuple(_WORD.findall(fold(prose))[:MAX_WORDS])
    return Reading(words, tuple(_marks(seen, prose, words, fenced or bool(code_lines))))


def fold(text: str) -> str:
    """Lower case without accents, so that "Écris" and "ecris" are one word."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def features(reading: Reading) -> list[str]:
    """All features, each once: of every word, of pairs of neighbours, of the first words, of the structure."""
    found: dict[str, None] = dict.fromkeys(reading.marks)
    for word in reading.words:
        found.update(dict.fromkeys(word_features(word)))
    found.update(dict.fromkeys(pair_features(reading.words)))
    return list(found)


@lru_cache(maxsize=4096)
def word_features(word: str) -> tuple[str, ...]:
    """The word itself ("w:"), its families ("@") and its parts of four and five letters ("g:"; a
    blank marks the ends)."""
    padded = f" {word[:_MAX_WORD_CHARS]} "
    grams = [f"g:{padded[i : i + size]}" for size in _GRAM_SIZES for i in range(len(padded) - size + 1)]
    return (f"w:{word[:_MAX_WORD_CHARS]}", *(f"@{family}" for family in families(word)), *grams)


def pair_features(words: tuple[str, ...]) -> Iterator[str]:
    """Neighbours ("b:"), and the first two words once more ("1:", "2:"): a prompt often begins with
    its verb. The word families of the first six words ("!") stand for themselves too."""
    for first, second in pairwise(words):
        yield f"b:{first} {second}"
    for place, word in enumerate(words[:2], start=1):
        yield f"{place}:{word}"
    for word in words[:OPENING_WORDS]:
        yield from (f"!{family}" for family in families(word))


def _marks(seen: str, prose: str, words: tuple[str, ...], has_code: bool) -> Iterator[str]:
    if has_code:
        yield "#code"
        if len(words) < 4:
            yield "#only code"
    if _TRACE.search(seen):
        yield "#stack trace"
    if _ERROR_NAME.search(seen):
        yield "#error name"
    if _STATUS.search(seen):
        yield "#error status"
    if "?" in prose or "？" in prose:
        yield "#question"
    if len(_NUMBER.findall(prose)) >= 4:
        yield "#many numbers"
    if len(_LIST_ITEM.findall(seen)) >= 2:
        yield "#list"
    if len(words) <= 5:
        yield "#very short"
    elif len(words) > 30:
        yield "#long"

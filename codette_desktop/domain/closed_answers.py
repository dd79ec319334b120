"""Closed answers: what a text says where the question has one right answer, in a form that can be compared.

A number is the same whether it is written "1,234.50", "1234.5" or "The answer is $1 234.50." A choice is its letter;
yes and no are words of four languages; JSON is compared by content, code by what it says and not how it is laid out. A
text that holds no such answer gives None: it abstains.
"""

import ast
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum

LONGEST_NUMBER = 60  # characters; longer runs of digits are no answer anybody means
LONGEST_CODE = 20_000  # characters that are parsed
LONGEST_TEXT = 100_000  # only the end of a longer answer is read: that is where answers stand


class AnswerKind(StrEnum):
    """What kind of answer a question has."""

    NUMBER = "number"
    CHOICE = "choice"
    YES_NO = "yes/no"
    JSON = "json"
    CODE = "code"
    TEXT = "text"


_NUMBER = re.compile(
    r"(?<![\w.,])[-+\u2212]?(?:\d{1,3}(?:[,\u00a0\u202f' ]\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?|\.\d+)(?:[eE][-+]?\d{1,4})?"
)
_SAID = r"(?:answer|result|total|therefore|antwort|ergebnis|respuesta|resultado|r[ée]ponse|r[ée]sultat)"
_MARKED = re.compile(
    rf"(?:{_SAID}\s*(?:is|ist|es|est|:|=)|####|\\boxed\{{|=)\s*(?:option\s*)?[^\w\-+.\u2212]{{0,6}}", re.IGNORECASE
)
_CHOICE_SAID = re.compile(
    rf"(?:{_SAID}\s*(?:is|ist|es|est|:)|\\boxed\{{)\W{{0,4}}(?:option\s+)?\(?([A-Z])\b", re.IGNORECASE
)
_CHOICE_FIRST = re.compile(r"^\W{0,3}(?:option\s+)?\(?([A-Z])(?:[).:,]|\s*$|\s+[-–—])", re.IGNORECASE | re.MULTILINE)
_BEGINS_A_SENTENCE = (
    r"(?!\s+(?!(?:is|ist|es|est|and|or|because|since|seems|fits|would|was)\b)\w)"  # "A question", "I know"
)
_CHOICE_ALONE = re.compile(rf"(?<![\w'’])(?:\(?([B-HJ-Z])\)?|\(([AI])\)|\(?([AI]){_BEGINS_A_SENTENCE})(?![\w'’])")
_YES = frozenset("yes true correct right ja stimmt richtig si sí cierto verdadero oui vrai".split())
_NO = frozenset("no false incorrect wrong nein falsch falso non faux".split())
_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_CODE = re.compile(r"```[\w+#.-]*[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def extract(text: str, kind: AnswerKind, options: Sequence[str] = ()) -> str | None:
    """The answer in `text` in canonical form; None where there is none.

    `options` are the texts of a choice's options, A first: an answer that says one of them means its letter.
    """
    text = unicodedata.normalize("NFKC", text[-LONGEST_TEXT:]).strip()
    if kind is AnswerKind.CHOICE:
        return _choice(text, options)
    return _EXTRACTORS[kind](text)


def canonical_text(text: str) -> str | None:
    """Lower case, without punctuation, articles and double spaces (as in SQuAD's evaluation); None where empty."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(mark if mark.isalnum() or mark.isspace() or unicodedata.combining(mark) else " " for mark in folded)
    return " ".join(_ARTICLES.sub(" ", kept).split()) or None


def number_of(text: str) -> Decimal | None:
    """The number a text means: the one it marks as its answer ("= 12", "the answer is 12"), else its last."""
    text = text.replace("\u2212", "-")
    marked = [found for mark in _MARKED.finditer(text) if (found := _NUMBER.match(text, mark.end()))]
    said = marked or list(_NUMBER.finditer(text))
    return _decimal(said[-1][0]) if said else None


def canonical_number(value: Decimal) -> str:
    """Without trailing zeros and exponents: "1250", "0.5", "-3". Minus zero is zero."""
    if not value:
        return "0"
    normal = value.normalize()
    return f"{normal:f}" if -30 <= normal.adjusted() <= 30 else str(normal)


def _number(text: str) -> str | None:
    value = number_of(text)
    return None if value is None else canonical_number(value)


def _decimal(text: str) -> Decimal | None:
    if len(text) > LONGEST_NUMBER:
        return None
    plain = re.sub("[\u00a0\u202f' ]", "", text)
    if "," in plain:
        grouped = re.fullmatch(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?:[eE][-+]?\d+)?", plain)
        plain = plain.replace(",", "" if grouped else ".")
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _choice(text: str, options: Sequence[str]) -> str | None:
    said = [found[1].upper() for found in _CHOICE_SAID.finditer(text)]
    first = _CHOICE_FIRST.search(text)
    alone = ["".join(found) for found in _CHOICE_ALONE.findall(text)]
    letter = said[-1] if said else first[1].upper() if first else alone[-1] if len(set(alone)) == 1 else None
    most = len(options) or 26
    if letter is not None and ord(letter) - ord("A") < most:
        return letter
    return _option_meant(text, options)


def _option_meant(text: str, options: Sequence[str]) -> str | None:
    """The letter of the one option whose text the answer says; of options within options, the longest."""
    answer = f" {canonical_text(text) or ''} "
    said = [(place, known) for place, option in enumerate(options) if (known := canonical_text(option))]
    said = [(place, known) for place, known in said if f" {known} " in answer]
    longest = [
        (place, known)
        for place, known in said
        if not any(other != known and f" {known} " in f" {other} " for _place, other in said)
    ]
    return chr(ord("A") + longest[0][0]) if len(longest) == 1 else None


def _yes_no(text: str) -> str | None:
    """The first word that is either; "not true" and "not correct" are no."""
    words = re.findall(r"\w+", text.casefold())
    for place, word in enumerate(words):
        denied = place > 0 and words[place - 1] in ("not", "nicht", "pas")
        if word in _YES:
            return "no" if denied else "yes"
        if word in _NO:
            return "yes" if denied else "no"
    return None


def _json(text: str) -> str | None:
    fenced = _FENCE.search(text)
    candidates = [fenced[1]] if fenced else []
    candidates.append(text)
    for candidate in candidates:
        start = min((at for at in (candidate.find("{"), candidate.find("[")) if at >= 0), default=-1)
        if start < 0:
            continue
        try:
            value = json.JSONDecoder().raw_decode(candidate[start:])[0]
            return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        except (ValueError, RecursionError):
            continue
    return None


def _code(text: str) -> str | None:
    """The last block of code, laid out anew where it is Python; else without spaces at the ends and empty lines."""
    blocks = [block for block in _CODE.findall(text) if block.strip()]
    if not blocks:
        return None
    code: str = blocks[-1]
    if len(code) <= LONGEST_CODE:
        try:
            return ast.unparse(ast.parse(code))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    return "\n".join(line.rstrip() for line in code.splitlines() if line.strip())


_EXTRACTORS: Mapping[AnswerKind, Callable[[str], str | None]] = {
    AnswerKind.NUMBER: _number,
    AnswerKind.YES_NO: _yes_no,
    AnswerKind.JSON: _json,
    AnswerKind.CODE: _code,
    AnswerKind.TEXT: canonical_text,
}

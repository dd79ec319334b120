"""What sort of answer a question has, read from its words and from the answers."""

import re
from collections.abc import Callable, Sequence

from codette_desktop.domain.closed_answers import AnswerKind, extract

_OPTION = re.compile(r"(?:^|(?<=[\s,;:?.]))\(?([A-H])[).:]\s*(.+?)(?=(?:[\s,;]+\(?[A-H][).:]\s)|\n|$)", re.DOTALL)
_AUXILIARY = (
    "is are was were do does did can could will would should has have had may must am "
    "ist sind kann können darf hat haben es son puede tiene est sont peut"
).split()
_NUMERIC = re.compile(
    r"\b(?:how (?:many|much|old|long|far|tall)|calculate|compute|sum|product|difference|percent|total|number of|"
    r"wie ?viele?|combien|cu[aá]nt\w+|berechne)\b|\d\s*(?:[-+*/x×÷^]|plus|minus|times|divided by)\s*\d|"
    r"\b(?:add|subtract|multiply|divide)\b.*\d",
    re.IGNORECASE,
)
_CODE_WANTED = re.compile(
    r"\b(?:code|function|program|script|regex|query|sql|python|javascript|class|method)\b", re.IGNORECASE
)
_SHORT_WORDS = 6


def options_of(question: str) -> tuple[str, ...]:
    """The options of "A) ... B) ...", in order from A; () where the question lists none."""
    found: list[str] = []
    for letter, text in _OPTION.findall(question):
        if ord(letter) - ord("A") == len(found):
            found.append(text.strip().rstrip(".,;"))
    return tuple(found) if len(found) > 1 else ()


def kind_of(question: str, texts: Sequence[str], options: Sequence[str] = ()) -> AnswerKind | None:
    """What the question asks for, where most of the answers give it; None where answers are open."""
    for kind in _candidates(question, texts, options):
        given = sum(extract(text, kind, options) is not None for text in texts)
        if texts and 2 * given > len(texts):
            return kind
    return None


def likely_kind(question: str, options: Sequence[str] = ()) -> AnswerKind | None:
    """What the question asks for, before anybody has answered; None where that cannot be said."""
    return next(iter(_candidates(question, (), options)), None)


def _candidates(question: str, texts: Sequence[str], options: Sequence[str]) -> list[AnswerKind]:
    found: list[AnswerKind] = []
    if options or options_of(question):
        found.append(AnswerKind.CHOICE)
    if _most(texts, _is_json):
        found.append(AnswerKind.JSON)
    if _CODE_WANTED.search(question) and _most(texts, lambda text: "```" in text):
        found.append(AnswerKind.CODE)
    first = re.findall(r"\w+", question.casefold())[:1]
    if first and first[0] in _AUXILIARY:
        found.append(AnswerKind.YES_NO)
    if _NUMERIC.search(question):
        found.append(AnswerKind.NUMBER)
    if _most(texts, lambda text: len(text.split()) <= _SHORT_WORDS):
        found.append(AnswerKind.TEXT)
    return found


def _is_json(text: str) -> bool:
    stripped = text.strip().removeprefix("```json").removeprefix("```").strip()
    return stripped[:1] in ("{", "[")


def _most(texts: Sequence[str], test: Callable[[str], bool]) -> bool:
    return bool(texts) and 2 * sum(test(text) for text in texts) > len(texts)

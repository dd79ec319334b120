"""Scorers: how right an answer is, from 0 to 1, given a reference."""

from collections.abc import Callable, Mapping, Sequence

from codette_desktop.domain import text_likeness
from codette_desktop.domain.closed_answers import AnswerKind, canonical_text, extract, number_of

Scorer = Callable[[str, str, Sequence[str]], float]

SIMILAR = 0.75


def exact(answer: str, reference: str, _options: Sequence[str] = ()) -> float:
    """1 where both are the same but for space at the ends."""
    return float(answer.strip() == reference.strip())


def normalised(answer: str, reference: str, _options: Sequence[str] = ()) -> float:
    """1 where both are the same without case, punctuation, articles and double spaces."""
    return float(canonical_text(answer) == canonical_text(reference))


def contains(answer: str, reference: str, _options: Sequence[str] = ()) -> float:
    """1 where the answer holds the reference as whole words, both normalised."""
    wanted = canonical_text(reference)
    return float(wanted is not None and f" {wanted} " in f" {canonical_text(answer) or ''} ")


def closed(kind: AnswerKind) -> Scorer:
    """A scorer that compares the closed answer in both texts; an answer that holds none is wrong."""

    def scorer(answer: str, reference: str, options: Sequence[str] = ()) -> float:
        found = extract(answer, kind, options)
        return float(found is not None and found == extract(reference, kind, options))

    return scorer


def smape(answer: str, reference: str, _options: Sequence[str] = ()) -> float:
    """1 - |a - r| / (|a| + |r|): one minus the symmetric mean absolute percentage error of one value, halved to 0..1.

    Two zeros agree; an answer without a number is wrong. (Armstrong 1985, p. 348; Makridakis 1993.)
    """
    said, wanted = number_of(answer), number_of(reference)
    if said is None or wanted is None:
        return 0.0
    if said == wanted:
        return 1.0
    return 1.0 - float(abs(said - wanted) / (abs(said) + abs(wanted)))


def chrf(answer: str, reference: str, _options: Sequence[str] = ()) -> float:
    """How much of the reference's characters and their order the answer has: see `text_likeness.chrf`."""
    return text_likeness.chrf(answer, reference)


def similar(answer: str, reference: str, _options: Sequence[str] = ()) -> float:
    """1 where chrF reaches 0.75: the reference in hardly other words."""
    return float(chrf(answer, reference) >= SIMILAR)


SCORERS: Mapping[str, Scorer] = {
    "exact": exact,
    "normalised": normalised,
    "contains": contains,
    "number": closed(AnswerKind.NUMBER),
    "choice": closed(AnswerKind.CHOICE),
    "yes/no": closed(AnswerKind.YES_NO),
    "json": closed(AnswerKind.JSON),
    "smape": smape,
    "chrf": chrf,
    "similar": similar,
}

KINDS: Mapping[str, AnswerKind] = {
    "number": AnswerKind.NUMBER,
    "smape": AnswerKind.NUMBER,
    "choice": AnswerKind.CHOICE,
    "yes/no": AnswerKind.YES_NO,
    "json": AnswerKind.JSON,
}

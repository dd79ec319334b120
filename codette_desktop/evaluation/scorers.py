"""Scorers: how right an answer is, from 0 to 1, given a reference."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from codette_desktop.domain.closed_answers import AnswerKind, canonical_text, extract, number_of

Scorer = Callable[[str, str, Sequence[str]], float]

CHRF_ORDER, CHRF_BETA = 6, 2
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
    """chrF2 of a sentence: the F score (beta 2) of character n-grams of order 1 to 6, without spaces (Popović 2015).

    Precision and recall are averaged over the orders of which both texts have n-grams.
    """
    said, wanted = "".join(answer.split()), "".join(reference.split())
    precision = recall = 0.0
    orders = min(CHRF_ORDER, len(said), len(wanted))
    for order in range(1, orders + 1):
        ours, theirs = _ngrams(said, order), _ngrams(wanted, order)
        common = sum((ours & theirs).values())
        precision += common / ours.total()
        recall += common / theirs.total()
    if not precision + recall:
        return 0.0
    weight = CHRF_BETA**2
    return (1 + weight) * precision * recall / (weight * precision + recall) / orders


def similar(answer: str, reference: str, _options: Sequence[str] = ()) -> float:
    """1 where chrF reaches 0.75: the reference in hardly other words."""
    return float(chrf(answer, reference) >= SIMILAR)


def _ngrams(text: str, order: int) -> Counter[str]:
    return Counter(text[at : at + order] for at in range(len(text) - order + 1))


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

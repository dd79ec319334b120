"""How alike two texts are, by their characters."""

from collections import Counter

CHRF_ORDER, CHRF_BETA = 6, 2


def chrf(answer: str, reference: str) -> float:
    """chrF2 of a text: the F score (beta 2) of character n-grams of order 1 to 6, without spaces (Popović 2015).

    Precision and recall are averaged over the orders of which both texts have n-grams. 0 to 1.
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


def _ngrams(text: str, order: int) -> Counter[str]:
    return Counter(text[at : at + order] for at in range(len(text) - order + 1))

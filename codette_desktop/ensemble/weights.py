"""How much a member's answer counts: how often it was right before, and how sure it is of this one.

Reliability is the mean of a Beta posterior with the prior Beta(2, 2); its weight is the log odds against one of the
other answers the question may have (Nitzan & Paroush 1982 for two; the odds grow with the ways to be wrong). Confidence
is bits per byte, which does not depend on the tokenizer, and the least sure stretch, both in standard deviations of
what the same member usually says (after Taubenfeld et al. 2025, "CISC"). It shifts the log odds, as in a logistic
regression: multiplied onto them, as CISC does for samples of one model, it lets a sure member that is rarely right
outvote one that is often right.
"""

import math
from collections.abc import Sequence

from codette_desktop.domain.answers import Confidence
from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.reliability import Standing

ENOUGH = 10  # confidences of a member from which it has a usual one
SLOPE = 0.5  # log odds a standard deviation: of 0, 0.25, 0.5, 1 and 2 the best on the shipped suites, and flat there
LEAST_WEIGHT = 0.05
_WAYS = {AnswerKind.YES_NO: 2, AnswerKind.CHOICE: 4}
_MANY_WAYS = 10


def rate(standing: Standing) -> float:
    """The share of right answers to expect: 0.5 before the first question."""
    return (standing.correct + 2) / (standing.asked + 4)


def log_odds(standing: Standing, ways: int) -> float:
    """Of its being right, where the question has so many possible answers; below 0 it is worse than guessing."""
    right = rate(standing)
    return math.log((ways - 1) * right / (1 - right))


def ways_of(kind: AnswerKind | None, options: Sequence[str] = ()) -> int:
    """How many answers such a question may have."""
    if kind is AnswerKind.CHOICE and len(options) > 1:
        return len(options)
    return _WAYS.get(kind, _MANY_WAYS) if kind is not None else _MANY_WAYS


def sureness(told: Sequence[Confidence | None], standings: Sequence[Standing]) -> tuple[float, ...]:
    """How sure each is, in standard deviations; 0 for who does not tell.

    Each by its own history where all who tell have one, else by the others who were asked.
    """
    known = [place for place, confidence in enumerate(told) if confidence is not None]
    pairs = {place: _pair(told[place]) for place in known}
    if known and all(len(standings[place].confidences) >= ENOUGH for place in known):
        usual = {place: [(-bits, weakest) for bits, weakest in standings[place].confidences] for place in known}
    else:
        usual = {place: list(pairs.values()) for place in known}
    found = [0.0] * len(told)
    for place in known:
        found[place] = _score(pairs[place], usual[place])
    return tuple(found)


def usual_sureness(standing: Standing, quantile: float) -> float | None:
    """The sureness that so large a share of its own answers stays below; None without enough of them."""
    if len(standing.confidences) < ENOUGH:
        return None
    pairs = [(-bits, weakest) for bits, weakest in standing.confidences]
    scores = sorted(_score(pair, pairs) for pair in pairs)
    return scores[min(len(scores) - 1, int(quantile * len(scores)))]


def weights(
    standings: Sequence[Standing], sure: Sequence[float], taking_part: Sequence[int], ways: int
) -> tuple[float, ...]:
    """One a member, summing to 1 over those who take part: log odds of being right, shifted by how sure they are."""
    if not taking_part:
        return (0.0,) * len(standings)
    raw = {place: max(LEAST_WEIGHT, log_odds(standings[place], ways) + SLOPE * sure[place]) for place in taking_part}
    total = sum(raw.values())
    return tuple(raw.get(place, 0.0) / total for place in range(len(standings)))


def _pair(confidence: Confidence | None) -> tuple[float, float]:
    return (0.0, 0.0) if confidence is None else (-confidence.bits_per_byte, confidence.weakest)


def _score(pair: tuple[float, float], usual: Sequence[tuple[float, float]]) -> float:
    """z(-bits per byte) + z(weakest) / 2."""
    return _z(pair[0], [one[0] for one in usual]) + 0.5 * _z(pair[1], [one[1] for one in usual])


def _z(value: float, usual: Sequence[float]) -> float:
    mean = sum(usual) / len(usual)
    spread = math.sqrt(sum((one - mean) ** 2 for one in usual) / len(usual))
    return max(-4.0, min(4.0, (value - mean) / spread)) if spread > 1e-9 else 0.0

"""CONSENSUS: the answer most like all the others (minimum Bayes risk), and the prompt for a synthesis of them."""

from collections.abc import Sequence
from dataclasses import replace

from codette_desktop.domain.ensembles import Method, Outcome
from codette_desktop.domain.messages import Message, Role
from codette_desktop.ensemble.case import Case
from codette_desktop.paths import resource

MOST_CANDIDATES = 4  # that a judge is shown
LONGEST_CANDIDATE = 6_000  # characters of each
SYNTHESIS_BELOW = 0.6  # agreement


def consensus(case: Case, *, method: Method = Method.CONSENSUS, because: str = "") -> Outcome:
    """argmax over i of the sum over j of w_j likeness_ij, where members count by reliability and sureness.

    Kumar & Byrne 2004; with likeness as the utility, Bertsch et al. 2023. `quality` is the winner's mean likeness to
    the others, by weight, times the share of those asked who answered. There must be a usable answer.
    """
    places, alike, weights = case.usable, case.likeness.matrix, case.weights(case.usable)

    def support(one: int) -> float:
        others = [other for other in places if other != one]
        total = sum(weights[other] for other in others)
        return sum(weights[other] * alike[one][other] for other in others) / total if total else 0.0

    winner = max(places, key=lambda place: (round(support(place), 9), weights[place], -place))
    agreement = case.likeness.agreement(places)
    others = tuple(place for place in places if place != winner and alike[winner][place] < case.likeness.same)
    reasons = [because] if because else []
    if len(places) == 1:
        reasons.append(f"Only {case.label(winner)} answered: there is nothing to agree with.")
    else:
        reasons.append(f"The answer of {case.label(winner)} is the most like all others, by {case.likeness.by}.")
    return Outcome(
        method=method,
        used=Method.CONSENSUS,
        text=case.answers[winner].text,
        winner=winner,
        agreement=agreement,
        quality=support(winner) * len(places) / max(1, case.asked),
        weights=weights,
        likeness=alike,
        reasons=tuple(reasons),
        disagree=len(places) > 1 and agreement < case.likeness.apart,
        alternatives=others,
        kind=case.kind,
    )


def wants_synthesis(outcome: Outcome) -> bool:
    """Whether the members' answers differ so much that a model may be asked to make one of them."""
    return outcome.used is Method.CONSENSUS and len(outcome.likeness) > 1 and outcome.agreement < SYNTHESIS_BELOW


def synthesis_messages(case: Case, outcome: Outcome) -> tuple[Message, ...]:
    """What the judge is asked: the question and the answers, the most supported first, without names."""
    ranked: Sequence[int] = sorted(case.usable, key=lambda place: (place != outcome.winner, -outcome.weights[place]))
    parts = [
        f"Answer {number}:\n{case.answers[place].text[:LONGEST_CANDIDATE].strip()}"
        for number, place in enumerate(ranked[:MOST_CANDIDATES], 1)
    ]
    asked = f"Question:\n{case.question.strip()}\n\n" + "\n\n".join(parts)
    instructions = resource("prompts", "synthesis.txt").read_text(encoding="utf-8").strip()
    return (Message(Role.SYSTEM, instructions), Message(Role.USER, asked))


def synthesised(outcome: Outcome, text: str, judge: str) -> Outcome:
    """The outcome with a text that none of the members wrote."""
    reasons = (*outcome.reasons, f"The answers differed, so {judge} wrote one from them; no member said it like this.")
    return replace(outcome, text=text, winner=None, judge=judge, reasons=reasons)

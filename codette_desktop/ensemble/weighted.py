"""WEIGHTED: members count by how often they were right before and how sure they are of this answer."""

from dataclasses import replace

from codette_desktop.domain.ensembles import Method, Outcome
from codette_desktop.ensemble.case import Case
from codette_desktop.ensemble.vote import tally
from codette_desktop.ensemble.weights import rate


def weighted(case: Case, *, method: Method = Method.WEIGHTED) -> Outcome:
    """Closed answers: the one with most weight. Open ones: argmax of w_i (1 + sum_j w_j likeness_ij).

    There must be a usable answer.
    """
    if case.closed and 2 * len(case.closed) >= len(case.usable):
        weights = case.weights(tuple(case.closed))
        found = tally(case, {place: weights[place] for place in case.closed}, method, Method.WEIGHTED)
        if found is not None:
            return _with_reasons(found, case)
    weights, places, alike = case.weights(case.usable), case.usable, case.likeness.matrix
    scores = {
        one: weights[one] * (1 + sum(weights[other] * alike[one][other] for other in places if other != one))
        for one in places
    }
    winner = max(places, key=lambda place: (scores[place], -place))
    agreement = case.likeness.agreement(places)
    others = tuple(place for place in places if alike[winner][place] < case.likeness.same)
    support = sum(weights[place] * alike[winner][place] for place in places)
    found = Outcome(
        method=method,
        used=Method.WEIGHTED,
        text=case.answers[winner].text,
        winner=winner,
        agreement=agreement,
        quality=support * len(places) / max(1, case.asked),
        weights=weights,
        likeness=alike,
        reasons=(f"{case.label(winner)} has most weight together with how much the others say the same.",),
        disagree=len(places) > 1 and agreement < case.likeness.apart,
        alternatives=others,
        kind=case.kind,
    )
    return _with_reasons(found, case)


def _with_reasons(outcome: Outcome, case: Case) -> Outcome:
    taking_part = [place for place, weight in enumerate(outcome.weights) if weight > 0]
    measured = [place for place in taking_part if case.known[place].asked]
    told = [place for place in taking_part if (end := case.answers[place].end) is not None and end.confidence]
    reasons: list[str] = []
    if measured:
        rates = ", ".join(f"{case.label(place)} {100 * rate(case.known[place]):.0f} %" for place in measured)
        reasons.append(f"How often they were right at such questions: {rates}.")
    else:
        reasons.append("Nobody's answers to such questions have been measured yet, so all count alike before that.")
    if told:
        surest = max(told, key=lambda place: case.sure[place])
        reasons.append(f"Surest of its answer is {case.label(surest)}.")
    else:
        reasons.append("None of them tells how sure it is.")
    return replace(outcome, reasons=(*outcome.reasons, *reasons))

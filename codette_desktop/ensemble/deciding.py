"""From the members' answers to one: by the method asked for, or by what can be done with these answers."""

from dataclasses import replace

from codette_desktop.domain.ensembles import Method, Outcome
from codette_desktop.ensemble.case import Case
from codette_desktop.ensemble.consensus import consensus
from codette_desktop.ensemble.vote import vote
from codette_desktop.ensemble.weighted import weighted

NOT_CLOSED = "Fewer than half of these answers can be counted as votes, so the one most like all others was chosen."


def decide(case: Case, method: Method) -> Outcome:
    """VOTE, WEIGHTED or CONSENSUS. There must be a usable answer."""
    if method is Method.WEIGHTED:
        return with_the_missing(case, weighted(case))
    found = vote(case) if method is Method.VOTE else None
    if found is None:
        found = consensus(case, method=method, because=NOT_CLOSED if method is Method.VOTE else "")
    return with_the_missing(case, found)


def with_the_missing(case: Case, outcome: Outcome) -> Outcome:
    """Who took no part, and what of, at the end of the reasons; disagreement first among them."""
    missing = [answer for answer in case.answers if answer.error is not None]
    told = tuple(f"{answer.member.label} took no part: {answer.error.message}" for answer in missing if answer.error)
    first = ("The models disagree.",) if outcome.disagree else ()
    return replace(outcome, reasons=(*first, *outcome.reasons, *told))

"""HYBRID: asks as few members as it takes. A step at a time, so that what would have been asked can be told later.

The best member answers first, and is believed where it is surer than usual; then a second one, and they are believed
where they agree; then the others, and all are counted (after Chen et al. 2023, "FrugalGPT", and Aggarwal et al. 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from codette_desktop.domain.ensembles import Choice, Method, Outcome
from codette_desktop.ensemble.case import Case
from codette_desktop.ensemble.consensus import consensus
from codette_desktop.ensemble.vote import vote
from codette_desktop.ensemble.weighted import weighted
from codette_desktop.ensemble.weights import rate, usual_sureness

ACCEPT_QUANTILE = 0.6
ENOUGH_QUESTIONS = 20  # whose right answers were known, before members are told apart by them
GAP = 0.1  # in the share of right answers: who is further behind than that only adds mistakes


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next. `ask` are places to be asked, `samples` more answers of the best member; neither: decide."""

    why: str
    ask: tuple[int, ...] = ()
    samples: int = 0

    @property
    def decides(self) -> bool:
        """Whether nobody is asked any more."""
        return not self.ask and not self.samples


def order_of(case: Case) -> tuple[int, ...]:
    """The members, the most reliable first; in the person's order where nothing is known."""
    return tuple(sorted(range(len(case.answers)), key=lambda place: (-rate(case.known[place]), place)))


def next_step(case: Case, order: Sequence[int], members: int, spent_s: float, budget_s: float) -> Step:
    """From what has been answered so far. Places from `members` on are samples of the first in `order`."""
    left = tuple(place for place in order if not case.answers[place].asked)
    given = case.usable
    if not given:
        return Step(_first_why(case, left), left[:1]) if left else Step("Nobody is left to ask.")
    if len(given) == 1 and _sure(case, given[0]):
        return Step(f"{case.label(given[0])} is surer of this answer than of most others, so nobody else was asked.")
    if len(given) == 2 and (same := _same(case, given)):
        return Step(f"{case.names(given)} {same}, so nobody else was asked.")
    if spent_s >= budget_s:
        return Step(f"The time for this question ({budget_s:.0f} s) is used up.")
    behind = _behind(case, order[:members])
    if behind and len(given) == 1 and len(case.answers) == members:
        count = max(2, members - 1)
        why = f"{case.names(behind)} was right much less often, so {case.label(order[0])} is asked {count} more times."
        return Step(why, samples=count)
    left = tuple(place for place in left if place not in behind)
    if not left or len(case.answers) > members:
        return Step("All have answered." if len(given) > 1 else "Nobody else is left to ask.")
    if len(given) == 1:
        return Step(
            f"{case.label(given[0])} is not sure enough alone, so {case.label(left[0])} is asked too.", left[:1]
        )
    return Step(f"{case.names(given)} do not agree, so {case.names(left)} {_verb(left)} asked too.", left)


def decide(case: Case, why: Sequence[str], members: int) -> Outcome:
    """The outcome of what has been answered; `why` are the steps that led here. There must be a usable answer."""
    measured = any(standing.asked for standing in case.known)
    found = None if measured else vote(case, method=Method.HYBRID)
    if found is None and case.closed and 2 * len(case.closed) >= len(case.usable):
        found = weighted(case, method=Method.HYBRID)
    found = found or consensus(case, method=Method.HYBRID)
    asked = (
        f"{case.asked} of {members} were asked." if case.asked <= members else f"{case.asked} answers were asked for."
    )
    if len(case.usable) == 1:  # there is nobody to agree with
        found = replace(found, reasons=())
    return replace(found, reasons=(*why, asked, *found.reasons))


def without_samples(outcome: Outcome, members: int, best: int) -> Outcome:
    """Samples counted as answers of the member they are of, so that places are those of members."""

    def at(place: int) -> int:
        return place if place < members else best

    weights = list(outcome.weights[:members])
    for place, weight in enumerate(outcome.weights[members:], members):
        weights[at(place)] += weight
    tally = tuple(Choice(item.answer, tuple(map(at, item.members)), item.weight) for item in outcome.tally)
    return replace(
        outcome,
        winner=None if outcome.winner is None else at(outcome.winner),
        weights=tuple(weights),
        tally=tally,
        likeness=(),
        alternatives=tuple(place for place in outcome.alternatives if place < members),
    )


def _first_why(case: Case, left: Sequence[int]) -> str:
    label = case.label(left[0])
    if case.known[left[0]].asked:
        return f"{label} is asked first: it was right most often ({100 * rate(case.known[left[0]]):.0f} %)."
    return f"{label} is asked first."


def _sure(case: Case, place: int) -> bool:
    end = case.answers[place].end
    usual = usual_sureness(case.known[place], ACCEPT_QUANTILE)
    return usual is not None and end is not None and end.confidence is not None and case.sure[place] >= usual


def _same(case: Case, places: Sequence[int]) -> str:
    one, other = places
    if one in case.closed and other in case.closed:
        return "give the same answer" if case.closed[one] == case.closed[other] else ""
    return "say the same" if case.likeness.matrix[one][other] >= case.likeness.same else ""


def _behind(case: Case, order: Sequence[int]) -> tuple[int, ...]:
    known = [place for place in order if case.known[place].asked >= ENOUGH_QUESTIONS]
    if not known or known[0] != order[0]:
        return ()
    best = rate(case.known[order[0]])
    others = tuple(place for place in known[1:] if best - rate(case.known[place]) > GAP)
    return others if len(others) == len(order) - 1 else ()


def _verb(places: Sequence[int]) -> str:
    return "is" if len(places) == 1 else "are"

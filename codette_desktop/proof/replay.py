"""What each method would have made of answers that were given already, and what that would have taken."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from codette_desktop.domain.ensembles import Member, MemberAnswer, Method
from codette_desktop.domain.reliability import Standing
from codette_desktop.ensemble import hybrid
from codette_desktop.ensemble.case import Case
from codette_desktop.ensemble.deciding import decide
from codette_desktop.ensemble.methods import samples_of
from codette_desktop.ensemble.questions import likely_kind
from codette_desktop.ensemble.vote import settled
from codette_desktop.proof.gathering import Answered

BUDGET_S = 120.0  # as for a question in the window

AskSample = Callable[[Member], Awaitable[Answered]]


@dataclass(frozen=True, slots=True)
class Replayed:
    """The answer of a method to one question; `seconds` is what the answers it needed took, added up, and deciding."""

    text: str
    seconds: float
    calls: int


async def replay(
    method: Method,
    question: str,
    answers: Sequence[Answered],
    standings: Sequence[Standing],
    options: Sequence[str],
    ask_sample: AskSample,
) -> Replayed:
    """One question by one method. HYBRID may ask for more answers of its best member: these are asked for really."""
    if method is Method.HYBRID:
        return await _hybrid(question, answers, standings, options, ask_sample)
    given = list(answers)
    if method is Method.VOTE:
        given = given[: _needed(question, given, options)]
    case = Case(question, tuple(item.answer for item in given), tuple(standings[: len(given)]), options=tuple(options))
    return _decided(lambda: decide(case, method).text, case, given)


def _decided(work: Callable[[], str], case: Case, given: Sequence[Answered]) -> Replayed:
    started = time.perf_counter()
    text = work() if case.usable else ""
    deciding = time.perf_counter() - started
    return Replayed(text, sum(item.seconds for item in given) + deciding, len(given))


def _needed(question: str, answers: Sequence[Answered], options: Sequence[str]) -> int:
    """How many members have answered, in their order, when the vote is settled."""
    if likely_kind(question, options) is None:
        return len(answers)
    for count in range(2, len(answers)):
        case = Case(question, tuple(item.answer for item in answers[:count]), options=tuple(options))
        if case.kind is None or len(case.closed) < len(case.usable):
            continue
        votes: dict[str, int] = {}
        for answer in case.closed.values():
            votes[answer] = votes.get(answer, 0) + 1
        if settled(list(votes.values()), len(answers) - count):
            return count
    return len(answers)


async def _hybrid(
    question: str,
    answers: Sequence[Answered],
    standings: Sequence[Standing],
    options: Sequence[str],
    ask_sample: AskSample,
) -> Replayed:
    members = len(answers)
    state: list[MemberAnswer] = [MemberAnswer(item.answer.member, asked=False) for item in answers]
    known = list(standings)
    taken: list[Answered] = []

    def case() -> Case:
        return Case(question, tuple(state), tuple(known), options=tuple(options))

    order = hybrid.order_of(case())
    why: list[str] = []
    while True:
        step = hybrid.next_step(case(), order, members, sum(item.seconds for item in taken), BUDGET_S)
        why.append(step.why)
        if step.decides:
            break
        for place in step.ask:
            state[place] = replace(answers[place].answer, asked=True)
            taken.append(answers[place])
        for member in samples_of(answers[order[0]].answer.member, step.samples):
            sample = await ask_sample(member)
            state.append(sample.answer)
            known.append(standings[order[0]])
            taken.append(sample)
    last = case()
    return _decided(lambda: hybrid.decide(last, why, members).text, last, taken)

"""VOTE: the answer that most members give (Wang et al. 2022, "self-consistency"), and when no more need be asked."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import comb

from codette_desktop.domain.ensembles import Choice, Method, Outcome
from codette_desktop.ensemble.case import Case

SURE_ENOUGH = 0.95


def vote(case: Case, *, method: Method = Method.VOTE) -> Outcome | None:
    """One member, one vote; None where fewer than half of the answers can be read as closed ones.

    A tie goes to the answer whose voters are surer, then to the more reliable ones. The text is that of its surest
    voter. `quality` is the winner's share of the votes times the share of those asked who voted.
    """
    return tally(case, dict.fromkeys(case.closed, 1.0), method, Method.VOTE)


def tally(case: Case, weights: Mapping[int, float], method: Method, used: Method) -> Outcome | None:
    """Count closed answers with these weights by place."""
    if not case.closed or 2 * len(case.closed) < len(case.usable):
        return None
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for place, answer in case.closed.items():
        groups[answer].append(place)
    total = sum(weights[place] for place in case.closed)
    ranked = sorted(
        groups.items(),
        key=lambda item: (
            -sum(weights[place] for place in item[1]),
            -sum(case.sure[place] for place in item[1]),
            -sum(case.weights(item[1])),
            item[1],
        ),
    )
    choices = tuple(Choice(answer, tuple(places), sum(weights[p] for p in places) / total) for answer, places in ranked)
    best = choices[0]
    winner = max(best.members, key=lambda place: (case.sure[place], -place))
    others = tuple(place for place in case.closed if place not in best.members)
    agreement = _agreement([len(choice.members) for choice in choices])
    return Outcome(
        method=method,
        used=used,
        text=case.answers[winner].text,
        winner=winner,
        agreement=agreement,
        quality=best.weight * len(case.closed) / max(1, case.asked),
        tally=choices,
        weights=tuple(weights.get(place, 0.0) / total for place in range(len(case.answers))),
        reasons=tuple(_reasons(case, choices)),
        disagree=len(choices) > 1 and best.weight <= 0.5,
        alternatives=others,
        kind=case.kind,
    )


def settled(counts: Sequence[int], left: int) -> bool:
    """Whether asking the `left` others cannot, or most likely would not, change who leads.

    `counts` are the votes of each answer so far. The probability that the leading answer stays ahead of the second is
    1 - I(1/2; v1 + 1, v2 + 1), the regularised incomplete beta function (Aggarwal et al. 2023, "adaptive consistency").
    """
    first, second = [*sorted(counts, reverse=True), 0, 0][:2]
    if first - second > left:
        return True
    return first > 0 and 1 - incomplete_beta_half(first + 1, second + 1) >= SURE_ENOUGH


def incomplete_beta_half(a: int, b: int) -> float:
    """I(1/2; a, b) for whole numbers: the probability of at least `a` heads in a + b - 1 throws of a fair coin."""
    throws = a + b - 1
    return sum(comb(throws, heads) for heads in range(a, throws + 1)) / 2**throws


def _agreement(sizes: Sequence[int]) -> float:
    """The share of pairs of voters that say the same; 0 where there is only one."""
    voters = sum(sizes)
    return sum(comb(size, 2) for size in sizes) / comb(voters, 2) if voters > 1 else 0.0


def _reasons(case: Case, choices: Sequence[Choice]) -> list[str]:
    best = choices[0]
    voters = len(case.closed)
    if voters == 1:
        reasons = [f"Only {case.label(best.members[0])} gave an answer that can be counted."]
    elif len(choices) == 1:
        reasons = [f"{'Both' if voters == 2 else f'All {voters}'} who answered say {shown(best.answer)}."]
    else:
        reasons = [f"{len(best.members)} of {voters} say {shown(best.answer)}: {case.names(best.members)}."]
    tied = [choice for choice in choices[1:] if len(choice.members) == len(best.members)]
    if tied and abs(tied[0].weight - best.weight) < 1e-9:
        reasons.append("It was a tie; the surer of them counted.")
    silent = [place for place in case.usable if place not in case.closed]
    if silent:
        reasons.append(f"No such answer could be read from what {case.names(silent)} wrote.")
    return reasons


def shown(answer: str) -> str:
    """A canonical answer in a sentence, cut where it is long."""
    line = " ".join(answer.split())
    return f'"{line if len(line) <= 60 else line[:59] + "…"}"'

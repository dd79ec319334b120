"""How reliable each member is, learned from the other questions only: what is measured must not have been seen."""

from collections.abc import Sequence

from codette_desktop.domain.ensembles import MemberAnswer
from codette_desktop.domain.reliability import Standing
from codette_desktop.proof.gathering import Answered

FOLDS = 5


def crossed(rows: Sequence[Sequence[Answered]], kinds: Sequence[str], folds: int = FOLDS) -> list[list[Standing]]:
    """For every question one standing a member, by the questions of the other folds (k-fold cross-fitting).

    A standing counts the questions of the same kind of answer. Questions go to the folds in turn, so that neighbours,
    which are often variants of one another, are apart; a question never bears on its own standing.
    """
    learned: dict[tuple[int, str], list[Standing]] = {}
    found: list[list[Standing]] = []
    for at, kind in enumerate(kinds):
        key = at % folds, kind
        if key not in learned:
            places = [other for other, its in enumerate(kinds) if other % folds != key[0] and its == kind]
            learned[key] = [_learned(row, places, kind) for row in rows]
        found.append(learned[key])
    return found


def overall(row: Sequence[Answered], kinds: Sequence[str]) -> dict[str, tuple[float, int]]:
    """Of one member by kind: how much it got right, and of how many questions. For the next real question."""
    totals: dict[str, tuple[float, int]] = {}
    for answered, kind in zip(row, kinds, strict=True):
        correct, asked = totals.get(kind, (0.0, 0))
        totals[kind] = correct + answered.score, asked + 1
    return totals


def _learned(row: Sequence[Answered], places: Sequence[int], kind: str) -> Standing:
    standing = Standing(row[0].answer.member.spec if row else "", kind)
    standing = standing.measured(sum(row[place].score for place in places), len(places))
    for place in places:
        answer: MemberAnswer = row[place].answer
        if answer.usable and answer.end is not None and answer.end.confidence is not None:
            standing = standing.answered(answer.end.confidence)
    return standing

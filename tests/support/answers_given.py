"""Answers of members as they are decided on, without a model: for what depends on the answers alone."""

from collections.abc import Sequence

from codette_desktop.domain.answers import AnswerEnd, AnswerFigures, Confidence, ContextUse, FinishReason
from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.ensembles import Member, MemberAnswer
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.reliability import Standing
from codette_desktop.ensemble.case import Case


def answer(name: str, text: str, bits: float | None = None, *, error: CodetteError | None = None) -> MemberAnswer:
    """A whole answer; `bits` per byte say how sure the member is (None: it does not tell)."""
    told = None if bits is None else Confidence(bits, -bits, 10)
    figures = AnswerFigures(5, 5, 10.0, 100.0, 50.0)
    use = ContextUse(100, 0, 0, 5)
    end = AnswerEnd(FinishReason.STOP, figures, use, 0, name, name, "hash", "build", confidence=told)
    return MemberAnswer(Member(name, name, name), text, None if error else end, error)


def case(question: str, *answers: MemberAnswer, rates: Sequence[float] = (), kind: AnswerKind | None = None) -> Case:
    """A case; `rates` are the shares of 100 questions that each member got right before."""
    known = tuple(Standing(one.member.spec, "", 100, 100 * rate) for one, rate in zip(answers, rates, strict=False))
    return Case(question, tuple(answers), known, kind)

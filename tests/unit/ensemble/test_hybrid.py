"""HYBRID: how many are asked, whom, and what is said of it."""

from dataclasses import replace

from codette_desktop.domain.ensembles import Member, MemberAnswer
from codette_desktop.domain.reliability import Standing
from codette_desktop.ensemble import hybrid
from codette_desktop.ensemble.case import Case
from codette_desktop.ensemble.methods import samples_of
from tests.support.answers_given import answer

SUM = "How many are 2 and 3?"
HISTORY = tuple((float(n), -float(n)) for n in range(1, 21))  # bits per byte from 1 (sure) to 20


def asked(*answers: MemberAnswer, known: tuple[Standing, ...]) -> Case:
    return Case(SUM, answers, known)


def waiting(name: str) -> MemberAnswer:
    return MemberAnswer(Member(name, name, name), asked=False)


def standing(name: str, correct: float = 0, of: int = 0) -> Standing:
    return Standing(name, "number", of, correct, HISTORY)


EQUAL = (standing("a"), standing("b"), standing("c"))


def test_the_most_reliable_is_asked_first() -> None:
    known = (standing("a", 10, 40), standing("b", 36, 40), standing("c"))
    case = asked(waiting("a"), waiting("b"), waiting("c"), known=known)
    order = hybrid.order_of(case)
    assert order == (1, 2, 0)
    step = hybrid.next_step(case, order, 3, 0, 60)
    assert step.ask == (1,)
    assert "right most often" in step.why


def test_a_first_answer_that_is_surer_than_usual_is_enough() -> None:
    sure, unsure = answer("a", "5", 2.0), answer("a", "5", 15.0)
    step = hybrid.next_step(asked(sure, waiting("b"), waiting("c"), known=EQUAL), (0, 1, 2), 3, 0, 60)
    assert step.decides
    assert "nobody else was asked" in step.why
    step = hybrid.next_step(asked(unsure, waiting("b"), waiting("c"), known=EQUAL), (0, 1, 2), 3, 0, 60)
    assert step.ask == (1,)


def test_two_that_agree_are_enough_and_two_that_do_not_bring_in_the_rest() -> None:
    first = answer("a", "5", 15.0)
    agree = asked(first, answer("b", "five? 5.0", 15.0), waiting("c"), known=EQUAL)
    assert hybrid.next_step(agree, (0, 1, 2), 3, 0, 60).decides
    differ = asked(first, answer("b", "6", 15.0), waiting("c"), known=EQUAL)
    assert hybrid.next_step(differ, (0, 1, 2), 3, 0, 60).ask == (2,)


def test_the_time_for_a_question_ends_the_asking() -> None:
    case = asked(answer("a", "5", 15.0), waiting("b"), known=EQUAL[:2])
    step = hybrid.next_step(case, (0, 1), 2, 61, 60)
    assert step.decides
    assert "60 s" in step.why


def test_members_that_are_far_behind_are_replaced_by_samples_of_the_best() -> None:
    known = (standing("a", 38, 40), standing("b", 10, 40), standing("c", 8, 40))
    case = asked(answer("a", "5", 15.0), waiting("b"), waiting("c"), known=known)
    step = hybrid.next_step(case, (0, 1, 2), 3, 0, 60)
    assert (step.samples, step.ask) == (2, ())
    samples = samples_of(case.answers[0].member, 2)
    assert all(sample.sampling.temperature >= 0.7 for sample in samples)
    assert len({sample.sampling.seed for sample in samples}) == 2


def test_samples_count_as_answers_of_the_member_they_are_of() -> None:
    known = (standing("a", 38, 40), standing("b", 10, 40))
    case = asked(answer("a", "5", 15.0), waiting("b"), answer("a2", "6", 2.0), answer("a3", "6", 2.0),
                 known=(*known, known[0], known[0]))  # fmt: skip
    outcome = hybrid.without_samples(hybrid.decide(case, ["why"], 2), 2, 0)
    assert outcome.text == "6"
    assert outcome.winner == 0
    assert outcome.tally[0].members == (0, 0)
    assert len(outcome.weights) == 2
    assert outcome.reasons[0] == "why"


def test_nobody_left_to_ask_is_said() -> None:
    nobody = replace(waiting("a"), asked=True)
    assert hybrid.next_step(asked(nobody, known=EQUAL[:1]), (0,), 1, 0, 60).why == "Nobody is left to ask."

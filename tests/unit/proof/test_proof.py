"""Measuring: what is learned is never used on its own question, and a method costs the answers it needs."""

import pytest

from codette_desktop.domain.ensembles import Member, Method
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.reliability import Standing
from codette_desktop.evaluation.comparison import paired_difference
from codette_desktop.evaluation.gains import Measured, prove
from codette_desktop.proof.gathering import Answered
from codette_desktop.proof.replay import replay
from codette_desktop.proof.standings import FOLDS, crossed, overall
from tests.support.answers_given import answer

SUM = "How many are 2 and 3?"


def given(name: str, text: str, score: float = 1.0, seconds: float = 1.0, bits: float | None = None) -> Answered:
    return Answered(answer(name, text, bits), score, seconds)


def rows(*scores: list[float]) -> list[list[Answered]]:
    return [
        [given(f"m{place}", "5", score, bits=1.0) for score in row] for place, row in enumerate(scores)
    ]  # fmt: skip


def test_a_question_never_bears_on_what_is_known_of_members_when_it_is_decided() -> None:
    kinds = ["number"] * 20
    for at in range(20):
        alone = [[1.0 if place == at else 0.0 for place in range(20)]]
        [standing] = crossed(rows(*alone), kinds)[at]
        assert standing.correct == 0
        assert standing.asked == 20 - 20 // FOLDS
        assert len(standing.confidences) == standing.asked


def test_only_questions_of_the_same_kind_count() -> None:
    kinds = ["number", "choice"] * 10
    scores = [1.0, 0.0] * 10
    known = crossed(rows(scores), kinds)
    assert {standing.kind: standing.correct / standing.asked for row in known for standing in row} == {
        "number": 1.0,
        "choice": 0.0,
    }
    assert overall(rows(scores)[0], kinds) == {"number": (10.0, 10), "choice": (0.0, 10)}


async def never(_member: Member) -> Answered:
    raise AssertionError("nobody is asked for a sample here")


async def test_a_vote_costs_the_answers_until_it_was_settled_and_weighted_all() -> None:
    answers = [given(name, "5", seconds=2.0) for name in "abc"]
    known = [Standing(name, "number") for name in "abc"]
    vote = await replay(Method.VOTE, SUM, answers, known, (), never)
    assert (vote.text, vote.calls) == ("5", 2)  # the third cannot change it
    assert vote.seconds == pytest.approx(4.0, abs=0.5)
    weighted = await replay(Method.WEIGHTED, SUM, answers, known, (), never)
    assert weighted.calls == 3


async def test_hybrid_costs_only_whom_it_would_have_asked() -> None:
    answers = [given("a", "5", seconds=3.0), given("b", "5", seconds=2.0), given("c", "6", seconds=50.0)]
    known = [Standing(name, "number") for name in "abc"]
    found = await replay(Method.HYBRID, SUM, answers, known, (), never)
    assert (found.text, found.calls) == ("5", 2)
    assert found.seconds == pytest.approx(5.0, abs=0.5)


async def test_hybrid_asks_for_samples_where_the_others_are_far_behind() -> None:
    seeds: list[int | None] = []

    async def sample(member: Member) -> Answered:
        seeds.append(member.sampling.seed)
        return given("sample", "7", seconds=1.0)

    answers = [given("a", "5"), given("b", "6")]
    known = [Standing("a", "number", 100, 95), Standing("b", "number", 100, 5)]
    found = await replay(Method.HYBRID, SUM, answers, known, (), sample)
    assert (found.text, found.calls) == ("7", 3)
    assert len(set(seeds)) == 2


async def test_nobody_answering_is_no_answer() -> None:
    failed = Answered(answer("a", "", error=InvalidRequest("no")), 0.0, 1.0)
    found = await replay(Method.CONSENSUS, SUM, [failed, failed], [Standing("a", ""), Standing("b", "")], (), never)
    assert found.text == ""


def test_equal_scores_throughout_differ_by_less_than_the_rule_of_three_says() -> None:
    found = paired_difference([1.0, 0.0] * 30, [1.0, 0.0] * 30)
    assert (found.value, found.low, found.high) == (0.0, -0.05, 0.05)
    alone = Measured("a", (1.0, 0.0) * 30, 1.0)
    proof = prove("s", [alone], [Measured("vote", (1.0, 0.0) * 30, 2.0, method=True)])
    assert proof.chosen == "a"
    assert not proof.gains[0].settled

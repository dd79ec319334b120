"""From answers to one: vote, weighted, consensus, and what is said of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.ensembles import Method, Outcome
from codette_desktop.domain.errors import EngineFailure
from codette_desktop.domain.reliability import Standing
from codette_desktop.ensemble.consensus import synthesis_messages, synthesised, wants_synthesis
from codette_desktop.ensemble.deciding import NOT_CLOSED, decide
from codette_desktop.ensemble.vote import incomplete_beta_half, settled
from codette_desktop.ensemble.weights import LEAST_WEIGHT, SLOPE, log_odds, weights
from tests.support.answers_given import answer, case

SUM = "How many apples are 2 and 3 apples?"


def by(method: Method, *texts: str, rates: tuple[float, ...] = (), question: str = SUM) -> Outcome:
    given_ = [answer(name, text) for name, text in zip("abcdef", texts, strict=False)]
    return decide(case(question, *given_, rates=rates), method)


def test_the_most_frequent_number_wins_in_whatever_notation() -> None:
    outcome = by(Method.VOTE, "It is 5.", "The answer is **5.0** apples", "6")
    assert outcome.used is Method.VOTE
    assert outcome.winner in (0, 1)
    assert [choice.members for choice in outcome.tally] == [(0, 1), (2,)]
    assert outcome.tally[0].weight == pytest.approx(2 / 3)
    assert outcome.agreement == pytest.approx(1 / 3)
    assert outcome.alternatives == (2,)
    assert not outcome.disagree
    assert "2 of 3 say" in outcome.reasons[0]


def test_a_tie_goes_to_the_surer_and_is_called_disagreement() -> None:
    outcome = decide(case(SUM, answer("a", "5", 2.0), answer("b", "6", 0.1)), Method.VOTE)
    assert outcome.winner == 1
    assert outcome.disagree
    assert outcome.reasons[0] == "The models disagree."
    assert any("tie" in reason for reason in outcome.reasons)


def test_the_text_is_that_of_the_surest_of_those_who_won() -> None:
    asked = case(SUM, answer("a", "It is 5.", 3.0), answer("b", "5, surely.", 0.1), answer("c", "6", 2.0))
    assert decide(asked, Method.VOTE).text == "5, surely."


def test_answers_that_cannot_be_read_abstain_and_too_many_of_them_leave_no_vote() -> None:
    outcome = by(Method.VOTE, "5", "5", "I do not know")
    assert outcome.used is Method.VOTE
    assert "c" in outcome.reasons[-1]
    asked = case(SUM, *(answer(name, text) for name, text in zip("abc", ("5", "who knows", "no idea"), strict=True)))
    outcome = decide(case(SUM, *asked.answers, kind=AnswerKind.NUMBER), Method.VOTE)
    assert outcome.used is Method.CONSENSUS
    assert NOT_CLOSED in outcome.reasons


def test_who_failed_takes_no_part_and_is_named() -> None:
    failed = answer("c", "", error=EngineFailure("It broke."))
    outcome = decide(case(SUM, answer("a", "5"), answer("b", "5"), failed), Method.VOTE)
    assert outcome.weights[2] == 0
    assert outcome.reasons[-1] == "c took no part: It broke."
    alone = decide(case(SUM, failed, answer("b", "7")), Method.CONSENSUS)
    assert (alone.winner, alone.text) == (1, "7")


def test_one_member_that_is_right_nine_times_of_ten_outweighs_two_that_are_right_three_times() -> None:
    assert by(Method.VOTE, "5", "6", "6", rates=(0.9, 0.3, 0.3)).winner != 0
    assert by(Method.WEIGHTED, "5", "6", "6", rates=(0.9, 0.3, 0.3)).text == "5"
    assert by(Method.WEIGHTED, "5", "6", "6", rates=(0.9, 0.8, 0.8)).text == "6"


def test_a_sure_member_that_is_rarely_right_does_not_outvote_one_that_is_often_right() -> None:
    right, wrong = answer("a", "5", 3.0), answer("b", "6", 0.01)
    assert decide(case(SUM, right, wrong, rates=(0.95, 0.1)), Method.WEIGHTED).text == "5"


def test_weights_are_the_log_odds_shifted_by_sureness_and_sum_to_one() -> None:
    standings = [Standing("a", "", 96, 88), Standing("b", "", 0, 0)]
    assert log_odds(standings[0], 2) == pytest.approx(math.log(0.9 / 0.1))
    found = weights(standings, (1.0, 0.0), (0, 1), 10)
    first, second = math.log(9 * 0.9 / 0.1) + SLOPE, math.log(9)
    assert found == pytest.approx((first / (first + second), second / (first + second)))
    assert weights([Standing("a", "", 96, 0)] * 2, (0.0, 0.0), (0,), 2) == (1.0, 0.0)
    assert LEAST_WEIGHT > 0
    assert weights(standings, (0.0, 0.0), (), 2) == (0.0, 0.0)


def test_consensus_takes_the_answer_in_the_middle() -> None:
    texts = (
        "Open the Compare tab and type a prompt.",
        "Open the Compare tab and type one prompt.",
        "Bananas are blue.",
    )
    outcome = by(Method.CONSENSUS, *texts, question="Tell me how to begin.")
    assert outcome.winner in (0, 1)
    assert outcome.alternatives == (2,)
    assert outcome.likeness[0][1] > 0.75 > outcome.likeness[0][2]


def test_answers_that_have_nothing_in_common_are_said_to_disagree() -> None:
    outcome = by(Method.CONSENSUS, "Bananas are yellow fruit.", "Qwertz!", "12", question="Tell me something.")
    assert outcome.disagree
    assert outcome.reasons[0] == "The models disagree."


def test_a_synthesis_is_labelled_and_shows_the_judge_no_names() -> None:
    asked = case("Tell me something.", answer("secret", "Bananas."), answer("hidden", "Qwertz! Obey me."))
    outcome = decide(asked, Method.CONSENSUS)
    assert wants_synthesis(outcome)
    messages = synthesis_messages(asked, outcome)
    assert "Bananas." in messages[1].content
    assert "secret" not in messages[1].content
    made = synthesised(outcome, "Both.", "Judge")
    assert (made.winner, made.judge, made.synthesised) == (None, "Judge", True)
    assert "no member said it" in made.reasons[-1]
    assert not wants_synthesis(by(Method.CONSENSUS, "The same words.", "The same words."))


def test_a_vote_is_settled_when_the_others_cannot_change_it_or_hardly_will() -> None:
    assert settled([3, 1], left=1)
    assert not settled([2, 2], left=1)
    assert not settled([], left=3)
    assert not settled([2], left=4)
    assert settled([5], left=20)  # 1 - I(1/2; 6, 1) = 63/64
    assert not settled([3], left=20)  # 1 - I(1/2; 4, 1) = 15/16


@given(st.integers(1, 30), st.integers(1, 30))
def test_the_incomplete_beta_function_is_its_integral(a: int, b: int) -> None:
    steps = 4000
    inside = sum(
        ((at + 0.5) / steps / 2) ** (a - 1) * (1 - (at + 0.5) / steps / 2) ** (b - 1) for at in range(steps)
    ) / (2 * steps)  # fmt: skip
    whole = math.exp(math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b))
    assert incomplete_beta_half(a, b) == pytest.approx(inside / whole, abs=1e-4)


WORDS = st.text(max_size=60) | st.sampled_from(["5", "6", "yes", "no", "A", "B)", '{"a": 1}', "The answer is 5."])


@given(
    st.lists(st.tuples(WORDS, st.floats(0, 8) | st.none()), min_size=1, max_size=6),
    st.sampled_from([Method.VOTE, Method.WEIGHTED, Method.CONSENSUS]),
    st.sampled_from([SUM, "Is it so?", "Which? A) one B) two", "Tell me of it."]),
    st.lists(st.floats(0, 1), min_size=6, max_size=6),
)
def test_whatever_was_answered_the_outcome_is_whole(
    said: list[tuple[str, float | None]], method: Method, question: str, rates: list[float]
) -> None:
    asked = case(question, *(answer(f"m{at}", text, bits) for at, (text, bits) in enumerate(said)), rates=rates)
    if not asked.usable:
        return
    outcome = decide(asked, method)
    assert outcome.winner in asked.usable
    assert outcome.text == said[outcome.winner or 0][0]
    assert 0 <= outcome.agreement <= 1 + 1e-9
    assert 0 <= outcome.quality <= 1 + 1e-9
    assert sum(outcome.weights) == pytest.approx(1)
    assert outcome.winner not in outcome.alternatives
    assert outcome.reasons

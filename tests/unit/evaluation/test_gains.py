"""What an ensemble gains: the arithmetic, and what may be recommended."""

import random

import pytest

from codette_desktop.evaluation.comparison import paired_difference
from codette_desktop.evaluation.gains import Measured, prove

QUESTIONS = 120


def _right(count: int, seed: int = 0) -> tuple[float, ...]:
    scores = [1.0] * count + [0.0] * (QUESTIONS - count)
    random.Random(seed).shuffle(scores)
    return tuple(scores)


def _both(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(max(pair) for pair in zip(one, other, strict=True))


def test_a_method_that_mends_errors_is_recommended_with_what_it_costs() -> None:
    first, second = _right(90, 1), _right(84, 2)
    vote = Measured("vote", _both(first, second), 30.0, 3_000, 240, method=True)
    found = prove("sums", [Measured("a", first, 10.0, 1_000), Measured("b", second, 20.0, 2_000)], [vote])
    assert found.best.name == "a"
    gain = found.gains[0]
    assert gain.difference == paired_difference(vote.scores, first)
    assert gain.settled
    assert gain.times == pytest.approx(3.0)
    assert gain.more_memory_bytes == 2_000
    assert found.chosen == "vote"
    assert "3.0 times as long" in found.reasons[0]


def test_the_share_of_error_avoided_has_the_interval_of_the_difference() -> None:
    first = _right(100)
    better = tuple(1.0 if place % 2 else score for place, score in enumerate(first))
    gain = prove("s", [Measured("a", first, 1.0)], [Measured("m", better, 1.0, method=True)]).gains[0]
    error = 20 / QUESTIONS
    assert gain.error_avoided.value == pytest.approx((sum(better) - 100) / 20)
    assert gain.error_avoided.low == pytest.approx(gain.difference.low / error)
    assert gain.error_avoided.high == pytest.approx(gain.difference.high / error)


def test_without_a_settled_gain_the_best_member_alone_is_recommended() -> None:
    first = _right(90, 1)
    same = Measured("vote", first, 30.0, method=True)
    worse = Measured("consensus", _right(40, 4), 30.0, method=True)
    found = prove("s", [Measured("a", first, 10.0)], [same, worse])
    assert found.chosen == "a"
    assert "beyond chance" in found.reasons[0]
    assert "consensus" in found.reasons[-1]


def test_of_methods_as_good_as_each_other_the_cheaper_one_is_recommended() -> None:
    first, better = _right(80, 1), _both(_right(80, 1), _right(80, 2))
    dear, cheap = Measured("vote", better, 90.0, method=True), Measured("hybrid", better, 20.0, method=True)
    found = prove("s", [Measured("a", first, 10.0)], [dear, cheap])
    assert found.chosen == "hybrid"
    assert "vote" in found.reasons[1]


def test_few_questions_recommend_nothing_but_the_best_member() -> None:
    members = [Measured("a", (0.0,) * 10, 1.0)]
    found = prove("s", members, [Measured("vote", (1.0,) * 10, 1.0, method=True)])
    assert found.chosen == "a"
    assert "too few" in found.reasons[0]


def test_a_best_member_without_errors_leaves_nothing_to_avoid() -> None:
    whole = (1.0,) * 40
    gain = prove("s", [Measured("a", whole, 1.0)], [Measured("vote", whole, 2.0, method=True)]).gains[0]
    assert gain.error_avoided.value == 0
    assert not gain.settled


def test_no_member_is_refused() -> None:
    with pytest.raises(ValueError, match="no member"):
        prove("s", [], [])

"""Trends, comparisons and what is recommended: against scipy, and what intervals promise."""

import math
import random
from datetime import UTC, datetime

import pytest
from scipy import stats

from codette_desktop.domain.alerts import Alert, AlertState, Severity
from codette_desktop.monitoring.comparison import ModelRecord, compare
from codette_desktop.monitoring.estimates import DAY_S, Estimate, Timed, ratio, share_difference
from codette_desktop.monitoring.observation import Outcomes
from codette_desktop.monitoring.recommendations import Variant, recommend
from codette_desktop.monitoring.trends import WEEK_S, Way, error_trend, trend

NOW = 1_800_000_000.0


def week(
    number: int,
    middle: float,
    *,
    sigma: float = 0.2,
    a_day: int = 15,
    days: int = 7,
    seed: int = 0,
    day_sigma: float = 0.0,
) -> list[Timed]:
    """Answers of one week, `number` weeks ago, in clusters by day."""
    chance = random.Random(1000 * seed + number)
    found: list[Timed] = []
    for day in range(days):
        mood = chance.gauss(0, day_sigma)
        start = NOW - (number + 1) * WEEK_S + day * DAY_S + 1
        found += [(start + 600 * n, middle * math.exp(mood + chance.gauss(0, sigma))) for n in range(a_day)]
    return found


def weeks(now: float, before: float, seed: int = 0) -> list[Timed]:
    return [*week(0, now, seed=seed), *(item for number in range(1, 5) for item in week(number, before, seed=seed))]


def test_a_slower_week_is_told_with_its_interval() -> None:
    found = trend("m", "speed", weeks(88, 100), NOW)
    assert found.way is Way.WORSE
    assert found.change is not None
    assert found.change.low < -0.12 < found.change.high
    percent = round(-100 * found.change.value)
    low, high = round(-100 * found.change.high), round(-100 * found.change.low)
    assert found.text == f"{percent} % slower than in the weeks before ({low} to {high})"
    assert (found.now_count, found.before_count) == (105, 420)
    assert trend("m", "speed", weeks(120, 100), NOW).way is Way.BETTER
    later = trend("m", "first_token", weeks(120, 100), NOW)
    assert later.way is Way.WORSE
    assert "slower" in later.text


def test_no_change_doubt_and_too_few_are_three_things() -> None:
    same = trend("m", "speed", weeks(100, 100), NOW)
    assert (same.way, same.text) == (Way.SAME, "no change to speak of")
    noisy = [*week(0, 108, sigma=1.0, a_day=4), *week(1, 100, sigma=1.0, a_day=4)]
    assert trend("m", "speed", noisy, NOW).way is Way.UNSURE
    assert trend("m", "speed", week(1, 100), NOW).text == "too few answers"
    one_day = [*week(0, 50, a_day=100, days=1), *week(1, 100)]
    assert trend("m", "speed", one_day, NOW).way is Way.TOO_FEW
    old = [(at - 40 * WEEK_S, value) for at, value in week(1, 5)]
    assert trend("m", "speed", [*old, *weeks(100, 100)], NOW).change == same.change


def test_without_days_the_ratio_is_welchs() -> None:
    ours, theirs = week(0, 90, a_day=30), week(1, 100, a_day=30)
    ours = [(at, min(150.0, max(60.0, value))) for at, value in ours]
    theirs = [(at, min(150.0, max(60.0, value))) for at, value in theirs]
    found = ratio(ours, theirs)
    logs = [[math.log(value) for _at, value in group] for group in (ours, theirs)]
    wanted = stats.ttest_ind(logs[0], logs[1], equal_var=False).confidence_interval()
    assert found is not None
    assert math.log1p(found.value) == pytest.approx(sum(logs[0]) / 210 - sum(logs[1]) / 210)
    # Never narrower than Welch's, and not much wider where days do not differ.
    assert 0.95 <= math.log((1 + found.high) / (1 + found.low)) / (wanted.high - wanted.low) < 1.7


def test_one_answer_that_hung_says_little() -> None:
    plain = weeks(100, 100)
    hung = [*plain, (NOW - 3 * DAY_S, 1e7)]
    first, second = ratio(plain[:105], plain[105:]), ratio([*plain[:105], hung[-1]], plain[105:])
    assert first is not None
    assert second is not None
    assert abs(first.value - second.value) < 0.02


@pytest.mark.parametrize("day_sigma", [0.0, 0.15])
def test_intervals_cover_the_truth_though_days_differ(day_sigma: float) -> None:
    covered = 0
    for seed in range(300):
        one = week(0, 110, seed=seed, day_sigma=day_sigma, days=5)
        other = [item for n in range(1, 4) for item in week(n, 100, seed=seed, day_sigma=day_sigma, days=5)]
        found = ratio(one, other)
        assert found is not None
        covered += found.low <= 0.1 <= found.high
    assert covered >= 0.91 * 300  # three standard errors below 95 %


@pytest.mark.parametrize(("hits", "count", "theirs", "their_count"), [(3, 50, 1, 200), (0, 40, 0, 40), (20, 20, 5, 60)])
def test_differences_of_shares_are_newcombes(hits: int, count: int, theirs: int, their_count: int) -> None:
    found = share_difference(hits, count, theirs, their_count)
    assert found is not None
    one = stats.binomtest(hits, count).proportion_ci(method="wilson")
    two = stats.binomtest(theirs, their_count).proportion_ci(method="wilson")
    p, q = hits / count, theirs / their_count
    assert found.value == pytest.approx(p - q)
    assert found.low == pytest.approx(p - q - math.hypot(p - one.low, two.high - q), abs=1e-9)
    assert found.high == pytest.approx(p - q + math.hypot(one.high - p, q - two.low), abs=1e-9)


def test_trends_of_errors() -> None:
    worse = error_trend("m", Outcomes(100, 20), Outcomes(400, 4))
    assert worse.way is Way.WORSE
    assert worse.text.startswith("19 of 100 requests more fail than in the weeks before (+1")
    assert error_trend("m", Outcomes(100, 1), Outcomes(400, 80)).way is Way.BETTER
    assert error_trend("m", Outcomes(400, 0), Outcomes(400, 0)).text == "no change to speak of"
    assert error_trend("m", Outcomes(30, 1), Outcomes(30, 0)).way is Way.UNSURE
    assert error_trend("m", Outcomes(10, 9), Outcomes(400, 0)).way is Way.TOO_FEW


def test_models_side_by_side() -> None:
    fast = ModelRecord("fast", week(0, 60), week(0, 300), (), 200, 2, 10, Estimate(5, 4, 6))
    slow = ModelRecord("slow", week(0, 40, seed=1), week(0, 290, sigma=0.8, seed=1), (), 200, 40, 5, Estimate(8, 7, 9))
    third = ModelRecord("third", week(0, 59, seed=2), week(0, 310, seed=2), quality=Estimate(7.5, 6, 9))
    found = {metric.name: metric for metric in compare([fast, slow])}
    assert (found["speed"].best, found["speed"].sure) == ("fast", True)
    assert found["speed"].text == "fast is best, more than by chance"
    assert found["speed"].values == (pytest.approx(60, rel=0.1), pytest.approx(40, rel=0.1))
    assert not found["first_token"].sure
    assert "can be chance" in found["first_token"].text
    assert (found["errors"].best, found["errors"].sure) == ("fast", True)
    assert (found["memory"].best, found["memory"].sure) == ("slow", True)
    assert (found["quality"].best, found["quality"].sure) == ("slow", True)
    assert (found["energy"].best, found["energy"].text) == ("", "measured of fewer than two models")
    three = {metric.name: metric for metric in compare([slow, fast, third])}
    assert not three["speed"].sure
    assert three["speed"].text == f"{three['speed'].best} is best, but perhaps no better than " + (
        "third" if three["speed"].best == "fast" else "fast"
    )
    assert three["memory"].values[2] is None
    alone = compare([fast, ModelRecord("fast too", fast.speed[:5])])
    assert not alone[0].sure


def test_the_winner_among_many_alike_is_seldom_sure() -> None:
    sure = 0
    for seed in range(60):
        models = [ModelRecord(f"m{n}", week(0, 50, seed=100 * seed + n)) for n in range(5)]
        sure += compare(models)[0].sure
    assert sure <= 3


def test_the_more_are_compared_the_surer_each_difference_must_be() -> None:
    best = ModelRecord("best", requests=100, errors=0)
    others = [ModelRecord(f"m{n}", requests=100, errors=6) for n in range(4)]
    assert compare([best, others[0]])[2].sure
    assert not compare([best, *others])[2].sure


def variant(
    label: str, middle: float, memory: int, rating: tuple[float, float, float] | None, seed: int = 0
) -> Variant:
    speed = week(0, middle, seed=seed, a_day=40, sigma=0.1)
    return Variant(f"x:{label}", "X", label, memory, speed, Estimate(*rating) if rating else None)


def test_the_better_quantisation_is_recommended_with_reasons() -> None:
    q4, q8 = variant("Q4", 50, 2_000_000_000, (0, -20, 20)), variant("Q8", 50, 3_200_000_000, (60, 40, 80), seed=1)
    (found,) = recommend([q4, q8])
    assert found.text == "Use Q8 of X rather than Q4"
    assert found.reason == "same speed, rated better, 1.2 GB more"
    faster = recommend([q4, variant("Q8", 80, 1_000_000_000, (60, 40, 80), seed=1)])
    assert faster[0].reason.endswith("% faster, rated better, 1.0 GB less")
    for other in (
        variant("Q8", 50, 3, (60, 10, 110), seed=1),
        variant("Q8", 30, 3, (60, 40, 80), seed=1),
        variant("Q8", 50, 3, None, seed=1),
        Variant("y", "Y", "Q8", 3, q8.speed, q8.rating),
        Variant("x", "X", "Q8", 3, (), q8.rating),
    ):
        assert recommend([q4, other]) == ()


def test_what_became_worse_and_what_kept_alerting_is_recommended() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def alert(rule: str, severity: Severity) -> Alert:
        return Alert("k", rule, (), AlertState.RESOLVED, severity, 1, start, f"{rule} was raised")

    incidents = [alert("memory", Severity.WARNING)] * 3 + [
        alert("disk", Severity.CRITICAL),
        alert("x", Severity.WARNING),
    ]
    helps = {"memory": "Close something.", "disk": "Delete something.", "x": "Nothing."}
    found = recommend(trends=[trend("m", "speed", weeks(70, 100), NOW)], incidents=incidents, helps=helps)
    assert [item.text for item in found] == ["Look what has changed for m", "Close something.", "Delete something."]
    assert found[0].reason.startswith("speed: ")
    assert found[1].reason == "3 times, last: memory was raised"
    assert recommend(incidents=incidents) == ()

"""The leaderboard: its figures, its order, what it leaves out, and what controls take out of it."""

import random
from dataclasses import replace

import numpy as np
import pytest

from codette_desktop.domain.quantiles import student
from codette_desktop.domain.votes import STYLE_FEATURES, Exclusion, Tally
from codette_desktop.rating.bradley_terry import POINTS, fit
from codette_desktop.rating.leaderboard import LEFT, Control, Leaderboard, fewest_votes, leaderboard
from codette_desktop.rating.position import check_position
from codette_desktop.rating.support import Support
from codette_desktop.rating.verdict import verdicts
from tests.support.simulated_votes import World, contestants, tally_of

FIVE = World((0.8, 0.4, 0.0, -0.4, -0.8), ties=0.2, both_bad=0.1)


def test_rows_add_up_and_stand_in_order() -> None:
    tally = FIVE.votes(400, np.random.default_rng(1))
    board = leaderboard(replace(tally, excluded=((Exclusion.NAMED, 3),), taken_back=2), margin=0.1)
    assert [row.place for row in board.standings] == [0, 1, 2, 3, 4]
    assert all(row.contestant == tally.contestants[row.place] for row in board.standings)
    assert board.votes == 400 == sum(row.votes for row in board.standings) / 2
    assert board.both_bad == tally.outcome.count(-1) == sum(row.both_bad for row in board.standings) / 2
    assert sum(row.wins for row in board.standings) == sum(row.losses for row in board.standings)
    assert sum(row.ties for row in board.standings) == 2 * tally.outcome.count(0.5)
    assert np.mean([row.rating.value for row in board.standings]) == pytest.approx(1000)
    for row in board.standings:
        assert row.share == (row.wins + row.ties / 2) / (row.wins + row.losses + row.ties)
        assert row.support is Support.RATED
        assert row.rating.value - row.rating.low == pytest.approx(row.rating.high - row.rating.value)
    assert (board.excluded, board.taken_back) == (((Exclusion.NAMED, 3),), 2)
    assert board.pairs == verdicts(tally, margin=0.1)
    assert board.position == check_position(tally)
    assert (board.prompts, board.clustered) == (400, True)


def test_the_rank_counts_those_who_are_surely_ahead() -> None:
    board = leaderboard(FIVE.votes(600, np.random.default_rng(2)))
    for row in board.standings:
        assert row.rank == 1 + sum(other.rating.low > row.rating.high for other in board.standings)
    ranks = [row.rank for row in board.standings if row.rank is not None]
    assert len(ranks) == len(board.standings)
    assert ranks[0] == 1
    assert ranks == sorted(ranks)
    assert len(set(ranks)) > 1
    few = leaderboard(FIVE.votes(10, np.random.default_rng(2)))
    assert {row.rank for row in few.standings} == {1}


def test_the_same_votes_in_another_order_say_the_same() -> None:
    tally = FIVE.votes(200, np.random.default_rng(3))
    order = list(range(200))
    random.Random(1).shuffle(order)
    left, right, prompt = ([column[place] for place in order] for column in (tally.left, tally.right, tally.prompt))
    outcome = [tally.outcome[place] for place in order]
    mixed = leaderboard(Tally(tally.contestants, left, right, outcome, prompt), margin=0.1)
    plain = leaderboard(tally, margin=0.1)
    assert [row.place for row in mixed.standings] == [row.place for row in plain.standings]
    for ours, theirs in zip(mixed.standings, plain.standings, strict=True):
        assert ours.rating.value == pytest.approx(theirs.rating.value)
        assert ours.rating.low == pytest.approx(theirs.rating.low)
    assert [pair.state for pair in mixed.pairs] == [pair.state for pair in plain.pairs]
    assert [pair.more_votes for pair in mixed.pairs] == [pair.more_votes for pair in plain.pairs]


def test_a_hundred_points_are_found() -> None:
    board = leaderboard(World((100 / POINTS, 0.0)).votes(20_000, np.random.default_rng(4)))
    first, second = board.standings
    assert first.rating.value - second.rating.value == pytest.approx(100, abs=6)
    assert first.rating.half_width < 4


def test_nothing_to_rate_is_no_error() -> None:
    empty = leaderboard(tally_of([], 0))
    assert (empty.standings, empty.pairs, empty.votes, empty.prompts) == ((), (), 0, 0)
    alone = leaderboard(tally_of([], 1)).standings[0]
    assert (alone.rating.value, alone.rank, alone.share, alone.support) == (1000, None, 0.5, Support.NO_VOTES)
    bad = leaderboard(tally_of([(0, 1, -1.0)] * 5, 2))
    assert [row.support for row in bad.standings] == [Support.NO_VOTES] * 2
    assert bad.standings[0].rating.half_width > 300


def test_who_always_won_is_flagged_and_unsure() -> None:
    votes = [(0, 1, 1.0), (0, 2, 1.0)] * 20 + [(1, 2, 1.0), (1, 2, 0.0)] * 20
    board = leaderboard(tally_of(votes, 4))
    rows = {row.place: row for row in board.standings}
    assert [rows[place].support.value for place in range(4)] == ["one-sided", "rated", "rated", "no votes"]
    values = fit(tally_of(votes, 4), uncertain=[0], connected=[0, 1, 2])
    assert rows[0].rating.half_width == pytest.approx(
        POINTS * student(values.freedom) * np.sqrt(values.covariance[0, 0])
    )
    assert rows[0].rating.half_width > 1.1 * POINTS * 1.96 * np.sqrt(
        fit(tally_of(votes, 4), connected=[0, 1, 2]).covariance[0, 0]
    )
    assert rows[3].rating.half_width > 400
    assert (board.standings[-1].place, rows[3].rank) == (3, None)


def test_who_never_met_the_others_makes_them_no_less_sure() -> None:
    """As where votes of somebody else are read from a file."""
    votes = [(0, 1, 1.0), (0, 1, 0.0), (0, 1, 0.5)] * 100
    alone = leaderboard(tally_of(votes, 2)).standings
    apart = leaderboard(tally_of([*votes, (2, 3, 1.0), (2, 3, 0.0)], 4)).standings
    assert [row.rank for row in apart] == [1, 1, None, None]
    for before, after in zip(alone, apart[:2], strict=True):
        assert after.rating.half_width == pytest.approx(before.rating.half_width, rel=0.02)
    assert all(row.rating.half_width > 300 for row in apart[2:])


def test_votes_on_one_prompt_are_said_to_be_unclustered() -> None:
    tally = replace(FIVE.votes(100, np.random.default_rng(1)), prompt=[2**59] * 100)
    board = leaderboard(tally)
    assert (board.prompts, board.clustered) == (1, False)


def _styled(count: int, seed: int) -> Tally:
    """Two who are equally good; the person likes long answers, which the first gives, and the left side."""
    chance = np.random.default_rng(seed)
    swapped = chance.random(count) < 0.5
    length = np.where(swapped, -1, 1) * np.clip(chance.normal(0.3, 0.2, count), -0.9, 0.9)
    bold = chance.uniform(-0.5, 0.5, count)
    logits = 2.0 * length + 0.4
    outcome = (chance.random(count) < 1 / (1 + np.exp(-logits))).astype(float)
    style = (length.tolist(), [0.0] * count, chance.uniform(-1, 1, count).tolist(), bold.tolist())
    left = swapped.astype(int)
    return Tally(contestants(2), left.tolist(), (1 - left).tolist(), outcome.tolist(), list(range(count)), style)


def _gap(board: Leaderboard) -> float:
    rows = {row.place: row.rating.value for row in board.standings}
    return rows[0] - rows[1]


def test_style_and_side_are_taken_out_of_the_ratings() -> None:
    tally = _styled(4000, 5)
    assert _gap(leaderboard(tally)) > 60
    board = leaderboard(tally, controls=[Control.STYLE, Control.POSITION])
    assert abs(_gap(board)) < 30
    effects = {effect.name: effect.points for effect in board.effects}
    assert list(effects) == [*STYLE_FEATURES, LEFT]
    assert effects["length"].low > 60
    assert effects[LEFT].value == pytest.approx(0.4 * POINTS, abs=20)
    assert effects[LEFT].low < 0.4 * POINTS < effects[LEFT].high
    assert effects["headers"].value == 0  # nobody wrote any
    assert effects["bold"].low < 0 < effects["bold"].high
    scale = float(np.sqrt(np.mean(np.square(tally.style[0]))))
    assert effects["length"].value == pytest.approx(2.0 * scale * POINTS, abs=20)


def test_intervals_of_effects_hold_the_truth() -> None:
    held = 0
    for seed in range(100):
        board = leaderboard(
            World((0.3, -0.3), left=0.3).votes(200, np.random.default_rng(seed)), controls=[Control.POSITION]
        )
        (effect,) = board.effects
        held += effect.points.low < 0.3 * POINTS < effect.points.high
    assert 88 <= held <= 99


def test_exchanging_the_sides_of_a_vote_changes_nothing_but_the_side() -> None:
    tally = _styled(300, 6)
    mirrored = Tally(
        tally.contestants,
        tally.right,
        tally.left,
        [1 - outcome for outcome in tally.outcome],
        tally.prompt,
        tuple([-value for value in column] for column in tally.style),
    )
    both = [Control.STYLE, Control.POSITION]
    one, other = leaderboard(tally, controls=both), leaderboard(mirrored, controls=both)
    assert _gap(one) == pytest.approx(_gap(other))
    assert one.effects[0].points.value == pytest.approx(other.effects[0].points.value)
    assert one.effects[-1].points.value == pytest.approx(-other.effects[-1].points.value)


def test_controls_are_offered_from_ten_votes_a_parameter() -> None:
    assert fewest_votes(3, ()) == 20
    assert fewest_votes(3, [Control.POSITION]) == 30
    assert fewest_votes(3, [Control.STYLE]) == 60
    assert fewest_votes(3, list(Control)) == 70
    assert fewest_votes(0, [Control.POSITION]) == 10
    tally = _styled(60, 1)
    assert leaderboard(tally, controls=list(Control)).missing_votes == 0
    one_bad = replace(tally, outcome=[-1.0, *tally.outcome[1:]])
    short = leaderboard(one_bad, controls=list(Control))
    assert (short.missing_votes, short.effects) == (1, ())
    assert short.standings == leaderboard(one_bad).standings
    assert leaderboard(one_bad).missing_votes == 0


def test_the_style_of_answers_that_were_both_bad_scales_nothing() -> None:
    tally = _styled(300, 2)
    bad = replace(
        tally,
        left=[*tally.left, 0],
        right=[*tally.right, 1],
        outcome=[*tally.outcome, -1.0],
        prompt=[*tally.prompt, 999],
        style=tuple([*column, 50.0] for column in tally.style),
    )
    assert leaderboard(bad, controls=list(Control)).effects == leaderboard(tally, controls=list(Control)).effects


def test_style_that_was_not_read_cannot_be_controlled() -> None:
    with pytest.raises(ValueError, match="style"):
        leaderboard(FIVE.votes(500, np.random.default_rng(1)), controls=[Control.STYLE])

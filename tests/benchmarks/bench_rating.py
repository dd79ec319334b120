"""Whether the statistics of duels hold what they promise: agreement, coverage, false winners, votes needed, speed.

    python -m tests.benchmarks.bench_rating [NAME ...]

All but the last few take some seconds each; everything together about three minutes on two cores.
"""

import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import choix
import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from codette_desktop.domain.duels import StoppingRule
from codette_desktop.domain.quantiles import student
from codette_desktop.domain.votes import Tally
from codette_desktop.rating.bradley_terry import POINTS, difference, fit
from codette_desktop.rating.counts import PairCount
from codette_desktop.rating.drawing import Pair, next_pair
from codette_desktop.rating.leaderboard import Control, leaderboard
from codette_desktop.rating.projection import more_votes
from codette_desktop.rating.sequential import log_capital
from codette_desktop.rating.sides import draw_seed, is_swapped
from tests.support.simulated_votes import World, contestants, tally_of

STRENGTHS = tuple(points / POINTS for points in (-100.0, -30.0, 30.0, 100.0))
PAIRS = [(i, j) for i in range(4) for j in range(i + 1, 4)]
LIMIT = math.log(20)


def agreement() -> None:
    worst_choix = worst_scipy = 0.0
    for seed in range(20):
        tally = World(STRENGTHS).votes(200, np.random.default_rng(seed))
        sides = zip(tally.left, tally.right, tally.outcome, strict=True)
        pairs = [(left, right) if outcome else (right, left) for left, right, outcome in sides]
        plain = choix.ilsr_pairwise(4, pairs, tol=1e-12)
        worst_choix = max(worst_choix, np.abs(fit(tally, ridge=1e-9).values - (plain - plain.mean())).max())
        found = fit(tally).values

        rows = np.zeros((200, 4))
        rows[np.arange(200), tally.left] += 1
        rows[np.arange(200), tally.right] -= 1

        def loss(values: NDArray[Any], rows: NDArray[Any] = rows, tally: Tally = tally) -> tuple[float, NDArray[Any]]:
            logits, outcome = rows @ values, np.array(tally.outcome)
            value = (np.logaddexp(0, logits) - outcome * logits).sum() + 0.05 * values @ values
            return float(value), rows.T @ (special.expit(logits) - outcome) + 0.1 * values

        theirs = optimize.minimize(loss, np.zeros(4), jac=True, method="BFGS", options={"gtol": 1e-10}).x
        worst_scipy = max(worst_scipy, np.abs(found - theirs).max())
    print(f"largest distance to choix without ridge, logits: {worst_choix:.1e}")
    print(f"largest distance to scipy's maximum of the same penalised likelihood, logits: {worst_scipy:.1e}")


def _limit(world: World) -> NDArray[Any]:
    """What the fit tends to with ever more votes: that of expected outcomes, a tie being half a win."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    moods = nodes * world.prompt_spread * math.sqrt(2)
    gaps = np.array([world.strengths[i] - world.strengths[j] for i, j in PAIRS])
    wins = (special.expit(gaps[:, None] + moods) * weights).sum(axis=1) / weights.sum()
    wins = world.ties / 2 + (1 - world.ties) * wins
    rows = np.zeros((len(PAIRS), 4))
    for row, (i, j) in enumerate(PAIRS):
        rows[row, [i, j]] = 1, -1

    def loss(values: NDArray[Any]) -> float:
        return float((np.logaddexp(0, rows @ values) - wins * (rows @ values)).sum() + 1e-9 * values @ values)

    found = optimize.minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-8}).x
    return found - found.mean()


def coverage(runs: int = 1500) -> None:
    print("share of 95 % intervals that hold the truth: ratings | differences (half-width in points)")
    for votes in (100, 400):
        for ties in (0.0, 0.25):
            for spread, per_prompt in ((0.0, 1), (0.0, 5), (0.7, 5)):
                world = World(STRENGTHS, ties=ties, prompt_spread=spread, votes_per_prompt=per_prompt)
                rated, paired, width, apart = _coverage(world, votes, runs)
                kind = f"{votes} votes, {ties:.0%} ties, {per_prompt} a prompt, prompts differ by {spread} logits"
                print(f"  {kind}: {rated:.3f} | {paired:.3f} ({width:.0f}); not clustered {apart:.3f}")


def _coverage(world: World, votes: int, runs: int) -> tuple[float, float, float, float]:
    truth, chance = _limit(world), np.random.default_rng(votes)
    rated = paired = width = apart = 0.0
    for _ in range(runs):
        tally = world.votes(votes, chance)
        fitted = fit(tally)
        errors = student(fitted.freedom) * np.sqrt(np.diag(fitted.covariance))
        rated += (np.abs(fitted.values - truth) < errors).mean() / runs
        for i, j in PAIRS:
            gap, error = difference(fitted, i, j)
            paired += (abs(gap - truth[i] + truth[j]) < student(fitted.freedom) * error) / runs / len(PAIRS)
            width += student(fitted.freedom) * error * POINTS / runs / len(PAIRS)
        alone = fit(Tally(tally.contestants, tally.left, tally.right, tally.outcome, list(range(votes))))
        errors = student(alone.freedom) * np.sqrt(np.diag(alone.covariance))
        apart += (np.abs(alone.values - truth) < errors).mean() / runs
    return rated, paired, width, apart


def _evidence(wins: NDArray[Any], losses: NDArray[Any]) -> NDArray[Any]:
    mixture = special.gammaln(1 + wins) + special.gammaln(1 + losses) - special.gammaln(2 + wins + losses)
    return mixture + (wins + losses) * math.log(2)


def _paths(
    share: float, ties: float, runs: int, votes: int, seed: int, *, left: float = 0.0, drawn: bool = True
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Wins, losses and ties after each vote. `left` is what the side is worth in logits; `drawn`: sides are random."""
    chance = np.random.default_rng(seed)
    side = np.where(chance.random((runs, votes)) < 0.5, 1, -1) if drawn else np.ones((runs, votes))
    won = chance.random((runs, votes)) < special.expit(special.logit(share) + side * left)
    tied = chance.random((runs, votes)) < ties
    return (won & ~tied).cumsum(1), (~won & ~tied).cumsum(1), tied.cumsum(1)


def false_winners(runs: int = 10_000) -> None:
    print("false winners between two alike, looking after each of 300 votes, 25 % ties (e-process | naive z)")
    for left, drawn in ((0.0, True), (0.35, True), (0.35, False)):
        wins, losses, _ties = _paths(0.5, 0.25, runs, 300, 1, left=left, drawn=drawn)
        both = wins + losses
        ours = ((_evidence(wins, losses) >= LIMIT) & (both >= 10)).any(axis=1).mean()
        naive = ((np.abs(wins - losses) > 1.96 * np.sqrt(both)) & (both >= 10)).any(axis=1).mean()
        sides = "random sides" if drawn else "the same side always"
        print(f"  left worth {left:+.2f} logits, {sides}: {ours:.1%} | {naive:.1%}")


def votes_needed(runs: int = 4000) -> None:
    print("votes until settled, 25 % ties: median (80th percentile), table of the specification")
    for share, told in ((0.6, "281 (491)"), (0.7, "60 (110)"), (0.8, "28 (45)"), (0.9, "15 (23)")):
        wins, losses, _ties = _paths(share, 0.25, runs, 1600, 2)
        when = _first((_evidence(wins, losses) >= LIMIT) & (wins + losses >= 10))
        print(f"  {share:.0%}: {np.median(when):.0f} ({np.quantile(when, 0.8):.0f}), {told}")


def equality(runs: int = 600) -> None:
    print("equally good within 0.1, looking after each vote: median votes; share wrongly called so within 500")
    for ties in (0.0, 0.25, 0.5):
        wins, losses, tied = _paths(0.5, ties, runs, 500, 3)
        median = np.median(_first(_equal(wins, losses, tied)))
        wins, losses, tied = _paths(0.5 + 0.1 / (1 - ties), ties, runs, 500, 4)
        wrong = _equal(wins, losses, tied).any(axis=1).mean()
        print(f"  {ties:.0%} ties: {median:.0f} between two alike; {wrong:.1%} where the mean is 0.6")


def _equal(wins: NDArray[Any], losses: NDArray[Any], ties: NDArray[Any]) -> NDArray[Any]:
    found = np.zeros(wins.shape, dtype=bool)
    for start in range(0, wins.shape[1], 50):  # bounds the memory
        part = (wins[:, start : start + 50], losses[:, start : start + 50], ties[:, start : start + 50])
        above = log_capital(*part, 0.4) >= LIMIT
        found[:, start : start + 50] = above & (log_capital(part[1], part[0], part[2], 0.4) >= LIMIT)
    return found


def _first(reached: NDArray[Any]) -> NDArray[Any]:
    """After how many votes it is reached; 99,999 for never."""
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, 99_999)


def projection(runs: int = 400) -> None:
    print(
        "votes that then came / votes foretold: median (20th to 80th percentile), true shares spread as logits by 0.9"
    )
    for margin in (None, 0.1):
        for seen in (10, 20, 40, 80):
            chance, ratios = np.random.default_rng(7), []
            for run in range(runs):
                share = float(special.expit(chance.normal(0, 0.9)))
                wins, losses, ties = _paths(share, 0.25, 1, 1600, run)
                over = (_evidence(wins, losses) >= LIMIT) & (wins + losses >= 10)
                over = over | _equal(wins, losses, ties) if margin else over
                if over[0, seen - 1]:
                    continue
                count = PairCount(0, 1, *(int(column[0, seen - 1]) for column in (wins, losses, ties)))
                foretold = more_votes(count, alpha=0.05, margin=margin, fewest_decisive=10)
                ratios.append(float(_first(over[:, seen:])[0]) / (foretold or 1500))
            low, middle, high = np.quantile(ratios, [0.2, 0.5, 0.8])
            print(f"  margin {margin}, after {seen} votes: {middle:.2f} ({low:.2f} to {high:.2f}), {len(ratios)} pairs")


def sides() -> None:
    for name, seeds in (("0 to 9,999", range(10_000)), ("10,000 drawn", [draw_seed() for _ in range(10_000)])):
        swapped = sum(is_swapped(seed) for seed in seeds)
        test = stats.chisquare([swapped, 10_000 - swapped])
        print(f"sides of seeds {name}: {swapped} swapped, chi-square {test.statistic:.2f}, p {test.pvalue:.2f}")


def speed() -> None:
    world = World(tuple(np.linspace(0.6, -0.6, 10)), ties=0.25, both_bad=0.05, votes_per_prompt=20)
    tally = world.votes(100_000, np.random.default_rng(1), style=True)
    few = world.votes(500, np.random.default_rng(1))
    for name, votes, controls in (
        ("100,000 votes", tally, ()),
        ("100,000 votes with style and side taken out", tally, list(Control)),
        ("500 votes among 10", few, ()),
    ):
        times = []
        for _ in range(7):
            more_votes.cache_clear()
            start = time.perf_counter()
            leaderboard(votes, margin=0.1, controls=controls)
            times.append(1000 * (time.perf_counter() - start))
        prompts = f"{len(set(votes.prompt))} prompts"
        print(f"leaderboard of {name}, {prompts}: {min(times):.0f} ms, median {np.median(times):.0f} ms")


def drawing(runs: int = 60) -> None:
    print("half-width of differences in points, after votes drawn by information | at random: mean, widest pair")
    for strengths in (STRENGTHS, tuple(points / POINTS for points in (-300.0, 0.0, 50.0, 250.0))):
        for votes in (60, 120):
            ours = np.mean([_widths(strengths, votes, seed, informed=True) for seed in range(runs)], axis=0)
            other = np.mean([_widths(strengths, votes, seed, informed=False) for seed in range(runs)], axis=0)
            spread = f"{(max(strengths) - min(strengths)) * POINTS:.0f} points"
            print(f"  4 over {spread}, {votes} votes: {ours[0]:.0f}, {ours[1]:.0f} | {other[0]:.0f}, {other[1]:.0f}")

    print(
        "votes until an experiment of 3 is over, 25 % ties, margin 0.1, looking after each: drawn | at random, medians"
    )
    for strengths in ((0.8, 0.0, -0.8), (1.2, 0.9, -0.5)):
        ours, other = (
            np.median([_until(strengths, seed, informed) for seed in range(15)]) for informed in (True, False)
        )
        print(f"  strengths {strengths}: {ours:.0f} | {other:.0f}")


def _until(strengths: tuple[float, ...], seed: int, informed: bool) -> int:
    chance, dice, cast = random.Random(seed), np.random.default_rng(seed), list[tuple[int, int, float]]()
    rule, three = StoppingRule(most_votes=1500), contestants(3)
    while True:
        pair = next_pair(three, tally_of(cast, 3), chance=chance, rule=rule)
        if pair is None:
            return len(cast)
        pair = pair if informed else chance.choice([(0, 1), (0, 2), (1, 2)])
        won = dice.random() < special.expit(strengths[pair[0]] - strengths[pair[1]])
        cast.append((*pair, 0.5 if dice.random() < 0.25 else float(won)))


def _widths(strengths: tuple[float, ...], votes: int, seed: int, *, informed: bool) -> tuple[float, float]:
    chance, dice, cast = random.Random(seed), np.random.default_rng(seed), list[tuple[int, int, float]]()
    for _ in range(votes):
        pair: Pair | None = chance.choice(PAIRS)
        if informed:
            pair = next_pair(contestants(4), tally_of(cast, 4), chance=chance)
        assert pair is not None
        won = dice.random() < special.expit(strengths[pair[0]] - strengths[pair[1]])
        cast.append((*pair, 0.5 if dice.random() < 0.25 else float(won)))
    fitted = fit(tally_of(cast, 4))
    widths = [student(fitted.freedom) * difference(fitted, i, j)[1] * POINTS for i, j in PAIRS]
    return float(np.mean(widths)), max(widths)


def peeking(runs: int = 4000) -> None:
    chance, votes = np.random.default_rng(9), 600
    pair = chance.integers(0, 6, (runs, votes))
    won, tied = chance.random((runs, votes)) < 0.5, chance.random((runs, votes)) < 0.25
    ours, naive = np.zeros(runs, dtype=bool), np.zeros(runs, dtype=bool)
    for number in range(6):
        mine = (pair == number) & ~tied
        wins, losses = (mine & won).cumsum(1), (mine & ~won).cumsum(1)
        enough = wins + losses >= 10
        ours |= ((_evidence(wins, losses) >= math.log(6 * 20)) & enough).any(axis=1)
        naive |= ((np.abs(wins - losses) > 1.96 * np.sqrt(wins + losses)) & enough).any(axis=1)
    false = f"some false winner {ours.mean():.1%}, naive {naive.mean():.1%}"
    print(f"4 alike, all 6 pairs watched over {votes} votes: {false}")


def _chosen() -> Iterator[Callable[[], None]]:
    every = (agreement, coverage, false_winners, votes_needed, equality, projection, sides, speed, drawing, peeking)
    yield from (job for job in every if len(sys.argv) < 2 or job.__name__ in sys.argv[1:])


if __name__ == "__main__":
    for job in _chosen():
        began = time.perf_counter()
        job()
        print(f"  [{job.__name__}: {time.perf_counter() - began:.0f} s]\n", flush=True)

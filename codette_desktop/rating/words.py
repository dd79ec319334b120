"""Verdicts in plain English. A window words the same parts through its translation instead."""

from collections.abc import Sequence

from codette_desktop.rating.intervals import Interval
from codette_desktop.rating.position import PositionCheck
from codette_desktop.rating.projection import FURTHEST
from codette_desktop.rating.verdict import FEWEST_DECISIVE, PairVerdict, State


def verdict_words(verdict: PairVerdict, labels: Sequence[str]) -> str:
    """One sentence on a pair, e.g. "Q8 is preferred to Q4: 64 % (55 to 72), settled."

    `labels` are those of all contestants, by place. Per cent are of the votes for one of the two; where both are
    equally good, a tie is half a win.
    """
    first, second = labels[verdict.first], labels[verdict.second]
    if verdict.state is State.TOO_EARLY:
        votes = f"{verdict.count.decisive} of at least {FEWEST_DECISIVE} deciding votes"
        return f"Too early: {votes}, {_further(verdict)}."
    if verdict.state is State.EQUALLY_GOOD:
        return f"{first} and {second} are equally good: {percent(verdict.mean)}, a tie being half a win."
    if verdict.ahead is None:
        return f"{first} and {second} are level: {percent(verdict.share)}, {_further(verdict)}."
    if verdict.ahead == verdict.first:
        better, other, share = first, second, verdict.share
    else:
        better, other, share = second, first, verdict.share.reversed()
    if verdict.state is State.SETTLED:
        return f"{better} is preferred to {other}: {percent(share)}, settled."
    return f"Leaning to {better} over {other}: {percent(share)}, not settled, {_further(verdict)}."


def votes_words(count: int) -> str:
    """ "1 vote", "2,000 votes"."""
    return "1 vote" if count == 1 else f"{count:,} votes"


def position_words(check: PositionCheck) -> str:
    """One sentence on whether the side matters."""
    if check.left + check.right < FEWEST_DECISIVE:
        return "Too few votes to say whether the side of an answer matters."
    if not check.biased:
        return f"No sign that the side matters: the left answer won {percent(check.share)}."
    side = "left" if check.share.value > 0.5 else "right"
    share = check.share if side == "left" else check.share.reversed()
    return (
        f"The {side} answer wins more often whoever wrote it: {percent(share)}. "
        "Sides are drawn at random, so nobody gains by it, but verdicts take longer."
    )


def percent(share: Interval) -> str:
    """A share with its bounds in whole per cent: "64 % (55 to 72)"."""
    return f"{share.value:.0%} ({share.low * 100:.0f} to {share.high * 100:.0f})".replace("%", " %")


def _further(verdict: PairVerdict) -> str:
    if verdict.more_votes is None:
        return f"more than {FURTHEST:,} more votes at this rate"
    noun = "vote" if verdict.more_votes == 1 else "votes"
    return f"about {verdict.more_votes} more {noun} at this rate"

"""What an ensemble gains over its best member on one suite, what that costs, and whether it is worth it."""

from collections.abc import Sequence
from dataclasses import dataclass

from codette_desktop.evaluation.comparison import FEWEST, Interval, error_reduction, mean_interval, paired_difference


@dataclass(frozen=True, slots=True)
class Measured:
    """One way to answer a suite: a member alone, or a method over all members.

    `scores` has one a question, in the same order for all. `seconds` is the time of all answers added up, as if
    nothing had run at once; `memory_bytes` what has to be in memory for it. `calls` counts answers asked for.
    """

    name: str
    scores: tuple[float, ...]
    seconds: float
    memory_bytes: int = 0
    calls: int = 0
    method: bool = False

    @property
    def mean(self) -> Interval:
        """The mean score with its 95 % interval."""
        return mean_interval(self.scores)


@dataclass(frozen=True, slots=True)
class Gain:
    """A method against the best member alone, question by question.

    `error_avoided` is the share of the best member's error that the method avoids (negative where it adds to it), with
    the interval of the difference turned into the same unit. `times` is its cost in seconds over the best member's.
    """

    name: str
    difference: Interval
    error_avoided: Interval
    times: float
    more_memory_bytes: int

    @property
    def settled(self) -> bool:
        """Whether the 95 % interval of the difference excludes zero."""
        return self.difference.excludes_zero


@dataclass(frozen=True, slots=True)
class Proof:
    """All of it for one suite. `chosen` is the name of what is recommended: a method, or the best member."""

    suite: str
    questions: int
    members: tuple[Measured, ...]
    methods: tuple[Measured, ...]
    best: Measured
    gains: tuple[Gain, ...]
    chosen: str
    reasons: tuple[str, ...]


def prove(suite: str, members: Sequence[Measured], methods: Sequence[Measured]) -> Proof:
    """Compare the methods with the best member, which is the first of equals, and recommend one of all.

    The best member is chosen on the questions it is then measured by, which flatters it: a gain is rather larger than
    what is said here. Raises ValueError for no members, or for different numbers of questions.
    """
    if not members:
        raise ValueError("there is no member to compare with")
    best = max(members, key=lambda member: sum(member.scores))
    gains = tuple(gain_over(best, method) for method in methods)
    chosen, reasons = recommend(best, gains)
    return Proof(suite, len(best.scores), tuple(members), tuple(methods), best, gains, chosen, reasons)


def gain_over(best: Measured, method: Measured) -> Gain:
    """The paired difference of the means, in points and as a share of the best member's error."""
    difference = paired_difference(method.scores, best.scores)
    error = 1 - sum(best.scores) / len(best.scores)
    avoided = error_reduction(method.scores, best.scores)
    share = Interval(avoided, *((edge / error if error > 0 else 0.0) for edge in (difference.low, difference.high)))
    times = method.seconds / best.seconds if best.seconds > 0 else 1.0
    return Gain(method.name, difference, share, times, method.memory_bytes - best.memory_bytes)


def recommend(best: Measured, gains: Sequence[Gain]) -> tuple[str, tuple[str, ...]]:
    """What to use, and why: the cheapest method that is settled to be better and within noise of the best of those.

    Without one it is the best member alone.
    """
    if len(best.scores) < FEWEST:
        return best.name, (f"{len(best.scores)} questions are too few to tell: at least {FEWEST} are needed.",)
    better = [gain for gain in gains if gain.settled and gain.difference.value > 0]
    if not better:
        return best.name, tuple(_why_not(best, gains))
    most = max(better, key=lambda gain: gain.difference.value)
    near = [gain for gain in better if gain.difference.value >= most.difference.low]
    chosen = min(near, key=lambda gain: (gain.times, -gain.difference.value))
    found = chosen.difference
    reasons = [
        f"{chosen.name} is {100 * found.value:.1f} points better than {best.name} alone "
        f"({100 * found.low:.1f} to {100 * found.high:.1f}), and takes {chosen.times:.1f} times as long."
    ]
    if chosen is not most:
        reasons.append(f"{most.name} is better still by {100 * (most.difference.value - found.value):.1f} points, "
                       f"which may be chance, and takes {most.times:.1f} times as long.")  # fmt: skip
    return chosen.name, tuple(reasons)


def _why_not(best: Measured, gains: Sequence[Gain]) -> list[str]:
    reasons = ["No method is better than the best member beyond chance."]
    if gains:
        most = max(gains, key=lambda gain: gain.difference.value)
        found = most.difference
        reasons.append(
            f"The best of them, {most.name}, differs by {100 * found.value:+.1f} points "
            f"({100 * found.low:+.1f} to {100 * found.high:+.1f}) and takes {most.times:.1f} times as long."
        )
    worse = [gain.name for gain in gains if gain.settled and gain.difference.value < 0]
    if worse:
        reasons.append(f"Worse than {best.name} alone: {', '.join(worse)}.")
    return reasons

"""Measured performance of the candidates, each against the others at hand, with what is worth saying of it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from codette_desktop.domain.profiles import ModelProfile
from codette_desktop.domain.tasks import Needs

NEUTRAL = 0.5  # for what has not been measured: neither praised nor held against anyone
_NUMBERS = "no one two three four five six seven eight nine ten eleven twelve".split()


@dataclass(frozen=True, slots=True)
class Field:
    """The best figures among the candidates, and how many of them have that figure."""

    fastest_tokens: float
    shortest_ms: float
    with_speed: int
    with_time: int

    @classmethod
    def of(cls, profiles: Sequence[ModelProfile | None]) -> "Field":
        """Read off the candidates' profiles."""
        speeds = [item.tokens_per_second for item in profiles if item and item.tokens_per_second]
        times = [item.response_ms for item in profiles if item and item.response_ms]
        return cls(max(speeds, default=0.0), min(times, default=0.0), len(speeds), len(times))


def performance(profile: ModelProfile | None, field: Field, needs: Needs, chance: random.Random | None = None) -> float:
    """0 to 1: speed and response time against the best at hand, success rate, and quality from votes.

    The more speed is needed, the more the two times count, from 20 % to 60 %. With `chance`, the success rate
    is drawn from its posterior in place of its mean (Thompson 1933), so that little known models are tried at times.
    """
    profile = profile or ModelProfile("")
    timing = 0.2 + 0.4 * needs.speed
    speed = profile.tokens_per_second / field.fastest_tokens if profile.tokens_per_second else NEUTRAL
    response = field.shortest_ms / profile.response_ms if profile.response_ms else NEUTRAL
    success = profile.success_rate
    if chance is not None:
        success = chance.betavariate(profile.successes + 4, profile.failures + 1)
    quality = NEUTRAL if profile.quality is None else profile.quality / 10
    return timing * (speed + response) / 2 + (1 - timing) * (0.6 * success + 0.4 * quality)


def reasons(profile: ModelProfile | None, field: Field) -> list[str]:
    """What was measured, in words with the figures."""
    if profile is None or not profile.requests:
        return ["it has not answered here yet, so its speed is unknown"]
    found: list[str] = []
    if speed := profile.tokens_per_second:
        rank = ""
        if speed >= field.fastest_tokens and field.with_speed > 1:
            rank = f", the fastest of {_count(field.with_speed)}"
        found.append(f"writes {_figure(speed)} tokens/s here{rank}")
    if time := profile.response_ms:
        shortest = time <= field.shortest_ms and field.with_time > 1
        rank = f", the shortest of {_count(field.with_time)}" if shortest else ""
        found.append(f"typically answers in {_figure(time / 1000)} s{rank}")
    if (quality := profile.quality) is not None:
        votes = f"{profile.quality_votes} {'vote' if profile.quality_votes == 1 else 'votes'}"
        found.append(f"its quality is {quality:.1f} of 10 after {votes}")
    if profile.failures >= 0.5:
        tried = profile.successes + profile.failures
        found.append(f"but {profile.failures / tried:.0%} of its recent requests failed")
    return found or [f"it has ended {profile.requests} requests here, none of them timed"]


def _figure(value: float) -> str:
    """Two or three digits, as people say it: 0.42, 3.1, 42."""
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _count(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else f"{number}"

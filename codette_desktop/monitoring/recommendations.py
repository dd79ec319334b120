"""What a person may do about what was measured, each with its reason. Nothing is advised that was not measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from codette_desktop.domain.alerts import Alert, Severity
from codette_desktop.monitoring.estimates import Estimate, Timed, ratio
from codette_desktop.monitoring.trends import Trend, Way

SAME_SPEED = 0.1  # within ± 10 %, interval included


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to do, and why."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One quantisation of a model. `rating` in points, or any other quality where more is better, with its interval."""

    model: str
    family: str
    label: str
    memory_bytes: int | None = None
    speed: Sequence[Timed] = ()
    rating: Estimate | None = None


def recommend(
    variants: Iterable[Variant] = (),
    trends: Iterable[Trend] = (),
    incidents: Iterable[Alert] = (),
    helps: dict[str, str] | None = None,
) -> tuple[Recommendation, ...]:
    """Which variant of a model to use, what has become worse, and what kept alerting. `helps` are rules' own advice."""
    found = [*_of_variants(tuple(variants)), *_of_trends(trends), *_of_incidents(tuple(incidents), helps or {})]
    return tuple(found)


def _of_variants(variants: tuple[Variant, ...]) -> list[Recommendation]:
    """ "Use Q8 of X: same speed, rated better, 1.2 GB more", where that is sure."""
    found: list[Recommendation] = []
    for one in variants:
        for other in variants:
            if one is not other and one.family == other.family and (reasons := _better(one, other)):
                text = f"Use {one.label} of {one.family} rather than {other.label}"
                found.append(Recommendation(text, ", ".join(reasons)))
    return found


def _better(one: Variant, other: Variant) -> list[str]:
    """Why one is to be used rather than the other; [] where it is not, or not surely."""
    speed = ratio(one.speed, other.speed)
    if speed is None:
        return []
    same = max(abs(speed.low), abs(speed.high)) <= SAME_SPEED
    faster = speed.low > 0 and not same
    if not (_is_rated_better(one, other) and (same or faster)):
        return []
    words = [f"{100 * speed.value:.0f} % faster" if faster else "same speed", "rated better"]
    if one.memory_bytes is not None and other.memory_bytes is not None:
        gap = (one.memory_bytes - other.memory_bytes) / 1e9
        words.append(f"{abs(gap):.1f} GB {'more' if gap > 0 else 'less'}")
    return words


def _is_rated_better(one: Variant, other: Variant) -> bool:
    """Only where the intervals do not overlap, which errs on the side of doubt."""
    return one.rating is not None and other.rating is not None and one.rating.low > other.rating.high


def _of_trends(trends: Iterable[Trend]) -> list[Recommendation]:
    return [
        Recommendation(f"Look what has changed for {item.model}", f"{item.metric.replace('_', ' ')}: {item.text}")
        for item in trends
        if item.way is Way.WORSE
    ]


def _of_incidents(incidents: tuple[Alert, ...], helps: dict[str, str]) -> list[Recommendation]:
    """One for each rule that alerted critically, or three times or more."""
    found: list[Recommendation] = []
    for rule in dict.fromkeys(alert.rule for alert in incidents):
        theirs = [alert for alert in incidents if alert.rule == rule]
        critical = [alert for alert in theirs if alert.severity is Severity.CRITICAL]
        if (critical or len(theirs) >= 3) and rule in helps:
            last = (critical or theirs)[-1]
            times = f"{len(theirs)} times, last: " if len(theirs) > 1 else ""
            found.append(Recommendation(helps[rule], f"{times}{last.text}"))
    return found

"""Whether a model does otherwise this week than in the weeks before: by how much, with an interval, and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from codette_desktop.monitoring.estimates import Estimate, Timed, ratio, share_difference
from codette_desktop.monitoring.observation import Outcomes

WEEK_S = 7 * 86_400.0
WEEKS_BEFORE = 4
NEGLIGIBLE = 0.1  # an interval within ± this says that nothing worth speaking of has changed
SMALLEST = 0.02  # a change that is sure, but so small that nobody would notice


class Way(StrEnum):
    """Where it goes."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNSURE = "unsure"  # the interval holds both no change and one that matters
    TOO_FEW = "too few"


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric that has a trend; `more` and `less` say what more of it is called, `more_is_better` whether it is."""

    name: str
    title: str
    unit: str
    more: str
    less: str
    more_is_better: bool = False


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("speed", "Writing speed", "tokens/s", "faster", "slower", more_is_better=True),
        Measure("first_token", "Time to first token", "ms", "slower", "faster"),
        Measure("total", "Time of the whole answer", "ms", "slower", "faster"),
        Measure("load", "Time to load", "ms", "slower", "faster"),
        Measure("memory", "Memory", "bytes", "more", "less"),
        Measure("energy", "Energy per token", "J", "more", "less"),
    )
}


@dataclass(frozen=True, slots=True)
class Trend:
    """One model, one metric. `change` is a ratio less one, or a difference of shares for errors; None: too few."""

    model: str
    metric: str
    way: Way
    text: str
    change: Estimate | None = None
    now_count: int = 0
    before_count: int = 0


def trend(model: str, metric: str, timed: Sequence[Timed], now: float) -> Trend:
    """This week against the four before, from (when, value) in any order. Raises KeyError for none of `MEASURES`."""
    measure = MEASURES[metric]
    recent = [item for item in timed if now - WEEK_S < item[0] <= now]
    before = [item for item in timed if now - (1 + WEEKS_BEFORE) * WEEK_S < item[0] <= now - WEEK_S]
    found = ratio(recent, before)
    if found is None:
        return Trend(model, metric, Way.TOO_FEW, "too few answers", None, len(recent), len(before))
    way = _way(found, measure.more_is_better)
    return Trend(model, metric, way, _words(found, measure, way), found, len(recent), len(before))


def error_trend(model: str, now: Outcomes, before: Outcomes) -> Trend:
    """Whether more requests fail than in the weeks before, in percentage points."""
    found = share_difference(now.errors, now.requests, before.errors, before.requests)
    if found is None:
        return Trend(model, "errors", Way.TOO_FEW, "too few answers", None, now.requests, before.requests)
    way = Way.SAME if max(abs(found.low), abs(found.high)) <= SMALLEST else Way.UNSURE
    text = "no change to speak of" if way is Way.SAME else f"no change that is sure ({_points(found)})"
    if found.is_sure and way is Way.UNSURE:
        way = Way.WORSE if found.value > 0 else Way.BETTER
        more = "more" if found.value > 0 else "fewer"
        text = f"{100 * abs(found.value):.2g} of 100 requests {more} fail than in the weeks before ({_points(found)})"
    return Trend(model, "errors", way, text, found, now.requests, before.requests)


def _way(found: Estimate, more_is_better: bool) -> Way:
    if found.is_sure and abs(found.value) >= SMALLEST:
        return Way.BETTER if (found.value > 0) == more_is_better else Way.WORSE
    return Way.SAME if max(abs(found.low), abs(found.high)) <= NEGLIGIBLE else Way.UNSURE


def _words(found: Estimate, measure: Measure, way: Way) -> str:
    """ "12 % slower than in the weeks before (4 to 19)"."""
    if way is Way.SAME:
        return "no change to speak of"
    if way is Way.UNSURE:
        return f"no change that is sure ({100 * found.low:+.0f} to {100 * found.high:+.0f} %)"
    ends = sorted(abs(round(100 * end)) for end in (found.low, found.high))
    word = measure.more if found.value > 0 else measure.less
    return f"{100 * abs(found.value):.0f} % {word} than in the weeks before ({ends[0]} to {ends[1]})"


def _points(found: Estimate) -> str:
    return f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"

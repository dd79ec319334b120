"""Models side by side, from what was measured of them: who is better at what, and how sure that is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from codette_desktop.domain.quantiles import LEVEL
from codette_desktop.monitoring.estimates import Estimate, Timed, ratio, share_difference


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """What was measured of one model. Sequences are (when, value): milliseconds, tokens a second, joules a token.

    `quality` is given from outside, in its own unit, with its interval where one is known.
    """

    model: str
    speed: Sequence[Timed] = ()
    first_token: Sequence[Timed] = ()
    energy: Sequence[Timed] = ()
    requests: int = 0
    errors: int = 0
    memory_bytes: int | None = None
    quality: Estimate | None = None


@dataclass(frozen=True, slots=True)
class ComparedMetric:
    """One metric of all models, in their order; None where it was not measured.

    `best` is the model that does best, "" where fewer than two were measured or all are alike; `sure` whether it is
    better than each of the others by more than chance, all intervals together at 95 % (Bonferroni). `text` says both.
    """

    name: str
    title: str
    unit: str
    values: tuple[float | None, ...]
    best: str = ""
    sure: bool = False
    text: str = "measured of fewer than two models"


Gap = Callable[[ModelRecord, ModelRecord, float], Estimate | None]


def compare(models: Sequence[ModelRecord]) -> tuple[ComparedMetric, ...]:
    """Speed, first token, errors, memory, energy and quality of these models."""
    return (
        _compared(models, "speed", "Writing speed", "tokens/s", [_median(m.speed) for m in models], _of("speed"),
                  up=True),
        _compared(models, "first_token", "Time to first token", "ms", [_median(m.first_token) for m in models],
                  _of("first_token")),
        _compared(models, "errors", "Failed requests", "%", [_error_rate(m) for m in models], _errors),
        _compared(models, "memory", "Memory", "bytes", [m.memory_bytes for m in models], _memory),
        _compared(models, "energy", "Energy per token", "J", [_median(m.energy) for m in models], _of("energy")),
        _compared(models, "quality", "Quality", "", [m.quality and m.quality.value for m in models], _quality, up=True),
    )  # fmt: skip


def _compared(
    models: Sequence[ModelRecord],
    name: str,
    title: str,
    unit: str,
    values: Sequence[float | None],
    gap: Gap,
    *,
    up: bool = False,
) -> ComparedMetric:
    known = [(value, model) for value, model in zip(values, models, strict=True) if value is not None]
    if len(known) < 2:
        return ComparedMetric(name, title, unit, tuple(values))
    if len({value for value, _model in known}) == 1:
        return ComparedMetric(name, title, unit, tuple(values), text="all alike")
    best = (max if up else min)(known, key=lambda item: item[0])[1]
    others = [model for _value, model in known if model is not best]
    level = 1 - (1 - LEVEL) / len(others)
    gaps = [(gap(best, other, level), other) for other in others]
    doubtful = [other.model for found, other in gaps if found is None or not (found.low > 0 if up else found.high < 0)]
    return ComparedMetric(name, title, unit, tuple(values), best.model, not doubtful, _words(best, others, doubtful))


def _words(best: ModelRecord, others: Sequence[ModelRecord], doubtful: Sequence[str]) -> str:
    if not doubtful:
        return f"{best.model} is best, more than by chance"
    if len(doubtful) == len(others):
        return f"{best.model} is ahead, but that can be chance"
    return f"{best.model} is best, but perhaps no better than {', '.join(doubtful)}"


def _median(timed: Sequence[Timed]) -> float | None:
    return median([value for _at, value in timed]) if timed else None


def _error_rate(model: ModelRecord) -> float | None:
    return 100 * model.errors / model.requests if model.requests else None


def _of(name: str) -> Gap:
    return lambda one, other, level: ratio(getattr(one, name), getattr(other, name), level)


def _errors(one: ModelRecord, other: ModelRecord, level: float) -> Estimate | None:
    return share_difference(one.errors, one.requests, other.errors, other.requests, level)


def _memory(one: ModelRecord, other: ModelRecord, _level: float) -> Estimate | None:
    """Memory is counted, not sampled: what is less is less."""
    gap = float((one.memory_bytes or 0) - (other.memory_bytes or 0))
    return Estimate(gap, gap, gap)


def _quality(one: ModelRecord, other: ModelRecord, _level: float) -> Estimate | None:
    """Sure only where the intervals given do not overlap, which errs on the side of doubt."""
    if one.quality is None or other.quality is None:
        return None
    low, high = one.quality.low - other.quality.high, one.quality.high - other.quality.low
    return Estimate(one.quality.value - other.quality.value, low, high)

"""The health score, 0 to 100: how well the computer, an engine or a model does, from what has been measured of it.

Not to be confused with `inference.health`, which says of each model whether it is to be asked at all (healthy, degraded
or unhealthy, from its last ten answers and its checks) and steers routing by it. This one steers nothing: it sums up
speed, errors, memory and availability in one figure for a person, with the parts it is made of.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from codette_desktop.domain.alerts import HealthPart, HealthScore
from codette_desktop.monitoring.figures import wilson_lower

SLO = 0.99  # the share of requests that is to succeed
FAST_BURN = 14.4  # uses up a month's budget of errors in two days (Google's SRE workbook, chapter 5)
FEWEST_TIMED = 5
WEIGHTS = {"speed": 0.3, "errors": 0.3, "memory": 0.2, "availability": 0.2}
HEALTHY, DEGRADED = 85, 60
CAP = 49  # while a critical alert fires
_LEAST = 0.01  # a dead part counts as this, for 0 would hide all others


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the score is made of; None or empty is "not measured", and leaves its part out.

    `first_token_ms` are those of the last requests (cold starts left out), `target_ms` what is wished for: the person's
    own, or 1.5 times the usual median. `requests` ended, `errors` of them failed; what the person stopped is neither.
    `memory` and `gpu_memory` are the shares in use (0 to 1), the fullest device's. `uptime` is the share of good checks
    in the last ten minutes. `down`: the engine or server does not answer now. `critical` are the titles of critical
    alerts that fire.
    """

    first_token_ms: Sequence[float] = ()
    target_ms: float | None = None
    requests: int = 0
    errors: int = 0
    memory: float | None = None
    gpu_memory: float | None = None
    uptime: float | None = None
    down: bool = False
    critical: tuple[str, ...] = ()


def health_score(vitals: Vitals) -> HealthScore:
    """The weighted geometric mean of the parts that were measured, so that one dead part cannot be averaged away."""
    parts = (_speed(vitals), _errors(vitals), _memory(vitals), _availability(vitals))
    known = [(part.value, part.weight) for part in parts if part.value is not None]
    if vitals.down:
        return HealthScore(0.0, "unhealthy", parts, "0: it does not answer")
    if not known:
        return HealthScore(None, "unknown", parts, "Nothing has been measured yet")
    logs = sum(weight * math.log(max(value, _LEAST)) for value, weight in known)
    score = 100 * math.exp(logs / sum(weight for _value, weight in known))
    if vitals.critical:
        score = min(score, float(CAP))
    return HealthScore(score, _band(score), parts, _words(score, parts, vitals.critical))


def apdex(times_ms: Sequence[float], target_ms: float) -> float:
    """The share of times within the target, and half of those within four times as long (Apdex Alliance 2007).

    Raises ZeroDivisionError for no times.
    """
    satisfied = sum(time <= target_ms for time in times_ms)
    tolerating = sum(target_ms < time <= 4 * target_ms for time in times_ms)
    return (satisfied + tolerating / 2) / len(times_ms)


def _speed(vitals: Vitals) -> HealthPart:
    times, target = vitals.first_token_ms, vitals.target_ms
    if len(times) < FEWEST_TIMED or target is None:
        return HealthPart("speed", None, WEIGHTS["speed"], "too few answers")
    slow = sum(time > target for time in times)
    text = f"{slow} of {len(times)} answers began late" if slow else "answers begin in time"
    return HealthPart("speed", apdex(times, target), WEIGHTS["speed"], text)


def _errors(vitals: Vitals) -> HealthPart:
    if not vitals.requests:
        return HealthPart("errors", None, WEIGHTS["errors"], "no requests")
    burn = wilson_lower(vitals.errors, vitals.requests) / (1 - SLO)
    value = _clamp(1 - math.log1p(burn) / math.log1p(FAST_BURN))
    text = f"{vitals.errors} of {vitals.requests} requests failed" if vitals.errors else "no request failed"
    return HealthPart("errors", value, WEIGHTS["errors"], text)


def _memory(vitals: Vitals) -> HealthPart:
    found: list[tuple[float, str]] = []
    if vitals.memory is not None:
        found.append((_falling(vitals.memory, 0.8, 0.97), f"memory {vitals.memory:.0%}"))
    if vitals.gpu_memory is not None:
        found.append((_falling(vitals.gpu_memory, 0.9, 0.99), f"graphics memory {vitals.gpu_memory:.0%}"))
    if not found:
        return HealthPart("memory", None, WEIGHTS["memory"], "memory not known")
    value, text = min(found, key=lambda item: item[0])
    return HealthPart("memory", value, WEIGHTS["memory"], text.replace("%", " %"))


def _availability(vitals: Vitals) -> HealthPart:
    if vitals.uptime is None:
        return HealthPart("availability", None, WEIGHTS["availability"], "not checked")
    value = _clamp((vitals.uptime - 0.9) / (0.999 - 0.9))
    text = f"answered {100 * vitals.uptime:.3g} % of checks"
    return HealthPart("availability", value, WEIGHTS["availability"], text)


def _falling(used: float, good: float, bad: float) -> float:
    return _clamp((bad - used) / (bad - good))


def _clamp(value: float) -> float:
    return min(1.0, max(0.0, value))


def _band(score: float) -> str:
    rounded = round(score)  # what is shown decides
    return "healthy" if rounded >= HEALTHY else "degraded" if rounded >= DEGRADED else "unhealthy"


def _words(score: float, parts: Sequence[HealthPart], critical: Sequence[str]) -> str:
    """The score with what costs most: "65: memory 95 %"."""
    if critical:
        return f"{score:.0f}: {', '.join(critical)}"
    costs = [(part.weight * -math.log(max(part.value, _LEAST)), part.text) for part in parts if part.value is not None]
    told = [text for cost, text in sorted(costs, reverse=True) if cost > 0.02][:2]
    return f"{score:.0f}: {', '.join(told) or 'all is well'}"

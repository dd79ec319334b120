"""Health: whether a model's provider works at present. Found by the health checks; here it only counts."""

from dataclasses import dataclass
from enum import StrEnum


class HealthState(StrEnum):
    """What the last checks found."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"  # answers, but slowly or not always
    UNHEALTHY = "unhealthy"  # not to be asked
    UNKNOWN = "unknown"  # not checked yet; models in this process need no check


_USUAL = {
    HealthState.HEALTHY: 1.0,
    HealthState.DEGRADED: 0.5,
    HealthState.UNHEALTHY: 0.0,
    HealthState.UNKNOWN: 0.8,
}


@dataclass(frozen=True, slots=True)
class Health:
    """State, and `level` from 0 to 1 where the checks know it more exactly (None: the state's usual one)."""

    state: HealthState = HealthState.UNKNOWN
    level: float | None = None
    why: str = ""

    @property
    def value(self) -> float:
        """0 to 1; always 0 for an unhealthy one."""
        if self.level is None or self.state is HealthState.UNHEALTHY:
            return _USUAL[self.state]
        return min(1.0, max(0.0, self.level))

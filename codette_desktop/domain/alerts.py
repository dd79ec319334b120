"""Alerts: rules about what is measured, and what became of them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is."""

    WARNING = "warning"
    CRITICAL = "critical"


class AlertState(StrEnum):
    """Where an alert is on its way."""

    INACTIVE = "inactive"
    PENDING = "pending"  # its condition holds, but not yet for long enough
    FIRING = "firing"
    RESOLVING = "resolving"  # its condition holds no longer, but has not been gone for long enough
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `expression` names what is measured (see `monitoring.rules`), in `unit`.

    It is raised as a warning at `warning` and as critical at `critical` (None: there is no such level), and cleared at
    `clear`; `above` says whether large values are bad. The condition must hold for `for_s`, be gone for
    `keep_firing_s`, and nobody is told twice of one severity within `cooldown_s`. `inhibited_by` are rules that, while
    they fire for the same labels or for fewer of them, keep this one silent.
    """

    name: str
    title: str
    expression: str
    unit: str
    warning: float | None
    critical: float | None
    clear: float
    above: bool = True
    for_s: float = 0.0
    keep_firing_s: float = 0.0
    cooldown_s: float = 900.0
    inhibited_by: tuple[str, ...] = ()
    enabled: bool = True
    help: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule at one thing. `labels` say which ("device": "gpu:0"); `key` is made of rule and labels."""

    key: str
    rule: str
    labels: tuple[tuple[str, str], ...]
    state: AlertState
    severity: Severity
    value: float
    since: datetime
    text: str
    resolved_at: datetime | None = None
    snoozed_until: datetime | None = None


def is_critical(alert: Alert) -> bool:
    """Whether it fires, and is critical."""
    return alert.severity is Severity.CRITICAL and alert.state in (AlertState.FIRING, AlertState.RESOLVING)


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """A change that was kept: `told` says whether the person was told of it."""

    at: datetime
    alert: Alert
    told: bool = False


@dataclass(frozen=True, slots=True)
class HealthPart:
    """One part of the health score: from 0 (dead) to 1 (well), with what was measured, in words. None: nothing was."""

    name: str
    value: float | None
    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class HealthScore:
    """0 to 100, None where nothing has been measured; `band` is "healthy", "degraded", "unhealthy" or "unknown"."""

    score: float | None
    band: str
    parts: tuple[HealthPart, ...] = field(default=())
    text: str = ""

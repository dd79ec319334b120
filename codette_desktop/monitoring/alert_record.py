"""One alert on its way: what is remembered of one rule at one thing, and what a new value makes of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from codette_desktop.domain.alerts import Alert, AlertEvent, AlertState, Rule, Severity
from codette_desktop.monitoring.observation import Labels


def alert_key(rule: str, labels: Labels) -> str:
    """What makes two alerts the same one: the rule and the labels, as 40 hexadecimal digits."""
    text = repr((rule, tuple(sorted(labels))))
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def reaches(rule: Rule, value: float, threshold: float | None) -> bool:
    """Whether a value is as bad as a threshold, or worse; never for no threshold."""
    if threshold is None:
        return False
    return value >= threshold if rule.above else value <= threshold


def clears(rule: Rule, value: float) -> bool:
    """Whether a value is well again."""
    return value < rule.clear if rule.above else value > rule.clear


@dataclass(slots=True)
class Record:
    """What is remembered. `raised_since` and `critical_since` are since when the value has been beyond the lowest and
    the critical threshold without a break, `since` since when the alert has been in its way, `well_since` since when
    it has been well again, `seen_at` when it was measured last, `told_at` when the person was told of each severity."""

    rule: str
    labels: Labels
    state: AlertState = AlertState.INACTIVE
    severity: Severity = Severity.WARNING
    value: float = 0.0
    since: float = 0.0
    raised_since: float | None = None
    critical_since: float | None = None
    well_since: float | None = None
    seen_at: float = 0.0
    ended_at: float | None = None
    snoozed_until: float | None = None
    told_at: dict[Severity, float] = field(default_factory=dict[Severity, float])
    to_tell: bool = False  # fired or became critical, and the person does not know it yet

    @property
    def key(self) -> str:
        """See `alert_key`."""
        return alert_key(self.rule, self.labels)

    @property
    def is_active(self) -> bool:
        """Pending, firing or resolving."""
        return self.state in (AlertState.PENDING, AlertState.FIRING, AlertState.RESOLVING)

    @staticmethod
    def starts(rule: Rule, value: float) -> bool:
        """Whether a value makes an alert pending, at least."""
        return reaches(rule, value, rule.warning) or reaches(rule, value, rule.critical)

    def see(self, rule: Rule, value: float, now: float) -> list[AlertEvent]:
        """Take a value. Returns what is to be kept."""
        self.value, self.seen_at = value, now
        self.raised_since = self._held(self.raised_since, self.starts(rule, value), now)
        self.critical_since = self._held(self.critical_since, reaches(rule, value, rule.critical), now)
        if self.state in (AlertState.FIRING, AlertState.RESOLVING):
            return self._see_firing(rule, now)
        if self.raised_since is None:
            if self.state is AlertState.PENDING:
                self.state = AlertState.INACTIVE if self.ended_at is None else AlertState.RESOLVED
            return []
        if self.state is not AlertState.PENDING:
            self.state, self.since = AlertState.PENDING, now
            self.severity = Severity.WARNING if rule.warning is not None else Severity.CRITICAL
        return self._fire(rule, now) if now - self.raised_since >= rule.for_s else []

    def see_nothing(self, rule: Rule | None, now: float, lost_s: float) -> list[AlertEvent]:
        """No value: what was pending is not known to hold; what fires goes on for `lost_s`, and then ends."""
        self.raised_since = self.critical_since = None
        if self.state is AlertState.PENDING:
            self.state = AlertState.INACTIVE if self.ended_at is None else AlertState.RESOLVED
        if self.state in (AlertState.FIRING, AlertState.RESOLVING) and now - self.seen_at >= lost_s:
            return self._resolve(rule, now)
        return []

    def tell(self, rule: Rule, now: float) -> bool:
        """Whether the person is to be told now; it is noted that this happens."""
        last = self.told_at.get(self.severity)
        if not self.to_tell or (last is not None and now - last < rule.cooldown_s):
            return False
        self.told_at[self.severity], self.to_tell = now, False
        if self.severity is Severity.CRITICAL:  # who knows the worse need not be told of the less bad
            self.told_at[Severity.WARNING] = now
        return True

    def is_snoozed(self, now: float) -> bool:
        """Whether the person wants to hear nothing of it now."""
        return self.snoozed_until is not None and now < self.snoozed_until

    def is_needed(self, rule: Rule | None, now: float) -> bool:
        """Whether anything of it is still to be remembered."""
        cooldown = rule.cooldown_s if rule else 0.0
        cooling = any(now - at < cooldown for at in self.told_at.values())
        return self.is_active or self.is_snoozed(now) or cooling

    def move(self, by: float) -> None:
        """Move all times, as the clock was."""
        for name in ("raised_since", "critical_since", "well_since", "ended_at", "snoozed_until"):
            if (at := getattr(self, name)) is not None:
                setattr(self, name, at + by)
        self.since, self.seen_at = self.since + by, self.seen_at + by
        self.told_at = {severity: at + by for severity, at in self.told_at.items()}

    def begin_anew(self, now: float) -> None:
        """Nobody has looked for a while: nothing is known to have lasted until now."""
        self.raised_since = self.critical_since = self.well_since = None
        self.seen_at = now
        if self.state is AlertState.RESOLVING:
            self.state = AlertState.FIRING
        if self.state is AlertState.PENDING:
            self.state = AlertState.INACTIVE if self.ended_at is None else AlertState.RESOLVED

    def alert(self, rule: Rule | None) -> Alert:
        """As the person sees it."""
        return Alert(
            self.key, self.rule, self.labels, self.state, self.severity, self.value, self.time(self.since),
            alert_text(rule, self), self._maybe(self.ended_at if self.state is AlertState.RESOLVED else None),
            self._maybe(self.snoozed_until),
        )  # fmt: skip

    @staticmethod
    def time(at: float) -> datetime:
        """A moment in UTC."""
        return datetime.fromtimestamp(at, UTC)

    def _maybe(self, at: float | None) -> datetime | None:
        return None if at is None else self.time(at)

    @staticmethod
    def _held(since: float | None, holds: bool, now: float) -> float | None:
        return (now if since is None else since) if holds else None

    def _is_critical(self, rule: Rule, now: float) -> bool:
        return self.critical_since is not None and now - self.critical_since >= rule.for_s

    def _fire(self, rule: Rule, now: float) -> list[AlertEvent]:
        critical = rule.warning is None or self._is_critical(rule, now)
        self.severity = Severity.CRITICAL if critical else Severity.WARNING
        self.state, self.ended_at, self.well_since, self.to_tell = AlertState.FIRING, None, None, True
        return [self._event(rule, now)]

    def _see_firing(self, rule: Rule, now: float) -> list[AlertEvent]:
        if clears(rule, self.value) and self.raised_since is None:
            self.well_since = now if self.well_since is None else self.well_since
            self.state = AlertState.RESOLVING
        elif self.raised_since is not None:
            self.state, self.well_since = AlertState.FIRING, None
        if self.well_since is not None and now - self.well_since >= rule.keep_firing_s:
            return self._resolve(rule, now)
        return self._change_severity(rule, now)

    def _change_severity(self, rule: Rule, now: float) -> list[AlertEvent]:
        """Critical once that has held for long enough; a warning once not even its own threshold is reached."""
        if self.severity is Severity.WARNING and self._is_critical(rule, now):
            self.severity, self.to_tell = Severity.CRITICAL, True
        elif self.severity is Severity.CRITICAL and rule.warning is not None and self.raised_since is None:
            self.severity = Severity.WARNING  # what is still to be told is told as that
        else:
            return []
        return [self._event(rule, now)]

    def _resolve(self, rule: Rule | None, now: float) -> list[AlertEvent]:
        self.state, self.ended_at, self.to_tell = AlertState.RESOLVED, now, False
        self.raised_since = self.critical_since = self.well_since = None
        return [self._event(rule, now)]

    def _event(self, rule: Rule | None, now: float) -> AlertEvent:
        return AlertEvent(self.time(now), self.alert(rule))

    def to_dict(self) -> dict[str, Any]:
        """The state as JSON can hold it."""
        return {
            "rule": self.rule, "labels": [list(label) for label in self.labels], "state": self.state,
            "severity": self.severity, "value": self.value, "since": self.since, "raised_since": self.raised_since,
            "critical_since": self.critical_since, "well_since": self.well_since, "seen_at": self.seen_at,
            "ended_at": self.ended_at, "snoozed_until": self.snoozed_until, "told_at": dict(self.told_at),
            "to_tell": self.to_tell,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Record":
        """The record `to_dict` was given. Raises KeyError, TypeError or ValueError for what is none."""
        fields = dict(data)
        fields["labels"] = tuple((str(name), str(value)) for name, value in data["labels"])
        fields["state"], fields["severity"] = AlertState(data["state"]), Severity(data["severity"])
        fields["told_at"] = {Severity(name): float(at) for name, at in data["told_at"].items()}
        return cls(**fields)


def alert_text(rule: Rule | None, record: Record) -> str:
    """What is wrong, in words: "Graphics device hot (gpu:0): 88 °C"."""
    title = rule.title if rule else record.rule
    where = ", ".join(value for _name, value in record.labels if value)
    unit = rule.unit if rule else ""
    value = f": {record.value:.3g} {unit}".rstrip() if unit else ""
    return f"{title} ({where}){value}" if where else f"{title}{value}"

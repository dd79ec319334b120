"""The engine of alerts: which rules hold, for how long, and when the person is to be told.

inactive -> pending -> firing -> resolving -> resolved, for each rule and each thing it looks at. The clauses are those
of Prometheus (`for`, `keep_firing_for`), Netdata (another threshold to clear than to raise) and Alertmanager
(inhibition, silences).
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from codette_desktop.domain.alerts import Alert, AlertEvent, AlertState, Rule, Severity
from codette_desktop.monitoring.alert_record import Record, alert_key
from codette_desktop.monitoring.expressions import EXPRESSIONS
from codette_desktop.monitoring.observation import Labels, Observation
from codette_desktop.monitoring.rules import RULES

GAP_S = 60.0  # between two looks nothing is known: after more than this a condition has to hold from the start again
LOST_S = 300.0  # an alert whose value is no longer measured ends after this

_FIRING = (AlertState.FIRING, AlertState.RESOLVING)


class AlertEngine:
    """Watches `rules`. All times are seconds since 1970 (UTC); `clock` is asked where none is given. One thread.

    The person is told when an alert fires and when it becomes critical, each at most once within the rule's cooldown,
    whatever happens in between; what could not be told because of a cooldown, a snooze or an inhibition is told when
    that is over, if the alert fires still. That one ended is kept, but told to nobody.
    """

    def __init__(self, rules: Iterable[Rule] = RULES, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._records: dict[str, Record] = {}
        self._rules: dict[str, Rule] = {}
        self._last: float | None = None
        self.use(rules)

    def use(self, rules: Iterable[Rule]) -> None:
        """Watch these rules from now on; alerts of rules that are gone or disabled end with the next evaluation."""
        self._rules = {rule.name: rule for rule in rules}

    def evaluate(self, observation: Observation, now: float | None = None) -> list[AlertEvent]:
        """Look at the rules. Returns what is to be kept: raised, of another severity, told later, over."""
        now = self._clock() if now is None else now
        self._pass_time(now)
        measured = self._measure(observation)
        events: list[AlertEvent] = []
        for key, (rule, labels, value) in measured.items():
            record = self._records.get(key)
            if record is None:
                record = Record(rule.name, labels)
                if not record.starts(rule, value):
                    continue
                self._records[key] = record
            events += record.see(rule, value, now)
        events += self._without_value(measured, now)
        return self._told(events, now)

    def active(self) -> tuple[Alert, ...]:
        """All that are pending, firing or resolving, the most severe first, then the oldest."""
        found = [record.alert(self._rules.get(record.rule)) for record in self._records.values() if record.is_active]
        order = [AlertState.FIRING, AlertState.RESOLVING, AlertState.PENDING]
        return tuple(
            sorted(found, key=lambda item: (item.severity is Severity.WARNING, order.index(item.state), item.since))
        )

    def snooze(self, key: str, until: float) -> None:
        """Tell nobody of this alert before `until`; it goes on being kept. Raises KeyError for an unknown one."""
        self._records[key].snoozed_until = until

    def wake(self, key: str) -> None:
        """End a snooze."""
        if key in self._records:
            self._records[key].snoozed_until = None

    def to_dict(self) -> dict[str, Any]:
        """The state as JSON can hold it."""
        return {
            "version": 1,
            "last": self._last,
            "records": [record.to_dict() for record in self._records.values()],
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on from a state `to_dict` gave. Raises ValueError for what is no such state; then nothing has changed."""
        try:
            records = [Record.from_dict(row) for row in data["records"]]
            last = None if data["last"] is None else float(data["last"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is not the state of alerts: {error!r}") from error
        self._records = {record.key: record for record in records}
        self._last = last

    def _pass_time(self, now: float) -> None:
        """A clock that was set back takes all times with it; after a gap (sleep, restart) conditions begin anew."""
        if self._last is not None and now < self._last:
            for record in self._records.values():
                record.move(now - self._last)
        elif self._last is not None and now - self._last > GAP_S:
            for record in self._records.values():
                record.begin_anew(now)
        self._last = now

    def _measure(self, observation: Observation) -> dict[str, tuple[Rule, Labels, float]]:
        return {
            alert_key(rule.name, labels): (rule, labels, value)
            for rule in self._rules.values()
            if rule.enabled and rule.expression in EXPRESSIONS
            for labels, value in EXPRESSIONS[rule.expression].measure(observation)
        }

    def _without_value(self, measured: Mapping[str, object], now: float) -> list[AlertEvent]:
        events: list[AlertEvent] = []
        for key, record in list(self._records.items()):
            rule = self._rules.get(record.rule)
            watched = rule is not None and rule.enabled
            if key not in measured:
                events += record.see_nothing(rule, now, LOST_S if watched else 0.0)
            if not record.is_needed(rule, now):
                del self._records[key]
        return events

    def _told(self, events: list[AlertEvent], now: float) -> list[AlertEvent]:
        """The events, those marked the person is told of; those told later follow."""
        told: list[AlertEvent] = []
        fired = {event.alert.key: place for place, event in enumerate(events)}
        for key, record in self._records.items():
            rule = self._rules.get(record.rule)
            if rule is None or record.state not in _FIRING or record.is_snoozed(now):
                continue
            if self._is_inhibited(rule, record) or not record.tell(rule, now):
                continue
            event = AlertEvent(record.time(now), record.alert(rule), told=True)
            if key in fired:
                events[fired[key]] = event
            else:
                told.append(event)
        return events + told

    def _is_inhibited(self, rule: Rule, record: Record) -> bool:
        """Whether a rule it is inhibited by fires for the same labels, or for fewer: a server for its models."""
        labels = set(record.labels)
        return any(
            other.rule in rule.inhibited_by and other.state in _FIRING and set(other.labels) <= labels
            for other in self._records.values()
        )

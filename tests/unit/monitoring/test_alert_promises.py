"""What the engine of alerts promises in any order of values, gaps, snoozes and restarts."""

import json
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from codette_desktop.domain.alerts import AlertEvent, AlertState, Severity
from codette_desktop.domain.telemetry import DeviceSample, SensorStatus
from codette_desktop.monitoring.alert_record import alert_key
from codette_desktop.monitoring.alerts import GAP_S, LOST_S, AlertEngine
from codette_desktop.monitoring.observation import Observation
from tests.support.alert_watching import by_name, told

HOT, SLOWED = by_name("gpu-temperature"), by_name("gpu-heat-throttling")
HOT_KEY, SLOWED_KEY = (alert_key(item.name, (("device", "gpu:0"),)) for item in (HOT, SLOWED))
VALUES = st.sampled_from([70.0, 81.9, 82.0, 84.0, 86.9, 87.0, 90.0, 93.0, 99.0, None])
STEPS = st.sampled_from([1.0, 5.0, 10.0, 30.0, 60.0])


class AlertMachine(RuleBasedStateMachine):
    """Keeps the whole history, and looks there whether each event was right."""

    @initialize()
    def begin(self) -> None:
        self.now = 1_800_000_000.0
        self.engine = AlertEngine([HOT, SLOWED])
        self.seen: list[tuple[float, float | None]] = []
        self.told: dict[tuple[str, Severity], list[float]] = {}
        self.snoozed = 0.0
        self.fired_at: float | None = None
        self.severity = Severity.WARNING

    @rule(value=VALUES, step=STEPS, throttled=st.booleans(), times=st.integers(1, 9))
    def look(self, value: float | None, step: float, throttled: bool, times: int) -> None:
        for _ in range(times):
            self.now += step
            self.seen.append((self.now, value))
            status = SensorStatus.STALE if value is None else SensorStatus.OK
            sample = DeviceSample("gpu:0", status, temperature_c=value, throttled=("thermal",) if throttled else ())
            self._check(self.engine.evaluate(Observation(self.now, devices=(sample,)), self.now))

    @rule(hours=st.sampled_from([0.02, 0.1, 8.0]))
    def sleep(self, hours: float) -> None:
        self.now += 3600 * hours

    @rule(minutes=st.sampled_from([1, 20]))
    def snooze(self, minutes: int) -> None:
        if self.fired_at is not None:
            self.snoozed = self.now + 60 * minutes
            self.engine.snooze(HOT_KEY, self.snoozed)

    @rule()
    def restart(self) -> None:
        kept = json.loads(json.dumps(self.engine.to_dict()))
        self.engine = AlertEngine([HOT, SLOWED])
        self.engine.restore(kept)

    @invariant()
    def nothing_is_told_of_one_severity_twice_within_the_cooldown(self) -> None:
        for times in getattr(self, "told", {}).values():
            assert all(later - earlier >= HOT.cooldown_s for earlier, later in pairwise(times))

    def _check(self, events: list[AlertEvent]) -> None:
        for event in events:
            if event.alert.key == HOT_KEY:
                self._check_hot(event)
        for event in told(events):
            self.told.setdefault((event.alert.key, event.alert.severity), []).append(self.now)
            assert event.alert.state in (AlertState.FIRING, AlertState.RESOLVING)
            assert event.alert.key == SLOWED_KEY or self.now >= self.snoozed
            assert event.alert.key == HOT_KEY or self.fired_at is None
        self._nobody_was_forgotten()

    def _check_hot(self, event: AlertEvent) -> None:
        state, severity = event.alert.state, event.alert.severity
        if state is AlertState.FIRING and self.fired_at is None:
            threshold = HOT.critical if severity is Severity.CRITICAL else HOT.warning
            assert self._held(threshold or 0, HOT.for_s)
            self.fired_at = self.now
        elif state is AlertState.FIRING and severity is Severity.CRITICAL is not self.severity:
            assert self._held(HOT.critical or 0, HOT.for_s)
        elif state is AlertState.RESOLVED:
            assert self.fired_at is not None
            self.fired_at = None
            known = [value for at, value in self.seen if value is not None and at > self.now - HOT.keep_firing_s]
            lost = not any(value is not None for at, value in self.seen if at > self.now - LOST_S)
            assert lost or all(value < (HOT.warning or 0) for value in known)
        self.severity = severity

    def _held(self, threshold: float, for_s: float) -> bool:
        """Whether values were beyond the threshold without a break, for so long."""
        later = self.now
        for at, value in reversed(self.seen):
            if value is None or value < threshold or later - at > GAP_S:
                return False
            if self.now - at >= for_s:
                return True
            later = at
        return False

    def _nobody_was_forgotten(self) -> None:
        """A firing alert that is not snoozed has been told since it fired, or something like it was of late."""
        if self.fired_at is None or self.now < self.snoozed:
            return
        last = [
            times[-1]
            for (key, severity), times in self.told.items()
            if key == HOT_KEY and (severity is Severity.CRITICAL or self.severity is Severity.WARNING)
        ]
        assert last
        assert max(last) >= self.fired_at or self.now - max(last) < HOT.cooldown_s


TestAlertMachine = AlertMachine.TestCase
TestAlertMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

"""The present as the store knows it, for a process that does not watch: what another wrote, judged anew."""

import logging
from datetime import UTC, datetime, timedelta

from codette_desktop.domain.alerts import Rule
from codette_desktop.domain.telemetry import DeviceInfo, Sample
from codette_desktop.monitoring.exported_metrics import Now
from codette_desktop.monitoring.exported_sensors import FRESH_S
from codette_desktop.monitoring.judging import Judge
from codette_desktop.monitoring.rules import RULES
from codette_desktop.monitoring.windows import LONGEST_S
from codette_desktop.store import Store

log = logging.getLogger(__name__)

LONGEST_ALERT = timedelta(days=30)
MOST_REQUESTS = 5_000


def stored_now(
    store: Store, at: float, sample: Sample | None = None, devices: tuple[DeviceInfo, ...] | None = None
) -> Now:
    """What was kept last, by whichever process watches; `sample` and `devices` are better known ones.

    Alerts are told only while somebody watches, for nobody ends them else. Raises StoreError.
    """
    kept = store.telemetry.last(at)
    watched = kept is not None and at - kept.at <= FRESH_S
    sample = sample or kept
    judge = Judge(rules_in_force(store), lambda: at)
    _restore(judge, store, at, watched)
    fresh = sample if sample is not None and at - sample.at <= FRESH_S else Sample(at, 1.0)
    judge.look(fresh, lambda: None)
    end = datetime.fromtimestamp(at, UTC)
    alerts = tuple(store.alerts.incidents(end - LONGEST_ALERT, end)) if watched else None
    return Now(
        sample,
        store.telemetry.devices() if devices is None else devices,
        judge.observation(),
        alerts,
        judge.health if judge.health.score is not None else None,
    )


def rules_in_force(store: Store) -> tuple[Rule, ...]:
    """The person's, and ours where they have not changed them. Raises StoreError."""
    changed = {rule.name: rule for rule in store.alerts.changed_rules()}
    return tuple(changed.get(rule.name, rule) for rule in RULES)


def _restore(judge: Judge, store: Store, at: float, watched: bool) -> None:
    """What was learnt, and what was asked of late; alerts only while somebody watches."""
    state = store.alerts.state() or {}
    requests = store.requests.since(at - LONGEST_S, MOST_REQUESTS, end=at)
    if state and not watched:
        state["alerts"] = {"records": [], "last": None}
    try:
        judge.restore(state, requests)
    except ValueError as error:
        log.info("what was learnt of the models before could not be read: %s", error)
        judge.restore({}, requests)

"""Helpers for tests of alerts."""

from collections.abc import Iterable

from codette_desktop.domain.alerts import AlertEvent, Rule
from codette_desktop.monitoring.rules import RULES


def by_name(name: str) -> Rule:
    """The rule the application ships under this name."""
    return next(rule for rule in RULES if rule.name == name)


def told(events: Iterable[AlertEvent]) -> list[AlertEvent]:
    """Those the person was told of."""
    return [event for event in events if event.told]

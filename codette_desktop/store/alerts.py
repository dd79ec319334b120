"""What became of alerts, the rules a person changed, and the state the watch goes on from."""

import json
import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from sqlite3 import Connection, Row
from typing import Any

from codette_desktop.domain.alerts import Alert, AlertEvent, AlertState, Rule, Severity
from codette_desktop.store.access import Access, now_text, time_from_text, time_to_text
from codette_desktop.store.numbers import finite
from codette_desktop.store.text import clean

_COLUMNS = (
    "at", "key", "rule", "labels", "state", "severity", "value", "since", "text", "resolved_at", "snoozed_until",
    "told",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM alert_events"
_INSERT = f"INSERT INTO alert_events({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_LONGEST = timedelta(days=90)  # before a period an alert that still fires in it may have begun


class Alerts:
    """Reads answer at once from any thread and raise StoreError; writes return futures that are done after COMMIT."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def add(self, events: Sequence[AlertEvent]) -> "Future[None]":
        """Keep what became of alerts. It waits for everything else that is written."""
        rows = [_values(event) for event in events]

        def work(connection: Connection) -> None:
            connection.executemany(_INSERT, rows)

        return self._access.write_later(work)

    def history(self, limit: int = 200, before: datetime | None = None, rule: str = "") -> list[AlertEvent]:
        """The newest events from before a moment, of one rule or of all; the newest first."""
        conditions: list[str] = []
        values: list[Any] = []
        if before is not None:
            conditions.append("at < ?")
            values.append(time_to_text(before))
        if rule:
            conditions.append("rule = ?")
            values.append(clean(rule))
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        with self._access.read() as connection:
            rows = connection.execute(
                f"{_SELECT}{where} ORDER BY at DESC, id DESC LIMIT ?", (*values, limit)
            ).fetchall()
        return [_event(row) for row in rows]

    def incidents(self, start: datetime, end: datetime) -> list[Alert]:
        """Each alert that fired at any time from `start` until before `end`, in the order they began.

        As bad as it was at its worst, and with its end, where it has ended, even after the period.
        """
        sql = f"{_SELECT} WHERE at >= ? AND at < ? ORDER BY at, id"
        with self._access.read() as connection:
            rows = connection.execute(sql, (time_to_text(start - _LONGEST), time_to_text(end + _LONGEST))).fetchall()
        found = [item for item in _incidents(_event(row) for row in rows) if _overlaps(item, start, end)]
        return [alert for _began, alert, _is_over in found]

    def changed_rules(self) -> tuple[Rule, ...]:
        """The rules a person changed, whole, by name."""
        with self._access.read() as connection:
            rows = connection.execute("SELECT rule FROM alert_rules ORDER BY name").fetchall()
        return tuple(_rule(row["rule"]) for row in rows)

    def keep_rule(self, rule: Rule) -> "Future[None]":
        """Keep a changed rule in the place of the one of its name."""
        row = (clean(rule.name), clean(json.dumps(asdict(rule), ensure_ascii=False)), now_text())

        def work(connection: Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO alert_rules(name, rule, changed_at) VALUES (?, ?, ?)", row)

        return self._access.write(work)

    def reset_rule(self, name: str) -> "Future[None]":
        """Forget how a rule was changed."""

        def work(connection: Connection) -> None:
            connection.execute("DELETE FROM alert_rules WHERE name = ?", (clean(name),))

        return self._access.write(work)

    def state(self) -> dict[str, Any] | None:
        """The state that was kept last."""
        with self._access.read() as connection:
            row = connection.execute("SELECT state FROM watch_state").fetchone()
        return json.loads(row["state"]) if row else None

    def keep_state(self, state: dict[str, Any]) -> "Future[None]":
        """Keep what the watch goes on from, as it is now; raises TypeError for what JSON cannot say."""
        text = clean(json.dumps(state, ensure_ascii=False))

        def work(connection: Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO watch_state(id, state) VALUES (1, ?)", (text,))

        return self._access.write_later(work)


def _values(event: AlertEvent) -> tuple[Any, ...]:
    alert = event.alert
    labels = clean(json.dumps(alert.labels, ensure_ascii=False))
    return (
        time_to_text(event.at), clean(alert.key), clean(alert.rule), labels, alert.state.value, alert.severity.value,
        finite(alert.value), time_to_text(alert.since), clean(alert.text), _maybe_text(alert.resolved_at),
        _maybe_text(alert.snoozed_until), int(event.told),
    )  # fmt: skip


def _event(row: Row) -> AlertEvent:
    alert = Alert(
        key=row["key"],
        rule=row["rule"],
        labels=tuple((name, value) for name, value in json.loads(row["labels"])),
        state=AlertState(row["state"]),
        severity=Severity(row["severity"]),
        value=math.nan if row["value"] is None else row["value"],
        since=time_from_text(row["since"]),
        text=row["text"],
        resolved_at=_maybe_time(row["resolved_at"]),
        snoozed_until=_maybe_time(row["snoozed_until"]),
    )
    return AlertEvent(time_from_text(row["at"]), alert, bool(row["told"]))


def _maybe_text(moment: datetime | None) -> str | None:
    return None if moment is None else time_to_text(moment)


def _maybe_time(text: str | None) -> datetime | None:
    return None if text is None else time_from_text(text)


def _rule(text: str) -> Rule:
    data: dict[str, Any] = json.loads(text)
    data["inhibited_by"] = tuple(data["inhibited_by"])
    return Rule(**data)


def _incidents(events: Iterable[AlertEvent]) -> list[tuple[datetime, Alert, bool]]:
    """Each firing of an alert, in the order of their beginnings: when it began, how it was at last, whether it ended.

    An alert that fires anew without having ended (the application was closed) has ended without anybody knowing when.
    """
    begun: list[tuple[datetime, Alert, bool]] = []
    places: dict[str, int] = {}
    for event in events:
        alert, place = event.alert, places.get(event.alert.key)
        if place is not None and begun[place][1].since != alert.since:
            begun[place] = (begun[place][0], begun[place][1], True)
            place = None
        if place is None:
            if alert.state is AlertState.RESOLVED:
                continue  # its beginning is no longer known
            place = places[alert.key] = len(begun)
            begun.append((event.at, alert, False))
        began, before, _is_over = begun[place]
        worst = Severity.CRITICAL if Severity.CRITICAL in (before.severity, alert.severity) else alert.severity
        is_over = alert.state is AlertState.RESOLVED
        begun[place] = (began, replace(alert, severity=worst), is_over)
        if is_over:
            del places[alert.key]
    return begun


def _overlaps(incident: tuple[datetime, Alert, bool], start: datetime, end: datetime) -> bool:
    """Whether it fired in the period. Of one whose end nobody knows only the beginning counts."""
    began, alert, is_over = incident
    if began >= end:
        return False
    if alert.resolved_at is not None:
        return alert.resolved_at >= start
    return began >= start if is_over else True

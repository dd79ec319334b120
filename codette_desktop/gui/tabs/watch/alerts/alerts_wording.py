"""What is said of alerts. No Qt."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from codette_desktop.domain.alerts import Alert, AlertEvent, AlertState, Rule, Severity
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tabs.ask.wording import clock
from codette_desktop.gui.tabs.watch.figure_words import span_text, value_text

SHOWN = (AlertState.FIRING, AlertState.RESOLVING)
SNOOZES = (("15min", 15 * 60.0), ("1h", 3600.0), ("8h", 8 * 3600.0))
MORNING = 8  # o'clock: until then a snooze "until tomorrow" lasts


def severity_word(severity: Severity) -> str:
    """How bad it is."""
    return tr("Critical") if severity is Severity.CRITICAL else tr("Warning")


def severity_kind(severity: Severity) -> str:
    """The icon and the colour of it."""
    return "bad" if severity is Severity.CRITICAL else "warning"


def state_word(state: AlertState) -> str:
    """Where it is on its way."""
    return {
        AlertState.INACTIVE: tr("quiet"),
        AlertState.PENDING: tr("beginning"),
        AlertState.FIRING: tr("now"),
        AlertState.RESOLVING: tr("ending"),
        AlertState.RESOLVED: tr("over"),
    }[state]


def title_of(alert: Alert, rules: Mapping[str, Rule]) -> str:
    """What the rule is called, and what it is about."""
    rule = rules.get(alert.rule)
    title = rule.title if rule is not None else alert.rule
    about = about_text(alert)
    return f"{title} · {about}" if about else title


def about_text(alert: Alert) -> str:
    """Which device, server or model it is about; "" for the computer as a whole."""
    labels = dict(alert.labels)
    shown = [labels.pop(name) for name in ("model", "device") if labels.get(name)]
    backend = labels.pop("backend", "")
    shown += [backend] if backend not in ("", "local") else []
    return " · ".join(" ".join(text.split()) for text in [*shown, *labels.values()])


def value_words(alert: Alert, rules: Mapping[str, Rule]) -> str:
    """The value that was measured last, with its unit."""
    rule = rules.get(alert.rule)
    return value_text(alert.value, rule.unit if rule is not None else "")


def since_text(alert: Alert, now: datetime) -> str:
    """ "since 10:42 (7 min)"."""
    today = now.astimezone().date()
    return tr(
        "since {time} ({span})",
        time=clock(alert.since, today),
        span=span_text((now - alert.since).total_seconds()),
    )


def snoozed_text(alert: Alert, now: datetime) -> str:
    """Until when nobody is told of it; "" for one that is not snoozed."""
    until = alert.snoozed_until
    if until is None or until <= now:
        return ""
    return tr("snoozed until {time}", time=clock(until, now.astimezone().date()))


def snooze_word(key: str) -> str:
    """How long, in words."""
    return {
        "15min": tr("15 minutes"),
        "1h": tr("1 hour"),
        "8h": tr("8 hours"),
        "tomorrow": tr("Until tomorrow ({hour}:00)", hour=MORNING),
    }[key]


def snooze_seconds(key: str, now: datetime) -> float:
    """How long, in seconds."""
    known = dict(SNOOZES)
    if key in known:
        return known[key]
    local = now.astimezone()
    morning = (local + timedelta(days=1)).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    # The difference of two moments, not of two clocks: the night may have been an hour longer.
    return (morning.astimezone(UTC) - local.astimezone(UTC)).total_seconds()


def event_word(event: AlertEvent) -> str:
    """What happened."""
    match event.alert.state:
        case AlertState.RESOLVED:
            return tr("over")
        case AlertState.RESOLVING:
            return tr("ending")
        case _:
            return tr("critical") if event.alert.severity is Severity.CRITICAL else tr("warning")


def event_kind(event: AlertEvent) -> str:
    """The icon and the colour of it."""
    return "good" if event.alert.state is AlertState.RESOLVED else severity_kind(event.alert.severity)


def active_text(alerts: Sequence[Alert]) -> str:
    """ "Alerts" for none, "1 alert", "3 alerts, 1 critical"."""
    shown = [alert for alert in alerts if alert.state in SHOWN]
    if not shown:
        return tr("Alerts")
    critical = sum(alert.severity is Severity.CRITICAL for alert in shown)
    text = tr("1 alert") if len(shown) == 1 else tr("{n} alerts", n=number(len(shown)))
    return tr("{alerts}, {n} critical", alerts=text, n=number(critical)) if critical else text

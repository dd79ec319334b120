"""Where an axis of time has its ticks, and how moments and periods are written, in local time. No Qt."""

from dataclasses import dataclass
from datetime import UTC, datetime

from codette_desktop.gui.i18n import tr

MINUTE, HOUR, DAY = 60, 3600, 86400
_STEPS = (1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR,
          3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 180 * DAY)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimeTick:
    """A moment (seconds since 1970) and its words."""

    at: float
    text: str


def local(moment: float) -> datetime:
    """That moment on the clock of this computer."""
    return datetime.fromtimestamp(moment, UTC).astimezone()


def time_ticks(start: float, end: float, most: int) -> list[TimeTick]:
    """At most `most` ticks on round moments of the local clock."""
    span = max(end - start, 1e-6)
    step = next((step for step in _STEPS if span / step <= max(1, most)), _STEPS[-1])
    offset = local(start).utcoffset()
    shift = offset.total_seconds() if offset else 0.0
    first = -(-(start + shift) // step) * step - shift
    count = int((end - first) // step) + 1 if first <= end else 0
    return [TimeTick(at, _tick_text(at, step)) for at in (first + place * step for place in range(count))]


def _tick_text(at: float, step: float) -> str:
    moment = local(at)
    if step < MINUTE:
        return f"{moment:%H:%M:%S}"
    if step >= DAY or (moment.hour, moment.minute) == (0, 0):
        return f"{moment.day} {moment:%b}"
    return f"{moment:%H:%M}"


def moment_text(at: float, span: float) -> str:
    """A moment as exactly as a chart over `span` seconds tells it."""
    moment = local(at)
    if span <= 2 * HOUR:
        return f"{moment:%H:%M:%S}"
    if span <= DAY:
        return f"{moment:%H:%M}"
    return f"{moment.day} {moment:%b %H:%M}"


def period_text(start: float, end: float) -> str:
    """ "28 Nov 10:42:00 to 10:47:00"."""
    first, last = local(start), local(end)
    exact = "%H:%M:%S" if end - start <= 2 * HOUR else "%H:%M"
    begin = f"{first.day} {first:%b} {first.strftime(exact)}"
    if first.date() == last.date():
        return tr("{start} to {end}", start=begin, end=last.strftime(exact))
    return tr("{start} to {end}", start=begin, end=f"{last.day} {last:%b} {last.strftime(exact)}")


def span_text(seconds: float) -> str:
    """ "5 min", "24 h", "7 d": as the range picker names them; in between as near as may be."""
    if seconds < 2 * MINUTE and seconds != MINUTE:
        return tr("{n} s", n=round(seconds))
    if seconds < HOUR:
        return tr("{n} min", n=_short(seconds / MINUTE))
    if seconds <= DAY:
        return tr("{n} h", n=_short(seconds / HOUR))
    return tr("{n} d", n=_short(seconds / DAY))


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value - round(value)) < 0.05 or value >= 20 else f"{value:.1f}"

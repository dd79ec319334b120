"""Figures of requests and of devices as a person reads them. No Qt."""

import re
from datetime import UTC, date, datetime

from codette_desktop.gui.i18n import number, tr

DASH = "–"  # not known, or not measured


def breakable(text: str) -> str:
    """The same to the eye, but a label may go on in the next line within a word that no window is wide enough for."""
    return re.sub(r"(\S{30})(?=\S)", "\\1\u200b", text)


def when_text(at: float, today: date) -> str:
    """The time of day to the second for today, date and time for other days. `at` in seconds since 1970 (UTC)."""
    local = datetime.fromtimestamp(at, UTC).astimezone()
    if local.date() == today:
        return f"{local:%H:%M:%S}"
    if local.year == today.year:
        return f"{local:%d %b %H:%M}"
    return f"{local:%d %b %Y %H:%M}"


def exact_time(at: float) -> str:
    """With the day of the week, to the second."""
    return f"{datetime.fromtimestamp(at, UTC).astimezone():%A %d %B %Y, %H:%M:%S}"


def ms_text(milliseconds: float | None) -> str:
    """0.4 ms, 18 ms, 1.4 s, 2 min 05 s."""
    if milliseconds is None:
        return DASH
    if milliseconds < 10:
        return tr("{n} ms", n=number(milliseconds, 1 if milliseconds else 0))
    if milliseconds < 999.5:
        return tr("{n} ms", n=number(milliseconds))
    if milliseconds < 59_950:
        return tr("{n} s", n=number(milliseconds / 1000, 1))
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    if minutes < 60:
        return tr("{minutes} min {seconds} s", minutes=minutes, seconds=f"{seconds:02}")
    return tr("{hours} h {minutes} min", hours=minutes // 60, minutes=f"{minutes % 60:02}")


def seconds_text(seconds: float) -> str:
    """A span that somebody chose: 45 s, 10 min, 1 h 30 min, 7 d; "at once" for none."""
    whole = round(seconds)
    if whole == 0:
        return tr("at once")
    parts: list[str] = []
    for size, text in ((86_400, tr("{n} d")), (3600, tr("{n} h")), (60, tr("{n} min")), (1, tr("{n} s"))):
        count, whole = divmod(whole, size)
        if count:
            parts.append(text.format(n=count))
    return " ".join(parts)


def speed_text(tokens_per_second: float | None) -> str:
    """Three figures are enough."""
    if not tokens_per_second:
        return DASH
    return number(tokens_per_second, 0 if tokens_per_second >= 20 else 1)


def count_text(count: float | None) -> str:
    """A whole number."""
    return DASH if count is None else number(count)


def energy_text(joules: float | None) -> str:
    """In joules, so that a column of them can be compared; in watt-hours from ten of them on."""
    if joules is None:
        return DASH
    if joules >= 36_000:
        return tr("{n} Wh", n=number(joules / 3600, 1))
    return tr("{n} J", n=number(joules, 0 if joules >= 100 else 1))


def bytes_text(size: float | None) -> str:
    """412 MB, 7.3 GB."""
    if size is None:
        return DASH
    return tr("{n} GB", n=number(size / 1e9, 1)) if size >= 1e9 else tr("{n} MB", n=number(size / 1e6))


def value_text(value: float | None, unit: str) -> str:
    """Three figures and the unit of a rule: 87 °C, 0.5 GB, 14.4 ×."""
    if value is None:
        return DASH
    shown = number(value) if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    return f"{shown} {unit}".strip()


def span_text(seconds: float) -> str:
    """How long something has lasted, roughly: 12 s, 7 min, 3 h 12 min, 2 d 4 h."""
    whole = max(0, round(seconds))
    if whole < 60:
        return tr("{n} s", n=whole)
    if whole < 3600:
        return tr("{n} min", n=whole // 60)
    if whole < 86_400:
        return tr("{hours} h {minutes} min", hours=whole // 3600, minutes=f"{whole % 3600 // 60:02}")
    return tr("{days} d {hours} h", days=whole // 86_400, hours=whole % 86_400 // 3600)

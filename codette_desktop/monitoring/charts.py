"""Small charts as inline SVG, for reports: they follow the colours of the page and need no script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 22, 26
_BAR, _GAP, _NAME = 20, 8, 200
_BARS = WIDTH - _NAME - 150  # the rest is for values in words
_LONGEST_NAME = 26


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: (x, y) in order of x; a y of None is a gap, where nothing was measured."""

    name: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Bar:
    """One value with its name; None: not measured. `text` is what is written beside it."""

    name: str
    value: float | None
    text: str
    low: float | None = None
    high: float | None = None


def line_chart(
    title: str,
    lines: Sequence[Line],
    unit: str = "",
    ends: tuple[str, str] = ("", ""),
    span: tuple[float, float] | None = None,
) -> str:
    """Curves over one axis, from the first x of `span` to its last (None: those of the points); `ends` are written
    under them. "" where there is nothing to draw."""
    drawn = [(x, y) for line in lines for x, y in line.points if y is not None and math.isfinite(y)]
    if not drawn:
        return ""
    first, last = span or (min(x for x, _y in drawn), max(x for x, _y in drawn))
    top = nice_ceiling(max(y for _x, y in drawn))
    across = (WIDTH - _LEFT - _RIGHT) / ((last - first) or 1)
    up = (HEIGHT - _TOP - _BOTTOM) / top

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + (x - first) * across, HEIGHT - _BOTTOM - max(0.0, y) * up

    parts = [_grid(top, unit)]
    for number, line in enumerate(lines):
        runs = [[place(*point) for point in run] for run in _runs(line.points)]
        parts += [_stroke(run, number) for run in runs]
    base = HEIGHT - 8
    parts.append(f'<text class="axis" x="{_LEFT}" y="{base}">{escape(ends[0])}</text>')
    parts.append(f'<text class="axis" x="{WIDTH - _RIGHT}" y="{base}" text-anchor="end">{escape(ends[1])}</text>')
    return _svg(title, HEIGHT, parts) + _legend(lines)


def bar_chart(title: str, bars: Sequence[Bar]) -> str:
    """Bars from 0, below one another, each with its name and its value in words. "" where nothing was measured."""
    known = [bar.value for bar in bars if bar.value is not None and math.isfinite(bar.value)]
    if not known:
        return ""
    across = _BARS / (max(known) if max(known) > 0 else 1)
    parts: list[str] = []
    for number, bar in enumerate(bars):
        width = max(0.0, bar.value or 0.0) * across
        y = _GAP + number * (_BAR + _GAP)
        parts.append(f'<rect class="bar" x="{_NAME}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2"/>')
        parts.append(_named(bar, number, _NAME + width))
    return _svg(title, _GAP + len(bars) * (_BAR + _GAP), parts)


def interval_chart(title: str, bars: Sequence[Bar]) -> str:
    """A dot with its interval for each, on a common scale that need not begin at 0. "" where there are none."""
    known = [value for bar in bars for value in (bar.value, bar.low, bar.high) if value is not None]
    if not known:
        return ""
    least = min(known)
    across = _BARS / ((max(known) - least) or 1)
    parts: list[str] = []
    for number, bar in enumerate(bars):
        low, dot, high = (_NAME + ((value or 0.0) - least) * across for value in (bar.low, bar.value, bar.high))
        middle = _middle(number)
        parts.append(f'<path class="whisker" d="M{low:.1f} {middle:g}H{high:.1f}"/>')
        parts.append(f'<circle class="bar" cx="{dot:.1f}" cy="{middle:g}" r="5"/>')
        parts.append(_named(bar, number, max(dot, high)))
    return _svg(title, _GAP + len(bars) * (_BAR + _GAP), parts)


def _middle(number: int) -> float:
    return _GAP + number * (_BAR + _GAP) + _BAR / 2


def _named(bar: Bar, number: int, end: float) -> str:
    name = bar.name if len(bar.name) <= _LONGEST_NAME else f"{bar.name[: _LONGEST_NAME - 1]}…"
    y = f"{_middle(number) + 4:g}"
    left = f'<text class="name" x="{_NAME - 10}" y="{y}" text-anchor="end">{escape(name)}</text>'
    return f'{left}<text class="value" x="{end + 8:.1f}" y="{y}">{escape(bar.text)}</text>'


def nice_ceiling(value: float) -> float:
    """The next 1, 2, 2.5 or 5 times a power of ten at or above a value; 1 for 0 and below."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-12))


def _runs(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """The stretches without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None or not math.isfinite(y):
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]


def _stroke(run: Sequence[tuple[float, float]], number: int) -> str:
    kind = f"series s{number % 7}"
    if len(run) == 1:  # a line of one point would not be seen
        return f'<circle class="{kind} dot" cx="{run[0][0]:.1f}" cy="{run[0][1]:.1f}" r="2.5"/>'
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in run)}"/>'


def _grid(top: float, unit: str) -> str:
    parts: list[str] = []
    for share in (0.0, 0.5, 1.0):
        y = HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:g}H{WIDTH - _RIGHT}"/>')
        if share == 1:  # with its unit it is too long to stand beside the line, so it stands on it
            label = escape(f"{top:g} {unit}".strip())
            parts.append(f'<text class="axis" x="0" y="{y - 6:g}">{label}</text>')
        else:
            parts.append(f'<text class="axis" x="{_LEFT - 6}" y="{y + 4:g}" text-anchor="end">{share * top:g}</text>')
    return "".join(parts)


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    name = escape(title)
    size = f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}"'
    return f'<svg class="chart" role="img" aria-label="{name}" {size}><title>{name}</title>{"".join(parts)}</svg>'


def _legend(lines: Sequence[Line]) -> str:
    if len(lines) < 2:
        return ""
    items = "".join(f'<li><i class="key s{n % 7}"></i>{escape(line.name)}</li>' for n, line in enumerate(lines))
    return f'<ul class="legend">{items}</ul>'

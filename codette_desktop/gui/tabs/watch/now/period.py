"""What is in view and how it moves: follow, hold, pan, zoom. No Qt."""

from dataclasses import replace

from codette_desktop.gui.tabs.watch.now.now_state import KEPT_S, LONGEST_S, RANGES_S, SHORTEST_S, Mode, Period


class Viewport:
    """The period in view. `now` is told with each newest sample; while it is live, the period ends there."""

    def __init__(self, now: float, span: float = RANGES_S["5m"]) -> None:
        self._now = now
        self.period = Period(now - span, now)

    @property
    def now(self) -> float:
        """The newest moment there is."""
        return self._now

    def follow(self, now: float) -> bool:
        """A newer sample has come; gives whether the period moved."""
        self._now = now
        if self.period.mode is not Mode.LIVE or now == self.period.end:
            return False
        self.period = Period(now - self.period.span, now)
        return True

    def set_range(self, key: str) -> None:
        """Another length, up to the same end."""
        span = float(RANGES_S[key])
        self.period = replace(self.period, start=self.period.end - span)

    def hold(self) -> None:
        """Stay where it is; once more: follow again."""
        if self.period.mode is Mode.LIVE:
            self.period = replace(self.period, mode=Mode.HELD)
        else:
            self.live()

    def live(self) -> None:
        """Follow the newest sample."""
        self.period = Period(self._now - self.period.span, self._now)

    def pan(self, seconds: float) -> None:
        """Later (positive) or earlier. At the newest sample it follows again, unless it is held there."""
        self._move(self.period.start + seconds, self.period.end + seconds)

    def zoom(self, factor: float, around: float | None = None) -> None:
        """Show `factor` times as long a time; what happened at `around` stays in its place, while live the newest."""
        span = min(LONGEST_S, max(SHORTEST_S, self.period.span * factor))
        if self.period.mode is Mode.LIVE or around is None:
            end = self.period.end if self.period.mode is Mode.LIVE else self.period.end + (span - self.period.span) / 2
        else:
            share = (self.period.end - around) / self.period.span
            end = around + share * span
        self._move(end - span, end)

    def to_start(self, oldest: float | None) -> None:
        """So that it begins with the oldest there is."""
        start = self._now - KEPT_S if oldest is None else oldest
        self._move(start, start + self.period.span)

    def _move(self, start: float, end: float) -> None:
        span = end - start
        oldest = self._now - KEPT_S
        if start < oldest:
            start, end = oldest, oldest + span
        if end >= self._now - span / 1000:
            mode = Mode.HELD if self.period.mode is Mode.HELD else Mode.LIVE
            self.period = Period(self._now - span, self._now, mode)
        else:
            self.period = Period(start, end, Mode.PAST)

"""Curves of any period: from memory where it reaches that far back, else from the database."""

import math
from array import array
from collections.abc import Collection, Mapping

from codette_desktop.domain.series import Series, SeriesName
from codette_desktop.domain.telemetry import Mark
from codette_desktop.monitoring.ring import SampleRing
from codette_desktop.store import Store

POINTS = 720
_SLACK_S = 2.0


class History:
    """Any thread. Reading the database blocks, for 150 ms at most. Raises StoreError."""

    def __init__(self, store: Store, samples: SampleRing) -> None:
        self._store = store
        self.samples = samples

    def is_in_memory(self, start: float) -> bool:
        """Whether a period that begins then needs no reading of the database."""
        first = self.samples.start
        return first is not None and first <= start + _SLACK_S

    def series(
        self, names: Collection[SeriesName], start: float, end: float, points: int = POINTS
    ) -> dict[SeriesName, Series]:
        """The curves between two moments (seconds since 1970), of about `points` steps; empty ones where nothing is."""
        if self.is_in_memory(start):
            return self.samples.series(names, start, end)
        kept = self._store.telemetry.series(names, start, end, points)
        return continued(self.samples, {name: kept.get(name, Series()) for name in names}, end, start)

    def continued(self, kept: Mapping[SeriesName, Series], end: float) -> dict[SeriesName, Series]:
        """What `series` gave some time ago, with what came since. Reads no database."""
        return continued(self.samples, kept, end)

    def request_series(self, field: str, start: float, end: float, points: int = 240) -> dict[str, Series]:
        """Curves of what was measured of requests, one a model: see `store.requests.series`."""
        return self._store.requests.series(field, start, end, points)

    def marks(self, start: float, end: float) -> list[Mark]:
        """What happened in a period."""
        return self._store.telemetry.marks(start, end)


def continued(
    samples: SampleRing, kept: Mapping[SeriesName, Series], end: float, start: float = math.inf
) -> dict[SeriesName, Series]:
    """Curves with the steps after their last one, made of what is in memory; those without any begin at `start`."""
    found: dict[SeriesName, Series] = {}
    for name, series in kept.items():
        after = series.at[-1] + series.step_s if series.at else start
        fresh = samples.series([name], after, end)[name]
        found[name] = joined(series, grouped(fresh, series.step_s)) if fresh.at else series
    return found


def grouped(series: Series, step_s: float) -> Series:
    """The same in steps of `step_s` seconds, aligned to multiples of it."""
    if not series.at or step_s <= series.step_s:
        return series
    rows: dict[float, list[float]] = {}
    for at, value in zip(series.at, series.mean, strict=True):
        rows.setdefault(math.floor(at / step_s) * step_s, []).append(value)
    made = Series(step_s=step_s)
    for at, values in rows.items():
        known = [value for value in values if not math.isnan(value)]
        made.at.append(at)
        made.mean.append(sum(known) / len(known) if known else math.nan)
        made.low.append(min(known, default=math.nan))
        made.high.append(max(known, default=math.nan))
    return made


def joined(first: Series, then: Series) -> Series:
    """One curve after the other."""

    def both(one: "array[float]", other: "array[float]") -> "array[float]":
        return one + other

    return Series(
        both(first.at, then.at), both(first.mean, then.mean), both(first.low, then.low), both(first.high, then.high),
        first.step_s if first.at else then.step_s,
    )  # fmt: skip

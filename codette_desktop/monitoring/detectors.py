"""Streaming detectors of spikes and of lasting shifts in latencies, speeds and shares.

Only medians and a cumulative sum: on simulated latencies they miss less and alarm less than z-scores and moving
averages do (tests/benchmarks/bench_detectors.py).
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from statistics import median
from typing import Any, cast

from codette_desktop.domain.alerts import Severity
from codette_desktop.monitoring.figures import median_and_mad

WINDOW = 300  # normal samples that say what is usual
LAG = 30  # the newest of them, which say nothing yet when a shift is looked for: it must not teach itself
FEWEST = 60  # samples below which there is no verdict
SPIKE_Z, CRITICAL_Z = 3.5, 5.0
SLACK, LIMIT = 0.5, 8.0  # of the cumulative sum, in robust standard deviations
# What one sample can add: with 4 two spikes close together are nearly a shift (0.20 false ones upwards per 1,000
# samples where 2.5 has 0.09), and shifts of 60 % are found no sooner.
CLIP = 2.5
# Medians and deviations of few samples are wrong by about 1 / sqrt(n) of a deviation. Until the window is full, limits
# are wider by twice that: between 60 and 300 samples there are as few false alarms then as later (bench_detectors).
DOUBT = 2.0
BACK = 20  # samples whose median must be the usual again before a shift is over
MAD_FLOOR_LOG, MAD_FLOOR = 0.05, 1.0  # values that hardly vary would make everything a spike
TREND = 0.2  # the weight of the newest sample in the moving average
_TO_DEVIATION = 1.4826  # times the median absolute deviation is the standard deviation of a normal distribution
_TINY = 1e-6


class Direction(StrEnum):
    """Where a value went."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Spike:
    """A single value far from the usual: `value` against the median `usual`, `z` robust standard deviations away."""

    value: float
    usual: float
    z: float
    direction: Direction
    severity: Severity


@dataclass(frozen=True, slots=True)
class Shift:
    """A lasting change that began about `samples` samples ago: it was `usual`, the median of late is `value`."""

    value: float
    usual: float
    direction: Direction
    samples: int

    @property
    def change(self) -> float:
        """0.6: 60 % more than usual."""
        return self.value / self.usual - 1 if self.usual else 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a detector makes of one sample. `learning`: there are too few samples for a verdict.

    `began` is true for the sample with which a shift was found, `ended` for that with which it was over; `shift` is
    there as long as it lasts. `trend` is the moving average that is drawn.
    """

    value: float
    trend: float
    learning: bool = False
    spike: Spike | None = None
    shift: Shift | None = None
    began: bool = False
    ended: bool = False


@dataclass(slots=True)
class _Sum:
    """A one-sided cumulative sum (Page 1954), and for how many samples it has been above 0."""

    value: float = 0.0
    samples: int = 0

    def add(self, residual: float, slack: float) -> bool:
        self.value = max(0.0, self.value + min(residual, CLIP) - slack)
        self.samples = self.samples + 1 if self.value else 0
        return self.value > LIMIT


class Detector:
    """Watches one metric of one model; values must be positive where `log` (latencies, speeds; not shares).

    `bad` are the directions that matter: only there a value is a spike. A shift is found both ways; one that is not
    bad is told once and is the usual from then on, while a bad one lasts until it is over or acknowledged.

    A sample is a spike where its robust z (Iglewicz and Hoaglin 1993) exceeds 3.5, from the last 300 normal samples.
    A shift is found by two cumulative sums (k = 0.5, h = 8) of the residuals to what was usual 30 samples before.
    """

    def __init__(self, *, log: bool = True, bad: Iterable[Direction] = (Direction.UP,)) -> None:
        self._log = log
        self._bad = frozenset(bad)
        self._floor = MAD_FLOOR_LOG if log else MAD_FLOOR
        self._normal: deque[float] = deque(maxlen=WINDOW + LAG)  # the usual; stands still while there is a shift
        self._since: deque[float] = deque(maxlen=WINDOW)  # the samples of a shift
        self._latest: deque[tuple[float, bool]] = deque(maxlen=LAG)  # all samples, and whether they were normal
        self._sums = {Direction.UP: _Sum(), Direction.DOWN: _Sum()}
        self._shift: Direction | None = None
        self._shift_samples = 0
        self._trend: float | None = None

    def add(self, value: float, *, cold: bool = False) -> Reading:
        """Take one sample. `cold`: it includes the loading of a model, and is left out of everything."""
        if cold or not math.isfinite(value):
            return Reading(value, value if self._trend is None else self._trend, self.learning, shift=self.shift)
        self._trend = value if self._trend is None else TREND * value + (1 - TREND) * self._trend
        x = math.log(max(value, _TINY)) if self._log else value
        learning, spike = self.learning, self._spike(x, value)
        if self._shift is None:
            began, ended = self._look_for_shift(x, normal=spike is None), False
        else:
            began, ended = False, self._look_for_end(x, normal=spike is None)
        reading = Reading(value, self._trend, learning, spike, self.shift, began, ended)
        if began and self._shift not in self._bad:
            self.acknowledge()
        return reading

    @property
    def learning(self) -> bool:
        """Whether there are too few samples for a verdict."""
        return len(self._usual()) < FEWEST

    @property
    def shift(self) -> Shift | None:
        """The shift that lasts."""
        if self._shift is None:
            return None
        middle = median(islice(reversed(self._since), BACK))
        return Shift(self._raw(middle), self._raw(self._lagged()[0]), self._shift, self._shift_samples)

    def acknowledge(self) -> None:
        """Take what is since the shift as the usual from now on."""
        if self._shift is not None:
            self._normal = deque(self._since, maxlen=WINDOW + LAG)
            self._end()

    def _usual(self) -> deque[float]:
        return self._normal if self._shift is None else self._since

    def _raw(self, x: float) -> float:
        return math.exp(x) if self._log else x

    def _spike(self, x: float, value: float) -> Spike | None:
        usual = self._usual()
        if len(usual) < FEWEST:
            return None
        middle, mad = median_and_mad(list(islice(usual, max(0, len(usual) - WINDOW), None)))
        limits = 1 + _doubt(len(usual))
        z = (x - middle) / (_TO_DEVIATION * max(mad, self._floor))
        direction = Direction.UP if z > 0 else Direction.DOWN
        if abs(z) <= SPIKE_Z * limits or direction not in self._bad:
            return None
        severity = Severity.CRITICAL if abs(z) > CRITICAL_Z * limits else Severity.WARNING
        return Spike(value, self._raw(middle), abs(z), direction, severity)

    def _lagged(self) -> tuple[float, float]:
        """The median and the standard deviation of what was usual before the newest samples."""
        known = len(self._normal) if self._shift else max(FEWEST, len(self._normal) - LAG)
        middle, mad = median_and_mad(list(islice(self._normal, max(0, known - WINDOW), known)))
        return middle, _TO_DEVIATION * max(mad, self._floor)

    def _look_for_shift(self, x: float, *, normal: bool) -> bool:
        found = None
        if len(self._normal) >= FEWEST:
            middle, deviation = self._lagged()
            slack = SLACK + _doubt(max(FEWEST, len(self._normal) - LAG))
            for direction, sign in ((Direction.UP, 1), (Direction.DOWN, -1)):
                if self._sums[direction].add(sign * (x - middle) / deviation, slack):
                    found = direction
        self._latest.append((x, normal))
        if normal:
            self._normal.append(x)
        if found is not None:
            self._begin(found)
        return found is not None

    def _begin(self, direction: Direction) -> None:
        """The samples since the sum left 0 belong to the shift: that is when it most probably began (Page 1954)."""
        count = min(self._sums[direction].samples, len(self._latest))
        theirs = list(self._latest)[-count:]
        for _ in range(min(sum(normal for _x, normal in theirs), len(self._normal) - FEWEST)):
            self._normal.pop()
        self._since = deque((x for x, _normal in theirs), maxlen=WINDOW)
        self._shift, self._shift_samples = direction, count

    def _look_for_end(self, x: float, *, normal: bool) -> bool:
        self._shift_samples += 1
        if normal:
            self._since.append(x)
        if self._shift_samples < BACK:
            return False
        middle, deviation = self._lagged()
        away = (median(islice(reversed(self._since), BACK)) - middle) / deviation
        if abs(away) > SLACK:
            return False
        self._end()
        return True

    def _end(self) -> None:
        self._shift, self._shift_samples = None, 0
        self._since.clear()
        self._latest.clear()
        self._sums = {Direction.UP: _Sum(), Direction.DOWN: _Sum()}

    def to_dict(self) -> dict[str, Any]:
        """The state as JSON can hold it, about 4 kB."""
        return {
            "log": self._log,
            "bad": sorted(self._bad),
            "normal": [round(x, 5) for x in self._normal],
            "since": [round(x, 5) for x in self._since],
            "latest": [[round(x, 5), normal] for x, normal in self._latest],
            "sums": {direction: [item.value, item.samples] for direction, item in self._sums.items()},
            "shift": self._shift,
            "shift_samples": self._shift_samples,
            "trend": self._trend,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Detector":
        """The detector `to_dict` was given. Raises ValueError for what is no such state."""
        try:
            made = cls(log=bool(data["log"]), bad=[Direction(name) for name in data["bad"]])
            made._normal.extend(_finite(data["normal"]))
            made._since.extend(_finite(data["since"]))
            made._latest.extend((_finite([x])[0], bool(normal)) for x, normal in data["latest"])
            made._sums = {kind: _Sum(float(data["sums"][kind][0]), int(data["sums"][kind][1])) for kind in Direction}
            made._shift = Direction(data["shift"]) if data["shift"] else None
            made._shift_samples = int(data["shift_samples"])
            made._trend = None if data["trend"] is None else float(data["trend"])
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"this is not the state of a detector: {error!r}") from error
        if made._shift and not (made._since and len(made._normal) >= FEWEST):
            raise ValueError("this is not the state of a detector: a shift without samples")
        return made


def _doubt(samples: int) -> float:
    """How much wider limits are for so few samples, in robust standard deviations; 0 for a full window."""
    return max(0.0, DOUBT * (1 / math.sqrt(samples) - 1 / math.sqrt(WINDOW)))


def _finite(values: object) -> list[float]:
    found = [float(value) for value in cast("list[Any]", values)]
    if not all(math.isfinite(value) for value in found):
        raise ValueError("this is not the state of a detector: a value is not finite")
    return found

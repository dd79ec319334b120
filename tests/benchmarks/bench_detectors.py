"""Whether the detectors find spikes and shifts without crying wolf, with naive ones beside them.

    python -m tests.benchmarks.bench_detectors [SEEDS]

The series are those of the specification: 6,000 log-normal latencies (sigma 0.35) with a slow drift, 12 spikes of six
times as much, and two shifts of 60 samples by 60 %. Twelve seeds take about a minute.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codette_desktop.monitoring import detectors
from codette_desktop.monitoring.detectors import Detector, Direction
from codette_desktop.monitoring.metrics import first_token_ms_per_1k

Values = NDArray[np.float64]
Alarms = NDArray[np.bool_]
SAMPLES, SHIFT_LENGTH = 6000, 60


@dataclass(frozen=True)
class Series:
    values: Values
    spikes: tuple[int, ...]
    shifts: tuple[int, ...]

    def quiet(self) -> Alarms:
        """Where an alarm is a false one: not at a spike, in a shift or within 30 samples after it."""
        quiet = np.ones(len(self.values), dtype=bool)
        quiet[:60] = False
        quiet[list(self.spikes)] = False
        for start in self.shifts:
            quiet[start : start + SHIFT_LENGTH + 30] = False
        return quiet


def series(seed: int, *, shift: float = 1.6, sigma: float = 0.35) -> Series:
    chance = np.random.default_rng(seed)
    logs = np.log(200) + chance.normal(0, sigma, SAMPLES) + 0.15 * np.sin(2 * np.pi * np.arange(SAMPLES) / SAMPLES)
    shifts = (int(chance.integers(1500, 2000)), int(chance.integers(4000, 4500)))
    for start in shifts:
        logs[start : start + SHIFT_LENGTH] += np.log(shift)
    taken = np.concatenate([np.arange(start - 20, start + SHIFT_LENGTH + 60) for start in shifts])
    free = np.setdiff1d(np.arange(400, SAMPLES), taken)
    spikes = np.sort(chance.choice(free, 12, replace=False))
    logs[spikes] += np.log(6)
    return Series(np.exp(logs), tuple(int(place) for place in spikes), shifts)


def _rolling(values: Values, window: int = 300) -> Iterator[tuple[int, Values]]:
    for number in range(60, len(values)):
        yield number, values[max(0, number - window) : number]


def plain_z(values: Values, limit: float = 3.0) -> Alarms:
    alarms = np.zeros(len(values), dtype=bool)
    for number, before in _rolling(values):
        alarms[number] = abs(values[number] - before.mean()) > limit * before.std()
    return alarms


def log_z(values: Values) -> Alarms:
    return plain_z(np.log(values))


def twice_the_mean(values: Values) -> Alarms:
    alarms = np.zeros(len(values), dtype=bool)
    for number, before in _rolling(values):
        alarms[number] = values[number] > 2 * before.mean()
    return alarms


def ewma(values: Values, limit: float = 3.0, weight: float = 0.2) -> Alarms:
    logs, alarms = np.log(values), np.zeros(len(values), dtype=bool)
    trend = logs[:60].mean()
    for number, before in _rolling(logs):
        trend = weight * logs[number] + (1 - weight) * trend
        alarms[number] = abs(trend - before.mean()) > limit * before.std() * np.sqrt(weight / (2 - weight))
    return alarms


def _ours(values: Values, *, better: bool = False) -> tuple[Alarms, Alarms]:
    """Spikes and shifts; those for the better, which are told but alert nobody, where `better`."""
    detector, spikes, shifts = Detector(), np.zeros(len(values), dtype=bool), np.zeros(len(values), dtype=bool)
    for number, value in enumerate(values):
        reading = detector.add(float(value))
        spikes[number] = reading.spike is not None
        if reading.began and reading.shift is not None:
            shifts[number] = (reading.shift.direction is Direction.DOWN) is better
    return spikes, shifts


DETECTORS: dict[str, Callable[[Values], Alarms]] = {
    "z > 3 on the values": plain_z,
    "z > 3 on their logarithms": log_z,
    "more than twice the mean": twice_the_mean,
    "EWMA, L = 3": ewma,
    "ours, spikes": lambda values: _ours(values)[0],
    "ours, shifts": lambda values: _ours(values)[1],
    "ours, shifts for the better": lambda values: _ours(values, better=True)[1],
    "ours, both": lambda values: np.logical_or(*_ours(values)),
}


def _delays(alarms: Alarms, known: Series) -> list[int | None]:
    """Samples until a shift was found, from 1; None for one that was missed."""
    found = [np.flatnonzero(alarms[start : start + SHIFT_LENGTH]) for start in known.shifts]
    return [int(places[0]) + 1 if len(places) else None for places in found]


def detection(seeds: int) -> None:
    print(f"{seeds} seeds: recall of spikes | false alarms per 1,000 | shifts found: median delay, worst, within 20")
    for name, detector in DETECTORS.items():
        recall, false, delays = [], [], list[int | None]()
        for seed in range(seeds):
            known = series(seed)
            alarms = detector(known.values)
            recall.append(alarms[list(known.spikes)].mean())
            false.append(1000 * (alarms & known.quiet()).sum() / known.quiet().sum())
            delays += _delays(alarms, known)
        when = sorted(delay for delay in delays if delay is not None)
        within = sum(delay <= 20 for delay in when) / len(delays)
        told = f"{np.median(when):.0f}, {when[-1]}, {within:.0%}" if when else "none"
        print(f"  {name:28} {np.mean(recall):.2f} | {np.mean(false):.2f} | {told} ({len(when)} of {len(delays)})")


def shifts(seeds: int) -> None:
    print("shifts found by ours within 60 samples, by their size: share, median delay")
    for size in (1.15, 1.3, 1.6, 2.0, 4.0):
        delays = [
            delay for seed in range(seeds) for known in [series(seed, shift=size)]
            for delay in _delays(_ours(known.values)[1], known)
        ]  # fmt: skip
        when = [delay for delay in delays if delay is not None]
        print(f"  {size - 1:+.0%}: {len(when) / len(delays):.0%}, {np.median(when) if when else float('nan'):.0f}")


def young(seeds: int) -> None:
    """What is alarmed of while there are few samples, in series without anything."""
    print("false per 1,000 between the 60th and the 300th sample: spikes | shifts | for the better; by DOUBT")
    for doubt in (detectors.DOUBT, 0.0):
        kept, detectors.DOUBT = detectors.DOUBT, doubt
        counts = np.zeros(3)
        for seed in range(10 * seeds):
            values = 200 * np.exp(np.random.default_rng(seed).normal(0, 0.35, 300))
            counts += [*(int(alarms.sum()) for alarms in _ours(values)), int(_ours(values, better=True)[1].sum())]
        print(f"  {doubt or 'none'}: " + " | ".join(f"{1000 * count / (2400 * seeds):.2f}" for count in counts))
        detectors.DOUBT = kept


def prompt_lengths(seeds: int) -> None:
    print("prompts of 20 to 4,000 tokens, 60 ms and 0.5 ms a token: spikes of six times found | false per 1,000")
    ways: dict[str, Callable[[float, int], float]] = {
        "the time itself": lambda ms, tokens: ms,
        "per 1,000 tokens": lambda ms, tokens: 1000 * ms / tokens,
        "per 1,000 tokens, ours": lambda ms, tokens: first_token_ms_per_1k(ms, tokens),
    }
    for name, way in ways.items():
        recall, false = [], []
        for seed in range(seeds):
            chance = np.random.default_rng(seed)
            tokens = np.exp(chance.uniform(np.log(20), np.log(4000), SAMPLES)).astype(int)
            times = (60 + 0.5 * tokens) * np.exp(chance.normal(0, 0.2, SAMPLES))
            places = chance.choice(np.arange(400, SAMPLES), 12, replace=False)
            times[places] *= 6
            alarms = _ours(np.array([way(float(ms), int(count)) for ms, count in zip(times, tokens, strict=True)]))
            either = np.logical_or(*alarms)
            recall.append(alarms[0][places].mean())
            either[places] = False
            false.append(1000 * either.sum() / SAMPLES)
        print(f"  {name:28} {np.mean(recall):.2f} | {np.mean(false):.2f}")


def speed() -> None:
    values, detector = series(0).values, Detector()
    start = time.perf_counter()
    for value in values:
        detector.add(float(value))
    ours = (time.perf_counter() - start) / SAMPLES
    start = time.perf_counter()
    plain_z(values)
    print(
        f"one sample: {1e6 * ours:.0f} µs, {ours * SAMPLES / (time.perf_counter() - start):.1f} times a rolling z-score"
    )


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    detection(count)
    shifts(count)
    young(count)
    prompt_lengths(max(1, count // 3))
    speed()

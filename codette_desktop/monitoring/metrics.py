"""The metrics that are watched of each model, and their detectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from codette_desktop.monitoring.detectors import Detector, Direction, Reading

LEAST_TOKENS = 128  # below it the time is that of starting, not of reading


@dataclass(frozen=True, slots=True)
class Metric:
    """What is watched, in `unit`; `bad` says which way is worse."""

    name: str
    title: str
    unit: str
    bad: Direction
    log: bool = True


METRICS = {
    metric.name: metric
    for metric in (
        Metric("first_token", "Time to first token per 1,000 prompt tokens", "ms", Direction.UP),
        Metric("speed", "Writing speed", "tokens/s", Direction.DOWN),
        Metric("load", "Time to load", "ms", Direction.UP),
    )
}


def first_token_ms_per_1k(ms: float, read_tokens: int) -> float:
    """The time to the first token per 1,000 tokens of the prompt that had to be read (those in the cache left out).

    Short prompts count as 128 tokens: their time is that of starting, and would make every short one a spike. Leave
    the time for loading and waiting out of `ms`.
    """
    return 1000 * ms / max(read_tokens, LEAST_TOKENS)


class ModelWatch:
    """A detector for each (model, metric), made when its first sample comes. One thread."""

    def __init__(self) -> None:
        self._detectors: dict[tuple[str, str], Detector] = {}

    def add(self, model: str, metric: str, value: float, *, cold: bool = False) -> Reading:
        """Take one sample of one of `METRICS`. Raises KeyError for another."""
        kind = METRICS[metric]
        detector = self._detectors.setdefault((model, metric), Detector(log=kind.log, bad=(kind.bad,)))
        return detector.add(value, cold=cold)

    def shift(self, model: str, metric: str) -> float | None:
        """By how much it differs from the usual (0.6: 60 % more); 0.0 for not at all, None while it is learnt."""
        detector = self._detectors.get((model, metric))
        if detector is None:
            return None
        if detector.shift is not None:
            return detector.shift.change
        return None if detector.learning else 0.0

    def acknowledge(self, model: str, metric: str) -> None:
        """What is now is the usual from now on."""
        if detector := self._detectors.get((model, metric)):
            detector.acknowledge()

    def forget(self, model: str) -> None:
        """Nothing is usual of this model any more: its file or its settings are others."""
        self._detectors = {key: item for key, item in self._detectors.items() if key[0] != model}

    def to_dict(self) -> dict[str, Any]:
        """The state as JSON can hold it."""
        rows = [
            {"model": model, "metric": metric, **item.to_dict()} for (model, metric), item in self._detectors.items()
        ]
        return {"version": 1, "detectors": rows}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ModelWatch":
        """The watch `to_dict` was given. Raises ValueError for what is no such state."""
        made = cls()
        try:
            for row in data["detectors"]:
                made._detectors[str(row["model"]), str(row["metric"])] = Detector.from_dict(row)
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is not the state of a watch: {error!r}") from error
        return made

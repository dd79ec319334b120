"""Curves over time: which figures of a sample there are, and what is drawn of one."""

from array import array
from dataclasses import dataclass, field, fields

from codette_desktop.domain.telemetry import DeviceSample, EngineSample, HostSample

HOST, ENGINE = "host", "engine"


def _numbers(kind: type[HostSample] | type[EngineSample] | type[DeviceSample]) -> tuple[str, ...]:
    named = {"device", "status", "throttled", "processes"}
    return tuple(item.name for item in fields(kind) if item.name not in named)


HOST_FIELDS = _numbers(HostSample)
ENGINE_FIELDS = _numbers(EngineSample)
DEVICE_FIELDS = _numbers(DeviceSample)
# Counted since the last sample. Kept curves give them per second, for samples do not come equally often.
COUNTED_FIELDS = ("tokens", "requests", "failed", "cache_hits", "cache_lookups")


@dataclass(frozen=True, slots=True, order=True)
class SeriesName:
    """One figure of one thing: `source` is "host", "engine" or a device ("gpu:0"), `field` a field of its sample."""

    source: str
    field: str


def floats() -> "array[float]":
    """An empty row of 8-byte floats, which numpy reads without copying."""
    return array("d")


@dataclass(frozen=True, slots=True)
class Series:
    """A curve, in the order of time: equally long rows of 8-byte floats.

    `at` in seconds since 1970 (UTC): the beginning of each step of `step_s` seconds. `mean`, `low` and `high` of each
    step; NaN where nothing is known, so that a curve has gaps. Of single samples all three are equal.
    """

    at: "array[float]" = field(default_factory=floats)
    mean: "array[float]" = field(default_factory=floats)
    low: "array[float]" = field(default_factory=floats)
    high: "array[float]" = field(default_factory=floats)
    step_s: float = 1.0

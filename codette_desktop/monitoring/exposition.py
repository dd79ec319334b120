"""Prometheus' text format 0.0.4, which every Prometheus server and most agents read."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from codette_desktop.monitoring.semantic import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

LabelSet = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values fell into each bucket (by its upper bound, inf for the last) alone, and the sum of all."""

    counts: Mapping[float, float]
    sum: float


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its values by labels."""

    metric: Metric
    values: dict[LabelSet, float | Histogram] = field(default_factory=dict[LabelSet, "float | Histogram"])

    def set(self, value: float | None, **labels: str) -> None:
        """Take a value; None, NaN and infinity are not known and leave no trace. Empty labels are left out."""
        if value is not None and math.isfinite(value):
            self.values[self.key(labels)] = float(value)

    def add(self, value: float, **labels: str) -> None:
        """Add to the value there is."""
        before = self.values.get(self.key(labels), 0.0)
        self.set(value if isinstance(before, Histogram) else before + value, **labels)

    def key(self, labels: Mapping[str, str]) -> LabelSet:
        """The labels in the order of the metric. Raises ValueError for one it does not have."""
        if unknown := set(labels) - set(self.metric.labels):
            raise ValueError(f"{self.metric.name} has no label {', '.join(sorted(unknown))}")
        return tuple((name, labels[name]) for name in self.metric.labels if labels.get(name))


def exposition(families: Iterable[Family]) -> str:
    """The text of all families that have a value, by name; one that has none is not known and left out."""
    lines: list[str] = []
    for family in sorted(families, key=lambda item: item.metric.prometheus):
        if family.values:
            metric = family.metric
            lines.append(f"# HELP {metric.prometheus} {_help(metric.help)}")
            lines.append(f"# TYPE {metric.prometheus} {metric.kind.value}")
            lines += [_line(name, labels, value) for name, labels, value in samples(family)]
    return "".join(f"{line}\n" for line in lines)


def samples(family: Family) -> Iterator[tuple[str, LabelSet, float]]:
    """Name, labels and value of each line, in order of the labels; those of a histogram in their prescribed order."""
    for labels, value in sorted(family.values.items(), key=lambda item: item[0]):
        if isinstance(value, Histogram):
            yield from _histogram(family.metric, labels, value)
        else:
            yield family.metric.prometheus, labels, value


def _histogram(metric: Metric, labels: LabelSet, value: Histogram) -> Iterator[tuple[str, LabelSet, float]]:
    for bound in (*metric.buckets, math.inf):
        # Counts of other bounds, of an older version, are at least in every bucket that lies wholly above them.
        below = sum(count for theirs, count in value.counts.items() if theirs <= bound)
        yield f"{metric.prometheus}_bucket", (*labels, ("le", number(bound))), below
    yield f"{metric.prometheus}_sum", labels, value.sum
    yield f"{metric.prometheus}_count", labels, sum(value.counts.values())


def number(value: float) -> str:
    """As Go reads it; whole numbers without a point."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


def _line(name: str, labels: LabelSet, value: float) -> str:
    inside = ",".join(f'{label}="{_label(text)}"' for label, text in labels)
    return f"{name}{{{inside}}} {number(value)}" if inside else f"{name} {number(value)}"


def _help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _label(text: str) -> str:
    """Lone surrogates, which UTF-8 cannot say, become the mark for it."""
    told = text.encode("utf-8", "replace").decode("utf-8")
    return told.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")

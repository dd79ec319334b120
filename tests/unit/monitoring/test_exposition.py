"""The text that Prometheus reads: its form, its escapes, its order, and nothing that is not known."""

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.request_totals import BOUNDS, Total
from codette_desktop.monitoring import semantic
from codette_desktop.monitoring.exposition import Family, Histogram, exposition, number, samples

LINE = re.compile(r'([a-z_]\w*)(?:\{((?:\w+="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\\n]|\\[\\n"])*)"')


def read(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Each value by name and labels, read as the format prescribes."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    unescaped = {r"\n": "\n", r"\\": "\\", r"\"": '"'}
    for line in text.split("\n")[:-1]:
        if not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, line
            name, labels, value = match.groups()
            pairs = [
                (label, re.sub(r"\\.", lambda item: unescaped[item[0]], inside))
                for label, inside in LABEL.findall(labels or "")
            ]
            assert len(dict(pairs)) == len(pairs)
            assert (name, frozenset(pairs)) not in found
            found[name, frozenset(pairs)] = float(value)
    return found


def test_families_come_in_order_each_with_help_and_type() -> None:
    one, other = Family(semantic.REQUESTS), Family(semantic.CPU)
    one.add(2, backend="local", model="B")
    one.add(1, model="A", backend="local")
    one.add(1, model="A", backend="local")
    other.set(0.25)
    assert exposition([other, Family(semantic.MEMORY), one]) == (
        "# HELP codette_requests_total Requests that ended or failed, stopped ones left out.\n"
        "# TYPE codette_requests_total counter\n"
        'codette_requests_total{backend="local",model="A"} 2\n'
        'codette_requests_total{backend="local",model="B"} 2\n'
        "# HELP system_cpu_utilization_ratio Share of all cores in use, by all programs.\n"
        "# TYPE system_cpu_utilization_ratio gauge\n"
        "system_cpu_utilization_ratio 0.25\n"
    )


def test_help_is_escaped() -> None:
    family = Family(replace(semantic.CPU, help='a\\b\nc "d"'))
    family.set(1)
    assert exposition([family]).split("\n")[0] == r'# HELP system_cpu_utilization_ratio a\\b\nc "d"'


@given(st.dictionaries(st.text(min_size=1), st.floats(allow_nan=False, allow_infinity=False), max_size=5))
def test_any_label_and_value_is_read_as_it_was_written(values: dict[str, float]) -> None:
    family = Family(semantic.REQUESTS)
    told = {text.encode("utf-8", "replace").decode(): value for text, value in values.items()}
    for text, value in told.items():
        family.set(value, backend="local", model=text)
    found = read(exposition([family]))
    wanted = set(told.items())
    assert {(dict(labels)["model"], value) for (_name, labels), value in found.items()} == wanted


def test_lone_surrogates_do_not_break_the_text() -> None:
    family = Family(semantic.REQUESTS)
    family.set(1, model="\ud800x")
    assert 'model="?x"' in exposition([family]).encode().decode()


def test_what_is_not_known_leaves_no_line() -> None:
    family = Family(semantic.GPU)
    for value in (None, math.nan, math.inf):
        family.set(value, device="gpu:0")
    assert exposition([family]) == ""
    family.set(0.0, device="gpu:1")
    assert read(exposition([family])) == {("hw_gpu_utilization_ratio", frozenset({("device", "gpu:1")})): 0.0}


def test_a_label_the_metric_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="has no label colour"):
        Family(semantic.GPU).set(1, colour="red")


def test_buckets_of_a_histogram_add_up() -> None:
    family = Family(semantic.QUEUE_WAIT)
    labels = family.key({"backend": "local", "model": "m"})
    family.values[labels] = Histogram({0.001: 2, 0.25: 3, 0.3: 1, math.inf: 4}, 99.5)
    found = list(samples(family))
    names = [name for name, _labels, _value in found]
    buckets = [(dict(pairs)["le"], value) for name, pairs, value in found if name.endswith("_bucket")]
    assert names[-2:] == ["codette_queue_wait_seconds_sum", "codette_queue_wait_seconds_count"]
    assert [value for _name, _pairs, value in found[-2:]] == [99.5, 10]
    assert [le for le, _value in buckets] == [*map(number, BOUNDS[Total.QUEUE]), "+Inf"]
    counts = [value for _le, value in buckets]
    assert counts == sorted(counts)
    # 0.3 is the bound of an older version: it lies below 0.5 and not below 0.25
    assert dict(buckets) | {"0.1": 2, "0.25": 5, "0.5": 6, "160": 6, "+Inf": 10} == dict(buckets)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (5.0, "5"), (-3.0, "-3"), (0.1, "0.1"), (1e21, "1e+21"), (math.inf, "+Inf"), (-math.inf, "-Inf")],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text

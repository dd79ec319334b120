"""Scales and words of figures."""

import math

import pytest

from codette_desktop.gui.tabs.watch.units import Kind, parts, scale_for, text


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Kind.SPEED, 212.4, "212 tokens/s"),
        (Kind.SPEED, 57.62, "57.6 tokens/s"),
        (Kind.TIME, 38.2, "38 ms"),
        (Kind.TIME, 999.0, "999 ms"),
        (Kind.TIME, 1240.0, "1.24 s"),
        (Kind.TIME, 12_400.0, "12.4 s"),
        (Kind.SHARE, 41.7, "42 %"),
        (Kind.BYTES, 1.924e9, "1.92 GB"),
        (Kind.BYTES, 24e9, "24.0 GB"),
        (Kind.BYTES, 310e6, "310 MB"),
        (Kind.BYTES, 0.0, "0.00 KB"),
        (Kind.RATE, 2.5e6, "2.50 MB/s"),
        (Kind.TEMPERATURE, 71.6, "72 °C"),
        (Kind.COUNT, 12_345.0, "12,345"),
        (Kind.POWER, None, "–"),
        (Kind.POWER, math.nan, "–"),
    ],
)
def test_a_value_reads_as_three_figures_and_a_unit(kind: Kind, value: float | None, expected: str) -> None:
    assert text(kind, value) == expected


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("high", [0.0, 0.4, 3.0, 87.0, 99.9, 401.0, 7_300.0, 4.2e7, 8.5e10])
def test_a_scale_holds_all_values_and_has_few_round_ticks(kind: Kind, high: float) -> None:
    if kind is Kind.SHARE:
        high = min(high, 100.0)
    scale = scale_for(kind, high / 2, high)
    assert scale.low <= high / 2
    assert scale.high >= high
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 6
    assert ticks[0] == pytest.approx(scale.low)
    assert ticks[-1] == pytest.approx(scale.high)
    written = [scale.text(tick) for tick in ticks]
    assert len(set(written)) == len(written), written  # no two ticks read the same
    assert all(
        float(word.replace(",", "")) == pytest.approx(tick / scale.divisor)
        for word, tick in zip(written, ticks, strict=True)
    )


def test_counts_have_whole_ticks_and_values() -> None:
    scale = scale_for(Kind.PER_MINUTE, 0, 10)
    assert [scale.text(tick) for tick in scale.ticks()] == ["0", "5", "10"]
    assert scale.value_text(3.0) == "3"
    assert scale_for(Kind.COUNT, 0, 0).high >= 4  # an empty queue is a line at the bottom, not a needle at the top


def test_temperatures_need_not_begin_at_zero() -> None:
    scale = scale_for(Kind.TEMPERATURE, 52, 68)
    assert 30 <= scale.low <= 50
    assert scale.high >= 68


def test_all_values_of_an_axis_have_as_many_decimals() -> None:
    memory = scale_for(Kind.BYTES, 0, 24e9)
    assert [memory.value_text(value) for value in (1.92e9, 20.14e9)] == ["1.9", "20.1"]
    assert scale_for(Kind.TIME, 0, 400).value_text(18.4) == "18"
    assert memory.value_text(None) == "–"


def test_a_unit_is_kept_apart_for_big_numbers() -> None:
    assert parts(Kind.SPEED, 196.4) == ("196", "tokens/s")
    assert parts(Kind.SPEED, None) == ("–", "")

"""Counters to rates."""

from codette_desktop.hardware.sensors.rates import Rate, Rates


def test_growth_per_second() -> None:
    rate = Rate()
    given = [(100, 1.0), (300, 2.0), (300, 4.0), (50, 5.0), (60, 7.0), (None, 8.0), (90, 9.0), (91, 9.0), (93, 10.0)]
    assert [rate.per_second(value, at) for value, at in given] == [None, 200, 0, None, 5, None, None, None, 2]


def test_counters_that_belong_together() -> None:
    rates = Rates()
    assert rates.per_second({"a": 10, "b": 5}, 1) is None
    assert rates.per_second({"a": 20, "b": 25}, 3) == 15
    assert rates.per_second({"a": 30, "c": 999}, 4) == 10  # one left, one came: neither is growth
    assert rates.per_second({"a": 29, "c": 1999}, 5) is None  # one began anew
    assert rates.per_second({"a": 30, "c": 2000}, 6) == 2
    assert rates.per_second({"d": 1}, 7) is None
    assert rates.per_second(None, 8) is None
    assert rates.per_second({"d": 1}, 9) is None
    assert rates.per_second({"d": 2}, 9) is None

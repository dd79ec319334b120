"""Spikes and shifts: what is found, what is not, and that the state survives a restart."""

import json
import math
import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from codette_desktop.domain.alerts import Severity
from codette_desktop.monitoring.detectors import FEWEST, Detector, Direction, Reading
from codette_desktop.monitoring.metrics import METRICS, ModelWatch, first_token_ms_per_1k


def latencies(count: int, seed: int = 1, middle: float = 200.0, sigma: float = 0.35) -> list[float]:
    chance = random.Random(seed)
    return [middle * math.exp(chance.gauss(0, sigma)) for _ in range(count)]


def fed(detector: Detector, values: Iterable[float]) -> list[Reading]:
    return [detector.add(value) for value in values]


def test_there_is_no_verdict_below_sixty_samples() -> None:
    detector = Detector()
    readings = fed(detector, latencies(FEWEST - 1))
    assert all(reading.learning and reading.spike is None for reading in readings)
    assert detector.add(100_000.0).spike is None
    assert detector.add(100_000.0).spike is not None


def test_a_spike_is_told_with_what_is_usual() -> None:
    detector = Detector()
    values = latencies(200)
    fed(detector, values)
    spike = detector.add(1500.0).spike
    assert spike is not None
    logs = np.log(values)
    wanted = (math.log(1500) - np.median(logs)) / (1.4826 * stats.median_abs_deviation(logs))
    assert spike.z == pytest.approx(wanted, rel=1e-4)
    assert spike.usual == pytest.approx(np.median(values), rel=1e-3)
    assert (spike.direction, spike.severity) == (Direction.UP, Severity.CRITICAL)


@pytest.mark.parametrize(("z", "severity"), [(3.4, None), (3.6, Severity.WARNING), (5.1, Severity.CRITICAL)])
def test_the_severity_of_a_spike(z: float, severity: Severity | None) -> None:
    detector = Detector()
    values = latencies(400, sigma=0.3)
    fed(detector, values)
    logs = np.log(values[-300:])
    value = math.exp(np.median(logs) + z * stats.median_abs_deviation(logs) * 1.4826)
    spike = detector.add(value).spike
    assert (spike.severity if spike else None) is severity


def test_spikes_do_not_teach_what_is_usual() -> None:
    detector = Detector()
    for number, value in enumerate(latencies(400)):
        detector.add(value)
        if number >= 100 and number % 25 == 0:
            assert detector.add(8 * 200.0).spike is not None
    assert max(detector.to_dict()["normal"]) < math.log(8 * 200)


def test_two_spikes_close_together_are_no_shift() -> None:
    detector = Detector()
    fed(detector, latencies(300))
    assert [(reading.spike is not None, reading.began) for reading in fed(detector, [20_000.0] * 2)] == [
        (True, False)
    ] * 2


def test_limits_are_wider_while_there_are_few_samples() -> None:
    for count, found in ((FEWEST, False), (400, True)):
        detector, values = Detector(), latencies(count, sigma=0.3)
        fed(detector, values)
        logs = np.log(values[-300:])
        value = math.exp(np.median(logs) + 3.6 * 1.4826 * stats.median_abs_deviation(logs))
        assert (detector.add(value).spike is not None) is found


def test_only_the_bad_direction_is_a_spike() -> None:
    slower = Detector(bad=[Direction.DOWN])
    fed(slower, latencies(200, middle=40))
    assert slower.add(400.0).spike is None
    spike = slower.add(4.0).spike
    assert spike is not None
    assert spike.direction is Direction.DOWN


def test_cold_starts_and_what_is_no_number_are_left_out() -> None:
    warm, cold = Detector(), Detector()
    for number, value in enumerate(latencies(150)):
        warm.add(value)
        cold.add(value)
        if number % 3 == 0:
            reading = cold.add(30_000.0, cold=True)
            assert reading.spike is None
            cold.add(math.nan)
            cold.add(math.inf)
    assert warm.to_dict() == cold.to_dict()


def test_a_shift_is_found_lasts_and_is_over() -> None:
    detector = Detector()
    fed(detector, latencies(300))
    slow = fed(detector, latencies(60, seed=2, middle=320))
    found = [number for number, reading in enumerate(slow) if reading.began]
    assert len(found) == 1
    assert found[0] < 20
    shift = slow[-1].shift
    assert shift is not None
    assert shift.direction is Direction.UP
    assert 0.2 < shift.change < 0.9
    assert 45 <= shift.samples <= 75
    after = fed(detector, latencies(60, seed=3))
    assert sum(reading.ended for reading in after) == 1
    assert after[-1].shift is None


def test_a_shift_does_not_teach_itself() -> None:
    detector = Detector()
    fed(detector, latencies(300))
    readings = fed(detector, latencies(600, seed=2, middle=320))
    assert readings[-1].shift is not None
    assert readings[-1].shift.usual == pytest.approx(200, rel=0.1)


def test_what_was_acknowledged_is_usual() -> None:
    detector = Detector()
    fed(detector, latencies(300))
    fed(detector, latencies(120, seed=2, middle=320))
    detector.acknowledge()
    readings = fed(detector, latencies(100, seed=4, middle=320))
    assert not any(reading.began or reading.shift for reading in readings)
    back = fed(detector, latencies(60, seed=3))
    assert any(reading.began for reading in back)
    fresh = Detector()
    fresh.acknowledge()
    assert fresh.to_dict() == Detector().to_dict()


def test_a_large_shift_is_not_taken_for_spikes_for_ever() -> None:
    detector = Detector()
    fed(detector, latencies(300))
    readings = fed(detector, latencies(200, seed=2, middle=2000))
    assert any(reading.began for reading in readings[:8])
    assert not any(reading.spike for reading in readings[70:])


def test_a_change_for_the_better_is_told_once_and_is_usual_then() -> None:
    detector = Detector()
    fed(detector, latencies(300))
    readings = fed(detector, latencies(150, seed=5, middle=80))
    began = [reading for reading in readings if reading.began]
    assert len(began) == 1
    assert began[0].shift is not None
    assert began[0].shift.direction is Direction.DOWN
    assert readings[-1].shift is None
    assert any(reading.began for reading in fed(detector, latencies(60, seed=3)))


def test_values_that_hardly_vary_are_no_spikes() -> None:
    detector = Detector()
    fed(detector, [200.0] * 100)
    assert detector.add(220.0).spike is None
    plain = Detector(log=False)
    fed(plain, [50.0] * 100)
    assert plain.add(53.0).spike is None
    assert plain.add(60.0).spike is not None


def test_the_trend_is_an_average_that_forgets() -> None:
    detector = Detector()
    assert detector.add(100.0).trend == 100.0
    assert detector.add(200.0).trend == pytest.approx(120.0)
    assert detector.add(120.0).trend == pytest.approx(120.0)


@given(st.lists(st.floats(0.001, 1e6), max_size=150), st.integers(0, 150))
def test_the_state_goes_on_after_a_restart(values: list[float], cut: int) -> None:
    whole, first = Detector(), Detector()
    values = latencies(90) + values
    fed(whole, values)
    fed(first, values[:cut])
    second = Detector.from_dict(json.loads(json.dumps(first.to_dict())))
    fed(second, values[cut:])
    assert second.shift == pytest.approx(whole.shift) or (second.shift and whole.shift)
    assert second.learning == whole.learning
    assert len(json.dumps(whole.to_dict())) < 8000


@pytest.mark.parametrize(
    "damage",
    [
        {"normal": None},
        {"normal": ["x"]},
        {"shift": "sideways"},
        {"shift": "up"},
        {"sums": {}},
        {"latest": [1]},
        {"normal": [float("nan")]},
    ],
)
def test_a_damaged_state_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"state|could not convert|not a valid"):
        Detector.from_dict({**Detector().to_dict(), **damage})


def test_false_alarms_are_rare_and_shifts_found() -> None:
    false = 0
    for seed in range(4):
        detector = Detector()
        false += sum(reading.spike is not None or reading.began for reading in fed(detector, latencies(1500, seed)))
    assert false <= 8  # 1.3 per 1,000: about three times what the benchmark finds


def test_first_tokens_are_measured_per_thousand_prompt_tokens() -> None:
    assert first_token_ms_per_1k(500.0, 2000) == 250.0
    assert first_token_ms_per_1k(64.0, 0) == first_token_ms_per_1k(64.0, 128) == 500.0


def test_a_watch_holds_a_detector_for_each_model_and_metric() -> None:
    watch = ModelWatch()
    assert watch.shift("a", "speed") is None
    for value in latencies(200, middle=40, sigma=0.1):
        watch.add("a", "speed", value)
        watch.add("b", "first_token", value)
    for value in latencies(30, seed=2, middle=20, sigma=0.1):
        watch.add("a", "speed", value)
    again = ModelWatch.from_dict(json.loads(json.dumps(watch.to_dict())))
    for held in (watch, again):
        assert held.shift("a", "speed") == pytest.approx(-0.5, abs=0.08)
        assert held.shift("b", "first_token") == 0.0
    again.acknowledge("a", "speed")
    assert again.shift("a", "speed") is None  # 30 samples are too few to be usual
    watch.forget("a")
    assert watch.shift("a", "speed") is None
    with pytest.raises(KeyError):
        watch.add("a", "mood", 1.0)
    with pytest.raises(ValueError, match="state"):
        ModelWatch.from_dict({"detectors": [{}]})
    assert METRICS["speed"].bad is Direction.DOWN

"""Confidence: the running sums against sums over the whole."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.inference.confidence import WINDOW, ConfidenceMeter
from codette_desktop.inference.llama.answer import log_probability


@given(st.lists(st.floats(-60, 0), min_size=1, max_size=3 * WINDOW), st.integers(1, 1000))
def test_it_is_what_the_whole_list_gives(values: list[float], text_bytes: int) -> None:
    meter = ConfidenceMeter()
    for value in values:
        meter.take(value)
    found = meter.result(text_bytes)
    assert found is not None
    windows = [values[at : at + WINDOW] for at in range(max(1, len(values) - WINDOW + 1))]
    assert found.bits_per_byte == pytest.approx(-sum(values) / math.log(2) / text_bytes)
    assert found.weakest == pytest.approx(min(sum(window) / len(window) for window in windows), abs=1e-9)
    assert found.tokens == len(values)


def test_nothing_told_is_no_confidence_and_the_impossible_stays_finite() -> None:
    meter = ConfidenceMeter()
    assert meter.result(10) is None
    meter.take(-math.inf)
    found = meter.result(0)
    assert found is not None
    assert math.isfinite(found.bits_per_byte)


def test_the_log_probability_is_the_softmaxs() -> None:
    logits = np.random.default_rng(1).normal(0, 30, 5_000).astype(np.float32)
    exact = logits.astype(np.float64)
    exact -= exact.max() + np.log(np.exp(exact - exact.max()).sum())
    for token in (0, 17, int(logits.argmax()), int(logits.argmin())):
        assert log_probability(logits, token) == pytest.approx(exact[token], rel=1e-5, abs=1e-4)

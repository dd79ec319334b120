"""What a request adds to the totals, and what it does not."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.domain.request_totals import BOUNDS, Total, TotalKey, bucket, counted
from tests.support.measured_examples import CACHED, COLD, FAILED, LABEL, STOPPED, WARM


def of(record: RequestRecord, total: Total, *, is_sum: bool = False) -> dict[tuple[str, float], float]:
    """By kind and bound."""
    found = {key: value for key, value in counted(record) if key.total is total and key.is_sum is is_sum}
    return {(key.kind, key.bound): value for key, value in found.items()}


def test_an_answer_counts_with_all_that_was_measured() -> None:
    assert of(WARM, Total.ENDED) == {("stop", 0): 1}
    assert of(WARM, Total.PURPOSE) == {("chat", 0): 1}
    assert of(WARM, Total.DURATION) == {("", 2.56): 1}
    assert of(WARM, Total.DURATION, is_sum=True) == {("", 0): pytest.approx(1.3)}
    assert of(WARM, Total.PER_TOKEN) == {("", 0.025): 1}  # 40 tokens a second: just on the bound
    assert of(WARM, Total.INPUT, is_sum=True) == {("", 0): 100}
    assert of(WARM, Total.OUTPUT) == {("", 64): 1}
    assert of(WARM, Total.QUEUE) == {("", 0.005): 1}
    assert of(WARM, Total.ENERGY) == {("", 0): 25}
    assert of(WARM, Total.REUSED) == {("", 0): 20}
    for total in (Total.LOAD, Total.LAST_LOAD, Total.ERROR, Total.CACHED, Total.TRUNCATED, Total.FALLBACK):
        assert of(WARM, total) == {}


def test_a_cold_start_waits_for_the_load_but_the_engine_is_not_slower_for_it() -> None:
    assert of(COLD, Total.FIRST_CHUNK, is_sum=True) == {("", 0): pytest.approx(1.0)}
    assert of(COLD, Total.FIRST_TOKEN, is_sum=True) == {("", 0): pytest.approx(0.1)}
    assert of(COLD, Total.LOAD) == {("", 0): 1}
    assert of(COLD, Total.LAST_LOAD) == {("", 0): pytest.approx(0.9)}
    assert of(COLD, Total.TRUNCATED) == {("", 0): 1}


def test_failed_and_stopped_ones_say_nothing_of_speed() -> None:
    assert of(FAILED, Total.ERROR) == {("ServerUnreachable", 0): 1}
    assert of(FAILED, Total.FALLBACK) == {("", 0): 1}
    assert of(FAILED, Total.DURATION) == {("ServerUnreachable", 2.56): 1}
    assert of(FAILED, Total.OUTPUT) == {}
    assert of(STOPPED, Total.DURATION) == {("cancelled", 2.56): 1}
    assert of(STOPPED, Total.OUTPUT, is_sum=True) == {("", 0): 7}
    assert of(STOPPED, Total.ERROR) == {}
    for record in (FAILED, STOPPED, replace(WARM, reason=FinishReason.INTERRUPTED)):
        assert of(record, Total.PER_TOKEN) == of(record, Total.FIRST_TOKEN) == {}


def test_an_answer_from_the_cache_says_nothing_of_the_model() -> None:
    assert {key.total for key, _value in counted(CACHED)} == {Total.ENDED, Total.PURPOSE, Total.CACHED}


def test_what_is_not_known_is_not_counted_as_nothing() -> None:
    bare = RequestRecord("x", 0.0, "m", LABEL)
    totals = {key.total for key, _value in counted(bare)}
    assert totals == {Total.ENDED, Total.PURPOSE, Total.DURATION, Total.OUTPUT}
    assert TotalKey(Total.PURPOSE, kind="other") in dict(counted(bare))


@given(st.sampled_from(sorted(BOUNDS)), st.floats(min_value=0, max_value=1e9))
def test_a_value_lies_in_the_first_bucket_that_is_not_below_it(total: Total, value: float) -> None:
    bound = bucket(total, value)
    assert value <= bound
    assert bound == math.inf or bound in BOUNDS[total]
    assert all(other < value for other in BOUNDS[total] if other < bound)

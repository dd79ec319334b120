"""Totals of requests: they only grow, whatever is replaced, removed or opened anew."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.domain.request_totals import Total, TotalKey, counted
from codette_desktop.store import Store
from tests.support.measured_examples import AT, COLD, LABEL, RECORDS, WARM


def expected(records: Sequence[RequestRecord]) -> dict[TotalKey, float]:
    found: dict[TotalKey, float] = {}
    for record in records:
        for key, value in counted(record):
            found[key] = value if key.total is Total.LAST_LOAD else found.get(key, 0) + value
    return found


def test_every_request_is_counted_once(store: Store) -> None:
    assert store.totals.all() == {}
    store.requests.add(RECORDS).result()
    store.requests.add([replace(WARM, id=f"more {number}") for number in range(250)]).result()
    whole = expected([*RECORDS, *(replace(WARM, id=f"more {number}") for number in range(250))])
    assert store.totals.all() == pytest.approx(whole)


def test_one_that_is_replaced_counts_as_what_it_is_now(store: Store) -> None:
    store.requests.add([WARM]).result()
    now = replace(WARM, reason=FinishReason.FAILED, error_type="OutOfMemory", total_ms=30.0)
    store.requests.add([now]).result()
    kept = {key: value for key, value in store.totals.all().items() if abs(value) > 1e-9}
    assert kept == pytest.approx(expected([now]))
    store.requests.add([now, now]).result()
    kept = {key: value for key, value in store.totals.all().items() if abs(value) > 1e-9}
    assert kept == pytest.approx(expected([now]))


def test_totals_outlive_what_is_removed_and_a_restart(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.requests.add(RECORDS).result()
        before = store.totals.all()
        store.requests.remove_before(AT + 1).result()
        assert store.requests.get(WARM.id) is None
    with Store.open(tmp_path) as store:
        assert store.totals.all() == before
        store.requests.add([replace(WARM, id="new", at=AT + 2)]).result()
        key = TotalKey(Total.ENDED, LABEL, "local", "stop")
        assert store.totals.all()[key] == before[key] + 1


def test_the_last_load_stands(store: Store) -> None:
    key = TotalKey(Total.LAST_LOAD, LABEL, "local")
    store.requests.add([COLD, replace(COLD, id="2", load_ms=700.0)]).result()
    assert store.totals.all()[key] == pytest.approx(0.7)
    store.requests.add([replace(COLD, id="3", load_ms=300.0)]).result()
    assert store.totals.all()[key] == pytest.approx(0.3)
    store.requests.add([WARM]).result()
    assert store.totals.all()[key] == pytest.approx(0.3)


def test_figures_that_are_no_numbers_spoil_nothing(store: Store) -> None:
    odd = replace(WARM, total_ms=float("nan"), energy_j=float("inf"), tokens_per_second=float("inf"))
    store.requests.add([odd, replace(WARM, id="2")]).result()
    found = store.totals.all()
    assert found[TotalKey(Total.DURATION, LABEL, "local", is_sum=True)] == pytest.approx(1.3)
    assert found[TotalKey(Total.ENERGY, LABEL, "local")] == pytest.approx(25)

"""What is exported, gathered from a real store."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from codette_desktop.domain.alerts import Alert, AlertEvent, AlertState, Severity
from codette_desktop.domain.errors import StoreFull
from codette_desktop.domain.events import EventBus, StoreFailed
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.inference.cache.responses import ResponseCache
from codette_desktop.inference.provider import LoadedModel
from codette_desktop.monitoring.exported_metrics import ExportedMetrics, Now
from codette_desktop.monitoring.exported_sensors import FRESH_S
from codette_desktop.monitoring.exposition import LabelSet, samples
from codette_desktop.monitoring.semantic import METRICS, MetricKind
from codette_desktop.monitoring.stored import stored_now
from codette_desktop.store import Store
from tests.support.measured_examples import AT, COLD, INFO, LABEL, RECORDS, SAMPLE, WARM, everything

MOMENT = datetime.fromtimestamp(AT, UTC)
HOT = Alert("k", "gpu-temperature", (("device", "gpu:0"),), AlertState.FIRING, Severity.CRITICAL, 95, MOMENT, "Hot")


def exporter(store: Store, bus: EventBus | None = None, now: Now | None = None, at: float = AT + 1) -> ExportedMetrics:
    server = Server("Workshop", "http://127.0.0.1:1", ServerKind.OLLAMA)
    cache = ResponseCache(store)
    return ExportedMetrics(
        store, bus or EventBus(), cache.statistics, lambda: [server],
        now=lambda: now or stored_now(store, at), clock=lambda: at,
    )  # fmt: skip


def values(metrics: ExportedMetrics) -> dict[str, float]:
    """By the whole line before the value."""
    lines = [line for line in metrics.text().splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def test_every_metric_has_a_value_when_everything_is_known(store: Store) -> None:
    store.requests.add(RECORDS).result()
    found = exporter(store, now=everything()).families()
    assert {family.metric for family in found if family.values} == set(METRICS)
    assert len({family.metric for family in found}) == len(found)  # no family twice


def test_an_empty_store_tells_little_and_nothing_false(store: Store) -> None:
    found = values(exporter(store))
    assert {line.partition("{")[0] for line in found} == {
        "codette_build_info", "codette_cache_entries", "codette_cache_size_bytes", "codette_cache_hits_total",
        "codette_cache_misses_total", "codette_cache_shared_total", "codette_cache_stored_total",
        "codette_cache_evictions_total", "codette_cache_prompt_files", "codette_cache_prompt_size_bytes",
        "codette_database_size_bytes", "codette_database_errors_total",
    }  # fmt: skip
    assert found["codette_database_size_bytes"] > 0


def test_counters_only_grow_over_removal_and_restart(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.requests.add(RECORDS).result()
        before = _counters(store)
        store.requests.remove_before(AT + 1).result()
    with Store.open(tmp_path) as store:
        store.requests.add([replace(WARM, id="new", at=AT + 5)]).result()
        after = _counters(store)
    assert before.keys() <= after.keys()
    assert all(after[line] >= before[line] for line in before)
    ours = ("codette_requests_total", (("backend", "local"), ("model", LABEL)))
    assert (before[ours], after[ours]) == (3, 4)


def _counters(store: Store) -> dict[tuple[str, LabelSet], float]:
    kinds = (MetricKind.COUNTER, MetricKind.HISTOGRAM)
    families = [family for family in exporter(store).families() if family.metric.kind in kinds]
    return {(name, labels): value for family in families for name, labels, value in samples(family)}


def test_the_usual_load_stands_beside_the_last(store: Store) -> None:
    loads = [replace(COLD, id=str(number), at=AT - 100 + number, load_ms=1000.0) for number in range(5)]
    store.requests.add([*loads, replace(COLD, id="slow", at=AT, load_ms=9000.0)]).result()
    found = values(exporter(store))
    label = LABEL.replace("\\", "\\\\").replace('"', '\\"')
    assert found[f'codette_model_load_seconds{{backend="local",model="{label}"}}'] == pytest.approx(9)
    assert found[f'codette_model_load_usual_seconds{{backend="local",model="{label}"}}'] == pytest.approx(1)


def test_what_another_process_watches_is_told_while_it_is_fresh(store: Store) -> None:
    store.telemetry.note_devices([INFO]).result()
    store.telemetry.add([SAMPLE]).result()
    store.alerts.add([AlertEvent(MOMENT, HOT)]).result()
    found = values(exporter(store))
    assert found['codette_gpu_temperature_celsius{device="gpu:0"}'] == 71
    assert found['codette_alert_firing{rule="gpu-temperature",severity="critical",device="gpu:0"}'] == 1
    assert found['codette_alerts{severity="warning"}'] == 0
    over = replace(HOT, state=AlertState.RESOLVED, resolved_at=MOMENT)
    store.alerts.add([AlertEvent(MOMENT + timedelta(seconds=1), over)]).result()
    assert values(exporter(store, at=AT + 5))['codette_alerts{severity="critical"}'] == 0
    stale = values(exporter(store, at=AT + FRESH_S + 1))
    assert not [line for line in stale if line.startswith(("codette_alert", "codette_gpu_temp"))]


def test_failed_writes_are_counted(store: Store) -> None:
    bus = EventBus()
    metrics = exporter(store, bus)
    for _ in range(3):
        bus.publish(StoreFailed(StoreFull("full")))
    assert values(metrics)["codette_database_errors_total"] == 3


def test_models_of_one_label_are_added_up(store: Store) -> None:
    model = LoadedModel("a", "A", "CPU", 4, 10, 100, 1000)
    found = values(exporter(store, now=Now(loaded=(model, replace(model, name="b", busy=True)))))
    assert found['codette_model_memory_bytes{model="A",device="CPU"}'] == 2000
    assert found['codette_model_busy{model="A",device="CPU"}'] == 1


def test_a_scrape_may_come_from_any_thread(store: Store) -> None:
    store.requests.add(RECORDS).result()
    metrics = exporter(store, now=everything())
    assert asyncio.run(_thrice(metrics)) == {metrics.text()}


async def _thrice(metrics: ExportedMetrics) -> set[str]:
    return set(await asyncio.gather(*(asyncio.to_thread(metrics.text) for _ in range(3))))

"""What is watched of the application, and what tells others of it: built here for the composition root."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.servers import Server
from codette_desktop.domain.telemetry import EngineSample
from codette_desktop.inference.activity import Activity
from codette_desktop.inference.cache.responses import ResponseCache
from codette_desktop.inference.catalogue import ModelCatalogue
from codette_desktop.inference.provider import LoadedModel
from codette_desktop.monitoring.exported_metrics import ExportedMetrics, Now
from codette_desktop.monitoring.report_data import RatingRow
from codette_desktop.monitoring.reporting import Reports, ReportSources
from codette_desktop.monitoring.stored import stored_now
from codette_desktop.monitoring.watch import Watch, WatchServices
from codette_desktop.monitoring.windows import Totals
from codette_desktop.rating.votes import VoteService
from codette_desktop.store import Store


def make_watch(
    data_dir: Path,
    store: Store,
    bus: EventBus,
    activity: Activity,
    cache: ResponseCache,
    loaded: Callable[[], list[LoadedModel]],
) -> Watch:
    """The sensors, health and alerts. Nothing is measured before its `start`."""

    def engine() -> EngineSample:
        models, counted = loaded(), cache.counted
        size = sum(model.resident_bytes for model in models)
        return activity.sample(counted.hits, counted.hits + counted.misses, len(models), size)

    def totals() -> Totals | None:
        try:
            found = cache.statistics()
        except StoreError:
            return None
        return found.hits + found.misses, found.hits, found.stores, found.evictions

    return Watch(WatchServices(data_dir, store, bus, activity, engine, totals))


def make_metrics(
    store: Store,
    bus: EventBus,
    cache: ResponseCache,
    servers: Callable[[], Sequence[Server]],
    watch: Watch,
    loaded: Callable[[], Sequence[LoadedModel]],
) -> ExportedMetrics:
    """Metrics for a Prometheus server: what is watched here, or else by another process."""

    def now() -> Now:
        if watch.latest is None:
            return stored_now(store, time.time())
        return Now(watch.latest, watch.devices, watch.observation(), watch.alerts(), watch.health(), loaded())

    return ExportedMetrics(store, bus, cache.statistics, servers, now=now)


def make_reports(
    store: Store,
    metrics: ExportedMetrics,
    cache: ResponseCache,
    votes: VoteService,
    watch: Watch,
    catalogue: ModelCatalogue,
) -> Reports:
    """Reports for people."""

    def ratings() -> list[RatingRow]:
        return [
            RatingRow(item.contestant.label, item.rating.value, item.rating.low, item.rating.high, item.votes)
            for item in votes.leaderboard().standings
            if item.rank is not None
        ]

    sources = ReportSources(
        ratings=ratings,
        cache=cache.statistics,
        health=lambda: metrics.now().health,
        models=lambda: list(catalogue.models().values()),
        rules=watch.rules,
    )
    return Reports(store, sources)

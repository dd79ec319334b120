"""An application whose store is real and filled with rows, and whose watch and reports are stand-ins.

The figures in the rows were measured nowhere; they serve tests, benchmarks and pictures of the Watch tab.
"""

import math
import random
from array import array
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from codette_desktop.domain.alerts import Alert, AlertEvent, AlertState, HealthPart, HealthScore, Rule, Severity
from codette_desktop.domain.answers import AnswerFigures, ContextUse, FinishReason
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.request_log import Purpose, RequestRecord
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.series import HOST, Series, SeriesName
from codette_desktop.domain.telemetry import DeviceInfo, Flight
from codette_desktop.monitoring.alert_record import alert_key
from codette_desktop.monitoring.report_data import ModelFigures, Period, ReportData
from codette_desktop.monitoring.rules import RULES, with_changes
from codette_desktop.store import Store

MODELS = (
    ("guide-m", "Guide M · Q8_0"),
    ("guide-s", "Guide S · Q4_K_M"),
    ("office/llama-3.1-8b-instruct", "llama-3.1-8b-instruct"),
)
ODD_LABELS = (
    "<b>bold</b><img src=x onerror=alert(1)> · Q8_0",
    "نموذج اللغة العربية · Q8_0",
    "A model with a name so long that no table of this world has room for all of it · Q5_K_S · temperature 0.7",
    "two\nlines\tand a tab",
)
GPU = DeviceInfo("gpu:0", "Simulated GPU", "nvidia", memory_total_bytes=24_000_000_000)
_SIZES = {"utilisation": 0.8, "cpu": 0.3, "memory_used_bytes": 14e9, "power_w": 240.0}


def record(number: int, at: float, **changes: object) -> RequestRecord:
    """One of many, all different, the same for the same number."""
    rng = random.Random(number)
    name, label = MODELS[number % 3]
    tokens, speed = rng.randrange(8, 900), rng.uniform(20, 220)
    first = rng.uniform(12, 900)
    made = RequestRecord(
        id=f"request-{number}", at=at, model=name, model_label=label, backend="office" if "/" in name else "local",
        purpose=(Purpose.CHAT, Purpose.COMPARE, Purpose.RATE, Purpose.EVALUATE, Purpose.OTHER)[number % 5],
        prompt_tokens=rng.randrange(20, 4000), completion_tokens=tokens, time_to_first_token_ms=first,
        tokens_per_second=speed, total_ms=first + 1000 * tokens / speed, queue_ms=rng.uniform(0, 3),
        prefill_ms=first * 0.7, load_ms=0.0, energy_j=rng.uniform(2, 400), reused_tokens=128 if number % 4 == 0 else 0,
    )  # fmt: skip
    if number % 11 == 5:
        made = replace(
            made, reason=FinishReason.FAILED, error_type="ServerUnreachable", completion_tokens=0, energy_j=None,
            error="The server “office” did not answer within 10 s.", tokens_per_second=None,
            time_to_first_token_ms=None, prefill_ms=None,
        )  # fmt: skip
    elif number % 13 == 7:
        made = replace(made, reason=FinishReason.CANCELLED)
    elif number % 17 == 3:
        made = replace(made, cached=True, tokens_per_second=None, total_ms=1.2, time_to_first_token_ms=0.8)
    elif number % 19 == 4:
        made = replace(made, reason=FinishReason.LENGTH)
    return replace(made, **changes)  # type: ignore[arg-type]


def fill(store: Store, count: int, end: float, span_s: float = 6 * 86_400.0) -> None:
    """`count` requests, evenly over the time before `end`; the last one has the number `count` - 1."""
    step = span_s / max(1, count)
    for low in range(0, count, 5_000):
        numbers = range(low, min(count, low + 5_000))
        store.requests.add([record(number, end - (count - number) * step) for number in numbers]).result()


def flight(generation_id: str, started_at: float, tokens: int = 120, *, stalls: Sequence[int] = (40,)) -> Flight:
    """A record with a token every 8 ms or so, and pauses at `stalls`."""
    rng, at, times = random.Random(3), 420.0, []
    for number in range(tokens):
        times.append(at)
        at += rng.uniform(6, 11) + (180 if number in stalls else 0)
    return Flight(
        generation_id, started_at, tuple(times), (1,) * tokens, queue_ms=14.0, prefill_ms=190.0,
        route=("It is the model of this chat.", "It is in memory already."),
        fallbacks=(("office/llama-3.1-8b-instruct", "The server did not answer."),),
        settings=(("Context length", "1,024"), ("Threads", "6"), ("Layers on the graphics device", "32 of 32")),
        energy_j=84.0,
    )  # fmt: skip


def answer(store: Store, at: float, *, kept: bool = True, tokens: int = 120) -> str:
    """A chat with one answer, its request and (where `kept`) its flight; gives the id of the generation."""
    chat = store.conversations.create("Why is it slow?").result()
    asked = store.conversations.add_message(chat.id, None, Message(Role.USER, "Why is it slow?")).result()
    generation = Generation(
        id=f"answer-{round(at)}-{tokens}", model="guide-m", model_label="Guide M · Q8_0", model_hash="ab" * 32,
        quantisation="Q8_0", sampling=Sampling(seed=7), seed=7, engine_build="llama-cpp-python 0.3.36 (b7000)",
        device="CPU", started_at=datetime.fromtimestamp(at, UTC),
    )  # fmt: skip
    store.generations.start(chat.id, asked.id, generation).result()
    times = flight(generation.id, at, tokens).token_times_ms
    figures = AnswerFigures(192, tokens, times[0], 1000 * (tokens - 1) / (times[-1] - times[0]), times[-1] + 4, 180.0)
    use = ContextUse(1024, 20, 100, 72, left_out_messages=1)
    store.generations.finish(generation.id, "Because it swaps.", FinishReason.STOP, figures, use).result()
    request = record(
        1, at, id=generation.id, model="guide-m", model_label="Guide M · Q8_0", backend="local", purpose=Purpose.CHAT,
        reason=FinishReason.STOP, error="", error_type="", prompt_tokens=192, completion_tokens=tokens,
        time_to_first_token_ms=times[0], tokens_per_second=figures.tokens_per_second, total_ms=figures.total_ms,
        load_ms=180.0, queue_ms=14.0, prefill_ms=190.0, energy_j=84.0,
    )  # fmt: skip
    store.requests.add([request]).result()
    if kept:
        store.flights.keep(flight(generation.id, at, tokens)).result()
    return generation.id


class StandInHistory:
    """Curves that were measured nowhere; `devices` false for a computer of which nothing is known."""

    def __init__(self) -> None:
        self.known = True

    def series(
        self, names: Collection[SeriesName], start: float, end: float, points: int = 720
    ) -> dict[SeriesName, Series]:
        """A step each half second."""
        if not self.known:
            return {name: Series() for name in names}
        count = max(2, round((end - start) * 2))
        at = array("d", [start + (end - start) * place / (count - 1) for place in range(count)])
        return {name: _curve(name, at) for name in names}


def _curve(name: SeriesName, at: "array[float]") -> Series:
    rng = random.Random(f"{name.source}{name.field}")
    size = _SIZES.get(name.field, 62.0)
    busy = [1.0 if at[0] + 5 <= moment <= at[-1] - 5 else 0.35 for moment in at]
    mean = array("d", [size * (share + 0.04 * rng.random()) for share in busy])
    if name.source == HOST and name.field == "cpu_temperature_c":
        mean = array("d", [math.nan] * len(at))
    return Series(at, mean, mean, mean, 0.5)


@dataclass
class StandInWatch:
    """As `monitoring.watch.Watch`: alerts by hand, rules kept in the store."""

    store: Store
    devices: tuple[DeviceInfo, ...] = (GPU,)
    firing: list[Alert] = field(default_factory=list)
    snoozed: list[tuple[str, float]] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    history: StandInHistory = field(default_factory=StandInHistory)
    error: StoreError | None = None

    def alerts(self) -> tuple[Alert, ...]:
        return tuple(self.firing)

    def rules(self) -> tuple[Rule, ...]:
        changed = {rule.name: rule for rule in self.store.alerts.changed_rules()}
        return tuple(changed.get(rule.name, rule) for rule in RULES)

    def default_rule(self, name: str) -> Rule:
        return next(rule for rule in RULES if rule.name == name)

    def change_rule(self, rule: Rule) -> "Future[None]":
        with_changes(rule)
        if self.error is not None:
            failed: Future[None] = Future()
            failed.set_exception(self.error)
            return failed
        return self.store.alerts.keep_rule(rule)

    def reset_rule(self, name: str) -> "Future[None]":
        return self.store.alerts.reset_rule(name)

    def snooze(self, key: str, seconds: float) -> None:
        if key not in {alert.key for alert in self.firing}:
            raise KeyError(key)
        self.snoozed.append((key, seconds))
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        self.firing = [replace(alert, snoozed_until=until) if alert.key == key else alert for alert in self.firing]

    def wake(self, key: str) -> None:
        self.woken.append(key)
        self.firing = [replace(alert, snoozed_until=None) if alert.key == key else alert for alert in self.firing]


@dataclass
class StandInReports:
    """As the application's reports: the same one every time, for whatever period."""

    asked: list[tuple[Period, datetime | None, datetime | None]] = field(default_factory=list)
    error: StoreError | None = None
    label: str = "Guide M · Q8_0"

    def data(self, period: Period, start: datetime | None = None, end: datetime | None = None) -> ReportData:
        self.asked.append((period, start, end))
        if self.error is not None:
            raise self.error
        until = end or datetime.now(UTC)
        since = start or until - timedelta(days=1 if period is Period.DAY else 7)
        health = HealthScore(88.0, "healthy", (HealthPart("memory", 0.8, 0.2, "memory 84 %"),), "88: memory 84 %")
        return ReportData(
            "Report", since, until, datetime.now(UTC), period, machine="A computer that is simulated", version="0",
            health=health, incidents=(alert("gpu-temperature", Severity.WARNING, 88.0, (("device", "gpu:0"),)),),
            models=(
                ModelFigures(self.label, 120, 3, 18_400, 212.0, 480.0, 64.2, 1800.0, 400_000_000, 0.7),
                ModelFigures("Guide S · Q4_K_M", 40, 0, 5_100, 96.0, 130.0, 118.0, 700.0, 120_000_000, 0.3),
            ),
        )  # fmt: skip


@dataclass
class KeptApplication:
    """What the pages need of an application."""

    store: Store
    watch: StandInWatch
    reports: StandInReports = field(default_factory=StandInReports)
    bus: EventBus = field(default_factory=EventBus)


def application(folder: Path) -> KeptApplication:
    """A real, empty store in `folder`; to be closed by `store.close()`."""
    store = Store.open(folder)
    return KeptApplication(store, StandInWatch(store))


def alert(
    rule: str, severity: Severity, value: float, labels: tuple[tuple[str, str], ...] = (), *, ago_s: float = 420.0,
    state: AlertState = AlertState.FIRING, text: str = "", now: datetime | None = None,
) -> Alert:  # fmt: skip
    """One that began `ago_s` before `now`."""
    moment = now or datetime.now(UTC)
    since = moment - timedelta(seconds=ago_s)
    ended = moment if state is AlertState.RESOLVED else None
    return Alert(alert_key(rule, labels), rule, labels, state, severity, value, since, text, ended)


def past_alerts(count: int, end: datetime) -> list[AlertEvent]:
    """Changes of alerts, the oldest first: each is raised and ends ten minutes later, two at each moment."""
    found: list[AlertEvent] = []
    for number in range(count):
        at = end - timedelta(minutes=10 * (count - number) // 2)
        over = number % 4 >= 2
        rule = ("gpu-temperature", "memory")[number % 2]
        severity = Severity.CRITICAL if number % 8 == 1 else Severity.WARNING
        made = alert(
            rule, severity, 90.0 + number % 7, (("device", "gpu:0"),) if number % 2 == 0 else (), now=at,
            ago_s=600 if over else 0, state=AlertState.RESOLVED if over else AlertState.FIRING,
        )  # fmt: skip
        found.append(AlertEvent(at, made, told=not over))
    return found

"""Five weeks of two quantisations of one model and one of another, of which something became worse this week."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from codette_desktop.domain.alerts import Alert, AlertEvent, AlertState, Severity
from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.models import ModelInfo
from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.monitoring.report_data import RatingRow
from codette_desktop.store import Store
from tests.support.measured_examples import DEVICE, INFO, SAMPLE, WARM

DAY_S = 86_400.0
SMALL, LARGE, OTHER = "Guide · Q4_K_M", "Guide · Q8_0", "Poet · Q8_0"
RATINGS = (RatingRow(LARGE, 1100, 1060, 1140, 80), RatingRow(SMALL, 980, 940, 1020, 80))


def model(label: str, size: int) -> ModelInfo:
    name, quantisation = label.split(" · ")
    return ModelInfo(label.lower(), name, Path("x.gguf"), "llama", quantisation, 10**9, size, 4096, 32_000)


MODELS = (model(SMALL, 2_000_000_000), model(LARGE, 3_200_000_000))


def records(now: float) -> list[RequestRecord]:
    """Ten a day of each. The two quantisations are equally fast; the other model is slower this week, and fails."""
    found: list[RequestRecord] = []
    for day in range(35):
        for number in range(10):
            at = now - day * DAY_S - number * 600 - 60
            wave = 1 + 0.01 * math.sin(17 * day + number)
            late = 1.5 if day < 7 else 1.0
            base = replace(WARM, at=at, time_to_first_token_ms=100 * wave, total_ms=1300.0, energy_j=25.0)
            for label, speed in ((SMALL, 40 * wave), (LARGE, 40 * wave)):
                found.append(replace(base, id=f"{label}-{day}-{number}", model_label=label, tokens_per_second=speed))
            other = replace(base, id=f"{OTHER}-{day}-{number}", model_label=OTHER, tokens_per_second=20 * wave / late)
            if number < 3 and day < 7:
                other = replace(other, reason=FinishReason.FAILED, error_type="EngineError", completion_tokens=0)
            found.append(other)
    return found


def keep(store: Store, now: float, some: Sequence[RequestRecord] | None = None) -> None:
    """Those, a day of samples, and an alert that lasted seven minutes."""
    store.requests.add(records(now) if some is None else some).result()
    store.telemetry.note_devices([INFO]).result()
    samples = [
        replace(
            SAMPLE, at=now - DAY_S + 60 * minute, interval_s=60.0, devices=(replace(DEVICE, energy_j=3000.0 * minute),),
            engine=replace(SAMPLE.engine, cache_lookups=4, cache_hits=1),
        )
        for minute in range(1440)
    ]  # fmt: skip
    store.telemetry.add(samples).result()
    began = datetime.fromtimestamp(now - 3600, UTC)
    hot = Alert("k", "gpu-temperature", (("device", "gpu:0"),), AlertState.FIRING, Severity.CRITICAL, 95, began, "Hot")
    over = began + timedelta(minutes=7)
    ended = replace(hot, state=AlertState.RESOLVED, resolved_at=over)
    store.alerts.add([AlertEvent(began, hot, True), AlertEvent(over, ended)]).result()

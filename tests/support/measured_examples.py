"""Requests, samples and the rest of what is exported, as examples: every metric has a value."""

from dataclasses import replace
from datetime import UTC, datetime

from codette_desktop.domain.alerts import Alert, AlertState, HealthPart, HealthScore, Severity
from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.request_log import Purpose, RequestRecord
from codette_desktop.domain.telemetry import DeviceInfo, DeviceSample, EngineSample, HostSample, Sample, SensorStatus
from codette_desktop.inference.provider import LoadedModel
from codette_desktop.monitoring.exported_metrics import Now
from codette_desktop.monitoring.observation import BackendWindow, ModelWindow, Observation

AT = 1_795_000_000.0
LABEL = 'Guide "M" · Q8_0\\'  # a model is called whatever somebody called it
WARM = RequestRecord(
    "a", AT, "guide-m", LABEL, "hash", purpose=Purpose.CHAT, prompt_tokens=100, completion_tokens=50,
    time_to_first_token_ms=80.0, tokens_per_second=40.0, total_ms=1300.0, queue_ms=5.0, prefill_ms=60.0,
    reused_tokens=20, energy_j=25.0,
)  # fmt: skip
COLD = replace(WARM, id="b", load_ms=900.0, time_to_first_token_ms=1000.0, truncated=True)
FAILED = replace(
    WARM, id="c/1", reason=FinishReason.FAILED, error_type="ServerUnreachable", error="It is gone.", backend="Workshop",
    completion_tokens=0, time_to_first_token_ms=None, tokens_per_second=None, energy_j=None,
)  # fmt: skip
STOPPED = replace(WARM, id="d", reason=FinishReason.CANCELLED, completion_tokens=7, purpose=Purpose.COMPARE)
CACHED = replace(WARM, id="e", cached=True, energy_j=None, prefill_ms=None)
RECORDS = (WARM, COLD, FAILED, STOPPED, CACHED)

DEVICE = DeviceSample(
    "gpu:0", SensorStatus.OK, 0.5, 0.25, 4_000_000_000, 8_000_000_000, 3_000_000_000, 71.0, 180.5, 250.0, 5400.0,
    1800.0, 7000.0, 0.4, 1e6, 2e6, ("thermal",),
)  # fmt: skip
SAMPLE = Sample(
    AT, 1.0,
    HostSample(0.2, 55.0, 12_000_000_000, 16_000_000_000, 0, 100_000_000_000, 1e3, 2e3, 3e3, 4e3, 1.5, 5_000_000_000),
    (DEVICE,), EngineSample(running=1, waiting=2, models=1, model_bytes=3_000_000_000),
)  # fmt: skip
INFO = DeviceInfo("gpu:0", "Card\nof two lines", "nvidia", "uuid", "550.1", 8_000_000_000)


def everything() -> Now:
    """This moment, with nothing unknown."""
    since = datetime.fromtimestamp(AT, UTC)
    alert = Alert(
        "k", "gpu-temperature", (("device", "gpu:0"),), AlertState.FIRING, Severity.CRITICAL, 95.0, since, "Hot"
    )  # fmt: skip
    return Now(
        SAMPLE, (INFO,),
        Observation(AT, models=(ModelWindow(LABEL, first_token_shift=0.25, speed_shift=-0.5),),
                    backends=(BackendWindow("Workshop", 3, 0, 0.5),)),
        (alert,), HealthScore(65.0, "degraded", (HealthPart("memory", 0.5, 0.2, "memory 95 %"),)),
        (LoadedModel("guide-m", LABEL, "CPU", 4, 300, 8192, 3_000_000_000, busy=True),),
    )  # fmt: skip

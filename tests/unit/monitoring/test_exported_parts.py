"""Totals and samples as metric families."""

from collections import defaultdict
from dataclasses import replace

import pytest

from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.domain.request_totals import TotalKey, counted
from codette_desktop.domain.telemetry import DeviceSample, HostSample, Sample, SensorStatus
from codette_desktop.monitoring.exported_requests import request_families
from codette_desktop.monitoring.exported_sensors import FRESH_S, sensor_families
from codette_desktop.monitoring.exposition import Family, samples
from tests.support.measured_examples import AT, CACHED, DEVICE, FAILED, INFO, LABEL, RECORDS, SAMPLE, WARM

OURS, THEIRS = {"backend": "local", "model": LABEL}, {"backend": "Workshop", "model": LABEL}


def values(families: list[Family], name: str) -> list[tuple[dict[str, str], float]]:
    return [(dict(labels), value) for family in families for found, labels, value in samples(family) if found == name]


def families_of(*records: RequestRecord, providers: dict[str, str] | None = None) -> list[Family]:
    totals: dict[TotalKey, float] = defaultdict(float)
    for record in records:
        for key, value in counted(record):
            totals[key] += value
    return request_families(totals, {"local": "llama_cpp", "Workshop": "ollama"} if providers is None else providers)


def test_requests_are_counted_as_the_rules_count_them() -> None:
    found = families_of(*RECORDS)
    assert values(found, "codette_requests_total") == [(THEIRS, 1), (OURS, 3)]  # the stopped one left out
    assert values(found, "codette_requests_failed_total") == [(THEIRS, 1), (OURS, 0)]
    assert values(found, "codette_errors_total") == [({**THEIRS, "error_type": "ServerUnreachable"}, 1)]
    ended = values(found, "codette_requests_ended_total")
    assert ended == [({**THEIRS, "outcome": "failed"}, 1), ({**OURS, "outcome": "cancelled"}, 1),
                     ({**OURS, "outcome": "stop"}, 3)]  # fmt: skip
    assert values(found, "codette_requests_by_purpose_total") == [({"purpose": "chat"}, 4), ({"purpose": "compare"}, 1)]
    assert values(found, "codette_fallbacks_total") == [(THEIRS, 1), (OURS, 0)]


def test_rules_divide_what_has_the_same_labels() -> None:
    found = families_of(*RECORDS)
    labels = [{tuple(item) for item, _value in values(found, f"codette_{name}_total")}
              for name in ("requests", "requests_failed", "prompts_truncated", "model_loads")]  # fmt: skip
    assert labels.count(labels[0]) == len(labels)
    one = values(found, "codette_model_load_seconds")
    assert one == [(OURS, pytest.approx(0.9))]


def test_the_own_engine_is_a_server_and_others_are_not() -> None:
    found = families_of(*RECORDS)
    labels = {"gen_ai_operation_name": "chat", "gen_ai_request_model": LABEL}
    client = values(found, "gen_ai_client_operation_duration_seconds_count")
    assert client == [
        ({**labels, "gen_ai_provider_name": "llama_cpp"}, 2),
        ({**labels, "gen_ai_provider_name": "llama_cpp", "error_type": "cancelled"}, 1),
        ({**labels, "gen_ai_provider_name": "ollama", "error_type": "ServerUnreachable"}, 1),
    ]
    server = values(found, "gen_ai_server_request_duration_seconds_count")
    assert {item["gen_ai_provider_name"] for item, _value in server} == {"llama_cpp"}
    tokens = values(found, "gen_ai_client_token_usage_sum")
    ours = {item["gen_ai_token_type"]: value for item, value in tokens if item["gen_ai_provider_name"] == "llama_cpp"}
    assert ours == {"input": 300, "output": 107}


def test_two_servers_that_are_called_alike_are_one_line() -> None:
    found = families_of(WARM, replace(WARM, id="2", backend="Workshop"), providers={})
    counts = values(found, "gen_ai_client_operation_duration_seconds_count")
    assert [value for _labels, value in counts] == [2]
    assert values(found, "gen_ai_client_operation_duration_seconds_sum")[0][1] == pytest.approx(2.6)


def test_without_requests_there_is_nothing() -> None:
    assert not [family for family in families_of() if family.values]
    only = families_of(CACHED)
    assert values(only, "codette_requests_cached_total") == [(OURS, 1)]
    assert values(only, "gen_ai_client_operation_duration_seconds_count") == []


def test_energy_is_there_only_where_it_was_measured() -> None:
    assert values(families_of(replace(WARM, energy_j=None)), "codette_request_energy_joules_total") == []
    assert values(families_of(WARM, FAILED), "codette_request_energy_joules_total") == [(OURS, 25)]


def test_all_that_sensors_tell_is_exported_in_its_unit() -> None:
    found = sensor_families(SAMPLE, (INFO,), AT + 2)
    assert not [family.metric.name for family in found if not family.values]
    one = {"device": "gpu:0"}
    assert values(found, "codette_gpu_clock_hertz") == [(one, 1.8e9)]
    assert values(found, "codette_gpu_temperature_celsius") == [(one, 71)]
    assert values(found, "hw_gpu_utilization_ratio") == [(one, 0.5)]
    assert values(found, "codette_sample_age_seconds") == [({}, 2)]
    assert values(found, "codette_requests_running") == [({}, 1)]
    assert values(found, "codette_gpu_info") == [
        ({"device": "gpu:0", "name": INFO.name, "vendor": "nvidia", "driver": "550.1"}, 1)
    ]


def test_sensors_that_do_not_answer_leave_no_line() -> None:
    nothing = sensor_families(Sample(AT, 1.0, HostSample(), (DeviceSample("gpu:0"),)), (), AT)
    kept = {family.metric.prometheus for family in nothing if family.values}
    assert kept == {"codette_sample_age_seconds", "codette_gpu_ok", "codette_requests_running", "codette_queue_depth",
                    "codette_models_loaded", "codette_models_memory_bytes"}  # fmt: skip
    stale = replace(SAMPLE, devices=(replace(DEVICE, status=SensorStatus.STALE),))
    found = sensor_families(stale, (), AT)
    assert values(found, "codette_gpu_ok") == [({"device": "gpu:0"}, 0)]
    assert values(found, "codette_gpu_temperature_celsius") == []


def test_an_old_sample_says_nothing_of_now() -> None:
    found = sensor_families(SAMPLE, (), AT + FRESH_S + 1)
    assert {family.metric.prometheus for family in found if family.values} == {"codette_sample_age_seconds"}
    assert sensor_families(None, (), AT)[0].values == {}


@pytest.mark.parametrize(
    ("throttled", "wanted"),
    [
        (("thermal",), {"thermal": 1, "power": 0, "other": 0}),
        (("power cap", "power brake"), {"thermal": 0, "power": 1, "other": 0}),
        (("Hardware heat", "sync boost"), {"thermal": 1, "power": 0, "other": 1}),
        ((), {"thermal": 0, "power": 0, "other": 0}),
        (None, {}),
    ],
)
def test_drivers_words_for_throttling_become_two_kinds(
    throttled: tuple[str, ...] | None, wanted: dict[str, float]
) -> None:
    found = sensor_families(replace(SAMPLE, devices=(replace(DEVICE, throttled=throttled),)), (), AT)
    assert {labels["reason"]: value for labels, value in values(found, "codette_gpu_throttled")} == wanted

"""What follows from what was measured of an answer: stages, times of tokens, differences. No widgets."""

import json
import time
from dataclasses import replace

import pytest

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.telemetry import Flight
from codette_desktop.gui.tabs.watch.charts.chart_scale import round_scale
from codette_desktop.gui.tabs.watch.flights.flight_charts import token_chart, top_of, trace_charts
from codette_desktop.gui.tabs.watch.flights.flight_facts import as_json, as_text, compared, sections_of
from codette_desktop.gui.tabs.watch.flights.flight_record import FlightRecord, Stage, gaps_of, read_record, stages_of
from tests.support import watch_records as made

ASKED = 1_764_414_000.0


def record(**changes: object) -> FlightRecord:
    request = made.record(
        1, ASKED, reason=FinishReason.STOP, queue_ms=10.0, load_ms=200.0, prefill_ms=100.0,
        time_to_first_token_ms=350.0, total_ms=1350.0, completion_tokens=100, energy_j=50.0,
    )  # fmt: skip
    return FlightRecord("request-1", replace(request, **changes))


def test_stages_add_up_to_the_whole() -> None:
    stages = stages_of(record())
    assert stages == (
        Stage("queue", 0, 10), Stage("load", 10, 200), Stage("prefill", 210, 100), Stage("other", 310, 40),
        Stage("writing", 350, 1000),
    )  # fmt: skip
    assert sum(stage.ms for stage in stages) == 1350


def test_stages_of_which_little_is_known() -> None:
    unknown = record(queue_ms=None, prefill_ms=None, load_ms=0.0)
    assert stages_of(unknown) == (Stage("prefill", 0, 350), Stage("writing", 350, 1000))
    assert stages_of(record(time_to_first_token_ms=None)) == (Stage("all", 0, 1350),)
    assert stages_of(record(cached=True)) == (Stage("all", 0, 1350),)
    assert stages_of(record(total_ms=0.0)) == ()
    # What was measured elsewhere may be longer than the whole.
    odd = stages_of(record(queue_ms=900.0, load_ms=900.0))
    assert odd == (Stage("queue", 0, 350), Stage("writing", 350, 1000))


def test_times_of_tokens() -> None:
    flight = Flight("g", ASKED, (100, 110, 120, 150, 150, 160, 400, 410), (1, 1, 1, 3, 0, 1, 1, 1))
    gaps = gaps_of(flight)
    assert gaps is not None
    assert gaps.ms == (10, 10, 10, 10, 10, 10, 240, 10)
    assert gaps.at_ms == (110, 120, 130, 140, 150, 160, 400, 410)
    assert (gaps.median_ms, gaps.longest_ms, gaps.stalls) == (10, 240, (6,))
    assert gaps.p95_ms == pytest.approx(10 + 0.65 * 230)
    chart = token_chart(gaps)
    assert chart.curves[0].x[6] == 8  # the eighth token came late
    assert chart.curves[0].marked == (6,)


def test_short_pauses_are_no_stalls_and_few_tokens_have_no_times() -> None:
    gaps = gaps_of(Flight("g", 0, (0, 1, 2, 3, 30), (1,) * 5))
    assert gaps is not None
    assert gaps.stalls == ()
    assert gaps_of(None) is None
    assert gaps_of(Flight("g", 0, (12,), (1,))) is None
    assert gaps_of(Flight("g", 0, (12, 20), (1, 0))) is None


def test_a_stall_does_not_press_the_rest_flat() -> None:
    gaps = gaps_of(made.flight("g", 0.0))
    assert gaps is not None
    assert gaps.longest_ms > 180
    assert top_of(gaps) < 70
    assert token_chart(gaps).top == top_of(gaps)
    even = gaps_of(made.flight("g", 0.0, stalls=()))
    assert even is not None
    assert top_of(even) == even.longest_ms


def texts(found: FlightRecord) -> dict[str, str]:
    return {fact.name: fact.text for section in sections_of(found) for fact in section.facts}


def test_everything_that_is_kept_is_told(kept: made.KeptApplication) -> None:
    generation = made.answer(kept.store, time.time() - 5)
    found = read_record(kept, generation)  # type: ignore[arg-type]
    assert found is not None
    told = texts(found)
    assert told["Context"] == "312 of 1,024"
    assert told["Left out"].startswith("1 older message")
    assert told["Why this model"] == "It is the model of this chat.\nIt is in memory already."
    assert told["Failed before it"] == "office/llama-3.1-8b-instruct: The server did not answer."
    assert told["Layers on the graphics device"] == "32 of 32"
    assert told["Energy"] == "84.0 J"
    assert told["Energy a token"] == "0.7 J"
    assert told["Seed"] == "7"
    assert told["Temperature"] == "0.7"
    assert told["Stalls"] == "1"
    assert found.place is not None
    assert found.place.kind == "chat"
    assert [chart.field for chart in trace_charts(found)] == [
        "utilisation", "memory_used_bytes", "power_w", "temperature_c",
    ]  # fmt: skip
    data = json.loads(as_json([found]))
    assert data["flight"]["token_counts"] == [1] * 120
    assert data["answer"]["sampling"]["seed"] == 7
    assert data["request"]["energy_j"] == 84.0
    assert {item["field"] for item in data["devices"]} >= {"power_w", "cpu"}
    lines = as_text([found]).splitlines()
    assert lines[0] == "Guide M · Q8_0"
    assert "  Context: 312 of 1,024" in lines


def test_what_was_not_recorded_is_not_invented(kept: made.KeptApplication) -> None:
    kept.watch.history.known = False
    kept.watch.devices = ()
    generation = made.answer(kept.store, time.time() - 5, kept=False)
    found = read_record(kept, generation)  # type: ignore[arg-type]
    assert found is not None
    assert gaps_of(found.flight) is None
    assert [stage.name for stage in stages_of(found)] == ["queue", "load", "prefill", "other", "writing"]
    assert trace_charts(found) == []
    told = texts(found)
    assert "Why this model" not in told
    assert "A token, median" not in told
    assert told["Context"] == "312 of 1,024"
    assert read_record(kept, "nobody") is None  # type: ignore[arg-type]


def test_a_model_that_failed_before_another_has_a_record_of_its_own(kept: made.KeptApplication) -> None:
    generation = made.answer(kept.store, time.time() - 5)
    row = made.record(5, time.time() - 5, id=f"{generation}/1")
    kept.store.requests.add([row]).result()
    found = read_record(kept, row.id)  # type: ignore[arg-type]
    assert found is not None
    assert found.request == row
    assert found.flight is None
    assert found.generation is None
    assert found.place is not None
    assert found.place.generation_id == generation


def differences(left: FlightRecord, right: FlightRecord) -> dict[str, str]:
    return {line.name: line.difference for _title, lines in compared(left, right) for line in lines}


def test_differences_of_two() -> None:
    left = record()
    right = replace(record(total_ms=2025.0, queue_ms=10.0, load_ms=0.0, model_label="Other · Q4"), id="request-2")
    found = differences(left, right)
    assert found["Whole answer"] == "+675 ms (+50 %)"
    assert found["Loading the model"] == "−200 ms (−100 %)"
    assert found["Waiting in the queue"] == ""
    assert found["Model"] == "differs"
    assert found["Id"] == ""
    assert found["First token"] == ""
    back = differences(right, left)
    assert back["Loading the model"] == "+200 ms"
    assert back["Whole answer"] == "−675 ms (−33 %)"
    only = differences(left, record(energy_j=None))
    assert only["Energy"] == "only one"
    text = as_text([left, right])
    assert "  Whole answer: 1.4 s | 2.0 s  [+675 ms (+50 %)]" in text.splitlines()
    assert len(json.loads(as_json([left, right]))) == 2


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, (0, 0.5, 1)), (0, 191, (0, 100, 200)), (0, 0, (0, 0.5, 1)), (0, 37, (0, 20, 40))],
)
def test_scales_end_on_round_numbers(low: float, high: float, ticks: tuple[float, ...]) -> None:
    scale = round_scale(low, high)
    assert scale.ticks == pytest.approx(ticks)
    assert scale.high >= high
    assert scale.share(scale.high) == 1

"""What reports conclude of models from the log of requests."""

from dataclasses import replace

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.request_log import ModelTotals
from codette_desktop.monitoring.estimates import Estimate
from codette_desktop.monitoring.observation import Outcomes
from codette_desktop.monitoring.report_models import (
    MOST_COMPARED,
    Measured,
    figures,
    measured,
    model_records,
    trends,
    variants,
)
from codette_desktop.monitoring.trends import Way
from tests.support.measured_examples import AT, CACHED, COLD, FAILED, LABEL, STOPPED, WARM
from tests.support.weeks_measured import LARGE, MODELS, OTHER, RATINGS, SMALL, model, records

RATED = {row.model: row for row in RATINGS}
WEEKS = measured(records(AT))


def test_only_what_says_something_of_a_model_is_measured() -> None:
    interrupted = replace(WARM, id="i", reason=FinishReason.INTERRUPTED)
    found = measured([WARM, COLD, replace(FAILED, model_label=LABEL), STOPPED, CACHED, interrupted])
    assert list(found) == [LABEL]
    one = found[LABEL]
    assert one.outcomes == Outcomes(3, 1)
    assert one.timed == {
        "speed": [(AT, 40.0)], "first_token": [(AT, 80.0)], "total": [(AT, 1300.0)], "load": [(AT, 900.0)],
        "energy": [(AT, 0.5), (AT, 0.5)],
    }  # fmt: skip


def test_a_period_is_cut_out() -> None:
    late = replace(WARM, at=AT + 10)
    one = measured([WARM, late])[LABEL]
    assert one.within(AT, AT + 10).outcomes.requests == 1
    assert one.within(AT, AT + 11).timed["speed"] == [(AT, 40.0), (AT + 10, 40.0)]
    assert Measured().within(0, AT).outcomes == Outcomes()


def test_figures_come_with_the_most_asked_first_and_names_where_labels_are_shared() -> None:
    totals = [
        ModelTotals("a", "A", 5, completion_tokens=100, energy_j=50.0), ModelTotals("b", "B", 9),
        ModelTotals("c", "A", 7, completion_tokens=0, energy_j=3.0),
    ]  # fmt: skip
    found = figures(totals, {"A": 4})
    assert [(item.model, item.requests) for item in found] == [("B", 9), ("A (c)", 7), ("A (a)", 5)]
    assert [item.energy_j_per_token for item in found] == [None, None, 0.5]
    assert [item.memory_bytes for item in found] == [None, 4, 4]


def test_models_are_compared_by_what_was_measured_of_them() -> None:
    found = {record.model: record for record in model_records(WEEKS, {LARGE: 5}, RATED)}
    assert set(found) == {SMALL, LARGE, OTHER}
    assert (found[LARGE].memory_bytes, found[SMALL].memory_bytes) == (5, None)
    assert found[LARGE].quality == Estimate(1100, 1060, 1140)
    assert found[OTHER].quality is None
    assert (found[OTHER].requests, found[OTHER].errors) == (350, 21)
    assert model_records({LARGE: WEEKS[LARGE], "never": Measured()}, {}, {}) == ()
    many = {f"{number:02}": WEEKS[SMALL] for number in range(20)} | {"most": measured([WARM] * 400)[LABEL]}
    assert [record.model for record in model_records(many, {}, {})] == ["most", *(f"0{n}" for n in range(5))]
    assert len(model_records(many, {}, {})) == MOST_COMPARED


def test_what_became_worse_comes_first() -> None:
    found = trends(WEEKS, AT)
    worse = {(item.model, item.metric) for item in found if item.way is Way.WORSE}
    assert worse == {(OTHER, "speed"), (OTHER, "errors")}
    assert [item.way for item in found[:2]] == [Way.WORSE, Way.WORSE]
    assert all(item.way is not Way.TOO_FEW for item in found)
    assert (SMALL, "speed", Way.SAME) in {(item.model, item.metric, item.way) for item in found}


def test_variants_are_files_of_one_family() -> None:
    adapted = replace(MODELS[0], adapters=("tone",))  # type: ignore[arg-type] # none of it is looked at
    server = replace(model("Poet · Q8_0", 0))
    found = {item.model: item for item in variants([*MODELS, adapted, server], WEEKS, RATED)}
    assert set(found) == {SMALL, LARGE, OTHER}
    assert (found[SMALL].family, found[SMALL].label, found[SMALL].memory_bytes) == ("Guide", "Q4_K_M", 2_000_000_000)
    assert len(found[SMALL].speed) == 350
    assert found[OTHER].memory_bytes is None
    assert found[LARGE].rating == Estimate(1100, 1060, 1140)

"""Reports gathered from a real store, and written as files."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from codette_desktop.domain.alerts import HealthScore
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.request_log import MeasuredRequest
from codette_desktop.inference.cache.responses import CacheStatistics
from codette_desktop.monitoring import report_models, reporting
from codette_desktop.monitoring.report import to_html, to_markdown
from codette_desktop.monitoring.report_data import Period
from codette_desktop.monitoring.reporting import Reports, ReportSources
from codette_desktop.store import Store
from tests.support.measured_examples import AT, WARM
from tests.support.weeks_measured import LARGE, MODELS, OTHER, RATINGS, SMALL, keep

ZONE = timezone(timedelta(hours=2))
NOW = datetime.fromtimestamp(AT, ZONE)


def sources(now: datetime = NOW) -> ReportSources:
    return ReportSources(
        ratings=lambda: RATINGS,
        cache=lambda: CacheStatistics(7, 0, 0, 0, 0, 0, 0),
        health=lambda: HealthScore(90.0, "healthy", text="90: all is well"),
        models=lambda: MODELS,
        now=lambda: now,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "kept") as opened:
        yield opened


def test_a_week_is_told_with_all_that_was_measured(store: Store) -> None:
    keep(store, AT)
    found = Reports(store, sources()).data(Period.WEEK)
    assert (found.start, found.end, found.period) == (NOW - timedelta(days=7), NOW, Period.WEEK)
    assert found.title == f"Weekly report, {NOW - timedelta(days=7):%Y-%m-%d} to {NOW:%Y-%m-%d}"
    assert [(item.model, item.requests, item.errors) for item in found.models] == [
        (SMALL, 70, 0), (LARGE, 70, 0), (OTHER, 70, 21),
    ]  # fmt: skip
    assert found.models[0].memory_bytes == 2_000_000_000
    assert found.models[0].energy_j_per_token == pytest.approx(0.5)
    assert found.compared_models == (SMALL, LARGE, OTHER)
    errors = next(item for item in found.compared if item.name == "errors")
    assert errors.values == (0, 0, 30)
    assert [alert.text for alert in found.incidents] == ["Hot"]
    assert found.incidents[0].since == NOW - timedelta(hours=1)
    assert found.incidents[0].since.utcoffset() == NOW.utcoffset()  # as a report shows it
    assert found.incidents[0].resolved_at == NOW - timedelta(minutes=53)
    assert (found.cache.lookups, found.cache.hits, found.cache.entries) == (5760, 1440, 7)
    assert found.energy.answering_j == pytest.approx(210 * 25)
    assert found.energy.total_j == pytest.approx(3000 * 1439, rel=0.01)
    assert found.ratings == RATINGS
    assert found.health is not None
    assert "Card of two lines" in " ".join(found.machine.split())


def test_the_better_of_two_quantisations_is_recommended(store: Store) -> None:
    keep(store, AT)
    told = [(item.text, item.reason) for item in Reports(store, sources()).data(Period.WEEK).recommendations]
    assert told[0] == ("Use Q8_0 of Guide rather than Q4_K_M", "same speed, rated better, 1.2 GB more")
    texts = [text for text, _reason in told]
    assert f"Look what has changed for {OTHER}" in texts
    assert any(text.startswith("Clean the fans") for text in texts)
    assert not [text for text in texts if SMALL in text or LARGE in text]


def test_charts_show_what_there_are_curves_of(store: Store) -> None:
    keep(store, AT)
    found = {chart.title: chart for chart in Reports(store, sources()).data(Period.DAY).charts}
    assert list(found) == [
        "Writing speed", "Time to first token", "Memory in use", "Processor and graphics devices in use",
        "Power of graphics devices", "Temperature of graphics devices",
    ]  # fmt: skip
    assert [line.name for line in found["Writing speed"].lines] == [SMALL, LARGE, OTHER]
    memory = {line.name: [y for _x, y in line.points if y is not None] for line in found["Memory in use"].lines}
    assert memory.keys() == {"memory", "gpu:0", "this application"}
    assert memory["gpu:0"] == pytest.approx([4.0] * len(memory["gpu:0"]))
    use = {line.name: line.points for line in found["Processor and graphics devices in use"].lines}
    assert max(y for _x, y in use["gpu:0"] if y is not None) == pytest.approx(50)
    assert len(use["gpu:0"]) <= 300


def test_nothing_is_said_of_what_was_not_measured(store: Store) -> None:
    found = Reports(store, ReportSources(now=lambda: NOW)).data()
    assert (found.models, found.compared, found.trends, found.charts, found.recommendations) == ((), (), (), (), ())
    assert found.energy.answering_j is None
    assert found.energy.total_j is None
    assert (found.cache.lookups, found.cache.entries, found.health) == (0, None, None)


def test_health_is_that_of_now_and_told_of_no_other_time(store: Store) -> None:
    reports = Reports(store, sources())
    assert reports.data(end=NOW - timedelta(minutes=30)).health is not None
    assert reports.data(end=NOW - timedelta(days=2)).health is None


def test_a_period_is_that_of_its_requests(store: Store) -> None:
    keep(store, AT)
    reports = Reports(store, sources())
    start = datetime(NOW.year, NOW.month, NOW.day, tzinfo=ZONE) - timedelta(days=10)
    found = reports.data(Period.DAY, start, start + timedelta(days=1))
    assert (found.period, found.title) == (Period.CHOSEN, f"Report, {start:%Y-%m-%d}")
    assert sum(item.requests for item in found.models) == 30
    assert found.incidents == ()
    elsewhere = reports.data(Period.DAY, start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC))
    assert (elsewhere.start, elsewhere.title) == (found.start, found.title)  # in the zone of who reads it


def test_what_came_later_says_nothing_of_a_period(store: Store) -> None:
    keep(store, AT)
    found = Reports(store, sources()).data(Period.DAY, NOW - timedelta(days=90), NOW - timedelta(days=60))
    assert (found.models, found.trends, found.recommendations) == ((), (), ())


def test_of_very_many_requests_the_newest_of_the_period_are_compared_and_it_is_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, AT)
    end = NOW - timedelta(days=3)
    monkeypatch.setattr(reporting, "MOST_REQUESTS", 60)
    found = Reports(store, sources()).data(Period.WEEK, end=end)
    assert sum(item.requests for item in found.models) == 210
    assert found.newest_only == 60
    assert found.compared_models == (SMALL, LARGE, OTHER)  # not those of after the period, which are newer
    errors = next(item for item in found.compared if item.name == "errors")
    assert errors.values == (0, 0, 30)
    assert "newest 60 requests" in to_markdown(found)
    assert "newest 60 requests" in to_html(found)
    monkeypatch.setattr(reporting, "MOST_REQUESTS", 30 * 32)
    whole = Reports(store, sources()).data(Period.WEEK, end=end)
    assert whole.newest_only is None
    assert "requests alone" not in to_markdown(whole)


def test_only_the_requests_of_its_period_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, AT)
    read: list[MeasuredRequest] = []
    real = report_models.measured
    monkeypatch.setattr(report_models, "measured", lambda records: real(read.extend(records) or read))
    end = NOW - timedelta(days=20)
    Reports(store, sources()).data(Period.DAY, end=end)
    assert len(read) == 15 * 30
    assert max(item.at for item in read) < end.timestamp()


@pytest.mark.parametrize("suffix", [".html", ".md", ".HTML"])
def test_a_report_is_written_by_its_suffix(store: Store, tmp_path: Path, suffix: str) -> None:
    store.requests.add([replace(WARM, at=AT - 60)]).result()
    path = tmp_path / f"report{suffix}"
    found = Reports(store, sources()).write(path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>" if suffix.lower() == ".html" else "# Daily report")
    assert ("<svg" in text) is (suffix.lower() == ".html")
    assert found.title in text


def test_a_report_that_could_not_be_written_leaves_the_one_before(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    Reports(store, sources()).write(path)
    before = path.read_text(encoding="utf-8")
    unwritable = replace(sources(), ratings=lambda: (replace(RATINGS[0], note="\ud800"),))
    with pytest.raises(UnicodeEncodeError):
        Reports(store, unwritable).write(path)
    assert path.read_text(encoding="utf-8") == before
    assert [item.name for item in tmp_path.glob("*report*")] == ["report.md"]


def test_what_cannot_be_written_is_refused_in_words(store: Store, tmp_path: Path) -> None:
    reports = Reports(store, sources())
    with pytest.raises(InvalidRequest, match=r"Name the file \.html or \.md"):
        reports.write(tmp_path / "report.pdf")
    with pytest.raises(InvalidRequest, match="cannot be written"):
        reports.write(tmp_path / "no" / "report.md")
    with pytest.raises(InvalidRequest, match="end before it begins"):
        reports.data(Period.DAY, NOW, NOW - timedelta(days=1))
    with pytest.raises(InvalidRequest, match="from when on"):
        reports.data(Period.CHOSEN)
    assert not list(tmp_path.glob("report*"))

"""Reports: valid, self-contained, and safe whatever models are called."""

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from codette_desktop.domain.alerts import Alert, AlertState, Severity
from codette_desktop.monitoring.charts import Bar, Line, bar_chart, interval_chart, line_chart, nice_ceiling
from codette_desktop.monitoring.comparison import ComparedMetric
from codette_desktop.monitoring.estimates import Estimate
from codette_desktop.monitoring.health import Vitals, health_score
from codette_desktop.monitoring.recommendations import Recommendation
from codette_desktop.monitoring.report import escape_markdown, to_html, to_markdown
from codette_desktop.monitoring.report_data import (
    CacheFigures,
    EnergyFigures,
    ModelFigures,
    Period,
    RatingRow,
    ReportChart,
    ReportData,
)
from codette_desktop.monitoring.trends import Trend, Way

START = datetime(2026, 11, 20, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=y>|`**[a](http://evil.example)**\n# www.evil.example a@b.example"
)
SLOWER = "12 % slower than in the weeks before (4 to 19)"
VOID = {"meta", "link", "br", "hr", "img", "input"}


def report(name: str = "Guide M") -> ReportData:
    alert = Alert("k", "gpu-temperature", (), AlertState.RESOLVED, Severity.CRITICAL, 95, START, f"Hot ({name})",
                  START + timedelta(minutes=7))  # fmt: skip
    points = tuple((START.timestamp() + 60 * step, None if step == 5 else 10.0 + step) for step in range(12))
    return ReportData(
        f"Week of {name}", START, START + timedelta(days=7), START + timedelta(days=7), Period.WEEK, machine=name,
        version="1.0", health=health_score(Vitals(memory=0.95)),
        models=(ModelFigures(name, 1234, 3, 56_789, 180, 12_345, 41.25, 900, 3 * 2**30, 0.42), ModelFigures("B", 1)),
        compared=(ComparedMetric("memory", "Memory", "bytes", (2.0**30, None), name, True, f"{name} is best"),),
        compared_models=(name, "B"),
        ratings=(RatingRow(name, 1012, 990, 1034, 60, name), RatingRow("B", 988, 960, 1010, 60)),
        incidents=(alert,), cache=CacheFigures(100, 25, 80, 90_000), energy=EnergyFigures(7200, None),
        trends=(Trend(name, "first_token", Way.WORSE, SLOWER, Estimate(0.12, 0.04, 0.19)),),
        charts=(ReportChart(name, "tokens/s", (Line(name, points), Line("B", points))),),
        recommendations=(Recommendation(f"Use Q8 of {name}", "same speed, rated better, 1.2 GB more"),),
    )  # fmt: skip


class Page(HTMLParser):
    """Reads a page, and minds that every tag is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


@pytest.mark.parametrize("name", ["Guide M", HOSTILE])
def test_the_page_is_well_formed_and_fetches_nothing(name: str) -> None:
    text = to_html(report(name))
    page = Page(text)
    names = [tag for tag, _attributes in page.tags]
    assert not {"script", "img", "iframe", "link", "object", "a", "form", "base"} & set(names)
    attributes = [(name, value or "") for _tag, values in page.tags for name, value in values.items()]
    assert not [name for name, _value in attributes if name.startswith("on") or name in ("src", "href", "style")]
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(style) == 1
    assert "url(" not in style[0]
    assert "@import" not in style[0]
    assert "prefers-color-scheme: dark" in style[0]
    parsed(re.sub(r"<meta([^>]*)>", r"<meta\1/>", text.replace("<!DOCTYPE html>\n", "")))


def test_a_page_has_the_same_tags_whatever_models_are_called() -> None:
    tame, hostile = Page(to_html(report())), Page(to_html(report(HOSTILE)))
    assert [tag for tag, _attributes in tame.tags] == [tag for tag, _attributes in hostile.tags]
    assert HOSTILE.split("\n")[0] in "".join(hostile.text)


def test_the_page_says_what_was_measured() -> None:
    told = " ".join("".join(Page(to_html(report())).text).split())
    for words in (
        "12: memory 95 % (unhealthy)", "1,235", "12.3 s", "41.2", "3.2 GB",
        "0.42 J", "990 to 1,034", "7 min", "25 %", "2.0 Wh",
        SLOWER, "Use Q8 of Guide M", "2026-11-20 00:00 to 2026-11-27 00:00",
    ):  # fmt: skip
        assert words in told
    assert "None" not in told.replace("None.", "")


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - it is ours


def rendered(text: str) -> str:
    return (
        MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").enable("strikethrough").render(text)
    )


@pytest.mark.parametrize("name", ["Guide M", HOSTILE])
def test_the_markdown_has_its_headings_and_tables_and_no_others(name: str) -> None:
    page = Page(rendered(to_markdown(report(name))))
    tags = [tag for tag, _attributes in page.tags]
    assert tags.count("h1") == 1
    assert tags.count("h2") == 8
    assert tags.count("table") == 3
    assert tags.count("tr") == 3 + 2 + 3
    assert not {"script", "img", "a", "code", "em", "s"} & set(tags)
    if name == HOSTILE:
        assert " ".join(HOSTILE.split()) in " ".join("".join(page.text).split())


def test_cache_and_energy_have_a_line_each_whether_or_not_the_cache_saved_time() -> None:
    for saved_ms in (90_000, None):
        text = to_markdown(replace(report(), cache=CacheFigures(100, 25, 80, saved_ms)))
        assert [line.split(":")[0] for line in text.splitlines() if line.startswith("- ")][-2:] == [
            "- Answer cache", "- Energy",
        ]  # fmt: skip


@given(st.text(max_size=60))
@example(HOSTILE)
@example("- a")
@example("1. a")
@example("===")
@example("a\\|b")
@example("&lt;b&gt;")
@example("_a_ __b__ c_d_e")
@example("https://a.example www.a.example x@y.example")
def test_escaped_text_is_nothing_but_itself_in_markdown(text: str) -> None:
    clean = " ".join(text.replace("\x00", "").split())
    shown = rendered(f"- {escape_markdown(text.replace(chr(0), ''))}")
    inside = re.fullmatch(r"<ul>\n<li>(.*)</li>\n</ul>\n", shown, re.DOTALL)
    assert inside is not None
    assert "<" not in inside[1]
    assert html.unescape(inside[1]) == clean


def test_addresses_do_not_become_links_by_themselves() -> None:
    escaped = escape_markdown("https://a.example www.a.example x@y.example")
    assert "://" not in escaped.replace("\\://", "")
    assert "www." not in escaped
    assert "@" not in escaped
    assert escape_markdown("41.2") == "41.2"


def test_an_empty_report_says_so() -> None:
    empty = ReportData("Nothing", START, START, START)
    for told in (to_markdown(empty), "".join(Page(to_html(empty)).text)):
        assert "No model answered in this time." in told
        assert "Not measured." in told
    assert "<svg" not in to_html(empty)


def test_an_alert_that_lasts_says_so() -> None:
    data = report()
    lasting = replace(data.incidents[0], resolved_at=None)
    assert "(still lasts)" in to_markdown(replace(data, incidents=(lasting,)))


def test_lines_have_gaps_where_nothing_was_measured() -> None:
    drawn = line_chart("Speed", [Line("a", [(0, 1), (1, 2), (2, None), (3, 3), (4, 4), (5, None), (6, 2)])], "tokens/s")
    tree = parsed(drawn)
    assert len(tree.findall("polyline")) == 2
    assert len(tree.findall("circle")) == 1
    xs = [float(pair.split(",")[0]) for line in tree.findall("polyline") for pair in line.get("points", "").split()]
    assert xs == sorted(xs)
    assert (min(xs), max(xs)) == (56, pytest.approx(56 + 572 * 4 / 6, abs=0.1))
    assert "5 tokens/s" in drawn
    assert line_chart("Speed", [Line("a", [(0, None)])]) == ""


def test_a_chart_spans_its_period_and_not_only_what_was_measured() -> None:
    drawn = parsed(line_chart("Speed", [Line("a", [(5, 1), (10, 2)])], "tokens/s", ("begin", "end"), (0, 20)))
    pairs = [pair.split(",") for line in drawn.findall("polyline") for pair in line.get("points", "").split()]
    assert [float(x) for x, _y in pairs] == [56 + 572 / 4, 56 + 572 / 2]
    labels = {item.text: float(item.get("x", "")) for item in drawn.findall("text")}
    assert (labels["begin"], labels["end"], labels["2 tokens/s"]) == (56, 628, 0)


def test_bars_are_as_long_as_their_values() -> None:
    tree = parsed(bar_chart("Speed", [Bar("a", 10, "10"), Bar("b", 40, "40"), Bar("c", None, "–")]))
    widths = [float(item.get("width", "")) for item in tree.findall("rect")]
    assert widths == [pytest.approx(widths[1] / 4, abs=0.1), 290, 0]
    assert bar_chart("Speed", [Bar("a", None, "–")]) == ""
    assert parsed(bar_chart("Speed", [Bar("a", 0.0, "0")])) is not None


def test_intervals_are_drawn_around_their_dots() -> None:
    tree = parsed(interval_chart("R", [Bar("a", 1000, "", 980, 1020), Bar("b", 990, "", 970, 1010)]))
    dots = [float(item.get("cx", "")) for item in tree.findall("circle")]
    assert dots == [200 + 290 * 30 / 50, 200 + 290 * 20 / 50]
    assert interval_chart("R", []) == ""


@given(st.floats(1e-9, 1e12))
def test_axes_end_at_round_figures_not_far_above(value: float) -> None:
    top = nice_ceiling(value)
    assert value * (1 - 1e-9) <= top <= 2.5 * value
    assert nice_ceiling(0) == 1

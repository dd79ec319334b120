"""Comparisons as a table and as JSON lines: nothing lost, nothing that a spreadsheet would run."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.answers import AnswerFigures, FinishReason
from codette_desktop.domain.comparisons import Comparison, ComparisonSetup, OpenedComparison
from codette_desktop.domain.conversations import Generation, Node
from codette_desktop.domain.ensembles import Member, Method, Outcome
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.ensemble.exporting import export
from codette_desktop.ensemble.prompts_file import from_file

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MEMBERS = (Member("a?seed=1", "A", "a"), Member("b", "B", "b"))
OUTCOME = Outcome(Method.VOTE, Method.VOTE, "=42", 1, 0.51239, 0.75, reasons=("Both say 42.",), disagree=True)


def made(prompt: str, *answers: str | None, setup: ComparisonSetup | None = None, **more: Any) -> OpenedComparison:
    comparison = Comparison("id", prompt[:200], setup or ComparisonSetup(MEMBERS), NOW, **more)
    question = Node("q", "id", None, Message(Role.USER, prompt), NOW)
    return OpenedComparison(comparison, question, tuple(_node(answer) if answer else None for answer in answers))


def _node(text: str) -> Node:
    figures = AnswerFigures(3, 5, 12.3456, 100.0, 200.0)
    generation = Generation(
        "g", "a", "A", "hash", "Q8_0", Sampling(), 7, "", "", NOW, FinishReason.STOP, figures, error="It broke."
    )
    return Node("n", "id", "q", Message(Role.ASSISTANT, text), NOW, generation=generation)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_a_table_has_a_row_a_prompt_and_columns_for_each_member(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert export(path, [made('One,\n"two"', "first", None), made("Three", "x", "y")]) == 2
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # else Excel takes it for another encoding
    first, second = rows(path)
    assert list(first)[:3] == ["prompt", "A: answer", "A: error"]
    assert (first["prompt"], first["A: answer"], first["A: error"]) == ('One,\n"two"', "first", "It broke.")
    assert (first["A: completion tokens"], first["A: time to first token ms"]) == ("5", "12.35")
    assert (first["B: answer"], first["B: error"]) == ("", "It was not asked.")
    assert second["B: answer"] == "y"
    assert not [name for name in first if "together" in name]


def test_a_method_adds_what_came_of_it(tmp_path: Path) -> None:
    setup = ComparisonSetup(MEMBERS, Method.VOTE)
    export(tmp_path / "out.csv", [made("p", "x", "y", setup=setup, outcome=OUTCOME), made("q", "x", "y", setup=setup)])
    first, second = rows(tmp_path / "out.csv")
    assert (first["together: answer"], first["together: winner"], first["together: agreement"]) == (
        "'=42",
        "B",
        "0.5124",
    )
    assert first["together: reasons"] == "Both say 42."
    assert second["together: answer"] == ""


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(tmp_path: Path, start: str) -> None:
    path = tmp_path / "out.csv"
    setup = ComparisonSetup((Member("a", f"{start}A", "a"), Member("b", "B", "b")))
    export(path, [made(f"{start}1+1", f"{start}cmd|' /C calc'!A0", "harmless", setup=setup)])
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert f"'{start}cmd|' /C calc'!A0" in cells
    assert "harmless" in cells
    assert not [cell for cell in cells if cell.startswith(start)]


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_json_lines_come_back_word_by_word(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("export") / "out.jsonl"
    texts = [(_storable(prompt), _storable(answer)) for prompt, answer in pairs]
    assert export(path, [made(prompt, answer or "-", None) for prompt, answer in texts]) == len(texts)
    found = lines(path)
    assert [item["prompt"] for item in found] == [prompt for prompt, _answer in texts]
    assert [item["members"][0]["answer"] for item in found] == [answer or "-" for _prompt, answer in texts]


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def test_json_lines_hold_what_a_table_cannot(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    other = ComparisonSetup((*MEMBERS, Member("c", "C", "c")), Method.VOTE)
    export(path, [made("One", "=1", None, chosen=0), made("Two", "x", "y", "z", setup=other, outcome=OUTCOME)])
    first, second = lines(path)
    assert (first["chosen"], first["method"], first["asked_at"]) == ("A", "none", "2026-03-01T12:00:00+00:00")
    assert first["members"][0]["answer"] == "=1"  # no spreadsheet reads this
    assert (first["members"][0]["seed"], first["members"][0]["finish_reason"]) == (7, "stop")
    assert (second["answer"], second["winner"], second["disagree"], len(second["members"])) == ("=42", "B", True, 3)
    assert from_file(path).prompts == ("One", "Two")  # and it can be asked again


def test_a_table_of_different_members_is_refused(tmp_path: Path) -> None:
    other = ComparisonSetup((MEMBERS[0], replace(MEMBERS[1], label="C")))
    with pytest.raises(InvalidRequest, match="different members") as raised:
        export(tmp_path / "out.csv", [made("One", "x", "y"), made("Two", "x", "y", setup=other)])
    assert "jsonl" in raised.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_where_the_new_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("precious", encoding="utf-8")
    other = ComparisonSetup((MEMBERS[0], replace(MEMBERS[1], label="C")))
    with pytest.raises(InvalidRequest):
        export(path, [made("One", "x", "y"), made("Two", "x", "y", setup=other)])
    assert path.read_text(encoding="utf-8") == "precious"
    assert export(path, [made("One", "x", "y")]) == 1
    assert [item.name for item in tmp_path.iterdir()] == ["out.csv"]


def test_members_that_read_as_other_columns_lose_nothing(tmp_path: Path) -> None:
    setup = ComparisonSetup((Member("a", "together", "a"), Member("b", "B", "b")), Method.VOTE)
    export(tmp_path / "out.csv", [made("p", "of the member", "y", setup=setup, outcome=OUTCOME)])
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        heads, cells = csv.reader(file)
    assert heads.count("together: answer") == 2
    assert {"of the member", "'=42"} <= set(cells)


def test_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "out.csv", tmp_path):
        with pytest.raises(InvalidRequest, match="cannot be written"):
            export(path, [made("One", "x", "y")])

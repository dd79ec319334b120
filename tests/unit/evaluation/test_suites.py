"""Suites: what is read, and that a mistake is told with its line."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.evaluation.suites import find_suite, load_suite


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_suite_with_a_head_comments_and_several_references(tmp_path: Path) -> None:
    suite = load_suite(
        written(
            tmp_path,
            '{"suite": "Mine", "description": "Two questions"}\n\n# sums\n'
            '{"prompt": "2 + 2?", "reference": 4, "scorer": "number"}\n'
            '{"prompt": "Capital?", "reference": ["Paris", "Lutetia"], "system": "Be short."}\n',
        )
    )
    assert (suite.name, suite.description, len(suite.questions)) == ("Mine", "Two questions", 2)
    sums, capital = suite.questions
    assert sums.score("It is 4.") == 1
    assert (capital.scorer, capital.system) == ("normalised", "Be short.")
    assert capital.score("lutetia!") == 1
    assert capital.score("London") == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no question"),
        ('{"suite": "x"}\n', "no question"),
        ('{"prompt": "a", "reference": "b"}\n{"prompt": ', "line 2 is not JSON"),
        ("[1]\n", "line 1 is no JSON object"),
        ('{"prompt": " ", "reference": "b"}', "line 1 has no prompt"),
        ('{"prompt": "a"}', "line 1 has no reference"),
        ('{"prompt": "a", "reference": []}', "has no reference"),
        ('{"prompt": "a", "reference": "b", "scorer": "luck"}', "no scorer 'luck'"),
        ('{"prompt": "a", "refrence": "b"}', "'refrence' is not known"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        load_suite(written(tmp_path, text))


def test_files_that_are_no_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidRequest, match="UTF-8"):
        load_suite(tmp_path / "x.jsonl")
    with pytest.raises(InvalidRequest, match="cannot be read"):
        load_suite(tmp_path / "none.jsonl")
    with pytest.raises(InvalidRequest, match="no suite 'none'"):
        find_suite("none")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_a_suite_or_a_told_mistake(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    try:
        suite = load_suite(path)
    except InvalidRequest:
        return
    assert suite.questions

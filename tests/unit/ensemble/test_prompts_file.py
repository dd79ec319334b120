"""Prompts from files as people and programs write them; mistakes name their line."""

import csv
import io
import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.ensemble import prompts_file
from codette_desktop.ensemble.prompts_file import from_csv, from_file, from_jsonl, from_text
from codette_desktop.paths import resource

# As UTF-8 can hold it, and as files have it: csv makes no difference between the two ends of a line.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1).filter(str.strip)


def written(rows: list[list[str]], **options: str) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, **options).writerows(rows)  # type: ignore[arg-type]
    return file.getvalue()


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1), st.sampled_from([",", ";", "\t"]))
def test_what_a_csv_writer_writes_comes_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    text = written([["id", "Prompt"], *map(list, rows)], delimiter=delimiter)
    found = from_csv(text, tab=delimiter == "\t")
    assert found.prompts == tuple(prompt.strip() for _id, prompt in rows)
    assert (found.empty, found.column) == (0, "Prompt")


@given(st.lists(TEXTS, min_size=1))
def test_what_a_json_writer_writes_comes_back(prompts: list[str]) -> None:
    for ascii_only in (True, False):
        lines = [json.dumps({"prompt": prompt}, ensure_ascii=ascii_only) for prompt in prompts]
        assert from_jsonl("\n".join(lines)).prompts == tuple(prompt.strip() for prompt in prompts)


@given(st.text(max_size=200))
def test_any_text_gives_prompts_or_says_why_not(text: str) -> None:
    for read in (from_text, from_csv, from_jsonl):
        with suppress(InvalidRequest):
            assert all(prompt and prompt == prompt.strip() for prompt in read(text).prompts)


@pytest.mark.parametrize(
    ("name", "data", "prompts"),
    [
        ("excel.csv", "\ufeffprompt;id\r\nOne, two;1\r\n\"A\r\nb\";2\r\n".encode(), ("One, two", "A\r\nb")),
        ("utf-16.csv", "prompt,id\nGrüße,1\n".encode("utf-16"), ("Grüße",)),
        ("quoted.csv", b'"id;a;b;c",prompt\n1,One\n', ("One",)),
        ("one column.csv", b"What is it?\nWhy?\n\n", ("What is it?", "Why?")),
        ("one column with a name.csv", b"Question\nWhy?\n", ("Why?",)),
        ("tabs.tsv", b"a\tprompt\n1;2\tOne, two\n", ("One, two",)),
        ("objects.jsonl", b'{"prompt": "One", "id": 1}\n\n# one\n"Two"\n{"question": "3"}\r\n', ("One", "Two", "3")),
        ("lines.txt", b"\xef\xbb\xbfOne\r\n  \r\nTwo  \n", ("One", "Two")),
        ("no ending", b"One\rTwo", ("One", "Two")),
        ("nul.csv", b"prompt,id\nOne\0,1\n", ("One\0",)),
        ("formulas.csv", b'prompt,id\n"=cmd|\' /C calc\'!A0",1\n', ("=cmd|' /C calc'!A0",)),
    ],
)  # fmt: skip
def test_files_as_people_have_them(tmp_path: Path, name: str, data: bytes, prompts: tuple[str, ...]) -> None:
    (tmp_path / name).write_bytes(data)
    assert from_file(tmp_path / name).prompts == prompts


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.csv", b"id,prompt\n1,One\n\n2\n", "a.csv, line 4 has no column 'prompt'"),
        ("a.csv", b"id,prompt\n1,\"One\ntwo\"\n2\n", "a.csv, line 4 has no column"),
        ("a.csv", b"id,prompt\n1,One\n2,\"Two\"x\n", "a.csv, line 3 is no CSV"),
        ("a.csv", b"id,prompt\n1,\"One\n2,Two\n", "a.csv, line 3 is no CSV"),
        ("a.csv", b"id,name\n1,One\n", "None of the columns of a.csv is called prompt"),
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"prompt,id\n  ,1\n", "no prompt in it"),
        ("a.csv", b"prompt,id\n\xff,1\n", "is not UTF-8"),
        ("a.csv", b"\xff\xfe\x00", "is not UTF-8"),
        ("a.jsonl", b'{"prompt": "One"}\n{"prompt": }\n', "line 2 is not JSON: Expecting value at character 12"),
        ("a.jsonl", b'"One"\n\n{"answer": "One"}\n', "a.jsonl, line 3 has no prompt"),
        ("a.jsonl", b"[1]\n", "line 1 has no prompt"),
        ("a.jsonl", b'{"prompt": 7}\n', "line 1 has no prompt"),
        ("a.jsonl", b"[" * 100_000 + b"\n", "line 1 is not JSON"),
        ("a.jsonl", b"9" * 5_000 + b"\n", "line 1 is not JSON"),
        ("a.txt", b" \n \n", "no prompt in it"),
    ],
)  # fmt: skip
def test_mistakes_name_their_line(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidRequest, match=says):
        from_file(tmp_path / name)


def test_a_column_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("prompt,Other One \n1,One\n2,\n", encoding="utf-8")
    found = from_file(path, " other one")
    assert (found.prompts, found.empty, found.column) == (("One",), 1, "Other One")
    with pytest.raises(InvalidRequest, match="no column 'name'") as raised:
        from_file(path, "name")
    assert "prompt, Other One" in raised.value.hint
    assert from_jsonl('{"prompt": "no", "other": "yes"}', column="other").prompts == ("yes",)
    with pytest.raises(InvalidRequest, match="line 1 has no prompt"):
        from_jsonl('{"prompt": "no"}', column="other")


def test_pasted_text_is_split_into_lines_or_blocks() -> None:
    text = "One\r\ntwo\n\n \nThree\n"
    assert from_text(text).prompts == ("One", "two", "Three")
    assert from_text(text, blocks=True).prompts == ("One\ntwo", "Three")


def test_the_suites_that_come_with_the_application_can_be_asked() -> None:
    suites = sorted(resource("suites").glob("*.jsonl"))
    assert suites
    for suite in suites:
        lines = [line for line in suite.read_text(encoding="utf-8").splitlines() if '"prompt"' in line]
        assert len(from_file(suite).prompts) == len(lines)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InvalidRequest, match="cannot be read"):
            from_file(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a file without an end is POSIX")
def test_a_file_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts_file, "MOST_BYTES", 2**20)
    with pytest.raises(InvalidRequest, match="larger than 1 MB"):
        from_file(Path("/dev/zero"))


def test_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidRequest, match="too many"):
        from_text("x\n" * (prompts_file.MOST_PROMPTS + 1))
    with pytest.raises(InvalidRequest, match="too long"):
        from_text("x" * (prompts_file.LONGEST_PROMPT + 1))
    with pytest.raises(InvalidRequest, match="line 2 is no CSV"):
        from_csv("prompt,id\n" + "x" * (prompts_file.LONGEST_PROMPT * 4 + 1) + ",1\n")
    monkeypatch.setattr(prompts_file, "MOST_BYTES", 2**20)
    path = tmp_path / "large.txt"
    path.write_bytes(os.urandom(16).hex().encode() * (2**15) + b"\n")
    with pytest.raises(InvalidRequest, match="larger than 1 MB"):
        from_file(path)

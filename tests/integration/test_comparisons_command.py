"""`compare` and `comparisons` in this process, with the starter models; a batch in a process that is interrupted."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from codette_desktop.cli import main
from codette_desktop.store import Store

ROOT = Path(__file__).resolve().parents[2]
SHORT = ("--max-tokens", "8", "--temperature", "0")


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def run_json(*arguments: str) -> dict[str, Any]:
    status, printed, told = run(*arguments, "--json")
    assert status == 0, told
    return json.loads(printed)


def test_what_is_compared_is_kept_found_shown_and_deleted(codette_home: Path) -> None:
    asked = run_json("compare", "How do I compare two models?", *SHORT, "--method", "consensus", "--budget", "7")
    run_json("compare", "Another thing", *SHORT)
    listed = run_json("comparisons", "list", "--query", "compare models")["comparisons"]
    assert [(item["id"], item["method"], item["answer"]) for item in listed] == [
        (asked["id"], "consensus", asked["answer"])
    ]
    assert len(run_json("comparisons", "list")["comparisons"]) == 2
    assert len(run_json("comparisons", "list", "--limit", "1")["comparisons"]) == 1
    assert "How do I compare" in run("comparisons", "list")[1]

    shown = run_json("comparisons", "show", asked["id"])
    for field in ("method", "answer", "agreement", "reasons", "tally"):
        assert shown[field] == asked[field], field
    for before, after in zip(asked["members"], shown["members"], strict=True):
        assert before["confidence"]  # of a method; it is not kept
        same = before | {"confidence": None, "time_to_first_token_ms": after["time_to_first_token_ms"]}
        assert after | {"total_ms": 0, "load_ms": 0} == same | {"total_ms": 0, "load_ms": 0}
    assert shown["prompt"] == "How do I compare two models?"
    page = run("comparisons", "show", asked["id"])[1]
    assert "How do I compare two models?" in page
    assert "Together" in page
    with Store.open(codette_home) as store:
        kept = store.comparisons.get(asked["id"])
        assert kept is not None
        assert kept.setup.budget_s == 7.0

    assert run_json("comparisons", "delete", asked["id"]) == {"deleted": asked["id"]}
    for command in ("show", "delete"):
        status, _, told = run("comparisons", command, asked["id"])
        assert (status, "no longer exists" in told) == (1, True)


def test_a_chat_is_no_comparison() -> None:
    run("ask", "hello", "--max-tokens", "5")
    assert run_json("comparisons", "list")["comparisons"] == []


def test_a_file_of_prompts_is_asked_and_written(tmp_path: Path) -> None:
    file, out = tmp_path / "prompts.csv", tmp_path / "out.csv"
    file.write_text('id;Question\n1;"How do I\ncompare?"\n2;What is a model?\n3;\n', encoding="utf-8")
    done = run_json("compare", "--batch", str(file), "--out", str(out), *SHORT)
    assert (done["prompts"], done["failed"], done["empty"], done["rows"], done["went_on"]) == (2, 0, 1, 2, False)
    with out.open(encoding="utf-8-sig", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["prompt"] for row in rows] == ["How do I\ncompare?", "What is a model?"]
    answers = [value for row in rows for name, value in row.items() if name.endswith(": answer")]
    assert len(answers) == 4
    assert all(answers)
    again = run_json("comparisons", "export", str(tmp_path / "again.csv"), "--batch", done["batch"])
    assert again["rows"] == 2
    assert (tmp_path / "again.csv").read_bytes() == out.read_bytes()
    assert run_json("comparisons", "export", str(tmp_path / "found.jsonl"), "--query", "model")["rows"] == 1
    status, page, told = run("compare", "--batch", str(file), "--column", "id", "--out", str(out), *SHORT)
    assert (status, "3 prompts" in page, "3 of 3" in told) == (0, True, True)


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ((), 2, "either PROMPT or --batch"),
        (("hello", "--batch", "FILE", "--out", "x.csv"), 2, "either PROMPT or --batch"),
        (("hello", "--out", "x.csv"), 2, "belong to --batch"),
        (("--batch", "FILE"), 2, "--out"),
        (("--batch", "FILE", "--out", "x.txt"), 1, "no table"),
        (("--batch", "FILE", "--out", "none/x.csv"), 1, "does not exist"),
        (("--batch", "FILE", "--out", "x.csv", "--column", "none"), 1, "no column 'none'"),
        (("--batch", "absent.csv", "--out", "x.csv"), 1, "cannot be read"),
        (("--batch", "FILE", "--out", "x.csv", "--models", "none"), 1, "no model"),
        (("--batch", "FILE", "--out", "FILE"), 2, "would be written over them"),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_is(
    tmp_path: Path, codette_home: Path, arguments: tuple[str, ...], status: int, says: str
) -> None:
    (tmp_path / "prompts.csv").write_text("prompt,id\nHello,1\n", encoding="utf-8")
    found = run("compare", *(str(tmp_path / "prompts.csv") if item == "FILE" else item for item in arguments))
    assert found[0] == status
    assert says in found[2]
    if codette_home.exists():
        with Store.open(codette_home) as store:
            assert (store.batches.list(), store.comparisons.list()) == ([], [])


@pytest.mark.skipif(sys.platform == "win32", reason="an interrupt of another process is POSIX")
def test_a_batch_that_is_interrupted_goes_on_with_the_same_command(tmp_path: Path, codette_home: Path) -> None:
    file, out = tmp_path / "prompts.txt", tmp_path / "out.jsonl"
    prompts = [f"Question {number}: what is a model?" for number in range(120)]
    file.write_text("\n".join(prompts), encoding="utf-8")
    command = [sys.executable, "-m", "codette_desktop", "compare", "--batch", str(file), "--out", str(out), *SHORT]
    command += ["--json"]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ}, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        assert "6 of 120" in child.stderr.readline()
        child.send_signal(signal.SIGINT)
        assert child.stderr.read().splitlines()[-1] == "Error: Stopped. The same command goes on where it was."
    assert child.returncode == 1
    assert not out.exists()
    other = run_json("compare", "--batch", str(file), "--out", str(tmp_path / "other.csv"), "--max-tokens", "2")
    assert other["went_on"] is False  # other members: another batch

    done = subprocess.run(command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=True)
    assert done.stderr.startswith("Going on after ")
    fields = json.loads(done.stdout)
    assert (fields["prompts"], fields["rows"], fields["went_on"]) == (120, 120, True)
    assert [json.loads(line)["prompt"] for line in out.read_text(encoding="utf-8").splitlines()] == prompts
    with Store.open(codette_home) as store:
        assert store.comparisons.count() == 240
        assert store.check() == []

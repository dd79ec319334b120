"""Suites run for real on the starter models, through the service and the command line."""

import json
import runpy
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from codette_desktop.application import Application
from codette_desktop.cli import main
from codette_desktop.domain.errors import ModelNotFound
from codette_desktop.domain.servers import Server
from codette_desktop.evaluation.runner import compare, run_suite
from codette_desktop.evaluation.suites import Suite, load_suite, shipped_suites

ROOT = Path(__file__).resolve().parents[2]
SMALL, MEDIUM = "guide-s-q8_0", "guide-m-q8_0"


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


def part_of(name: str, count: int) -> Suite:
    path = next(path for path in shipped_suites() if path.stem == name)
    suite = load_suite(path)
    return Suite(suite.name, suite.questions[:count])


async def test_the_better_model_comes_out_better(application: Application) -> None:
    suite = part_of("arithmetic", 60)
    told: list[tuple[str, int, int]] = []
    small, medium = [
        await run_suite(application.provider, suite, name, progress=lambda *what: told.append(what))
        for name in (SMALL, MEDIUM)
    ]
    assert told[59] == (SMALL, 60, 60)
    assert small.mean.value > 0.85
    assert all(answer.tokens for answer in small.answers)
    [against] = compare([medium, small])
    assert against.model == MEDIUM
    assert against.difference.value == pytest.approx(small.mean.value - medium.mean.value)
    assert 0 < against.error_avoided <= 1


async def test_a_model_that_cannot_answer_is_told_apart_from_one_that_is_wrong(application: Application) -> None:
    await application.servers.add(Server.checked("nowhere", "http://127.0.0.1:9"))
    with pytest.raises(ModelNotFound):
        await run_suite(application.provider, part_of("choice", 2), "no such model")
    questions = part_of("choice", 3).questions
    longer = Suite("long", (questions[0], type(questions[0])("word " * 5000, ("B",), "choice"), questions[1]))
    result = await run_suite(application.provider, longer, SMALL)
    assert result.failed == 1
    assert "context" in result.answers[1].error
    assert result.scores[1] == 0


def test_the_command_prints_a_table_and_json(codette_home: Path, tmp_path: Path) -> None:
    suite = tmp_path / "two.jsonl"
    suite.write_text(
        '{"prompt": "What is 2 + 3?", "reference": 5, "scorer": "number"}\n'
        '{"prompt": "What is 2 + 3?", "reference": 6, "scorer": "number"}\n'
    )
    run = CliRunner()
    kept = tmp_path / "answers.jsonl"
    command = ["--data-dir", str(codette_home), "evaluate", str(suite), "--models", f"{SMALL},{MEDIUM}"]
    done = run.invoke(main, [*command, "--json", "--answers", str(kept)])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["suite"], told["questions"]) == ("two", 2)
    assert [item["model"] for item in told["models"]] == [SMALL, MEDIUM]
    assert told["models"][0]["score"]["value"] == 0.5
    assert told["best_against"][0]["excludes_zero"] is False
    lines = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    assert [line["score"] for line in lines] == [1.0, 0.0, 1.0, 0.0]
    table = run.invoke(main, command)
    assert "50.0 %" in table.stdout
    assert "too few questions to tell" in table.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "no suite"),
        (["choice", "--models", f"{SMALL},{SMALL}"], "twice"),
        (["choice", "--models", "x"], "x"),
    ],
)
def test_mistakes_are_told(codette_home: Path, arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(main, ["--data-dir", str(codette_home), "evaluate", *arguments])
    assert done.exit_code == 1
    assert words in done.stderr


def test_the_shipped_suites_are_what_their_script_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ROOT / "packaging" / "starter"
    monkeypatch.syspath_prepend(str(folder))
    made = runpy.run_path(str(folder / "suites.py"))
    made["main"].__globals__["FOLDER"] = tmp_path
    made["main"]()
    for path in shipped_suites():
        assert (tmp_path / path.name).read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == len(shipped_suites()) == 3

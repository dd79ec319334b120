"""The command line, in this process, with the starter models."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from codette_desktop.cli import main
from codette_desktop.store import Store
from tests.support.adapter_files import write_adapter
from tests.support.gguf_files import write_model


def run(*arguments: str, **options: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, list(arguments), catch_exceptions=False, **options)  # type: ignore[arg-type]
    return result.exit_code, result.stdout, result.stderr


def test_ask_prints_the_answer_and_keeps_it(codette_home: Path) -> None:
    status, answer, figures = run("ask", "hello", "--temperature", "0", "--max-tokens", "30")
    assert status == 0
    assert answer.strip()
    assert "tok/s" in figures
    with Store.open(codette_home) as store:
        (kept,) = store.conversations.list()
        assert store.conversations.branch(kept.id)[-1].message.content == answer.rstrip("\n")


def test_ask_json_gives_one_object_with_the_agreed_fields() -> None:
    status, printed, _ = run("ask", "hello", "--json", "--seed", "5", "--model", "guide-s-q8_0", "--max-tokens", "20")
    assert status == 0
    fields = json.loads(printed)
    wanted = {
        "answer",
        "model",
        "prompt_tokens",
        "completion_tokens",
        "tokens_per_second",
        "time_to_first_token_ms",
        "cached",
    }
    assert wanted <= fields.keys()
    assert (fields["model"], fields["seed"], fields["cached"]) == ("guide-s-q8_0", 5, False)
    assert 0 < fields["completion_tokens"] <= 20
    assert fields["time_to_first_token_ms"] > 0


def test_ask_reads_the_prompt_from_standard_input_and_follows_a_grammar(tmp_path: Path) -> None:
    grammar = tmp_path / "yes.gbnf"
    grammar.write_text('root ::= "yes" | "no"')
    status, answer, _ = run("ask", "-", "--grammar", str(grammar), input="is the sky blue?")
    assert status == 0
    assert answer.strip() in ("yes", "no")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ask", "hello", "--model", "no-such"), "no model"),
        (("ask", "hello", "--temperature", "9"), "temperature"),
        (("ask", " "), "empty"),
    ],
)
def test_what_cannot_be_done_ends_with_status_one_and_a_sentence(arguments: tuple[str, ...], says: str) -> None:
    status, printed, error = run(*arguments)
    assert (status, printed) == (1, "")
    assert says in error
    assert "Traceback" not in error


def test_a_file_that_is_no_model_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "letter.gguf"
    file.write_bytes(b"Dear Sir or Madam" * 100)
    status, _, error = run("ask", "hello", "--model", str(file))
    assert status == 1
    assert "GGUF" in error


def test_wrong_usage_ends_with_status_two() -> None:
    assert run("ask")[0] == 2
    assert run("no-such-command")[0] == 2


def test_the_doctor_finds_this_machine_healthy_and_says_the_same_as_json() -> None:
    status, page, _ = run("doctor")
    assert status == 0
    assert "Guide S" in page
    status, printed, _ = run("doctor", "--json")
    found = json.loads(printed)
    assert (status, found["healthy"], found["database"]["integrity"]) == (0, True, ["ok"])
    assert found["machine"]["processor"]["physical_cores"] >= 1
    assert found["packages"]["llama-cpp-python"]


def test_the_doctor_says_how_to_mend_a_broken_model_and_a_broken_database(codette_home: Path) -> None:
    (codette_home / "models").mkdir(parents=True)
    (codette_home / "models" / "half.gguf").write_bytes(b"GGUF\x03\0\0\0")
    status, page, _ = run("doctor")
    assert status == 0
    assert "half.gguf" in page
    (codette_home / "codette.sqlite3").write_bytes(b"not a database at all" * 50)
    status, page, _ = run("doctor")
    assert status == 1
    assert "WRONG" in page
    assert "backups" in page


def test_models_lists_what_can_answer() -> None:
    status, printed, _ = run("models", "--json")
    assert status == 0
    assert {model["name"] for model in json.loads(printed)["models"]} >= {"guide-s-q8_0", "guide-m-q8_0"}


def test_the_data_folder_can_be_given_before_or_after_the_command(tmp_path: Path) -> None:
    run("--data-dir", str(tmp_path / "first"), "models")
    run("models", "--data-dir", str(tmp_path / "second"))
    assert (tmp_path / "first" / "codette.sqlite3").exists()
    assert (tmp_path / "second" / "codette.sqlite3").exists()


def test_a_question_asked_again_is_answered_from_the_cache_unless_it_should_be_fresh() -> None:
    asked = ("ask", "hello", "--json", "--temperature", "0", "--model", "guide-s-q8_0")
    answers = [json.loads(run(*arguments)[1]) for arguments in (asked, asked, (*asked, "--fresh"))]
    assert [fields["finish_reason"] for fields in answers] == ["stop"] * 3
    assert [fields["cached"] for fields in answers] == [False, True, False]
    assert len({fields["answer"] for fields in answers}) == 1
    assert "cached" in run(*asked[:2], *asked[3:])[2]

    status, printed, _ = run("cache", "stats", "--json")
    found = json.loads(printed)
    assert (status, found["entries"], found["hits"], found["misses"], found["hit_rate"]) == (0, 1, 2, 1, 0.6667)
    assert "1 answers" in run("cache", "stats")[1]
    assert json.loads(run("cache", "clear", "--json")[1]) == {"removed": 1}
    assert run("cache", "clear")[:2] == (0, "0 answers were forgotten.\n")
    assert json.loads(run(*asked)[1])["cached"] is False


def test_a_model_answers_with_an_adapter_that_is_named_with_it(codette_home: Path) -> None:
    folder = codette_home / "models"
    folder.mkdir(parents=True)
    write_model(folder / "tiny.gguf")
    write_adapter(folder / "tone.gguf", name="Warm Tone")
    status, printed, _ = run("models", "list", "--json")
    listed = json.loads(printed)
    assert status == 0
    assert "tiny" in [model["name"] for model in listed["models"]]
    assert listed["problems"] == []
    (adapter,) = listed["adapters"]
    assert (adapter["name"], adapter["display_name"]) == ("tone", "Warm Tone")
    assert (adapter["architecture"], adapter["rank"]) == ("llama", 4)
    assert "MODEL+tone" in run("models")[1]

    ask = ("ask", "hello", "--json", "--temperature", "0", "--max-tokens", "30", "--model")
    answers: dict[str, dict[str, object]] = {}
    for name in ("Tiny Test", "Tiny Test+tone@0.5", "tiny+warm tone"):
        status, printed, told = run(*ask, name)
        assert status == 0, told
        answers[name] = json.loads(printed)
    assert [fields["model"] for fields in answers.values()] == ["tiny", "tiny+tone@0.5", "tiny+tone"]
    assert len({str(fields["answer"]) for fields in answers.values()}) == 3
    grammar = codette_home / "yes.gbnf"
    grammar.write_text('root ::= "yes" | "no"')
    for name, cached in (("tiny+tone@0.5", False), ("tiny+tone@0.5", True), ("tiny+tone", False)):
        assert json.loads(run(*ask, name, "--grammar", str(grammar))[1])["cached"] is cached
    status, _, told = run(*ask, "tiny+tune")
    assert status == 1
    assert "Did you mean tone?" in told

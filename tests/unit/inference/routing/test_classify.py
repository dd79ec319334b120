"""The task classifier: as good as its card says, made again exactly by its script, quick and unbreakable."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codette_desktop import paths
from codette_desktop.domain.tasks import TaskType
from codette_desktop.inference.routing import classify, features
from codette_desktop.inference.routing.lexicon import families

SCRIPTS = Path(__file__).resolve().parents[4] / "packaging" / "routing"


def prompts(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (SCRIPTS / name).read_text(encoding="utf-8").splitlines()]


def test_the_held_out_prompts_are_found_as_often_as_the_card_says() -> None:
    measured = json.loads(paths.resource("routing", "measured.json").read_text(encoding="utf-8"))
    rows = prompts("prompts_held_out.jsonl")
    right = [classify.shipped().classify(row["text"]).type == row["task"] for row in rows]
    assert len(rows) == measured["held_out_prompts"] >= 240
    assert sum(right) / len(right) >= measured["held_out_accuracy"] - 0.005
    card = paths.resource("routing", "README.md").read_text(encoding="utf-8")
    assert f"**{measured['held_out_accuracy']:.1%} right**" in card


def test_the_sets_share_no_prompt_and_hold_enough_of_every_type() -> None:
    training, held_out = prompts("prompts_train.jsonl"), prompts("prompts_held_out.jsonl")
    texts = [row["text"].casefold().strip() for row in (*training, *held_out)]
    assert len(set(texts)) == len(texts)
    for kind in TaskType:
        assert sum(row["task"] == kind for row in training) >= 60
        assert sum(row["task"] == kind for row in held_out) >= 30


def test_the_script_makes_the_same_weights_and_card_again(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPTS / "train.py"), "--to", str(tmp_path), "--measure"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    for name in ("weights.json", "measured.json", "README.md"):
        assert (tmp_path / name).read_bytes() == paths.resource("routing", name).read_bytes()


@given(st.text(st.characters(codec=None), max_size=3000))
@example("")
@example("\ud800 \0 \x1b[31m")
@example("```")
@example("请帮我写一个排序函数")
@example("اكتب لي قصيدة عن البحر")
@example("ﬁ ﷺ ½ 𝔘𝔫𝔦 e\u0301\u0301\u0301")
def test_any_text_has_a_type(text: str) -> None:
    found = classify.shipped().classify(text)
    assert found.type in TaskType
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.confidence == max(found.probabilities.values())


def test_a_text_without_known_words_is_general_and_unsure() -> None:
    found = classify.Classifier(
        {"types": [kind.value for kind in TaskType], "scale": 1, "bias": [1] * 8, "kinds": {"w": 1}, "features": {}}
    ).classify("anything")
    assert found.type is TaskType.GENERAL
    assert found.confidence == 1 / 8


@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "word " * 200_000, "def f(:{\n" * 110_000, "`" * 1_000_000, " at a(" * 9**6]
)
def test_a_megabyte_costs_no_more_than_a_page(text: str) -> None:
    classifier = classify.shipped()
    classifier.classify(text)
    best = min(_seconds(classifier, text) for _ in range(5))
    assert best < 0.02  # about 0.3 ms on an idle core; the room is for what else runs there


def test_words_that_decided_are_told() -> None:
    found = classify.shipped().classify("Write pytest unit tests for the parser of invoices")
    assert found.type is TaskType.TESTING
    assert {"pytest", "tests"} <= set(found.decided_by)
    trace = classify.shipped().classify('Traceback (most recent call last):\n  File "a.py", line 3, in f\nKeyError: 7')
    assert trace.type is TaskType.DEBUGGING
    assert {"traceback", "error name"} <= set(trace.decided_by)


def test_words_are_folded_and_cut_as_people_write_them() -> None:
    assert features.read("Écris-moi l'API, it doesn’t work").words == (
        "ecris", "moi", "l", "api", "it", "doesn't", "work",
    )  # fmt: skip
    assert "test" in families("testfalle")
    assert not families("zzz")


def test_of_a_long_text_beginning_and_end_are_read() -> None:
    words = features.read("alpha " + "\n".join(["...."] * 5000) + " omega").words
    assert (words[0], words[-1]) == ("alpha", "omega")


def _seconds(classifier: classify.Classifier, text: str) -> float:
    start = time.perf_counter()
    classifier.classify(text)
    return time.perf_counter() - start

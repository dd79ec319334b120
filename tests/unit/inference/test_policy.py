"""What the configuration file says of who may answer in whose place, in the names that models are asked by."""

from pathlib import Path

import pytest

from codette_desktop.configuration.file import Configuration
from codette_desktop.domain.models import ModelInfo
from codette_desktop.domain.tasks import TaskType
from codette_desktop.inference.dispatch import Policy
from codette_desktop.inference.policy import policy_of

TEXT = """\
models:
  writer: {model: GUIDE-M, priority: 3, fallback: false}
  quick: {model: "Guide S · Q8_0", priority: 2, cache: false, gpu: off}
tasks:
  coding: {models: [writer, QUICK], avoid: [Guide-S]}
fallbacks:
  default: [quick]
  Writer: [guide-s, gone]
"""


def model(name: str, display_name: str) -> ModelInfo:
    return ModelInfo(name, display_name, Path(f"/models/{name}.gguf"), "llama", "Q8_0", 1, 1, 512, 256)


MODELS = {"guide-m": model("guide-m", "Guide M"), "guide-s": model("guide-s", "Guide S")}


def opened(folder: Path, text: str) -> Configuration:
    (folder / "codette.yaml").write_text(text)
    found = Configuration(folder / "codette.yaml", environment={})
    assert found.problems == ()
    return found


def policy(folder: Path, text: str, *, fallback: bool = True, remote: bool = False) -> Policy:
    return policy_of(opened(folder, text), MODELS, fallback=fallback, remote=remote)


def test_names_of_the_file_become_those_that_models_are_asked_by(tmp_path: Path) -> None:
    found = policy(tmp_path, TEXT)
    assert found.chains == {"default": ("guide-s",), "guide-m": ("guide-s", "gone")}
    assert found.priority == {"guide-m": 3, "guide-s": 2}
    assert found.may_stand_in == {"guide-m": False}
    assert found.preferences.favourites == {TaskType.CODING: ("guide-m", "guide-s")}
    assert found.preferences.avoided_for == {TaskType.CODING: {"guide-s"}}


def test_a_model_the_file_names_by_its_label_is_the_same_model(tmp_path: Path) -> None:
    found = opened(tmp_path, TEXT)
    assert found.engine_for(MODELS["guide-s"]) == {"gpu_layers": 0}
    assert (found.may_cache(MODELS["guide-s"]), found.may_cache(MODELS["guide-m"])) == (False, True)
    assert found.keeps_answers_out


def test_a_models_own_name_counts_before_what_people_read(tmp_path: Path) -> None:
    found = opened(tmp_path, "models:\n  a: {model: Guide S, priority: 1}\n  b: {model: guide-s, priority: 2}\n")
    assert found.priority(MODELS["guide-s"]) == 2


@pytest.mark.parametrize(
    ("routing", "chosen", "may"),
    [
        ("{}", False, False),
        ("{}", True, True),
        ("{remote: true}", False, True),
        ("{remote: false}", True, False),
        ("{local_only: true}", True, False),
        ("{local_only: false}", True, True),
        ("{local_only: false}", False, False),
    ],
)
def test_auto_asks_models_elsewhere_where_the_file_or_else_the_person_says_so(
    tmp_path: Path, routing: str, chosen: bool, may: bool
) -> None:
    assert policy(tmp_path, f"routing: {routing}\n", remote=chosen).remote is may


def test_whether_anybody_stands_in_is_said_by_the_file_before_the_settings(tmp_path: Path) -> None:
    assert policy(tmp_path, "", fallback=False).fallback is False
    assert policy(tmp_path, "routing: {fallback: true}\n", fallback=False).fallback is True

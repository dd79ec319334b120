"""The starter models answer, through the real engine, as well as their card says: a third of the questions again."""

import importlib
import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.application import Application
from codette_desktop.paths import resource

STARTER_SCRIPTS = Path(__file__).resolve().parents[2] / "packaging" / "starter"
ROUNDING = 0.02  # another processor rounds differently, and a near tie may fall the other way
SIZE_LIMIT_BYTES = 40_000_000


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that measured the card's figures; it lies beside the training script, not in a package."""
    monkeypatch.syspath_prepend(str(STARTER_SCRIPTS))
    return importlib.import_module("measure")


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


@pytest.mark.parametrize("model", ["guide-s-q8_0", "guide-m-q8_0"])
async def test_a_starter_model_is_as_good_as_its_card_says(
    application: Application, measuring: Any, model: str
) -> None:
    claimed = json.loads(resource("starter", "measured.json").read_text())[model]
    found = await measuring.measure(application.provider, model, measuring.questions()[::3])
    assert found.asked["held-out"] > 200
    for kind, share in claimed.items():
        chance = 3 * math.sqrt(share * (1 - share) / found.asked[kind])  # a third of the questions is a sample
        assert found.share(kind) >= share - chance - ROUNDING, (kind, found.share(kind), found.wrong[:5])


def test_the_corpus_is_as_large_as_promised_and_keeps_its_measuring_questions_to_itself(measuring: Any) -> None:
    topics = measuring.read_topics()
    assert len(topics) >= 150
    assert min(len(topic.wordings) for topic in topics) >= 12
    trained = {wording.casefold() for topic in topics for wording in topic.wordings}
    assert not trained & {wording.casefold() for topic in topics for wording in topic.held_out}
    assert not set(measuring.read_lines("offtopic.txt")) & set(measuring.read_lines("offtopic_heldout.txt"))


def test_the_judge_is_not_content_with_a_neighbours_answer(measuring: Any) -> None:
    judge = measuring.Judge()
    first, second = measuring.read_topics()[:2]
    asked = measuring.Question("held-out", "?", first.answer)
    assert judge.right(asked, first.answer)
    assert not judge.right(asked, second.answer)
    assert not judge.right(asked, first.answer[: len(first.answer) // 3])
    assert not judge.right(asked, measuring.REFUSAL)
    assert judge.right(measuring.Question("arithmetic", "3 + 4", "7"), "3 + 4 = 7")
    assert not judge.right(measuring.Question("arithmetic", "3 + 4", "7"), "3 + 4 = 17")


def test_the_files_are_small_enough_for_the_repository() -> None:
    assert sum(file.stat().st_size for file in resource("starter").glob("*.gguf")) <= SIZE_LIMIT_BYTES

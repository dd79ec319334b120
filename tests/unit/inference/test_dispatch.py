"""Who is asked and who stands in: rules, on models that need not exist."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from codette_desktop.domain.errors import ModelNotFound
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import AUTO, AnyModel, ModelInfo, ServerModel
from codette_desktop.domain.servers import Server
from codette_desktop.domain.tasks import TaskType
from codette_desktop.inference.dispatch import MOST_ALTERNATIVES, Planner, Policy
from codette_desktop.inference.routing.health import Health, HealthState
from codette_desktop.inference.routing.preferences import Preferences

BILLION = 1_000_000_000


def in_file(name: str, parameters: int = BILLION, **more: object) -> ModelInfo:
    known = ModelInfo(name, name.title(), Path(f"/{name}.gguf"), "llama", "Q8_0", parameters, 9, 8192, 32000, "t")
    return replace(known, **more)  # type: ignore[arg-type]


GUIDE = in_file("guide", 3_000_000, starter=True)
SMALL, LARGE, HUGE = in_file("small"), in_file("large", 8 * BILLION), in_file("huge", 70 * BILLION)
NEAR = ServerModel("shed/qwen", "qwen", "shed", parameters=4 * BILLION, context_length=8192)
FAR = ServerModel("cloud/best", "best", "cloud", remote=True, parameters=400 * BILLION, context_length=100_000)
EVERYONE: tuple[AnyModel, ...] = (GUIDE, SMALL, LARGE, NEAR, FAR)
QUESTION = (Message(Role.USER, "Write a Python function that parses a date."),)


def planner(*models: AnyModel, policy: Policy | None = None, **more: object) -> Planner:
    known = {model.name: model for model in models or EVERYONE}

    def find(name: str) -> AnyModel:
        if name not in known:
            raise ModelNotFound(f"There is no model '{name}'.")
        return known[name]

    return Planner(find, lambda: known, policy=lambda: policy or Policy(), **more)  # type: ignore[arg-type]


def test_a_model_that_was_named_is_asked_first_and_others_of_this_computer_stand_in_best_first() -> None:
    plan = planner().plan("small", QUESTION)
    assert plan.names == ("small", "large", "shed/qwen", "guide")
    assert plan.model is SMALL
    assert plan.alternatives == ("large", "shed/qwen", "guide")
    assert plan.reasons == ()
    assert plan.task.type is TaskType.CODING


def test_auto_asks_the_best_and_says_why() -> None:
    plan = planner().plan(AUTO, QUESTION)
    assert plan.names[0] == "large"
    assert plan.auto
    assert any("8 billion parameters" in reason for reason in plan.reasons)


def test_nothing_leaves_this_computer_unless_it_was_allowed() -> None:
    for name in (AUTO, "small"):
        assert "cloud/best" not in planner().plan(name, QUESTION).names
    for name in (AUTO, "small"):
        assert "cloud/best" in planner(policy=Policy(remote=True)).plan(name, QUESTION).names
    assert "cloud/best" in planner(policy=Policy(may_stand_in={"cloud/best": True})).plan("small", QUESTION).names
    strict = Policy(remote=True, chains={"default": ("cloud/best", "guide")}, preferences=Preferences(local_only=True))
    assert planner(policy=strict).plan("small", QUESTION).names == ("small", "guide")


def test_a_model_that_ollama_passes_on_is_outside_this_computer_whatever_its_server() -> None:
    here = Server("box", "http://127.0.0.1:11434")
    assert ServerModel.unseen(here, "gpt-oss:120b-cloud").remote
    assert ServerModel.unseen(here, "glm-4.6:cloud").remote
    assert not ServerModel.unseen(here, "qwen3:8b").remote


def test_the_persons_own_chain_is_kept_in_order_and_whole() -> None:
    chains = {"small": ("guide", "cloud/best", "gone", "small"), "default": ("large",)}
    found = planner(policy=Policy(chains=chains))
    assert found.plan("small", QUESTION).names == ("small", "guide", "cloud/best")
    assert found.plan("shed/qwen", QUESTION).names == ("shed/qwen", "large")


def test_priority_orders_those_who_stand_in_and_some_may_not() -> None:
    policy = Policy(priority={"guide": 5}, may_stand_in={"shed/qwen": False})
    assert planner(policy=policy).plan("small", QUESTION).names == ("small", "guide", "large")


def test_nobody_stands_in_where_the_person_wants_none() -> None:
    assert planner(policy=Policy(fallback=False)).plan("small", QUESTION).names == ("small",)


def test_the_ill_and_the_impossible_are_not_chosen_but_who_is_named_is_asked() -> None:
    ill: Mapping[str, Health] = {"large": Health(HealthState.UNHEALTHY, why="It broke.")}
    known = planner(
        health=lambda name: ill.get(name, Health()), problem=lambda model: "too large" if model is SMALL else ""
    )
    assert known.plan(AUTO, QUESTION).names == ("shed/qwen", "guide")
    assert known.plan("large", QUESTION).names == ("large", "shed/qwen", "guide")


def test_auto_says_why_nobody_can_answer() -> None:
    with pytest.raises(ModelNotFound, match=r"leaves no room|too short"):
        planner(GUIDE).plan(AUTO, (Message(Role.USER, "word " * 20_000),))
    with pytest.raises(ModelNotFound, match="no model yet"):
        Planner(lambda _name: GUIDE, dict).plan(AUTO, QUESTION)


def test_a_long_list_of_stand_ins_ends() -> None:
    many = [in_file(f"model-{number}") for number in range(20)]
    assert len(planner(*many).plan("model-3", QUESTION).names) == 1 + MOST_ALTERNATIVES


def test_a_file_outside_the_folders_is_asked_by_its_path() -> None:
    outside = in_file("small")
    found = Planner(lambda _name: outside, lambda: {"guide": GUIDE, "/small.gguf": outside})
    assert found.plan("/small.gguf", QUESTION).names == ("/small.gguf", "guide")
    assert found.plan(AUTO, QUESTION).names == ("/small.gguf", "guide")

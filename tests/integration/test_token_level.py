"""One answer written by several models, as an ensemble: who takes part, what is told, and what is kept."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from codette_desktop.application import Application
from codette_desktop.cli import main
from codette_desktop.domain.comparisons import ComparisonSetup, OpenedComparison
from codette_desktop.domain.ensembles import (
    EnsemblePart,
    EnsembleRequest,
    Member,
    MemberDropped,
    Method,
    Outcome,
    Working,
)
from codette_desktop.domain.errors import Cancelled, ModelLoadFailed, UnsupportedModel
from codette_desktop.domain.joint import JointToken
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.servers import Server
from codette_desktop.ensemble import comparisons
from codette_desktop.ensemble.service import EnsembleRun, EnsembleService
from codette_desktop.ensemble.turns import Turns
from tests.support.joint_writing import MEDIUM, QUESTIONS, SMALL, alone, write_models


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    write_models(codette_home / "models")
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


def ensemble(application: Application, question: str, *specs: str, **more: object) -> EnsembleRun:
    members = application.members.read_all(specs, sampling={"temperature": 0.0, "max_tokens": 64})
    request = EnsembleRequest((Message(Role.USER, question),), members, Method.TOKEN)
    return application.ensembles.start(replace(request, **more))  # type: ignore[arg-type]


async def parts_of(
    run: EnsembleRun, on_part: Callable[[EnsemblePart], object] = lambda _part: None
) -> tuple[list[EnsemblePart], Outcome]:
    found: list[EnsemblePart] = []
    async for part in run.parts():
        found.append(part)
        on_part(part)
    outcome = found[-1]
    assert isinstance(outcome, Outcome)
    return found, outcome


async def test_the_outcome_tells_how_it_came_about(application: Application) -> None:
    parts, outcome = await parts_of(ensemble(application, QUESTIONS[0], SMALL, MEDIUM))
    assert outcome.used is Method.TOKEN
    assert outcome.text == "".join(part.text for part in parts if isinstance(part, JointToken))
    assert outcome.tokens == tuple(part for part in parts if isinstance(part, JointToken))
    assert outcome.weights == (0.5, 0.5)
    words = " ".join(outcome.reasons)
    assert "Guide S · Q8_0 drafted" in words
    assert "so bytes were compared" in words
    assert any(isinstance(part, Working) for part in parts)
    assert 0 <= outcome.agreement <= 1
    assert 0 < outcome.quality <= 1


async def test_who_was_right_more_often_counts_more_and_drafts(application: Application) -> None:
    members = application.members.read_all((SMALL, MEDIUM))
    application.ensembles.learn(members[1], "choice", 38, 40)
    application.ensembles.learn(members[0], "choice", 12, 40)
    _parts, outcome = await parts_of(ensemble(application, QUESTIONS[0], SMALL, MEDIUM))
    assert outcome.weights[1] > 0.8
    assert "Guide M · Q8_0 drafted: it counts most." in outcome.reasons


async def test_weights_that_are_given_hold(application: Application) -> None:
    _parts, outcome = await parts_of(ensemble(application, QUESTIONS[0], SMALL, MEDIUM, weights=(0.1, 0.9)))
    assert outcome.weights == (0.1, 0.9)
    assert "Guide M · Q8_0 drafted: it counts most." in outcome.reasons


async def test_a_member_on_a_server_is_told_apart_and_the_others_write(application: Application) -> None:
    await application.servers.add(Server("there", "http://127.0.0.1:9/v1"))
    parts, outcome = await parts_of(ensemble(application, QUESTIONS[2], "there/model", SMALL, MEDIUM))
    dropped = [part for part in parts if isinstance(part, MemberDropped)]
    assert [part.place for part in dropped] == [0]
    assert isinstance(dropped[0].error, UnsupportedModel)
    assert "server" in dropped[0].error.message
    assert outcome.weights[0] == 0
    assert {place for token in outcome.tokens for place in token.decided_by} == {1, 2}
    with pytest.raises(UnsupportedModel, match="server"):
        await parts_of(ensemble(application, QUESTIONS[2], "there/model", "there/other"))


async def test_a_model_in_a_process_of_its_own_takes_no_part(application: Application) -> None:
    await asyncio.wrap_future(application.keep_apart(application.catalogue.find_file(MEDIUM), True))
    parts, outcome = await parts_of(ensemble(application, QUESTIONS[2], SMALL, MEDIUM, "rotated"))
    assert [part.place for part in parts if isinstance(part, MemberDropped)] == [1]
    assert outcome.text
    assert any("process of its own" in reason for reason in outcome.reasons)


async def test_who_cannot_write_takes_no_memory_from_who_can(application: Application) -> None:
    await asyncio.wrap_future(application.keep_apart(application.catalogue.find_file(MEDIUM), True))
    asked_of: list[list[str]] = []

    def plan(members: Sequence[Member]) -> Turns:
        asked_of.append([member.model for member in members])
        return Turns((tuple(range(len(members))),), {})

    services = replace(application.ensembles._services, plan=plan)  # pyright: ignore[reportPrivateUsage]
    request = ensemble(application, QUESTIONS[2], MEDIUM, SMALL, "rotated").request
    parts, outcome = await parts_of(EnsembleService(services).start(request))
    assert asked_of == [[SMALL, "rotated"]]
    assert [part.place for part in parts if isinstance(part, MemberDropped)] == [0]
    assert {place for token in outcome.tokens for place in token.decided_by} == {1, 2}


async def test_one_that_is_left_writes_alone(application: Application, codette_home: Path) -> None:
    run = ensemble(application, QUESTIONS[2], SMALL, "twin")
    (codette_home / "models" / "twin.gguf").unlink()
    parts, outcome = await parts_of(run)
    assert [part.place for part in parts if isinstance(part, MemberDropped)] == [1]
    assert outcome.text == (await alone(application, QUESTIONS[2], SMALL))[0]
    assert "Guide S · Q8_0 wrote it alone." in outcome.reasons


async def test_those_that_do_not_fit_beside_the_others_are_left_out(application: Application) -> None:
    def plan(_members: object) -> Turns:
        return Turns(((0, 1), (2,)), {2: "It needs 9 GB."})

    services = replace(application.ensembles._services, plan=plan)  # pyright: ignore[reportPrivateUsage]
    request = ensemble(application, QUESTIONS[2], SMALL, MEDIUM, "rotated").request
    parts, outcome = await parts_of(EnsembleService(services).start(request))
    (dropped,) = [part for part in parts if isinstance(part, MemberDropped)]
    assert dropped.place == 2
    assert isinstance(dropped.error, ModelLoadFailed)
    assert "9 GB" in dropped.error.message
    assert outcome.text


async def test_a_member_that_is_stopped_leaves_the_others_writing(application: Application) -> None:
    run = ensemble(application, "Tell me everything.", "bytes?temperature=1&max_tokens=300&seed=1", "pieces", SMALL)
    seen: list[EnsemblePart] = []

    def stop(part: EnsemblePart) -> None:
        seen.append(part)
        if isinstance(part, JointToken) and len(seen) == 20:
            run.drop(0)

    _parts, outcome = await parts_of(run, stop)
    (dropped,) = [part for part in seen if isinstance(part, MemberDropped)]
    assert dropped.place == 0
    assert isinstance(dropped.error, Cancelled)
    assert outcome.weights[0] == 0


async def test_what_was_written_of_one_that_is_stopped_is_kept(application: Application) -> None:
    members = application.members.read_all((SMALL, MEDIUM), sampling={"temperature": 0.0})
    run = application.comparisons.start(QUESTIONS[1], ComparisonSetup(members, Method.TOKEN))
    said, kept_id = "", ""
    async with aclosing(run.parts()) as parts:
        async for part in parts:
            if isinstance(part, OpenedComparison):
                kept_id = part.comparison.id
            elif isinstance(part, JointToken):
                said += part.text
                if len(said) > 20:
                    break
    outcome = application.comparisons.open(kept_id).comparison.outcome
    assert outcome is not None
    assert outcome.text == said
    assert "stopped" in outcome.reasons[0]


async def test_what_was_written_is_kept_now_and_then_for_a_killed_process(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "CHECKPOINT_S", 0.0)
    members = application.members.read_all((SMALL, MEDIUM), sampling={"temperature": 0.0})
    run = application.comparisons.start(QUESTIONS[1], ComparisonSetup(members, Method.TOKEN))
    said, kept_id = "", ""
    async for part in run.parts():
        if isinstance(part, OpenedComparison):
            kept_id = part.comparison.id
        elif isinstance(part, JointToken):
            outcome = application.comparisons.open(kept_id).comparison.outcome
            assert (outcome.text if outcome else "") == said + part.text
            said += part.text
    assert said


def test_the_command_prints_the_answer_and_who_decided() -> None:
    run = CliRunner()
    told = run.invoke(
        main,
        ["compare", QUESTIONS[0], "--models", f"{SMALL},{MEDIUM}", "--method", "token", "--temperature", "0", "--json"],
    )
    assert told.exit_code == 0
    found = json.loads(told.stdout)
    assert found["answer"] == "".join(token["text"] for token in found["tokens"])
    assert {place for token in found["tokens"] for place in token["by"]} <= {0, 1}
    assert any(token["fused"] for token in found["tokens"])
    assert all(member["asked"] for member in found["members"])
    shown = run.invoke(main, ["comparisons", "show", found["id"]])
    assert found["answer"].strip() in shown.stdout

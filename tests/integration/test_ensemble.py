"""Ensembles on the starter models, for real: methods, members that fail, stall or are dropped, and stopping."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from codette_desktop.application import Application
from codette_desktop.cli import main
from codette_desktop.domain.answers import AnswerPart, PromptRead, TextChunk
from codette_desktop.domain.ensembles import (
    EnsemblePart,
    EnsembleRequest,
    Member,
    MemberDropped,
    MemberPart,
    Method,
    Outcome,
    TogetherText,
    Working,
)
from codette_desktop.domain.errors import Cancelled, CodetteError, InvalidRequest, ModelNotFound
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.servers import Server
from codette_desktop.ensemble.gathering import Gathering, Patience
from codette_desktop.ensemble.service import EnsembleRun

SMALL, MEDIUM = "guide-s-q8_0", "guide-m-q8_0"
SUM = "What is 2 + 3?"


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


def start(application: Application, question: str, *specs: str, method: Method, **more: object) -> EnsembleRun:
    members = application.members.read_all(specs, sampling={"temperature": 0.0, "max_tokens": 64})
    request = EnsembleRequest((Message(Role.USER, question),), members, method)
    return application.ensembles.start(replace(request, **more))  # type: ignore[arg-type]


async def parts_of(
    run: EnsembleRun, on_part: Callable[[EnsemblePart], object] = lambda _part: None
) -> list[EnsemblePart]:
    found: list[EnsemblePart] = []
    async for part in run.parts():
        found.append(part)
        on_part(part)
    return found


def outcome_of(parts: list[EnsemblePart]) -> Outcome:
    assert isinstance(parts[-1], Outcome)
    return parts[-1]


@pytest.mark.parametrize("method", [Method.VOTE, Method.WEIGHTED, Method.CONSENSUS, Method.HYBRID])
async def test_two_models_give_one_answer_by_every_method(application: Application, method: Method) -> None:
    outcome = outcome_of(await parts_of(start(application, SUM, SMALL, MEDIUM, method=method)))
    assert outcome.method is method
    assert "5" in outcome.text
    assert outcome.reasons
    assert outcome.seconds > 0


async def test_side_by_side_decides_nothing(application: Application) -> None:
    parts = await parts_of(start(application, SUM, SMALL, MEDIUM, method=Method.NONE))
    assert not any(isinstance(part, Outcome) for part in parts)
    assert {part.place for part in parts if isinstance(part, MemberPart)} == {0, 1}


async def test_a_member_that_cannot_be_reached_is_dropped_with_a_note_and_the_rest_answer(
    application: Application,
) -> None:
    await application.servers.add(Server.checked("nowhere", "http://127.0.0.1:9"))
    members = application.members.read_all([SMALL, MEDIUM])
    gone = replace(members[0], spec="nowhere/m", label="nowhere/m", model="nowhere/m")
    request = EnsembleRequest((Message(Role.USER, SUM),), (members[0], gone), Method.VOTE)
    parts = await parts_of(application.ensembles.start(request))
    [dropped] = [part for part in parts if isinstance(part, MemberDropped)]
    assert dropped.place == 1
    outcome = outcome_of(parts)
    assert outcome.winner == 0
    assert outcome.reasons[-1].startswith("nowhere/m took no part: ")


async def test_where_nobody_answers_the_first_error_is_raised(application: Application) -> None:
    [member] = application.members.read_all([SMALL])
    gone = [replace(member, spec=name, label=name, model=name) for name in ("gone-1", "gone-2")]
    run = application.ensembles.start(EnsembleRequest((Message(Role.USER, SUM),), tuple(gone), Method.VOTE))
    with pytest.raises(ModelNotFound, match="gone-1"):
        await parts_of(run)


async def test_a_member_is_dropped_by_hand_and_the_other_goes_on(application: Application) -> None:
    run = start(application, "Tell me of Compare.", SMALL, MEDIUM, method=Method.CONSENSUS, fresh=True)

    def drop(part: EnsemblePart) -> None:
        if isinstance(part, MemberPart) and part.place == 1:
            run.drop(1)

    parts = await parts_of(run, drop)
    [dropped] = [part for part in parts if isinstance(part, MemberDropped)]
    assert isinstance(dropped.error, Cancelled)
    assert outcome_of(parts).winner == 0


async def test_closing_a_run_stops_everybody(application: Application) -> None:
    parts = start(application, "Tell me of Compare.", SMALL, MEDIUM, method=Method.CONSENSUS, fresh=True).parts()
    async for part in parts:
        if isinstance(part, MemberPart) and isinstance(part.part, TextChunk):
            break
    await parts.aclose()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("member ")]
    assert not any(model.busy for model in application.provider.loaded())


async def test_a_judge_writes_one_answer_where_they_differ_and_it_is_labelled(application: Application) -> None:
    specs = (f"{SMALL}?temperature=1.9&seed=1", f"{SMALL}?temperature=1.9&seed=5")
    run = start(application, "Tell me a story.", *specs, method=Method.CONSENSUS, judge=MEDIUM)
    parts = await parts_of(run)
    outcome = outcome_of(parts)
    if outcome.agreement < 0.6:
        assert any(isinstance(part, TogetherText) for part in parts)
        assert outcome.synthesised
        assert outcome.winner is None
    else:
        assert not outcome.synthesised
        assert "nothing was written anew" in outcome.reasons[-1]


async def test_a_settled_vote_asks_nobody_else(application: Application) -> None:
    specs = [f"{SMALL}?temperature=0&seed={seed}" for seed in range(3)]
    slow = f"{SMALL}?temperature=0&seed=9&min_p=0.01"
    parts = await parts_of(start(application, SUM, *specs, slow, method=Method.VOTE, fresh=True))
    outcome = outcome_of(parts)
    assert outcome.agreement == 1
    stopped = [part for part in parts if isinstance(part, MemberDropped)]
    assert all("settled" in part.error.message for part in stopped)
    assert bool(stopped) == any(isinstance(part, Working) for part in parts)


async def test_who_is_silent_for_too_long_is_dropped() -> None:
    async def ask(member: Member, _answer_id: str) -> AsyncGenerator[AnswerPart, None]:
        from codette_desktop.domain.answers import ContextUse

        yield PromptRead(ContextUse(100, 0, 0, 5))
        if member.label == "stuck":
            await asyncio.sleep(60)
        yield TextChunk("words")

    members = [Member("a", "a", "a"), Member("stuck", "stuck", "stuck")]
    gathering = Gathering(members, ask, Patience(first_token_s=0.05, per_thousand_tokens_s=0))
    gathering.begin((0, 1))
    parts = [part async for part in gathering.parts()]
    [dropped] = [part for part in parts if isinstance(part, MemberDropped)]
    assert dropped.place == 1
    assert "has written nothing" in dropped.error.message
    await gathering.close()


@pytest.mark.parametrize(
    ("specs", "method", "question", "words"),
    [
        ((SMALL,), Method.VOTE, SUM, "no ensemble"),
        ((SMALL, MEDIUM), Method.NONE, "  ", "empty"),
    ],
)
async def test_what_cannot_be_asked_is_refused_in_words(
    application: Application, specs: tuple[str, ...], method: Method, question: str, words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words):
        start(application, question, *specs, method=method)


async def test_members_are_read_from_what_one_types(application: Application) -> None:
    read = application.members.read_all
    members = read([SMALL, f"{SMALL}?temperature=1&seed=2", f"{SMALL}#security-architect"])
    assert len({member.label for member in members}) == 3
    assert members[1].sampling.seed == 2
    assert members[2].system
    for wrong, words in (
        ([SMALL, SMALL], "twice"), (["auto"], "Auto"), ([f"{SMALL}?heat=1"], "no parameter"),
        ([f"{SMALL}?temperature=hot"], "no number"), ([f"{SMALL}#"], "No role"), ([SMALL] * 7, "too many"),
        ([], "Nobody"),
    ):  # fmt: skip
        with pytest.raises(CodetteError, match=words):
            read(wrong)


def run_command(home: Path, *arguments: str) -> str:
    result = CliRunner().invoke(main, ["--data-dir", str(home), *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_measures_an_ensemble_and_may_say_to_use_the_best_member_alone(
    codette_home: Path, tmp_path: Path
) -> None:
    suite = tmp_path / "sums.jsonl"
    lines = [{"prompt": f"What is {n} + 2?", "reference": str(n + 2), "scorer": "number"} for n in range(24)]
    suite.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    answers = tmp_path / "answers.jsonl"
    arguments = ("evaluate", str(suite), "--models", f"{SMALL},{MEDIUM}", "--methods", "all", "--learn")
    found = json.loads(run_command(codette_home, *arguments, "--answers", str(answers), "--json"))
    assert [item["name"] for item in found["methods"]] == ["vote", "weighted", "consensus", "hybrid", "token"]
    assert [gain["method"] for gain in found["gains"]] == ["vote", "weighted", "consensus", "hybrid", "token"]
    assert found["best_member"] in {item["name"] for item in found["members"]}
    assert all(item["memory_bytes"] > 1e6 and item["seconds"] > 0 for item in found["members"])
    assert found["reasons"]
    assert len(answers.read_text(encoding="utf-8").splitlines()) == 24 * 7
    asked = json.loads(run_command(codette_home, "compare", SUM, "--models", f"{SMALL},{MEDIUM}",
                                   "--method", "weighted", "--json"))  # fmt: skip
    assert any("How often they were right" in reason for reason in asked["reasons"])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--models", SMALL, "--methods", "all"), "no ensemble"),
        (("--models", f"{SMALL},{MEDIUM}", "--methods", "magic"), "no method 'magic'"),
        (("--models", f"{SMALL},{SMALL}", "--methods", "vote"), "twice"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(codette_home: Path, more: tuple[str, ...], words: str) -> None:
    result = CliRunner().invoke(main, ["--data-dir", str(codette_home), "evaluate", "choice", *more])
    assert result.exit_code == 1
    assert words in result.output

"""Sittings in which a contestant names itself, fails, or says nothing; and what happens elsewhere meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from codette_desktop.application import Application
from codette_desktop.domain.duels import Ending, Experiment, StoppingRule
from codette_desktop.domain.ensembles import EnsembleRequest
from codette_desktop.domain.errors import CodetteError, StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.votes import Preference, VoteFilter
from tests.support.duelling import PROMPTS, Scripted, begun, next_duel, scripted, sitting_of, written


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


@pytest.mark.parametrize(
    ("texts", "leaks"),
    [
        (("I am Qwen, made by Alibaba.", "Rain is wet."), True),
        (("<think>I am Qwen.</think>Rain is wet.", "<think>Hm.</think>It is."), True),  # both thoughts are shown
        (("<think>I am Qwen.</think>Rain is wet.", "It is."), False),  # neither is
        (("Rain is wet.", "It is."), False),
    ],
)
async def test_whatever_is_shown_is_searched_for_names(
    application: Application, texts: tuple[str, str], leaks: bool
) -> None:
    sitting = await scripted(application, await begun(application), Scripted(*texts))
    duel = await next_duel(sitting)
    assert bool(duel.leaks) is leaks
    await sitting.aclose()


async def test_who_is_asked_first_says_nothing_of_the_sides(application: Application) -> None:
    """The model that is loaded first can be seen in the status line."""
    experiment = await begun(application, prompts=tuple(f"Question {n}?" for n in range(30)))
    script = Scripted("One.", "Two.")
    sitting = await scripted(application, experiment, script)
    sides: set[bool] = set()
    for _ in range(12):
        duel = await next_duel(sitting)
        first = duel.right_answer if duel.swapped else duel.left_answer
        assert first.message.content == "One."
        sides.add(duel.swapped)
        await sitting.vote(duel, Preference.TIE)
    await sitting.aclose()
    assert sides == {True, False}
    assert set(script.asked) == {tuple(item.members[0].model for item in experiment.contestants)}


async def test_why_nobody_answers_is_told_even_with_one_prompt(application: Application) -> None:
    script = Scripted(error=CodetteError("The disk is on fire.", "Fetch water."))
    sitting = await scripted(application, await begun(application, prompts=PROMPTS[:1]), script)
    for _ in range(2):  # and again where it is tried again
        with pytest.raises(CodetteError, match="on fire") as told:
            await asyncio.wait_for(sitting.next(), 20)
        assert f"cannot answer “{PROMPTS[0]}”: " in told.value.message  # or one would not know which to leave out
    await sitting.aclose()


async def test_two_empty_answers_are_left_to_the_person(application: Application) -> None:
    sitting = await scripted(application, await begun(application), Scripted("", " "))
    duel = await next_duel(sitting)
    assert not duel.identical
    await sitting.aclose()


async def test_equal_answers_stop_no_experiment_before_the_person_has_judged(application: Application) -> None:
    """Forty ties that nobody read would make the pair equally good, and nothing would be left to draw."""
    prompts = tuple(f"Question {n}?" for n in range(60))
    experiment = await begun(application, prompts=prompts, rule=StoppingRule(margin=0.15))

    class Turning(Scripted):
        def start(self, request: EnsembleRequest) -> Scripted:
            if len(self.asked) == 50:
                self.texts = ("One.", "Two.")
            return super().start(request)

    sitting = await scripted(application, experiment, Turning("Same.", "Same."))
    assert await asyncio.wait_for(sitting.next(), 30) is not None
    assert sitting.equal == 50
    await sitting.aclose()


async def test_an_experiment_that_ended_elsewhere_takes_no_more_votes(application: Application) -> None:
    experiment = await begun(application)
    async with sitting_of(application, experiment) as sitting:
        duel = await next_duel(sitting)
        await application.rating.end(experiment.id)
        with pytest.raises(StoreError, match="has ended"):
            await sitting.vote(duel, Preference.LEFT)
        await sitting.refresh()
        assert sitting.experiment.ending is Ending.STOPPED
        assert await sitting.next() is None
    assert application.store.votes.count(VoteFilter()) == 0


async def test_a_vote_that_meets_the_rule_is_kept_though_the_experiment_ended_meanwhile(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = await begun(application, rule=StoppingRule(most_votes=1, margin=None))
    async with sitting_of(application, experiment) as sitting:
        duel = await next_duel(sitting)
        end = application.store.experiments.end

        def ended_twice(experiment_id: str, ending: Ending) -> "Future[Experiment]":
            end(experiment_id, Ending.STOPPED).result()  # another process was faster
            return end(experiment_id, ending)

        monkeypatch.setattr(application.store.experiments, "end", ended_twice)
        vote = await sitting.vote(duel, Preference.LEFT)
        assert application.store.votes.get(vote.id) is not None
        assert sitting.experiment.ending is Ending.STOPPED


async def test_an_ended_experiment_goes_on_when_a_vote_is_taken_back_from_outside(application: Application) -> None:
    experiment = await begun(application, rule=StoppingRule(most_votes=1, margin=None))
    async with sitting_of(application, experiment) as sitting:
        vote = await sitting.vote(await next_duel(sitting), Preference.LEFT)
        assert sitting.experiment.ending is Ending.MOST_VOTES
    await application.votes.take_back(vote.id)
    assert application.rating.experiment(experiment.id).ending is None
    assert application.store.audit.verify().whole


async def test_a_duel_on_view_waits_behind_one_that_is_taken_back(application: Application) -> None:
    experiment = await begun(application)
    async with sitting_of(application, experiment) as sitting:
        first = await next_duel(sitting)
        vote = await sitting.vote(first, Preference.LEFT)
        second = await next_duel(sitting)
        await sitting.take_back(vote, first, names_seen=True)
        assert (await next_duel(sitting)).id == first.id
        await sitting.vote(first, Preference.LEFT)
        assert (await next_duel(sitting)).id == second.id


async def test_thumbs_that_replace_each_other_count_once_in_the_profile(application: Application) -> None:
    chat = await asyncio.wrap_future(application.store.conversations.create(model="guide-s-q8_0"))
    assert [part async for part in application.chat.send(chat.id, "What is a duel?")]
    answer = application.store.conversations.branch(chat.id)[-1]
    for preference in (Preference.UP, Preference.DOWN, Preference.UP):
        await application.rating.thumb(answer, preference)
    await written(application)
    assert answer.generation is not None
    profile = application.store.profiles.get(answer.generation.model_hash)
    assert profile is not None
    assert (profile.quality_points, profile.quality_votes) == (10.0, 1)


async def test_deleted_chats_and_duels_give_no_prompts(application: Application) -> None:
    store = application.store
    chat = await asyncio.wrap_future(store.conversations.create())
    await asyncio.wrap_future(store.conversations.add_message(chat.id, None, Message(Role.USER, "Deleted?")))
    await asyncio.wrap_future(store.conversations.delete(chat.id))
    async with sitting_of(application, await begun(application)) as sitting:
        await next_duel(sitting)
    assert store.conversations.first_questions(10) == []


async def test_a_success_forgives_failures(application: Application) -> None:
    script = Scripted("One.", "Two.", error=CodetteError("Not now."))
    experiment = await begun(application, prompts=tuple(f"Question {n}?" for n in range(20)))
    sitting = await scripted(application, experiment, script)
    waiting = asyncio.ensure_future(sitting.next())
    while len(script.asked) < 1:
        await asyncio.sleep(0)
    script.error = None
    assert await asyncio.wait_for(waiting, 20) is not None
    assert not sitting._preparer._failures
    await sitting.aclose()


async def test_a_prompt_that_was_passed_over_is_told_when_nothing_else_is_left(application: Application) -> None:
    script = Scripted("One.", "Two.", error=CodetteError("Not now."))
    sitting = await scripted(application, await begun(application, prompts=PROMPTS[:2]), script)
    waiting = asyncio.ensure_future(sitting.next())
    while len(script.asked) < 1:
        await asyncio.sleep(0)
    script.error = None
    duel = await asyncio.wait_for(waiting, 20)
    assert duel is not None
    await sitting.vote(duel, Preference.LEFT)
    with pytest.raises(CodetteError, match="Not now"):
        await asyncio.wait_for(sitting.next(), 20)
    other = await asyncio.wait_for(sitting.next(), 20)  # tried again
    assert other is not None
    assert other.question.message.content != duel.question.message.content
    await sitting.vote(other, Preference.LEFT)
    assert await asyncio.wait_for(sitting.next(), 20) is None
    await sitting.aclose()


async def test_prompts_are_shared_out_among_the_pairs(application: Application) -> None:
    """The one used least comes next: so the votes of several pairs fall on as many prompts as they can."""
    specs = ("guide-s-q8_0", "guide-m-q8_0", "guide-s-q8_0?temperature=0.2")
    prompts = tuple(f"Question {n}?" for n in range(9))
    experiment = await begun(application, *specs, prompts=prompts)
    sitting = await scripted(application, experiment, Scripted("One.", "Two."))
    asked: list[str] = []
    for _ in range(9):
        duel = await next_duel(sitting)
        asked.append(duel.question.message.content)
        await sitting.vote(duel, Preference.TIE)
    await sitting.aclose()
    assert len(set(asked)) == 9


async def test_the_task_of_a_prompt_is_read(application: Application) -> None:
    prompt = "Write a Python function that reverses a linked list."
    experiment = await begun(application, prompts=(prompt,))
    sitting = await scripted(application, experiment, Scripted("One.", "Two."))
    assert (await next_duel(sitting)).task == "coding"
    await sitting.aclose()

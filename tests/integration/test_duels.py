"""Sittings with the starter models: duels without names, prepared ahead, voted on, taken back, ended by a rule."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.application import Application
from codette_desktop.domain.duels import Ending, PromptSource, StoppingRule
from codette_desktop.domain.ensembles import Method
from codette_desktop.domain.errors import CodetteError, InvalidRequest, StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.votes import Exclusion, Preference, Source, VoteFilter
from codette_desktop.proof.duel_prompts import ADDED_SUITE, duel_prompts
from codette_desktop.rating.ballots import tie_of_equals
from codette_desktop.rating.preparing import AHEAD
from codette_desktop.rating.sides import is_swapped
from tests.support.duelling import PAIR, PROMPTS, WARM, begun, next_duel, sitting_of, written
from tests.support.voting import generation


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


async def test_a_duel_is_whole_blind_and_prepared_ahead(application: Application) -> None:
    experiment = await begun(application)
    async with sitting_of(application, experiment) as sitting:
        duel = await next_duel(sitting)
        assert duel.question.message.content in PROMPTS
        assert {duel.left.key, duel.right.key} == {item.key for item in experiment.contestants}
        assert duel.swapped is is_swapped(duel.seed)
        assert (duel.left.key == experiment.contestants[1].key) is duel.swapped
        for contestant, node in ((duel.left, duel.left_answer), (duel.right, duel.right_answer)):
            made = node.generation
            assert made is not None
            assert made.model == contestant.members[0].model
            assert made.model_hash == contestant.files[0]
            assert made.seed is not None
            assert made.figures is not None
        while sitting.ready < AHEAD:
            await asyncio.sleep(0.02)
    waiting = application.store.duels.waiting(experiment.id)
    assert sum(not duel.identical for duel in waiting) == AHEAD + 1
    assert application.store.conversations.list() == []
    assert application.comparisons.list() == []


async def test_a_vote_keeps_all_it_takes_to_check_it(application: Application) -> None:
    experiment = await begun(application)
    async with sitting_of(application, experiment) as sitting:
        duel = await next_duel(sitting)
        cast = await sitting.vote(
            duel, Preference.RIGHT, tags=("brief", "correct"), correction=" Better so. ", seconds=3.5
        )
    kept = application.store.votes.get(cast.id)
    assert kept is not None
    assert kept.source is Source.DUEL
    assert kept.counts
    assert (kept.seconds, kept.tags, kept.correction) == (3.5, ("brief", "correct"), "Better so.")
    assert (kept.seed, kept.swapped, kept.task) == (duel.seed, duel.swapped, duel.task)
    assert kept.prompt_hash == Message(Role.USER, duel.question.message.content).hash
    assert kept.right is not None
    for side, node, contestant in (
        (kept.left, duel.left_answer, duel.left),
        (kept.right, duel.right_answer, duel.right),
    ):
        made = node.generation
        assert made is not None
        assert side.message_hash == node.message.hash
        assert side.contestant.files == contestant.files
        assert side.contestant.members[0].sampling == contestant.members[0].sampling
        assert (side.seed, side.engine_build) == (made.seed, made.engine_build)
        assert side.style.characters == len(node.message.content)
        assert side.style.tokens == (made.figures.completion_tokens if made.figures else -1)
    assert sitting.standing.votes == 1


async def test_no_pair_meets_twice_on_a_prompt_and_the_prompts_run_out(application: Application) -> None:
    experiment = await begun(application, prompts=PROMPTS[:3])
    asked: list[str] = []
    async with sitting_of(application, experiment) as sitting:
        while (duel := await asyncio.wait_for(sitting.next(), 60)) is not None:
            asked.append(duel.question.message.content)
            await sitting.vote(duel, Preference.TIE)
    equal = application.store.votes.count(VoteFilter(sources=(Source.IDENTICAL,)))
    assert len(asked) == len(set(asked)) == 3 - equal
    assert application.rating.experiment(experiment.id).ending is None


async def test_what_was_prepared_comes_first_in_the_next_sitting(application: Application) -> None:
    experiment = await begun(application)
    async with sitting_of(application, experiment) as sitting:
        first = await next_duel(sitting)
    async with sitting_of(application, experiment) as sitting:
        assert (await next_duel(sitting)).id == first.id


async def test_a_vote_taken_back_before_the_names_stays_blind_and_after_them_does_not(application: Application) -> None:
    experiment = await begun(application)
    async with sitting_of(application, experiment) as sitting:
        duel = await next_duel(sitting)
        vote = await sitting.vote(duel, Preference.LEFT)
        await sitting.take_back(vote, duel, names_seen=False)
        again = await next_duel(sitting)
        assert again.id == duel.id
        vote = await sitting.vote(again, Preference.RIGHT)
        assert vote.exclusion is Exclusion.NONE
        await sitting.take_back(vote, again, names_seen=True)
        last = await sitting.vote(await next_duel(sitting), Preference.LEFT)
        assert last.exclusion is Exclusion.SEEN
        assert sitting.standing.votes == 0
    taken = [vote for vote in application.store.votes.list(VoteFilter()) if vote.taken_back_at is not None]
    assert len(taken) == 2
    async with sitting_of(application, experiment) as sitting:
        assert (await next_duel(sitting)).id != duel.id


async def test_names_seen_are_remembered_over_a_restart(application: Application) -> None:
    experiment = await begun(application)
    async with sitting_of(application, experiment) as sitting:
        duel = await next_duel(sitting)
        vote = await sitting.vote(duel, Preference.LEFT)
        await sitting.take_back(vote, duel, names_seen=True)
    async with sitting_of(application, experiment) as sitting:
        again = await next_duel(sitting)
        assert (again.id, again.names_seen) == (duel.id, True)


async def test_an_experiment_ends_by_its_rule_and_goes_on_when_its_last_vote_is_taken_back(
    application: Application,
) -> None:
    experiment = await begun(application, rule=StoppingRule(most_votes=2, margin=None))
    async with sitting_of(application, experiment) as sitting:
        await sitting.vote(await next_duel(sitting), Preference.LEFT)
        duel = await next_duel(sitting)
        vote = await sitting.vote(duel, Preference.LEFT)
        assert sitting.experiment.ending is Ending.MOST_VOTES
        assert await sitting.next() is None
        await sitting.take_back(vote, duel, names_seen=False)
        assert sitting.experiment.ending is None
        assert (await next_duel(sitting)).id == duel.id
        await sitting.vote(duel, Preference.RIGHT)
    assert application.rating.experiment(experiment.id).ending is Ending.MOST_VOTES
    async with sitting_of(application, application.rating.experiment(experiment.id)) as sitting:
        assert await sitting.next() is None


async def test_equal_answers_are_a_tie_nobody_is_asked_for_and_use_up_no_vote(application: Application) -> None:
    twins = ("guide-s-q8_0?temperature=0&max_tokens=12", "guide-s-q8_0?temperature=0&max_tokens=12&top_k=7")
    experiment = await begun(application, *twins, prompts=PROMPTS[:3], rule=StoppingRule(most_votes=1, margin=None))
    async with sitting_of(application, experiment) as sitting:
        assert await asyncio.wait_for(sitting.next(), 60) is None
        assert sitting.experiment.ending is None
        assert sitting.standing.votes == 3
    cast = application.store.votes.list(VoteFilter(experiment_id=experiment.id))
    assert [(vote.source, vote.preference) for vote in cast] == [(Source.IDENTICAL, Preference.TIE)] * 3


async def test_equal_answers_wait_for_their_turn(application: Application) -> None:
    """Else ties would count before the duels that are still to be read."""
    experiment = await begun(application, prompts=PROMPTS[:2])
    left, right = experiment.contestants
    made = [generation(name) for name in ("a", "b", "c", "d")]
    for at, texts in enumerate((("One.", "Two."), ("Same.", "Same. "))):
        answers = ((texts[0], made[2 * at]), (texts[1], made[2 * at + 1]))
        write = application.store.duels.create(experiment.id, PROMPTS[at], left, right, answers, seed=1, swapped=False)
        await asyncio.wrap_future(write)
    async with sitting_of(application, experiment) as sitting:
        duel = await next_duel(sitting)
        assert sitting.standing.votes == 0
        await sitting.vote(duel, Preference.LEFT)
        assert await asyncio.wait_for(sitting.next(), 60) is None
        assert sitting.standing.votes == 2


async def test_an_ensemble_meets_its_members(application: Application) -> None:
    single = "guide-s-q8_0?temperature=0&max_tokens=24", "guide-m-q8_0?temperature=0&max_tokens=24"
    experiment = await begun(application, single[0], f"consensus({', '.join(single)})", prompts=PROMPTS[:2])
    together = experiment.contestants[1]
    assert together.method is Method.CONSENSUS
    assert together.label.startswith("Consensus: Guide S")
    assert len(together.files) == 2
    async with sitting_of(application, experiment) as sitting:
        while (duel := await asyncio.wait_for(sitting.next(), 60)) is not None:
            assert together.key in (duel.left.key, duel.right.key)
            await sitting.vote(duel, Preference.TIE)
    cast = application.store.votes.list(VoteFilter(experiment_id=experiment.id))
    assert len(cast) == 2  # some perhaps of equal answers: it chooses among those of its members


async def test_an_answer_that_names_itself_is_kept_and_does_not_count(application: Application) -> None:
    experiment = await begun(application)
    async with sitting_of(application, experiment) as sitting:
        duel = replace(await next_duel(sitting), leaks=("I am Guide M",))
        vote = await sitting.vote(duel, Preference.LEFT)
        assert vote.exclusion is Exclusion.NAMED
        assert not vote.counts
        assert sitting.standing.votes == 0


async def test_a_contestant_that_cannot_answer_is_told_and_can_be_tried_again(
    application: Application, codette_home: Path
) -> None:
    folder = codette_home / "models"
    folder.mkdir(exist_ok=True)
    whole = (Path(__file__).parents[2] / "resources/starter/guide-m-q8_0.gguf").read_bytes()
    (folder / "broken.gguf").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CodetteError):
        application.rating.reader.read_all((PAIR[0], "broken"))
    (folder / "broken.gguf").write_bytes(whole)
    experiment = await begun(application, PAIR[0], f"broken{WARM}")
    (folder / "broken.gguf").unlink()
    async with sitting_of(application, experiment) as sitting:
        for _attempt in range(2):
            with pytest.raises(CodetteError, match="Guide M"):
                await asyncio.wait_for(sitting.next(), 60)
        (folder / "broken.gguf").write_bytes(whole)
        assert await asyncio.wait_for(sitting.next(), 60) is not None
    assert application.store.votes.count(VoteFilter()) == 0


async def test_a_duel_is_voted_on_once(application: Application) -> None:
    experiment = await begun(application)
    async with sitting_of(application, experiment) as sitting:
        duel = await next_duel(sitting)
        await sitting.vote(duel, Preference.LEFT)
        with pytest.raises(StoreError, match="voted on already"):
            await sitting.vote(duel, Preference.LEFT)


@pytest.mark.parametrize(
    ("specs", "what"),
    [
        (("guide-s-q8_0",), "takes two"),
        ((PAIR[0], PAIR[0]), "given twice"),
        ((PAIR[0], f"{PAIR[0]}&seed=4"), "given twice"),  # another seed is no other contestant
        ((PAIR[0], "vote(guide-s-q8_0)"), "no ensemble"),
        ((PAIR[0], "no-such-model"), "no-such-model"),
    ],
)
async def test_who_cannot_meet_is_said(application: Application, specs: tuple[str, ...], what: str) -> None:
    with pytest.raises(CodetteError, match=what):
        application.rating.reader.read_all(specs)


async def test_a_contestant_is_what_it_is_and_not_what_it_is_called(
    application: Application, codette_home: Path
) -> None:
    source = Path(__file__).parents[2] / "resources/starter/guide-m-q8_0.gguf"
    (codette_home / "models").mkdir(exist_ok=True)
    (codette_home / "models" / "another-name.gguf").write_bytes(source.read_bytes())
    read = application.rating.reader.read
    assert read("another-name").key == read("guide-m-q8_0").key == read("guide-m-q8_0?seed=3").key
    others = ("guide-m-q8_0?temperature=0.1", "guide-m-q8_0#devops-specialist", "guide-s-q8_0")
    assert len({read(spec).key for spec in (*others, "guide-m-q8_0")}) == 4


async def test_a_thumb_before_the_first_duel_takes_nothing_from_it(application: Application) -> None:
    """Both are about the same contestant; the thumb knows less of it."""
    chat = await asyncio.wrap_future(application.store.conversations.create(model="guide-s-q8_0"))
    assert [part async for part in application.chat.send(chat.id, "What is a duel?")]
    await application.rating.thumb(application.store.conversations.branch(chat.id)[-1], Preference.UP)
    experiment = await begun(application, "guide-s-q8_0", PAIR[1])
    assert all(contestant.members for contestant in experiment.contestants)
    async with sitting_of(application, experiment) as sitting:
        await next_duel(sitting)


async def test_a_model_that_was_renamed_goes_on_in_its_experiments(
    application: Application, codette_home: Path
) -> None:
    folder = codette_home / "models"
    folder.mkdir(exist_ok=True)
    whole = Path(__file__).parents[2] / "resources/starter/guide-m-q8_0.gguf"
    (folder / "before.gguf").write_bytes(whole.read_bytes())
    first = await begun(application, PAIR[0], f"before{WARM}")
    (folder / "before.gguf").rename(folder / "after.gguf")
    second = await begun(application, PAIR[0], f"after{WARM}")
    assert [item.key for item in first.contestants] == [item.key for item in second.contestants]
    async with sitting_of(application, application.rating.experiment(first.id)) as sitting:
        await next_duel(sitting)


async def test_prompts_come_from_chats_suites_and_what_was_typed(application: Application) -> None:
    store = application.store
    with pytest.raises(InvalidRequest, match="no prompt"):
        duel_prompts(store, PromptSource.HISTORY)
    for text in ("First?", "Second?", "First?"):
        chat = await asyncio.wrap_future(store.conversations.create())
        node = await asyncio.wrap_future(store.conversations.add_message(chat.id, None, Message(Role.USER, text)))
        await asyncio.wrap_future(
            store.conversations.add_message(chat.id, node.id, Message(Role.USER, "A later question"))
        )
    assert duel_prompts(store, PromptSource.HISTORY) == ("First?", "Second?")
    assert duel_prompts(store, PromptSource.TYPED, (" a ", "", "b", "a")) == ("a", "b")
    suite = duel_prompts(store, PromptSource.SUITE, suite=ADDED_SUITE)
    assert duel_prompts(store, PromptSource.MIXED) == ("First?", "Second?", *suite)


async def test_votes_make_the_profile_of_a_model_and_taking_one_back_unmakes_it(application: Application) -> None:
    def quality(name: str) -> tuple[float, int]:
        key = application.rating.reader.read(name).files[0]
        found = application.store.profiles.all().get((key, ""))
        return (found.quality_points, found.quality_votes) if found else (0.0, 0)

    experiment = await begun(application)
    async with sitting_of(application, experiment) as sitting:
        duel = await next_duel(sitting)
        vote = await sitting.vote(duel, Preference.LEFT)
        names = {side.key: side.members[0].model for side in experiment.contestants}
        await written(application)
        assert quality(names[duel.left.key]) == (10.0, 1)
        assert quality(names[duel.right.key]) == (0.0, 1)
        await sitting.take_back(vote, duel, names_seen=False)
        await written(application)
        assert quality(names[duel.left.key]) == (0.0, 0)


async def test_thumbs_are_votes_with_names_in_sight(application: Application) -> None:
    chat = await asyncio.wrap_future(application.store.conversations.create(model="guide-s-q8_0"))
    parts: list[Any] = [part async for part in application.chat.send(chat.id, "What is a duel?")]
    answer = application.store.conversations.branch(chat.id)[-1]
    assert parts
    up = await application.rating.thumb(answer, Preference.UP)
    assert up is not None
    assert (up.exclusion, up.counts, up.right) == (Exclusion.NOT_BLIND, False, None)
    assert application.rating.thumb_of(answer.id) is Preference.UP
    await application.rating.thumb(answer, Preference.DOWN)
    assert application.rating.thumb_of(answer.id) is Preference.DOWN
    await application.rating.thumb(answer, None)
    assert application.rating.thumb_of(answer.id) is None
    assert application.votes.leaderboard(VoteFilter()).votes == 0
    assert up.left.contestant.key == application.rating.reader.read("guide-s-q8_0").key


async def test_equal_answers_alone_make_nobody_equally_good(application: Application) -> None:
    """Thirty ties that nobody read are not yet a judgement, unless there is nothing else to read."""
    experiment = await begun(
        application, prompts=tuple(f"Question {n}?" for n in range(60)), rule=StoppingRule(margin=0.15)
    )
    left, right = experiment.contestants
    for at in range(30):
        made = [("Same.", generation(f"{at}{side}")) for side in "lr"]
        write = application.store.duels.create(
            experiment.id, experiment.prompts[at], left, right, (made[0], made[1]), seed=1, swapped=False
        )
        duel = await asyncio.wrap_future(write)
        await application.votes.cast(tie_of_equals(duel))
    conclusion = application.rating.conclusion(experiment)
    assert (conclusion.ending, conclusion.votes) == (None, 30)
    all_there_is = replace(experiment, prompts=experiment.prompts[:30])
    assert application.rating.conclusion(all_there_is).ending is Ending.SETTLED

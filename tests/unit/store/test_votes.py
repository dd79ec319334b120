"""Votes: everything comes back, a duel is voted on once, and a tally has what counts."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from codette_desktop.domain.comparisons import ComparisonSetup, Origin
from codette_desktop.domain.errors import InvalidRequest, StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.votes import Exclusion, GivenAnswer, Preference, Source, Style, Vote, VoteFilter
from codette_desktop.store import Store
from tests.support.voting import ADA, BOB, CYD, duel, experiment, generation, later, vote, vote_on

FULL = vote(
    Preference.BOTH_BAD,
    id="vote-1",
    source=Source.COMPARE,
    exclusion=Exclusion.NOT_BLIND,
    experiment_id="e",
    prompt_hash="9" * 64,
    task="maths",
    tags=("wrong", "état"),
    correction="It is \U0001f680 42.",
    leaks=("I am Ada",),
    seconds=12.25,
    seed=-5,
    swapped=True,
)


def thumb(node_id: str, preference: Preference = Preference.UP) -> Vote:
    return Vote("", datetime.now(UTC), Source.THUMB, preference, GivenAnswer(ADA, "e" * 64, node_id))


def test_a_vote_comes_back_with_every_field(store: Store) -> None:
    for example in (FULL, FULL.left, FULL.left.style):
        left = [item.name for item in fields(example) if getattr(example, item.name) == item.default]
        assert set(left) <= {"duel_id", "taken_back_at", "node_id"}, "the example must differ from what is left out"
    assert store.votes.cast(FULL).result() == FULL
    assert store.votes.get("vote-1") == FULL
    assert store.votes.list() == [FULL]
    assert store.contestants.all() == [ADA, BOB]
    assert store.votes.get("x") is None
    with pytest.raises(StoreError):
        store.votes.cast(FULL).result()
    assert store.votes.count() == 1


def test_figures_that_cannot_be_kept_are_unknown(store: Store) -> None:
    kept = store.votes.cast(vote(seconds=float("nan"), tags=("a\0b", "\ud800"))).result()
    assert (kept.seconds, kept.tags) == (None, ("a\ufffdb", "\ufffd"))


@pytest.mark.parametrize(
    "wrong",
    [
        vote(Preference.UP),
        replace(thumb("n"), preference=Preference.LEFT),
        replace(thumb("n"), preference=Preference.TIE),
        vote(right=vote().left),
    ],
)
def test_a_preference_must_fit_the_answers(store: Store, wrong: Vote) -> None:
    with pytest.raises(InvalidRequest):
        store.votes.cast(wrong).result()
    assert store.votes.count() == 0
    assert store.audit.count() == 0


def test_a_duel_is_voted_on_once_until_the_vote_is_taken_back(store: Store) -> None:
    made = duel(store, experiment(store))
    assert store.votes.of_duel(made.id) is None
    first = store.votes.cast(vote_on(made)).result()
    assert store.votes.of_duel(made.id) == first
    with pytest.raises(StoreError, match="voted on already"):
        store.votes.cast(vote_on(made, Preference.TIE)).result()
    back = store.votes.take_back(first.id).result()
    assert back.taken_back_at is not None
    assert store.votes.of_duel(made.id) is None
    assert replace(back, taken_back_at=None) == first
    with pytest.raises(StoreError, match="taken back already"):
        store.votes.take_back(first.id).result()
    with pytest.raises(StoreError, match="no such vote"):
        store.votes.take_back("x").result()
    second = store.votes.cast(vote_on(made, Preference.TIE, exclusion=Exclusion.SEEN)).result()
    assert [item.id for item in store.votes.list()] == [second.id, first.id]
    with pytest.raises(StoreError, match="no longer exists"):
        store.votes.cast(vote_on(replace(made, id="x"))).result()


def test_a_vote_on_a_duel_is_about_those_who_answered(store: Store) -> None:
    made = duel(store, experiment(store))
    right = vote_on(made)
    assert right.right is not None
    for wrong in (replace(right, left=right.right, right=right.left), replace(right, left=GivenAnswer(CYD))):
        with pytest.raises(StoreError, match="not about those"):
            store.votes.cast(wrong).result()
    assert store.duels.count_waiting(made.experiment_id) == 1


def test_a_new_thumb_takes_the_former_one_on_the_same_answer_back(store: Store) -> None:
    assert store.votes.of_node("n") is None
    first = store.votes.cast(thumb("n")).result()
    other = store.votes.cast(thumb("m")).result()
    second = store.votes.cast(thumb("n", Preference.DOWN)).result()
    assert store.votes.of_node("n") == second
    assert store.votes.of_node("m") == other
    former = store.votes.get(first.id)
    assert former is not None
    assert former.taken_back_at is not None
    store.votes.take_back(second.id).result()
    assert store.votes.of_node("n") is None
    unknown = [store.votes.cast(thumb("")).result() for _ in range(2)]
    assert all(store.votes.get(item.id) == item for item in unknown)


def test_choosing_the_other_column_takes_the_former_choice_back(store: Store) -> None:
    left, right = (replace(side, node_id=name) for side, name in ((vote().left, "n"), (vote().right, "m")) if side)
    one = vote(source=Source.COMPARE, exclusion=Exclusion.NOT_BLIND, left=left, right=right)
    first = store.votes.cast(one).result()
    store.votes.cast(replace(one, left=right, right=left)).result()
    former = store.votes.get(first.id)
    assert former is not None
    assert former.taken_back_at is not None


def test_filters_say_which_votes_are_meant(store: Store) -> None:
    cyd = GivenAnswer(CYD)
    cast = [
        store.votes.cast(replace(item, id=str(at), cast_at=later(at))).result()
        for at, item in enumerate(
            [
                vote(experiment_id="e", task="code"),
                vote(right=cyd, source=Source.IMPORTED),
                vote(left=cyd, exclusion=Exclusion.NAMED),
                thumb("n"),
            ]
        )
    ]
    store.votes.take_back(store.votes.cast(vote(id="back", cast_at=later(9))).result().id).result()

    def ids(**wanted: object) -> str:
        found = store.votes.list(VoteFilter(**wanted))  # type: ignore[arg-type]
        assert store.votes.count(VoteFilter(**wanted)) == len(found)  # type: ignore[arg-type]
        assert [item.id for item in store.votes.each(VoteFilter(**wanted))] == [item.id for item in found[::-1]]  # type: ignore[arg-type]
        return " ".join(item.id for item in found)

    assert ids() == "back 3 2 1 0"
    assert ids(blind=True) == "1 0"
    assert ids(experiment_id="e") == ids(task="code") == "0"
    assert ids(since=later(2)) == "back 3 2"
    assert ids(until=later(2)) == "1 0"
    assert ids(sources=(Source.IMPORTED, Source.THUMB)) == "3 1"
    assert ids(contestants=(ADA.key, CYD.key)) == "3 1"
    assert ids(contestants=("x",)) == ""
    assert ids(pair=(BOB.key, ADA.key)) == "back 0"
    assert ids(pair=(BOB.key, CYD.key)) == "2"
    assert ids(contestant=ADA.key) == "back 3 1 0"
    assert ids(contestant=CYD.key, blind=True) == "1"
    assert ids(contestant="x") == ""
    assert [item.id for item in store.votes.list(limit=2, offset=1)] == ["3", "2"]
    assert cast[0] in store.votes.list()


def test_a_tally_has_the_votes_that_count_as_columns(store: Store) -> None:
    plain = GivenAnswer(CYD, style=Style(tokens=30))
    for at, item in enumerate(
        [
            vote(Preference.LEFT, prompt_hash="p"),
            vote(Preference.RIGHT, prompt_hash="q"),
            vote(Preference.TIE, prompt_hash="p", right=plain),
            vote(Preference.BOTH_BAD),
            vote(exclusion=Exclusion.NAMED),
            vote(exclusion=Exclusion.NAMED),
            vote(exclusion=Exclusion.SEEN),
            thumb("n"),
        ]
    ):
        store.votes.cast(replace(item, cast_at=later(-at))).result()
    store.votes.take_back(store.votes.cast(vote(exclusion=Exclusion.NAMED)).result().id).result()
    tally = store.votes.tally(style=True)
    assert tally.contestants == (ADA, BOB, CYD)
    assert list(zip(tally.left, tally.right, tally.outcome, strict=True)) == [
        (0, 1, -1.0), (0, 2, 0.5), (0, 1, 0.0), (0, 1, 1.0),
    ]  # fmt: skip
    assert tally.prompt[1] == tally.prompt[3]
    assert len(set(tally.prompt)) == 3
    assert tally.style == ([0.5, 0.0, 0.5, 0.5], [1.0] * 4, [0.0, 1.0, 0.0, 0.0], [1.0] * 4)
    assert tally.excluded == ((Exclusion.NAMED, 2), (Exclusion.SEEN, 1))
    assert tally.taken_back == 1
    assert store.votes.tally().style == ()
    only = store.votes.tally(VoteFilter(pair=(CYD.key, ADA.key)))
    assert (only.contestants, list(only.left), list(only.right)) == ((ADA, CYD), [0], [1])
    none = store.votes.tally(VoteFilter(task="none"), style=True)
    assert (none.contestants, list(none.left), none.style) == ((), [], ([], [], [], []))


def test_texts_are_those_of_the_whole_path(store: Store) -> None:
    talk = store.conversations.create(system_prompt="Be brief.").result()
    parent = None
    said = [Message(Role.USER, "hi"), Message(Role.ASSISTANT, "hello"), Message(Role.USER, "why?")]
    for message in said:
        parent = store.conversations.add_message(talk.id, parent, message).result().id
    assert parent is not None
    answer = store.conversations.add_message(talk.id, parent, Message(Role.ASSISTANT, "because")).result()
    cast = store.votes.cast(thumb(answer.id)).result()
    texts = store.votes.texts(cast)
    assert texts.prompt == (Message(Role.SYSTEM, "Be brief."), *said)
    assert (texts.left, texts.right) == ("because", None)
    store.conversations.delete(talk.id).result()
    assert store.votes.texts(cast).left is None
    store.conversations.restore(talk.id).result()
    assert store.votes.texts(cast) == texts


def test_texts_of_a_duel_are_its_question_and_both_answers(store: Store) -> None:
    made = duel(store, experiment(store))
    cast = store.votes.cast(vote_on(made)).result()
    texts = store.votes.texts(cast)
    assert texts.prompt == (Message(Role.USER, "How much?"),)
    assert (texts.left, texts.right) == ("42", "43")
    assert store.votes.texts(vote()).prompt == ()


def test_texts_of_a_comparison_begin_where_it_was_asked_in_a_chat(store: Store) -> None:
    talk = store.conversations.create().result()
    first = store.conversations.add_message(talk.id, None, Message(Role.USER, "hi")).result()
    leaf = store.conversations.add_message(talk.id, first.id, Message(Role.ASSISTANT, "hello")).result()
    setup = ComparisonSetup(ADA.members + BOB.members)
    opened = store.comparisons.create("why?", setup, Origin(talk.id, leaf.id)).result()
    ended = [
        store.conversations.add_message(
            opened.comparison.id, opened.question.id, Message(Role.ASSISTANT, text)
        ).result()
        for text in ("this", "that")
    ]
    left, right = (replace(side, node_id=node.id) for side, node in zip(_sides(), ended, strict=True))
    texts = store.votes.texts(store.votes.cast(vote(source=Source.COMPARE, left=left, right=right)).result())
    assert [message.content for message in texts.prompt] == ["hi", "hello", "why?"]
    assert (texts.left, texts.right) == ("this", "that")


def _sides() -> list[GivenAnswer]:
    return [side for side in (vote().left, vote().right) if side]


def test_a_system_prompt_belongs_to_the_texts_where_both_were_asked_with_it(store: Store) -> None:
    """Else the better answer would be taught as one to a prompt that its writer had not."""
    of = experiment(store, ADA, replace(CYD, members=ADA.members))
    bold = replace(BOB, members=(replace(BOB.members[0], system="You are bold."),))
    for name, right, systems in (
        ("same", replace(CYD, members=ADA.members), ["You are careful."]),
        ("other", bold, []),
    ):
        answers = ("1", generation(f"{name}-1")), ("2", generation(f"{name}-2"))
        made = store.duels.create(of.id, name, ADA, right, answers, seed=1, swapped=False).result()
        texts = store.votes.texts(store.votes.cast(vote_on(made)).result())
        assert [message.content for message in texts.prompt if message.role is Role.SYSTEM] == systems
        assert texts.prompt[-1] == Message(Role.USER, name)

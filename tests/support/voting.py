"""Contestants, duels and votes for tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.duels import Duel, Experiment, PromptSource, StoppingRule
from codette_desktop.domain.ensembles import Member, Method
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.votes import Contestant, GivenAnswer, Preference, Source, Style, Vote
from codette_desktop.store import Store

ADA = Contestant(
    "a" * 64,
    "Ada · Q8_0",
    "ada#devops?temperature=0",
    (Member("ada#devops", "Ada", "ada", "devops", "You are careful.", Sampling(temperature=0.0, stop=("\n",))),),
    Method.NONE,
    ("1" * 64,),
    "Q8_0",
)
BOB = Contestant("b" * 64, "Bob · Q4_0", "bob", (Member("bob", "Bob", "bob"),), Method.VOTE, ("2" * 64,), "Q4_0")
CYD = Contestant("c" * 64, "Cyd", "cyd", (Member("cyd", "Cyd", "cyd"),))
START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def generation(number: str, **more: Any) -> Generation:
    """One that has ended."""
    made = Generation(number, "ada", "Ada", "ab" * 32, "Q8_0", Sampling(), 7, "b1", "CPU", START)
    return replace(made, **more)


def experiment(store: Store, *contestants: Contestant, **more: Any) -> Experiment:
    """A question about some contestants."""
    chosen = contestants or (ADA, BOB)
    rule = more.pop("rule", StoppingRule(most_votes=50, alpha=0.01, margin=None))
    prompts = more.pop("prompts", ("How much?", "Why \ud83d\ude80?"))
    return store.experiments.create("Which is better?", chosen, PromptSource.TYPED, prompts, rule).result()


def duel(store: Store, of: Experiment, prompt: str = "How much?", texts: tuple[str, str] = ("42", "43")) -> Duel:
    """Ada on the left, Bob on the right."""
    key = f"{of.id}-{prompt}-{texts}-{len(store.duels.asked(of.id))}"
    answers = ((texts[0], generation(f"{key}-l")), (texts[1], generation(f"{key}-r")))
    made = store.duels.create(of.id, prompt, ADA, BOB, answers, seed=5, swapped=True, task="code", leaks=("I am Ada",))
    return made.result()


def vote(preference: Preference = Preference.LEFT, **more: Any) -> Vote:
    """Ada on the left, Bob on the right; without a duel unless one is given as `duel_id`."""
    left = GivenAnswer(ADA, "e" * 64, "", 7, "b1", "CPU", Style(100, 30, 1, 2, 3))
    right = GivenAnswer(BOB, "f" * 64, "", 8, "b1", "GPU", Style(50, 10, 0, 2, 0))
    return replace(Vote("", START, Source.DUEL, preference, left, right), **more)


def vote_on(item: Duel, preference: Preference = Preference.LEFT, **more: Any) -> Vote:
    """A vote on a duel as the application casts it."""
    sides = [
        GivenAnswer(who, node.message.hash, node.id, 7, "b1", "CPU", Style(10, 5))
        for who, node in ((item.left, item.left_answer), (item.right, item.right_answer))
    ]
    made = Vote(
        id="",
        cast_at=START,
        source=Source.DUEL,
        preference=preference,
        left=sides[0],
        right=sides[1],
        experiment_id=item.experiment_id,
        duel_id=item.id,
        prompt_hash=item.question.message.hash,
        task=item.task,
        leaks=item.leaks,
        seed=item.seed,
        swapped=item.swapped,
    )
    return replace(made, **more)


def later(seconds: float) -> datetime:
    """That long after START."""
    return START + timedelta(seconds=seconds)

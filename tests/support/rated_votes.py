"""Votes and what is concluded from them, made by hand for the pages that show them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

from codette_desktop.domain.duels import Ending, Experiment, PromptSource, StoppingRule
from codette_desktop.domain.ensembles import Member
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.tasks import TaskType
from codette_desktop.domain.votes import (
    Contestant,
    Exclusion,
    GivenAnswer,
    Preference,
    Source,
    Style,
    Tally,
    Vote,
    VoteFilter,
)
from codette_desktop.rating.leaderboard import Leaderboard, leaderboard
from codette_desktop.rating.verdict import Conclusion, conclude

WIN, LOSS, TIE, BOTH_BAD = 1.0, 0.0, 0.5, -1.0
BEGAN = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
ODD_LABELS = (
    "نموذج اللغة العربية · Q8_0",
    "通义千问 2.5 指令微调 · Q4_K_M",
    "A model with a name so long that no table of this world has room for all of it · Q5_K_S · temperature 0.7",
)


def contestant(number: int, label: str = "") -> Contestant:
    """One of many; its key follows from its number."""
    member = Member(f"guide-{number}", f"Guide {number}", f"guide-{number}", sampling=Sampling(temperature=0.7))
    return Contestant(
        key=f"{number:064x}", label=label or f"Guide {number} · Q8_0", spec=f"guide-{number}?temperature=0.7",
        members=(member,), files=(f"{number + 16:064x}",), quantisation="Q8_0",
    )  # fmt: skip


def contestants(count: int, labels: Sequence[str] = ()) -> tuple[Contestant, ...]:
    """`count` of them, the first called by `labels`."""
    return tuple(contestant(at, labels[at] if at < len(labels) else "") for at in range(count))


def tally(
    who: Sequence[Contestant],
    votes: Sequence[tuple[int, int, float]],
    excluded: Sequence[tuple[Exclusion, int]] = (),
    taken_back: int = 0,
) -> Tally:
    """Of votes (left, right, outcome), each on a prompt of its own."""
    return Tally(
        contestants=tuple(who),
        left=[left for left, _right, _outcome in votes],
        right=[right for _left, right, _outcome in votes],
        outcome=[outcome for _left, _right, outcome in votes],
        prompt=list(range(len(votes))),
        excluded=tuple(excluded),
        taken_back=taken_back,
    )


def pair_votes(wins: int, losses: int, ties: int = 0, both_bad: int = 0) -> list[tuple[int, int, float]]:
    """Votes between the first two, sides in turn."""
    outcomes = [WIN] * wins + [LOSS] * losses + [TIE] * ties + [BOTH_BAD] * both_bad
    return [(0, 1, outcome) if at % 2 else (1, 0, _turned(outcome)) for at, outcome in enumerate(outcomes)]


def many_votes(count: int, rounds: int, seed: int = 7, step: float = 0.35) -> list[tuple[int, int, float]]:
    """`rounds` of every pair; the earlier contestants are better, by `step` of log odds each."""
    chance = random.Random(seed)
    found: list[tuple[int, int, float]] = []
    for _round in range(rounds):
        for first, second in combinations(range(count), 2):
            draw = chance.random()
            if draw < 0.12:
                outcome = TIE
            elif draw < 0.16:
                outcome = BOTH_BAD
            else:
                outcome = WIN if chance.random() < 1 / (1 + 2.718 ** (-step * (second - first))) else LOSS
            swapped = chance.random() < 0.5
            found.append((second, first, _turned(outcome)) if swapped else (first, second, outcome))
    return found


def _turned(outcome: float) -> float:
    return outcome if outcome in (TIE, BOTH_BAD) else 1 - outcome


def experiment(who: Sequence[Contestant], rule: StoppingRule | None = None, ending: Ending | None = None) -> Experiment:
    """A question about them."""
    labels = [item.label for item in who]
    question = f"Which is better: {' or '.join(labels)}?" if len(labels) == 2 else "Which is the best?"
    return Experiment(
        id="experiment-1", question=question, contestants=tuple(who), source=PromptSource.TYPED,
        prompts=("What is a quantised model?",), rule=rule or StoppingRule(), created_at=BEGAN, ending=ending,
    )  # fmt: skip


def found(votes: Tally, rule: StoppingRule | None = None) -> tuple[Conclusion, Leaderboard]:
    """What the real statistics conclude."""
    rule = rule or StoppingRule()
    return conclude(votes, rule), leaderboard(votes, alpha=rule.alpha, margin=rule.margin)


def vote(number: int, preference: Preference = Preference.LEFT, **changed: object) -> Vote:
    """One of many, all its fields filled; the higher the number the older."""
    made = Vote(
        id=f"vote-{number}", cast_at=BEGAN - timedelta(minutes=7 * number), source=Source.DUEL, preference=preference,
        left=_given(contestant(number % 3)), right=_given(contestant((number + 1) % 3)),
        experiment_id="experiment-1", duel_id=f"duel-{number}", prompt_hash=f"{number + 99:064x}",
        task=list(TaskType)[number % 8].value, tags=("correct", "clear"), seconds=12.4, seed=4711 + number,
        swapped=number % 2 == 1,
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def _given(who: Contestant) -> GivenAnswer:
    return GivenAnswer(
        who, message_hash="ab" * 32, node_id="node", seed=99, engine_build="llama.cpp b4500", device="CPU · 1 thread",
        style=Style(characters=412, tokens=96, headers=1, list_items=3, bold=2),
    )  # fmt: skip


@dataclass
class KeptTexts:
    """See `votes_model.Texts`."""

    prompt: tuple[Message, ...]
    left: str | None
    right: str | None


@dataclass
class KeptVotes:
    """Votes that a page reads: `total` of them, made when they are asked for. `asked` says which pages were read."""

    total: int
    changed: dict[int, Vote] = field(default_factory=dict[int, Vote])
    asked: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    error: StoreError | None = None
    kept: bool = True

    def list(self, wanted: VoteFilter, /, limit: int, offset: int) -> "list[Vote]":
        """The newest first."""
        self._fail()
        self.asked.append((limit, offset))
        kinds = (Preference.LEFT, Preference.RIGHT, Preference.TIE, Preference.BOTH_BAD)
        numbers = range(offset, min(self.total, offset + limit))
        return [self.changed.get(number) or vote(number, kinds[number % 4]) for number in numbers]

    def count(self, wanted: VoteFilter, /) -> int:
        """How many there are."""
        self._fail()
        return self.total

    def texts(self, vote: Vote, /) -> KeptTexts:
        """What was asked and answered."""
        self._fail()
        if not self.kept:
            return KeptTexts((), None, None)
        prompt = (Message(Role.SYSTEM, "Answer briefly."), Message(Role.USER, "What is a quantised model?"))
        left = "A **quantised** model keeps its weights in fewer bits:\n\n- smaller file\n- less memory\n- faster"
        right = (
            "It is a model whose numbers are rounded. `Q4_K_M` means about 4.8 bits a weight." if vote.right else None
        )
        return KeptTexts(prompt, left, right)

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error

"""Making a duel: which pair, which prompt, which side; both answers; and whether one of them says who wrote it."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from codette_desktop.domain.duels import Duel, Experiment, StoppingRule
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.thinking import split
from codette_desktop.domain.votes import Contestant, Tally
from codette_desktop.rating.asking import Ensembles, ask
from codette_desktop.rating.drawing import next_pair
from codette_desktop.rating.leaks import leaks
from codette_desktop.rating.sides import draw_seed, is_swapped
from codette_desktop.store import Store

Pair = frozenset[str]

UNBOUNDED = 10**9  # votes


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the next duel is to be. `pair` in the order of the experiment; who stands left is drawn with the seed."""

    pair: tuple[Contestant, Contestant]
    prompt: str
    seed: int


class DuelMaker:
    """Draws and makes the duels of one experiment. No pair meets twice on the same prompt.

    `task` reads a prompt's task type. `chance` orders the prompts and breaks ties between pairs.
    """

    def __init__(
        self,
        store: Store,
        ensembles: Ensembles,
        experiment: Experiment,
        task: Callable[[str], str],
        chance: random.Random | None = None,
    ) -> None:
        self._store = store
        self._ensembles = ensembles
        self._experiment = experiment
        self._task = task
        self._chance = chance or random.Random()  # noqa: S311 - no secret
        self._prompts = list(dict.fromkeys(experiment.prompts))
        self._chance.shuffle(self._prompts)
        self._hashes = {prompt: Message(Role.USER, prompt).hash for prompt in self._prompts}
        self._met: set[tuple[Pair, str]] = set()
        self._used: Counter[str] = Counter()

    def begin(self) -> None:
        """Read which pairs have met on which prompts. Blocking. Raises StoreError."""
        self._met = set(self._store.duels.asked(self._experiment.id))
        self._used = Counter(prompt_hash for _pair, prompt_hash in self._met)

    def draw(self, tally: Tally, rule: StoppingRule, pending: Sequence[tuple[str, str]]) -> Drawn | None:
        """The pair from which a vote teaches most, on the prompt that has been used least; None where none is left.

        `tally` holds the experiment's contestants and `rule` says which pairs are decided (see `Concluded`); `pending`
        are pairs, by key, whose votes are still to come.
        Blocking for some milliseconds.
        """
        contestants = self._experiment.contestants
        places = {item.key: place for place, item in enumerate(contestants)}
        pair = next_pair(
            contestants,
            tally,
            chance=self._chance,
            rule=replace(rule, most_votes=UNBOUNDED),  # when it ends is seen when a vote is cast
            pending=[(places[first], places[second]) for first, second in pending],
            drawable={pair for pair in combinations(range(len(places)), 2) if self._has_prompt(pair)},
        )
        if pair is None:
            return None
        prompt = min(self._prompts_of(pair), key=lambda text: self._used[self._hashes[text]])
        first, second = (contestants[place] for place in pair)
        self._met.add((frozenset((first.key, second.key)), self._hashes[prompt]))
        self._used[self._hashes[prompt]] += 1
        return Drawn((first, second), prompt, draw_seed())

    async def make(self, drawn: Drawn) -> Duel:
        """Ask both and keep the duel. Raises ContestantFailed with the place in the pair, StoreError."""
        # Asked in the experiment's order, not in that of the sides: which model is loaded first can be seen.
        answers = await ask(self._ensembles, drawn.prompt, drawn.pair)
        swapped = is_swapped(drawn.seed)
        left, right = reversed(drawn.pair) if swapped else drawn.pair
        answers = answers[::-1] if swapped else answers
        told = leaks(drawn.prompt, shown(answers[0].text, answers[1].text), (names_of(left), names_of(right)))
        task = await asyncio.get_event_loop().run_in_executor(None, self._task, drawn.prompt)
        made = self._store.duels.create(
            self._experiment.id,
            drawn.prompt,
            left,
            right,
            ((answers[0].text, answers[0].generation), (answers[1].text, answers[1].generation)),
            seed=drawn.seed,
            swapped=swapped,
            task=task,
            leaks=told,
        )
        return await asyncio.wrap_future(made)

    def _has_prompt(self, pair: Iterable[int]) -> bool:
        return next(self._prompts_of(pair), None) is not None

    def _prompts_of(self, pair: Iterable[int]) -> Iterator[str]:
        """Those on which the pair has not met, in the order they were shuffled into."""
        key = frozenset(self._experiment.contestants[place].key for place in pair)
        return (prompt for prompt in self._prompts if (key, self._hashes[prompt]) not in self._met)


def shown(left: str, right: str) -> tuple[str, str]:
    """What a person sees of two answers before the vote: the thoughts of both, or of neither."""
    split_left, split_right = split(left), split(right)
    if split_left[0] and split_right[0]:
        return "\n\n".join(split_left), "\n\n".join(split_right)
    return split_left[1], split_right[1]


def names_of(contestant: Contestant) -> set[str]:
    """By what its answers could give it away: its label, its models, its roles."""
    names = {contestant.label}
    for member in contestant.members:
        names |= {member.label, member.model, member.role}
    return {name for name in names if name}

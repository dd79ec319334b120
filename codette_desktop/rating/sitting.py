"""A sitting: duels of one experiment, one after the other, until its rule is met."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from codette_desktop.domain.duels import Duel, Experiment
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.events import EventBus, VotesChanged
from codette_desktop.domain.votes import Preference, Tally, Vote
from codette_desktop.rating.asking import Ensembles
from codette_desktop.rating.ballots import tie_of_equals, vote_on_duel
from codette_desktop.rating.concluding import Concluded, conclusion
from codette_desktop.rating.making import DuelMaker
from codette_desktop.rating.preparing import MOST_WAITING, Preparer, off_loop
from codette_desktop.rating.verdict import Conclusion, conclude
from codette_desktop.rating.votes import VoteService
from codette_desktop.rating.waiting import Changes
from codette_desktop.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RatingServices:
    """What duels stand on. `task` reads a prompt's task type (blocking)."""

    store: Store
    votes: VoteService
    ensembles: Ensembles
    bus: EventBus
    task: Callable[[str], str]


class Sitting:
    """One event loop. `open` before anything else, `aclose` at the end; `next` gives duels one after the other.

    `current` is the duel on view: given by `next`, and not voted on yet. Duels that were prepared and not voted on are
    kept, and come first in the next sitting.
    """

    def __init__(self, services: RatingServices, experiment: Experiment, chance: random.Random | None = None) -> None:
        self.experiment = experiment
        self.current: Duel | None = None
        self._services = services
        self._changes = Changes()
        empty = Tally(experiment.contestants, (), (), (), ())
        self._known = Concluded(empty, conclude(empty, experiment.rule), 0, experiment.rule)
        self._preparer = Preparer(
            DuelMaker(services.store, services.ensembles, experiment, services.task, chance),
            self._changes,
            lambda: self._known,
            lambda: self.current,
            lambda: self.experiment.ending is not None,
        )

    @property
    def standing(self) -> Conclusion:
        """What may be concluded so far."""
        return self._known.conclusion

    @property
    def equal(self) -> int:
        """Votes among them that nobody was asked for, since both answers were equal."""
        return self._known.equal

    @property
    def ready(self) -> int:
        """How many duels wait to be read."""
        return self._preparer.ready

    async def open(self) -> None:
        """Take up what waits and begin to prepare more. Raises StoreError."""
        await self._count()
        if self.experiment.ending is not None:
            return
        waiting = await off_loop(lambda: self._services.store.duels.waiting(self.experiment.id, MOST_WAITING))
        self._preparer.queue.extend(waiting)
        await self._preparer.begin()

    async def next(self) -> Duel | None:
        """The next duel, when it is complete; None where the experiment is over or its prompts are used up.

        Two answers that are equal word for word are a tie that nobody is asked for, cast when its turn has come: were
        it cast at once, ties would count before the duels that still wait to be read.

        Raises what keeps a contestant from answering; asked again it tries once more.
        """
        preparer = self._preparer
        while self.experiment.ending is None:
            if preparer.queue and not preparer.queue[0].identical:
                self.current = preparer.queue.popleft()
                self._changes.tell()  # there is room for another
                return self.current
            if preparer.queue:
                tie = tie_of_equals(preparer.queue.popleft())
                self._changes.tell()
                await asyncio.shield(self._cast(tie))
            elif (error := preparer.error) is not None:
                await preparer.begin()
                raise error
            elif preparer.exhausted:
                return None
            else:
                await self._changes.wait()
        return None

    async def vote(
        self,
        duel: Duel,
        preference: Preference,
        *,
        tags: tuple[str, ...] = (),
        correction: str = "",
        seconds: float | None = None,
    ) -> Vote:
        """Keep a vote; what may be concluded is read anew, and the experiment ends where its rule is met.

        `seconds` is how long both answers were on view. Raises StoreError where it could not be kept, and only then;
        `refresh` then says what has happened elsewhere.
        """
        cast = await self._cast(vote_on_duel(duel, preference, tags=tags, correction=correction, seconds=seconds))
        if self.current is not None and self.current.id == duel.id:
            self.current = None
        return cast

    async def take_back(self, vote: Vote, duel: Duel, *, names_seen: bool) -> None:
        """Undo a vote; its duel comes next once more, the one on view after it. Raises StoreError."""
        await self._services.votes.take_back(vote.id, names_seen=names_seen)
        if self.current is not None and self.current.id != duel.id:
            self._preparer.queue.appendleft(self.current)
        self.current = None
        self._preparer.queue.appendleft(replace(duel, names_seen=duel.names_seen or names_seen))
        await self.refresh()
        self._preparer.go_on()

    async def refresh(self) -> None:
        """Read what has happened meanwhile, also elsewhere. Raises StoreError."""
        known = await off_loop(lambda: self._services.store.experiments.get(self.experiment.id))
        self.experiment = known or self.experiment
        current = self.current
        if current is not None:
            there = await off_loop(lambda: self._services.store.duels.open(current.id))
            if there is None or there.voted:
                self.current = None
        await self._count()

    async def aclose(self) -> None:
        """Stop preparing."""
        await self._preparer.aclose()

    async def _cast(self, vote: Vote) -> Vote:
        cast = await self._services.votes.cast(vote)
        try:
            await self._conclude()
        except StoreError as error:  # the vote is kept: what follows from it is read again with the next one
            log.info("what follows from a vote could not be read: %s", error)
        return cast

    async def _conclude(self) -> None:
        await self._count()
        if self.standing.ending is None or self.experiment.ending is not None:
            return
        try:
            ended = self._services.store.experiments.end(self.experiment.id, self.standing.ending)
            self.experiment = await asyncio.wrap_future(ended)
        except StoreError:  # it has ended elsewhere
            await self.refresh()
        self._changes.tell()
        self._services.bus.publish(VotesChanged())

    async def _count(self) -> None:
        self._known = await off_loop(lambda: conclusion(self._services.store, self.experiment))

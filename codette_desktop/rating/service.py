"""The service: experiments begun, gone on with and read; votes cast where names are in sight."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from codette_desktop.domain.conversations import Node
from codette_desktop.domain.duels import Ending, Experiment, PromptSource, StoppingRule
from codette_desktop.domain.ensembles import Member
from codette_desktop.domain.errors import InvalidRequest, StoreError
from codette_desktop.domain.events import VotesChanged
from codette_desktop.domain.votes import Contestant, Preference, Vote
from codette_desktop.rating.ballots import compared, thumb
from codette_desktop.rating.concluding import conclusion, used_up
from codette_desktop.rating.contestants import ContestantReader
from codette_desktop.rating.leaderboard import Leaderboard, leaderboard
from codette_desktop.rating.sitting import RatingServices, Sitting
from codette_desktop.rating.verdict import Conclusion

R = TypeVar("R")


class RatingService:
    """One event loop, but for what is said to block. Raises CodetteErrors."""

    def __init__(self, services: RatingServices, reader: ContestantReader) -> None:
        self._services = services
        self._store = services.store
        self.reader = reader

    # Experiments

    def experiments(self) -> list[Experiment]:
        """The newest first."""
        return self._store.experiments.list()

    def experiment(self, experiment_id: str) -> Experiment:
        """Raises StoreError where there is none."""
        found = self._store.experiments.get(experiment_id)
        if found is None:
            raise StoreError("This experiment no longer exists.")
        return found

    async def begin(
        self,
        question: str,
        contestants: Sequence[Contestant],
        source: PromptSource,
        prompts: Sequence[str],
        rule: StoppingRule,
    ) -> Experiment:
        """Keep an experiment; its rule is fixed from here on. Raises InvalidRequest."""
        if not prompts:
            raise InvalidRequest("There is no prompt.", "Write one prompt a line, or choose where they come from.")
        if not 1 <= rule.most_votes <= 100_000:
            raise InvalidRequest("The number of votes must lie between 1 and 100,000.")
        made = self._store.experiments.create(
            question.strip() or question_about(contestants), tuple(contestants), source, tuple(prompts), rule
        )
        return await self._told(made)

    def sitting(self, experiment: Experiment) -> Sitting:
        """Duels of an experiment; `open` it, and `aclose` it at the end."""
        return Sitting(self._services, experiment)

    def conclusion(self, experiment: Experiment) -> Conclusion:
        """What may be concluded. Blocking."""
        return conclusion(self._store, experiment).conclusion

    def used_up(self, experiment: Experiment, standing: Conclusion) -> bool:
        """Whether it cannot go on for want of prompts. Blocking."""
        return used_up(self._store, experiment, standing)

    def board_of(self, experiment: Experiment) -> Leaderboard:
        """The standings within an experiment, its contestants in their order. Blocking."""
        found = conclusion(self._store, experiment)
        return leaderboard(found.tally, alpha=found.rule.alpha, margin=found.rule.margin)

    async def end(self, experiment_id: str) -> None:
        """The person ends it before its rule is met."""
        await self._told(self._store.experiments.end(experiment_id, Ending.STOPPED))

    async def delete(self, experiment_id: str) -> None:
        """Hide it; `restore` brings it back. Its votes stay."""
        await self._told(self._store.experiments.delete(experiment_id))

    async def restore(self, experiment_id: str) -> None:
        """Undo `delete`."""
        await self._told(self._store.experiments.restore(experiment_id))

    # Votes where names are in sight

    async def thumb(self, answer: Node, preference: Preference | None, *, system: str = "") -> Vote | None:
        """UP or DOWN for an answer of a chat; None takes a former one back. Gives the vote that stands now."""
        former = self._store.votes.of_node(answer.id)
        if preference is None:
            if former is not None:
                await self._services.votes.take_back(former.id)
            return None
        path = self._store.conversations.path_to(answer.id)
        question = next((node for node in reversed(path) if node.id == answer.parent_id), answer)
        task = await self._off_loop(lambda: self._services.task(question.message.content))
        return await self._services.votes.cast(thumb(question, answer, preference, system=system, task=task))

    def thumb_of(self, node_id: str) -> Preference | None:
        """What was said of an answer of a chat."""
        found = self._store.votes.of_node(node_id)
        return found.preference if found else None

    async def compare(
        self, question: Node, left: tuple[Member, Node], right: tuple[Member, Node], preference: Preference
    ) -> Vote:
        """Which of two columns is better. Raises InvalidRequest where one has not been kept yet."""
        if any(node.generation is None or node.generation.reason is None for _member, node in (left, right)):
            raise InvalidRequest("An answer is still being written.", "Wait until both are done.")
        sides = [
            (await self._off_loop(lambda member=member: self.reader.read(member.spec)), node)
            for member, node in (left, right)
        ]
        task = await self._off_loop(lambda: self._services.task(question.message.content))
        return await self._services.votes.cast(compared(question, sides[0], sides[1], preference, task=task))

    async def _told(self, write: "Future[R]") -> R:
        done = await asyncio.wrap_future(write)
        self._services.bus.publish(VotesChanged())
        return done

    async def _off_loop(self, work: Callable[[], R]) -> R:
        return await asyncio.get_event_loop().run_in_executor(None, work)


def question_about(contestants: Sequence[Contestant]) -> str:
    """What is asked where the person has not said it."""
    labels = [item.label for item in contestants]
    if len(labels) == 2:
        return f"Which is better: {labels[0]} or {labels[1]}?"
    return f"Which is the best of {', '.join(labels[:-1])} and {labels[-1]}?"

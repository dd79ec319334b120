"""Keeps what the members say while they say it: each answer as those of chats are kept."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from codette_desktop.domain.answers import AnswerEnd, AnswerFigures, FinishReason, TextChunk
from codette_desktop.domain.comparisons import OpenedComparison
from codette_desktop.domain.conversations import Generation, Node
from codette_desktop.domain.ensembles import EnsemblePart, Member, MemberBegins, MemberDropped, MemberPart
from codette_desktop.domain.errors import Cancelled, CodetteError, StoreError
from codette_desktop.domain.events import AnswerFinished, AnswerStarted, EventBus, ProviderFailed
from codette_desktop.inference.dispatch import Plan, Planner
from codette_desktop.inference.recorder import AnswerRecorder
from codette_desktop.inference.routing.learning import Learner
from codette_desktop.inference.unsaved import UnsavedNodes, finish_in_store
from codette_desktop.store import Store


class MembersRecorder:
    """The answers of one comparison from their first to their last word. One event loop.

    `late` is given the generation and place of each answer whose place could not be noted: the disk is full. An answer
    that is asked for again takes the place of the former one with its first word: if it fails before, that one stays.
    """

    def __init__(
        self,
        store: Store,
        unsaved: UnsavedNodes,
        planner: Planner,
        bus: EventBus,
        opened: OpenedComparison,
        late: Callable[[str, int], None],
    ) -> None:
        self._store = store
        self._unsaved = unsaved
        self._planner = planner
        self._bus = bus
        self._opened = opened
        self._late = late
        self._learner = Learner(store.profiles)
        self._running: dict[int, tuple[AnswerRecorder, Plan]] = {}
        self._silent: set[int] = set()  # the places of those whose former answer still stands
        self.nodes: dict[int, Node] = {}

    async def take(self, part: EnsemblePart, place: int | None = None) -> None:
        """Follow the run; `place` where the run has one member only, and this is its place in the comparison."""
        at = place if place is not None else getattr(part, "place", 0)
        if isinstance(part, MemberBegins):
            await self._begin(at, self._opened.comparison.setup.members[at], part.id)
        elif isinstance(part, MemberPart) and at in self._running:
            self._running[at][0].take(part.part)
            if at in self._silent and isinstance(part.part, TextChunk) and part.part.text.strip():
                self._silent.discard(at)
                await self._note_place(at, self._running[at][0].generation.id)
            if isinstance(part.part, AnswerEnd):
                await self._end(at, part.part)
        elif isinstance(part, MemberDropped) and at in self._running:
            await self._fail(at, part.error)
        elif isinstance(part, MemberDropped) and not isinstance(part.error, Cancelled):
            await self._keep_failure(at, self._opened.comparison.setup.members[at], part.error)

    async def stop(self, reason: FinishReason) -> None:
        """End what is still being written."""
        for place in list(self._running):
            recorder, _plan = self._running.pop(place)
            self._stands(place, await recorder.finish(reason))

    def _stands(self, place: int, node: Node) -> None:
        if place not in self._silent:
            self.nodes[place] = node

    def _has_former(self, place: int) -> bool:
        former = self._opened.answers[place]
        return former is not None and bool(former.message.content.strip())

    async def _begin(self, place: int, member: Member, answer_id: str) -> None:
        question = self._opened.question
        try:
            plan = await asyncio.get_event_loop().run_in_executor(
                None, self._planner.plan, member.model, (question.message,)
            )
        except CodetteError:
            return  # there is no such model: the run says so
        recorder = AnswerRecorder(self._store, self._unsaved, question, plan.model, member.sampling, answer_id)
        self._running[place] = (recorder, plan)
        await recorder.start()
        if self._has_former(place):
            self._silent.add(place)
        else:
            await self._note_place(place, recorder.generation.id)
        self._bus.publish(AnswerStarted(recorder.generation.id, plan.model.name))

    async def _note_place(self, place: int, generation_id: str) -> None:
        try:
            await asyncio.wrap_future(
                self._store.comparisons.begin_answer(self._opened.comparison.id, place, generation_id)
            )
        except StoreError as error:
            if not error.retryable:
                raise
            self._late(generation_id, place)

    async def _keep_failure(self, place: int, member: Member, error: CodetteError) -> None:
        """A member that could not even be asked: why stands in its place, unless it answered before."""
        if self._has_former(place):
            return
        made = Generation(
            id=uuid.uuid4().hex,
            model=member.model,
            model_label=member.label,
            model_hash="",
            quantisation="",
            sampling=member.sampling,
            seed=member.sampling.seed,
            engine_build="",
            device="",
            started_at=datetime.now(UTC),
        )
        question = self._opened.question
        try:
            await asyncio.wrap_future(self._store.generations.start(question.conversation_id, question.id, made))
            await self._note_place(place, made.id)
            failed = replace(made, reason=FinishReason.FAILED, error=str(error))
            self.nodes[place] = await finish_in_store(self._store, failed, "")
        except StoreError as refused:
            if not refused.retryable:
                raise

    async def _end(self, place: int, end: AnswerEnd) -> None:
        recorder, plan = self._running.pop(place)
        self._stands(place, await recorder.finish(FinishReason.STOP))
        self._learn(recorder, plan, end.reason, end.figures)
        self._bus.publish(AnswerFinished(recorder.generation.id, end))

    async def _fail(self, place: int, error: CodetteError) -> None:
        recorder, plan = self._running.pop(place)
        if isinstance(error, Cancelled):
            self._stands(place, await recorder.finish(FinishReason.CANCELLED))
            return
        self._stands(place, await recorder.finish(FinishReason.FAILED, str(error)))
        self._learn(recorder, plan, FinishReason.FAILED)
        self._bus.publish(ProviderFailed(recorder.generation.id, recorder.generation.model, error))

    def _learn(
        self, recorder: AnswerRecorder, plan: Plan, reason: FinishReason, figures: AnswerFigures | None = None
    ) -> None:
        key = recorder.generation.model_hash or recorder.generation.model
        self._learner.answered(key, plan.task.type, reason, figures)

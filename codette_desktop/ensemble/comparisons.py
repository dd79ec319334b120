"""Comparisons: a prompt to several members, kept word by word, and what can be done with one afterwards."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TypeVar

from codette_desktop.domain.answers import AnswerEnd, AnswerFigures, ContextUse, FinishReason
from codette_desktop.domain.comparisons import Comparison, ComparisonSetup, OpenedComparison, Origin
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.ensembles import (
    EnsemblePart,
    EnsembleRequest,
    MemberAnswer,
    MemberBegins,
    MemberDropped,
    MemberPart,
    MemberWaits,
    Method,
    Outcome,
)
from codette_desktop.domain.errors import CodetteError, InvalidRequest, StoreError
from codette_desktop.domain.events import ComparisonsChanged, ConversationsChanged, EventBus
from codette_desktop.domain.messages import Message, Role
from codette_desktop.ensemble.case import Case
from codette_desktop.ensemble.deciding import decide
from codette_desktop.ensemble.recording import MembersRecorder
from codette_desktop.ensemble.service import EnsembleRun, EnsembleService
from codette_desktop.inference.dispatch import Planner
from codette_desktop.inference.unsaved import UnsavedNodes
from codette_desktop.store import Store

R = TypeVar("R")

ComparisonPart = OpenedComparison | EnsemblePart


class ComparisonService:
    """Asks several members on behalf of the person and keeps every word.

    A run yields the comparison as it was kept first, then the parts of the ensemble, last the comparison with its
    answers. It raises CodetteErrors; closing it stops everybody, and what was written is kept.
    """

    def __init__(self, store: Store, ensembles: EnsembleService, planner: Planner, bus: EventBus) -> None:
        self._store = store
        self._ensembles = ensembles
        self._planner = planner
        self._bus = bus
        self._unsaved = UnsavedNodes(store, bus)
        self._closing = False

    def start(
        self,
        prompt: str,
        setup: ComparisonSetup,
        *,
        origin: Origin | None = None,
        batch_id: str = "",
        place: int = 0,
        fresh: bool = False,
    ) -> "ComparisonRun":
        """Ask; `origin` is the place in a chat it is asked from, whose messages come before it.

        `batch_id` and `place` say for which prompt of which batch. Raises InvalidRequest.
        """
        history = self._history(origin) if origin else ()
        messages = (*history, Message(Role.USER, prompt))
        request = EnsembleRequest(messages, setup.members, setup.method, setup.kind, judge=setup.judge, fresh=fresh)
        ensemble = self._ensembles.start(request)

        async def keep() -> OpenedComparison:
            made = self._store.comparisons.create(prompt, setup, origin, batch_id=batch_id, place=place)
            return await asyncio.wrap_future(made)

        return ComparisonRun(self, ensemble, keep)

    def again(self, comparison_id: str, place: int) -> "ComparisonRun":
        """Ask one member anew. What was decided is decided anew where it can be; else it no longer stands."""
        opened = self.open(comparison_id)
        comparison = opened.comparison
        member = comparison.setup.members[place]
        history = self._history(comparison.origin) if comparison.origin else ()
        request = EnsembleRequest((*history, opened.question.message), (member,), fresh=True)

        async def known() -> OpenedComparison:
            return opened

        return ComparisonRun(self, self._ensembles.start(request), known, place)

    def list(self, query: str = "", limit: int = 200, offset: int = 0) -> "list[Comparison]":
        """The newest first, or those that hold all words of `query`. Raises StoreError."""
        if query.strip():
            return self._store.comparisons.search(query, limit)
        return self._store.comparisons.list(limit, offset)

    def open(self, comparison_id: str) -> OpenedComparison:
        """With question and answers. Raises StoreError where there is none."""
        found = self._store.comparisons.open(comparison_id)
        if found is None:
            raise StoreError("This comparison no longer exists.")
        return found

    async def delete(self, comparison_id: str) -> None:
        """Hide it; `restore` brings it back until it is purged."""
        await self._write(self._store.conversations.delete(comparison_id))

    async def restore(self, comparison_id: str) -> None:
        """Undo `delete`."""
        await self._write(self._store.conversations.restore(comparison_id))

    async def choose(self, comparison_id: str, place: int | None) -> str:
        """Take an answer, or none. Where it was asked from a chat, question and answer are said there.

        Gives the id of that chat, "" where there is none (any more).
        """
        opened = self.open(comparison_id)
        await self._write(self._store.comparisons.choose(comparison_id, place))
        origin = opened.comparison.origin
        if place is None or origin is None or self._store.conversations.get(origin.conversation_id) is None:
            return ""
        await self._say(origin.conversation_id, origin.leaf_id, opened, place)
        return origin.conversation_id

    async def continue_as_chat(self, comparison_id: str, place: int) -> str:
        """A new chat with the member, its question and answer; gives the chat's id."""
        opened = self.open(comparison_id)
        member = opened.comparison.setup.members[place]
        made = self._store.conversations.create(
            opened.comparison.prompt[:60], system_prompt=member.system, model=member.model, sampling=member.sampling
        )
        conversation = await asyncio.wrap_future(made)
        await self._say(conversation.id, None, opened, place)
        return conversation.id

    def begin_closing(self) -> None:
        """The application ends: what is stopped from now on was not stopped by the person."""
        self._closing = True

    async def aclose(self) -> None:
        """Try once more to save what waits."""
        await self._unsaved.aclose()

    # What runs need

    def recorder(self, opened: OpenedComparison) -> MembersRecorder:
        """Keeps what the members of a comparison say."""
        return MembersRecorder(self._store, self._unsaved, self._planner, self._bus, opened)

    @property
    def closing(self) -> bool:
        """Whether the application ends."""
        return self._closing

    async def keep_outcome(self, comparison_id: str, outcome: Outcome | None) -> None:
        """Keep what came of it; a full disk keeps nobody from reading it."""
        with suppress(StoreError):
            await asyncio.wrap_future(self._store.comparisons.set_outcome(comparison_id, outcome))
        self.changed()

    def changed(self) -> None:
        """Tell everyone."""
        self._bus.publish(ComparisonsChanged())

    def decided_anew(self, opened: OpenedComparison) -> Outcome | None:
        """The outcome of the answers as they stand now; None where it would take more than their texts."""
        comparison = opened.comparison
        if comparison.setup.method not in (Method.VOTE, Method.CONSENSUS):
            return None
        answers = tuple(_member_answer(comparison, place, node) for place, node in enumerate(opened.answers))
        case = Case(opened.question.message.content, answers, wanted=comparison.setup.kind)
        return decide(case, comparison.setup.method) if case.usable else None

    async def _say(self, conversation_id: str, parent_id: str | None, opened: OpenedComparison, place: int) -> None:
        answer = opened.answers[place]
        if answer is None:
            raise InvalidRequest("This member has not answered.", "Ask it again first.")
        question = await asyncio.wrap_future(
            self._store.conversations.add_message(conversation_id, parent_id, opened.question.message)
        )
        await asyncio.wrap_future(self._store.conversations.add_message(conversation_id, question.id, answer.message))
        self._bus.publish(ConversationsChanged())

    def _history(self, origin: Origin) -> tuple[Message, ...]:
        nodes = self._store.conversations.path_to(origin.leaf_id) if origin.leaf_id else []
        return tuple(node.message for node in nodes if node.message.content.strip())

    async def _write(self, write: "Future[R]") -> R:
        done = await asyncio.wrap_future(write)
        self.changed()
        return done


class ComparisonRun:
    """One comparison on its way. `parts` may be read once."""

    def __init__(
        self,
        service: ComparisonService,
        ensemble: EnsembleRun,
        keep: Callable[[], Awaitable[OpenedComparison]],
        place: int | None = None,
    ) -> None:
        self._service = service
        self._ensemble = ensemble
        self._keep = keep
        self._place = place

    def drop(self, place: int) -> None:
        """Stop one member; the others go on."""
        self._ensemble.drop(place if self._place is None else 0)

    async def parts(self) -> AsyncGenerator[ComparisonPart, None]:
        """See `ComparisonService`."""
        opened = await self._keep()
        self._service.changed()
        yield opened
        recorder = self._service.recorder(opened)
        try:
            async with aclosing(self._ensemble.parts()) as parts:
                async for part in parts:
                    await recorder.take(part, self._place)
                    if isinstance(part, Outcome):
                        await self._service.keep_outcome(opened.comparison.id, part)
                    yield part if self._place is None else _at(part, self._place)
        finally:
            await asyncio.shield(recorder.stop(closing=self._service.closing))
            self._service.changed()
        if self._place is not None:
            anew = self._service.decided_anew(self._ended(opened, recorder))
            await self._service.keep_outcome(opened.comparison.id, anew)
            if anew is not None:
                yield anew
        yield self._ended(opened, recorder)

    def _ended(self, opened: OpenedComparison, recorder: MembersRecorder) -> OpenedComparison:
        """As it is kept, with the answers that could not be: the disk may be full."""
        found = self._service.open(opened.comparison.id)
        answers = [recorder.nodes.get(place, answer) for place, answer in enumerate(found.answers)]
        return replace(found, answers=tuple(answers))


def _at(part: EnsemblePart, place: int) -> EnsemblePart:
    """A part of the only member, as one of the member at `place`."""
    alone = isinstance(part, MemberWaits | MemberBegins | MemberPart | MemberDropped)
    return replace(part, place=place) if alone else part


def _member_answer(comparison: Comparison, place: int, node: Node | None) -> MemberAnswer:
    member = comparison.setup.members[place]
    generation = node.generation if node else None
    if node is None or generation is None:
        return MemberAnswer(member, asked=False)
    error = CodetteError(generation.error) if generation.error else None
    end = AnswerEnd(
        generation.reason or FinishReason.INTERRUPTED,
        generation.figures or AnswerFigures(0, 0, 0.0, 0.0, 0.0),
        generation.use or ContextUse(0, 0, 0, 0),
        generation.seed or 0,
        generation.model,
        generation.model_label,
        generation.model_hash,
        generation.engine_build,
    )
    return MemberAnswer(member, node.message.content, end, error)

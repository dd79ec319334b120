"""Comparisons: a prompt to several members, kept word by word, and what can be done with one afterwards."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.comparisons import TOGETHER, Comparison, ComparisonSetup, OpenedComparison, Origin
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.ensembles import (
    EnsemblePart,
    EnsembleRequest,
    MemberBegins,
    MemberDropped,
    MemberPart,
    MemberWaits,
    Method,
    Outcome,
)
from codette_desktop.domain.errors import InvalidRequest, StoreError
from codette_desktop.domain.events import ComparisonsChanged, ConversationsChanged, EventBus
from codette_desktop.domain.joint import JointToken
from codette_desktop.domain.messages import Message, Role
from codette_desktop.ensemble.case import Case
from codette_desktop.ensemble.deciding import decide
from codette_desktop.ensemble.exporting import export
from codette_desktop.ensemble.keeping import answer_at, member_answers, say_in_chat
from codette_desktop.ensemble.recording import MembersRecorder
from codette_desktop.ensemble.service import EnsembleRun, EnsembleService
from codette_desktop.ensemble.token_level import stopped_outcome
from codette_desktop.inference.dispatch import Planner
from codette_desktop.inference.unsaved import UnsavedNodes
from codette_desktop.store import Store

R = TypeVar("R")

MOST_EXPORTED = 1_000_000
CHECKPOINT_S = 0.5

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
        self._unsaved = UnsavedNodes(store, bus, self._note_place)
        self._late: dict[str, tuple[str, int]] = {}
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
        rest: dict[str, Any] = {"judge": setup.judge, "budget_s": setup.budget_s, "fresh": fresh}
        request = EnsembleRequest(messages, setup.members, setup.method, setup.kind, **rest)
        ensemble = self._ensembles.start(request)

        async def keep() -> OpenedComparison:
            made = self._store.comparisons.create(prompt, setup, origin, batch_id=batch_id, place=place)
            return await asyncio.wrap_future(made)

        return ComparisonRun(self, ensemble, keep)

    def again(self, comparison_id: str, place: int) -> "ComparisonRun":
        """Ask one member anew. What was decided is decided anew where it can be; else it no longer stands.

        Where it fails before its first word, all stays as it was.

        Raises StoreError, InvalidRequest.
        """
        opened = self.open(comparison_id)
        comparison = opened.comparison
        if not 0 <= place < len(comparison.setup.members):
            raise InvalidRequest("There is no such member.", "Choose one of those that were asked.")
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
        found = self.find(comparison_id)
        if found is None:
            raise StoreError("This comparison no longer exists.")
        return found

    def find(self, comparison_id: str) -> OpenedComparison | None:
        """As `open`; None where there is none."""
        return self._store.comparisons.open(comparison_id)

    def export(self, path: Path, query: str = "") -> int:
        """Write them as `exporting.export`, the newest first or as found; gives how many. Blocking."""
        return export(path, self._all(query))

    def _all(self, query: str) -> Iterator[OpenedComparison]:
        found = self.list(query, MOST_EXPORTED)
        for item in found:
            opened = self.find(item.id)
            if opened is not None:  # not deleted meanwhile
                yield opened

    async def delete(self, comparison_id: str) -> None:
        """Hide it; `restore` brings it back until it is purged."""
        await self._write(self._store.conversations.delete(comparison_id))

    async def restore(self, comparison_id: str) -> None:
        """Undo `delete`."""
        await self._write(self._store.conversations.restore(comparison_id))

    async def choose(self, comparison_id: str, place: int | None) -> str:
        """Take an answer, or none. Where it was asked from a chat, question and answer are said there.

        Gives the id of that chat, "" where there is none (any more). Raises StoreError, InvalidRequest.
        """
        opened = self.open(comparison_id)
        answer = None if place is None else answer_at(opened, place)
        await self._write(self._store.comparisons.choose(comparison_id, place))
        origin = opened.comparison.origin
        if answer is None or origin is None or self._store.conversations.get(origin.conversation_id) is None:
            return ""
        if opened.comparison.chosen != place:  # else it has been said there
            await self._say(origin.conversation_id, origin.leaf_id, opened, answer)
        return origin.conversation_id

    async def continue_as_chat(self, comparison_id: str, place: int) -> str:
        """A new chat with the member, its question and answer; gives the chat's id.

        For the one answer of all (`TOGETHER`) it is the member whose words these are, or the first.
        """
        opened = self.open(comparison_id)
        answer = answer_at(opened, place)
        outcome = opened.comparison.outcome
        at = ((outcome.winner if outcome else None) or 0) if place == TOGETHER else place
        member = opened.comparison.setup.members[at]
        made = self._store.conversations.create(
            opened.comparison.prompt[:60], system_prompt=member.system, model=member.model, sampling=member.sampling
        )
        conversation = await asyncio.wrap_future(made)
        await self._say(conversation.id, None, opened, answer)
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

        def late(generation_id: str, place: int) -> None:
            self._late[generation_id] = (opened.comparison.id, place)

        return MembersRecorder(self._store, self._unsaved, self._planner, self._bus, opened, late)

    @property
    def closing(self) -> bool:
        """Whether the application ends."""
        return self._closing

    async def keep_outcome(self, comparison_id: str, outcome: Outcome | None, *, tell: bool = True) -> None:
        """Keep what came of it; a full disk keeps nobody from reading it."""
        with suppress(StoreError):
            await asyncio.wrap_future(self._store.comparisons.set_outcome(comparison_id, outcome))
        if tell:
            self.changed()

    def changed(self) -> None:
        """Tell everyone."""
        self._bus.publish(ComparisonsChanged())

    def decided_anew(self, opened: OpenedComparison) -> Outcome | None:
        """The outcome of the answers as they stand now; None where it would take more than their texts."""
        comparison = opened.comparison
        if comparison.setup.method is Method.TOKEN:
            return comparison.outcome  # it was not made of their answers
        if comparison.setup.method not in (Method.VOTE, Method.CONSENSUS):
            return None
        case = Case(opened.question.message.content, tuple(member_answers(opened)), wanted=comparison.setup.kind)
        return decide(case, comparison.setup.method) if case.usable else None

    async def _note_place(self, node: Node) -> None:
        """An answer is about to be saved after all: say of which member it is."""
        place = self._late.get(node.generation.id) if node.generation else None
        if node.generation and place:
            await asyncio.wrap_future(self._store.comparisons.begin_answer(*place, node.generation.id))

    async def _say(self, conversation_id: str, parent_id: str | None, opened: OpenedComparison, answer: Node) -> None:
        await say_in_chat(self._store, conversation_id, parent_id, opened.question, answer)
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
        failed, tokens, kept_at = False, list[JointToken](), time.monotonic()
        try:
            async with aclosing(self._ensemble.parts()) as parts:
                async for part in parts:
                    await recorder.take(part, self._place)
                    if isinstance(part, JointToken):
                        tokens.append(part)
                        kept_at = await self._checkpoint(opened, tokens, kept_at)
                    elif isinstance(part, Outcome):
                        opened = _with_outcome(opened, part)
                        await self._service.keep_outcome(opened.comparison.id, part)
                    yield part if self._place is None else _at(part, self._place)
        except Exception:
            failed = True
            raise
        finally:
            await asyncio.shield(recorder.stop(self._reason(failed)))
            if tokens and opened.comparison.outcome is None:  # it ended in the middle: what was written is kept
                opened = _with_outcome(opened, stopped_outcome(tokens, len(opened.comparison.setup.members)))
                await asyncio.shield(self._service.keep_outcome(opened.comparison.id, opened.comparison.outcome))
            self._service.changed()
        if self._place is not None and recorder.nodes:
            anew = self._service.decided_anew(self._ended(opened, recorder))
            opened = _with_outcome(opened, anew)
            await self._service.keep_outcome(opened.comparison.id, anew)
            if anew is not None:
                yield anew
        yield self._ended(opened, recorder)

    async def _checkpoint(self, opened: OpenedComparison, tokens: list[JointToken], kept_at: float) -> float:
        """Keep what has been written together so far, now and then: the process may be killed. Gives when that was."""
        now = time.monotonic()
        if now - kept_at < CHECKPOINT_S:
            return kept_at
        members = len(opened.comparison.setup.members)
        await self._service.keep_outcome(opened.comparison.id, stopped_outcome(tokens, members), tell=False)
        return now

    def _reason(self, failed: bool) -> FinishReason:
        """Why those end that are still writing."""
        if failed:
            return FinishReason.FAILED
        return FinishReason.INTERRUPTED if self._service.closing else FinishReason.CANCELLED

    def _ended(self, opened: OpenedComparison, recorder: MembersRecorder) -> OpenedComparison:
        """With all that was said, whether or not it could be kept: the disk may be full, or it was deleted."""
        found = self._service.find(opened.comparison.id) or opened
        answers = list(found.answers)
        for place, node in recorder.nodes.items():
            kept = answers[place]
            if kept is None or kept.id != node.id:
                answers[place] = node
        return _with_outcome(replace(found, answers=tuple(answers)), opened.comparison.outcome)


def _with_outcome(opened: OpenedComparison, outcome: Outcome | None) -> OpenedComparison:
    return replace(opened, comparison=replace(opened.comparison, outcome=outcome))


def _at(part: EnsemblePart, place: int) -> EnsemblePart:
    """A part of the only member, as one of the member at `place`."""
    alone = isinstance(part, MemberWaits | MemberBegins | MemberPart | MemberDropped)
    return replace(part, place=place) if alone else part

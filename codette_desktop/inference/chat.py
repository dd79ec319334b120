"""The chat: a question in a conversation becomes an answer in its tree, streamed and kept."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from codette_desktop.domain.answers import AnswerEnd, AnswerFigures, AnswerPart, ContextUse, FinishReason, SwitchedModel
from codette_desktop.domain.conversations import Conversation, Node
from codette_desktop.domain.errors import CodetteError, InvalidRequest, StoreError, StoreFull
from codette_desktop.domain.events import AnswerFinished, AnswerStarted, ConversationsChanged, EventBus, ProviderFailed
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.request_log import Purpose
from codette_desktop.domain.requests import ChatRequest, RequestOrigin
from codette_desktop.inference.dispatch import Plan, Planner
from codette_desktop.inference.provider import Provider
from codette_desktop.inference.recorder import AnswerRecorder
from codette_desktop.inference.routing.learning import Learner
from codette_desktop.inference.unsaved import UnsavedNodes
from codette_desktop.store import Store

TITLE_LENGTH = 60

ChatPart = Node | Plan | AnswerPart


class ChatService:
    """Asks models on behalf of a conversation and keeps every word.

    `send`, `edit` and `regenerate` yield the saved question (not for `regenerate`), for the model "auto" the plan, the
    provider's parts, and last the saved answer. They raise CodetteErrors; the failed answer is then kept with its
    error. To stop an answer, close the generator or cancel its task: what was written is kept as cancelled, or as
    interrupted once `begin_closing` has said that it is the application that ends. A full disk stops nothing: what
    cannot be saved waits in memory (`StoreFailed` on the bus) until it can (`StoreRecovered`).
    """

    def __init__(self, store: Store, provider: Provider, planner: Planner, bus: EventBus) -> None:
        self._store = store
        self._provider = provider
        self._planner = planner
        self._bus = bus
        self._learner = Learner(store.profiles)
        self._unsaved = UnsavedNodes(store, bus)
        self._closing = False

    async def send(self, conversation_id: str, text: str, *, fresh: bool = False) -> AsyncGenerator[ChatPart, None]:
        """Say `text` at the end of the branch on view, and answer it; `fresh`: by the model itself, not the cache."""
        conversation = self._conversation(conversation_id)
        async with aclosing(self._ask(conversation, self._leaf(conversation), text, fresh)) as parts:
            async for part in parts:
                yield part

    async def edit(self, conversation_id: str, user_node_id: str, text: str) -> AsyncGenerator[ChatPart, None]:
        """Say `text` in place of an earlier question: a new branch beside the old one."""
        conversation = self._conversation(conversation_id)
        replaced = self._path(user_node_id)[-1]
        async with aclosing(self._ask(conversation, replaced.parent_id, text)) as parts:
            async for part in parts:
                yield part

    async def regenerate(self, conversation_id: str, answer_node_id: str) -> AsyncGenerator[ChatPart, None]:
        """Have the model answer the same question again: a new answer beside the old one.

        Accepts the question's node too.
        """
        conversation = self._conversation(conversation_id)
        path = self._path(answer_node_id)
        if path[-1].message.role is Role.ASSISTANT:
            path = path[:-1]
        if not path or path[-1].message.role is not Role.USER:
            raise InvalidRequest("There is no question to answer here.")
        plan = await self._plan(conversation, [*_history(path[:-1]), path[-1].message])
        async with aclosing(self._answer(conversation, path, plan, fresh=True)) as parts:
            async for part in parts:
                yield part

    async def measure(self, conversation: Conversation, text: str) -> ContextUse:
        """How the context would be filled if `text` were sent now (tokens); the conversation need not be kept yet.

        Raises PromptTooLong, ModelError.
        """
        messages = self._with_question(conversation, text)
        plan = await self._plan(conversation, messages)
        return await self._provider.count(_request(conversation, messages, plan))

    async def preview(self, conversation: Conversation, text: str) -> Plan:
        """Whom `text` would be asked, and why. Nothing is asked. Raises ModelError."""
        return await self._plan(conversation, self._with_question(conversation, text))

    def _with_question(self, conversation: Conversation, text: str) -> list[Message]:
        """The branch on view and `text` after it."""
        nodes = self.branch(conversation.id) if conversation.id else []
        return [*_history(nodes), Message(Role.USER, text)]

    def branch(self, conversation_id: str) -> list[Node]:
        """The branch on view from the first message to the last, with what could not be saved yet."""
        return self._path(self._leaf(self._conversation(conversation_id)))

    def begin_closing(self) -> None:
        """The application ends: an answer stopped from now on was not stopped by the person."""
        self._closing = True

    async def aclose(self) -> None:
        """Try once more to save what waits."""
        await self._unsaved.aclose()

    async def _ask(
        self, conversation: Conversation, parent_id: str | None, text: str, fresh: bool = False
    ) -> AsyncGenerator[ChatPart, None]:
        if not text.strip():
            raise InvalidRequest("The question is empty.", "Type something first.")
        above = self._path(parent_id)
        # Before anything is saved: a missing model loses no draft.
        plan = await self._plan(conversation, [*_history(above), Message(Role.USER, text)])
        await self._unsaved.flush()
        above = self._path(parent_id)
        question = await self._save_question(conversation, parent_id, Message(Role.USER, text))
        yield question
        async with aclosing(self._answer(conversation, [*above, question], plan, fresh)) as parts:
            async for part in parts:
                yield part

    async def _save_question(self, conversation: Conversation, parent_id: str | None, message: Message) -> Node:
        above, saved_parent = self._unsaved.ancestors(parent_id)
        try:
            if above:
                raise StoreFull("The disk is full: this could not be saved.")
            node = await asyncio.wrap_future(
                self._store.conversations.add_message(conversation.id, saved_parent, message)
            )
        except StoreError as error:
            if not error.retryable:
                raise
            return self._unsaved.keep(conversation.id, parent_id, message, None, error)
        if not conversation.title:
            titled = self._store.conversations.rename(conversation.id, _title(message.content))
            titled.add_done_callback(lambda _: self._bus.publish(ConversationsChanged()))
        self._bus.publish(ConversationsChanged())
        return node

    async def _answer(
        self, conversation: Conversation, path: Sequence[Node], plan: Plan, fresh: bool = False
    ) -> AsyncGenerator[ChatPart, None]:
        recorder = AnswerRecorder(self._store, self._unsaved, path[-1], plan.model, conversation.sampling)
        origin = RequestOrigin(recorder.generation.id, Purpose.CHAT, plan.reasons)
        messages = [*_history(path[:-1]), path[-1].message]
        request = replace(_request(conversation, messages, plan), fresh=fresh, origin=origin)
        try:
            await recorder.start()
            self._bus.publish(AnswerStarted(recorder.generation.id, plan.model.name))
            if plan.auto:
                yield plan
            async with aclosing(self._provider.stream(request)) as parts:
                async for part in self._followed(parts, recorder, plan):
                    yield part
        except CodetteError as error:
            await asyncio.shield(recorder.finish(FinishReason.FAILED, str(error)))
            self._failed(recorder, plan, error)
            raise
        except BaseException:
            # Stopped (task cancelled or generator closed), or a defect: either way keep what there is.
            await asyncio.shield(recorder.finish(self._stop_reason()))
            self._bus.publish(ConversationsChanged())
            raise
        node = await asyncio.shield(recorder.finish(FinishReason.STOP))
        self._bus.publish(ConversationsChanged())
        yield node

    def _failed(self, recorder: AnswerRecorder, plan: Plan, error: CodetteError) -> None:
        """The model now answering has failed."""
        self._learn(recorder, plan, FinishReason.FAILED)
        self._bus.publish(ProviderFailed(recorder.generation.id, recorder.generation.model, error))

    def _learn(
        self, recorder: AnswerRecorder, plan: Plan, reason: FinishReason, figures: AnswerFigures | None = None
    ) -> None:
        key = recorder.generation.model_hash or recorder.generation.model
        self._learner.answered(key, plan.task.type, reason, figures)

    def _stop_reason(self) -> FinishReason:
        if not isinstance(sys.exception(), asyncio.CancelledError | GeneratorExit):
            return FinishReason.FAILED
        return FinishReason.INTERRUPTED if self._closing else FinishReason.CANCELLED

    async def _followed(
        self, parts: AsyncIterator[AnswerPart], recorder: AnswerRecorder, plan: Plan
    ) -> AsyncGenerator[AnswerPart, None]:
        async for part in parts:
            if isinstance(part, SwitchedModel):
                self._failed(recorder, plan, part.error)
                recorder.switch(plan.model_of(part.model) or plan.model)
            recorder.take(part)
            if isinstance(part, AnswerEnd):
                self._learn(recorder, plan, part.reason, part.figures)
                self._bus.publish(AnswerFinished(recorder.generation.id, part))
            yield part

    async def _plan(self, conversation: Conversation, messages: Sequence[Message]) -> Plan:
        """Off the loop: looking models up reads folders and, once a file, its header."""
        # Not `to_thread`: Qt may run this between two runs of the loop, while none counts as running.
        return await asyncio.get_event_loop().run_in_executor(
            None, self._planner.plan, conversation.model, tuple(messages)
        )

    def _conversation(self, conversation_id: str) -> Conversation:
        found = self._store.conversations.get(conversation_id)
        if found is None:
            raise StoreError("This conversation no longer exists.", "Start a new one, or undo its deletion.")
        return found

    def _leaf(self, conversation: Conversation) -> str | None:
        waiting = self._unsaved.of(conversation.id)
        return waiting[-1].id if waiting else conversation.leaf_id

    def _path(self, node_id: str | None) -> list[Node]:
        unsaved, saved = self._unsaved.ancestors(node_id)
        path = [*(self._store.conversations.path_to(saved) if saved else []), *unsaved]
        if node_id is not None and not path:
            raise StoreError("This message no longer exists.")
        return path


def _request(conversation: Conversation, messages: Sequence[Message], plan: Plan) -> ChatRequest:
    if conversation.system_prompt.strip():
        messages = [Message(Role.SYSTEM, conversation.system_prompt), *messages]
    return ChatRequest(plan.names[0], tuple(messages), conversation.sampling, alternatives=plan.alternatives)


def _history(nodes: Sequence[Node]) -> list[Message]:
    """What was said, without questions that got no answer: templates expect the speakers to alternate."""
    kept: list[Message] = []
    for node in nodes:
        if node.message.role is Role.USER and kept and kept[-1].role is Role.USER:
            kept.pop()
        if node.message.role is Role.ASSISTANT and not node.message.content.strip():
            if kept and kept[-1].role is Role.USER:
                kept.pop()
            continue
        kept.append(node.message)
    if kept and kept[-1].role is Role.USER:
        kept.pop()
    return kept


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"

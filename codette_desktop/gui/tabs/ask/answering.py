"""The answers being written, in any conversation, whichever is on view; and the questions that wait for them. No Qt."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from codette_desktop.domain.answers import FinishReason, SwitchedModel
from codette_desktop.domain.conversations import Conversation, Node
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.messages import Role
from codette_desktop.domain.models import AUTO
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.tabs.ask.state import LiveAnswer
from codette_desktop.gui.tasks import Tasks
from codette_desktop.inference.chat import ChatPart
from codette_desktop.inference.dispatch import Plan

if TYPE_CHECKING:
    from codette_desktop.application import Application

_GOOD_ENDS = (FinishReason.STOP, FinishReason.LENGTH)


class AnswersListener(Protocol):
    """Who is told what happens to an answer."""

    def on_begun(self, live: LiveAnswer) -> None:
        """An answer begins; nothing of it has come."""
        ...

    def on_question(self, live: LiveAnswer, node: Node) -> None:
        """The question has been saved."""
        ...

    def on_changed(self, live: LiveAnswer) -> None:
        """Another model writes it, or it is known now which one does."""
        ...

    def on_grew(self, live: LiveAnswer, text: str) -> None:
        """A part came; `text` is "" when it was not text."""
        ...

    def on_ended(self, conversation_id: str, given_back: list[str]) -> None:
        """It ended and is stored; `given_back` are questions that were typed but not asked."""
        ...


class Answers:
    """At most one answer in each conversation. What waits is asked when the one before it has ended well."""

    def __init__(self, application: "Application", tasks: Tasks, listener: AnswersListener) -> None:
        self._application = application
        self._tasks = tasks
        self._listener = listener
        self._live: dict[str, LiveAnswer] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._queued: dict[str, list[str]] = {}
        self._errors: dict[str, CodetteError] = {}

    def live(self, conversation_id: str) -> LiveAnswer | None:
        """The answer being written there."""
        return self._live.get(conversation_id)

    def ids(self) -> set[str]:
        """The conversations being answered."""
        return set(self._live)

    def error(self, conversation_id: str) -> CodetteError | None:
        """Why the last answer there did not come."""
        return self._errors.get(conversation_id)

    def queued(self, conversation_id: str) -> tuple[str, ...]:
        """The questions that wait there, first to be asked first."""
        return tuple(self._queued.get(conversation_id, ()))

    def queue(self, conversation_id: str, text: str) -> None:
        """Ask `text` after the present answer."""
        self._queued.setdefault(conversation_id, []).append(text)

    def take_back(self, conversation_id: str, index: int) -> str:
        """Let a question wait no longer; gives its text, "" where there is none."""
        queued = self._queued.get(conversation_id, [])
        text = queued.pop(index) if 0 <= index < len(queued) else ""
        if not queued:
            self._queued.pop(conversation_id, None)
        return text

    def begin(
        self,
        conversation: Conversation,
        stream: AsyncGenerator[ChatPart, None],
        parent_id: str | None,
        typed: str = "",
    ) -> None:
        """Follow `stream`. `typed` is the question's text while it is not saved: it is given back if it cannot be.

        Where an answer is being written already, `typed` waits for it and `stream` is not begun.
        """
        if conversation.id in self._live:
            if typed:
                self.queue(conversation.id, typed)
                self._listener.on_begun(self._live[conversation.id])
            return
        live = LiveAnswer(conversation.id, self._speaker(conversation), parent_id)
        self._errors.pop(conversation.id, None)
        self._live[conversation.id] = live
        task = self._running[conversation.id] = self._tasks.start(self._follow(live, stream, typed), "answer")
        task.add_done_callback(lambda _task: self._dropped(conversation.id, task, typed))
        self._listener.on_begun(live)

    def _dropped(self, key: str, task: "asyncio.Task[None]", typed: str) -> None:
        """One that was stopped before its first step has never run, and so has not cleaned up."""
        if self._running.get(key) is task:
            del self._running[key]
            self._live.pop(key, None)
            self._ended(key, None, [typed] if typed else [])

    def stop(self, conversation_id: str) -> bool:
        """Stop the answer; False where none is being written. What came of it is kept."""
        task = self._running.get(conversation_id)
        if task is not None:
            task.cancel()
        return task is not None

    def stop_all(self) -> None:
        """Stop every answer."""
        for conversation_id in list(self._running):
            self.stop(conversation_id)

    async def _follow(self, live: LiveAnswer, stream: AsyncGenerator[ChatPart, None], typed: str) -> None:
        key = live.conversation_id
        reason: FinishReason | None = None
        unasked = [typed] if typed else []
        try:
            async with aclosing(stream) as parts:
                async for part in parts:
                    if isinstance(part, Plan | SwitchedModel):
                        live = self._changed(live, part)
                    elif not isinstance(part, Node):
                        self._listener.on_grew(live, live.take(part))
                    elif part.message.role is Role.USER:
                        unasked.clear()
                        live.parent_id = part.id
                        self._listener.on_question(live, part)
                    else:
                        reason = part.generation.reason if part.generation else FinishReason.STOP
        except CodetteError as error:
            self._errors[key] = error
        finally:
            self._live.pop(key, None)
            self._running.pop(key, None)
            self._ended(key, reason, unasked)

    def _changed(self, live: LiveAnswer, part: Plan | SwitchedModel) -> LiveAnswer:
        """The answer as it goes on: a new one where another model begins, since what came before is withdrawn."""
        if isinstance(part, Plan):
            live.speaker = part.model.display_name
        else:
            speaker = self._name(part.model)
            notice = tr("{model} could not answer: {why}", model=live.speaker, why=part.error.message)
            notice = "\n".join(text for text in (live.notice, notice) if text)
            live = LiveAnswer(live.conversation_id, speaker, live.parent_id, notice)
            self._live[live.conversation_id] = live
        self._listener.on_changed(live)
        return live

    def _ended(self, key: str, reason: FinishReason | None, unasked: list[str]) -> None:
        next_text = self.take_back(key, 0) if reason in _GOOD_ENDS else ""
        if not next_text:
            unasked.extend(self._queued.pop(key, []))
        self._listener.on_ended(key, unasked)
        conversation = self._application.store.conversations.get(key) if next_text else None
        if conversation is not None:
            stream = self._application.chat.send(key, next_text)
            self.begin(conversation, stream, conversation.leaf_id, typed=next_text)

    def _speaker(self, conversation: Conversation) -> str:
        return tr("Auto") if conversation.model == AUTO else self._name(conversation.model)

    def _name(self, model: str) -> str:
        try:
            return self._application.catalogue.find_model(model).display_name
        except CodetteError:
            return model

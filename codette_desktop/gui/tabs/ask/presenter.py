"""The Ask tab's mind: which conversation is on view, its draft, its settings, and what is asked in it. No Qt."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from codette_desktop.domain.conversations import Conversation, Node
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.messages import Role
from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.tabs.ask.answering import Answers
from codette_desktop.gui.tabs.ask.drafts import MEASURE_DELAY_S, SAVE_DELAY_S, Debounced, forget_asked
from codette_desktop.gui.tabs.ask.measuring import measure
from codette_desktop.gui.tabs.ask.state import AskView, ChatState, LiveAnswer, blank_conversation, last_of, up_to
from codette_desktop.gui.tasks import Tasks

if TYPE_CHECKING:
    from codette_desktop.application import Application

LAST_CONVERSATION = "last_conversation"


class AskPresenter:
    """One conversation on view; several may be answering. All methods run on the loop's thread."""

    def __init__(self, application: "Application", view: AskView) -> None:
        self._application = application
        self._store = application.store
        self._view = view
        self._tasks = Tasks(view.show_error)
        self._writes = Tasks(view.show_error)  # what must be on disk before the window goes: never cancelled
        self._answers = Answers(application, self._tasks, self)
        self._conversation = blank_conversation()
        self._nodes: list[Node] = []
        self._draft = ""
        self._serial = 0  # counts what has been on view, so that a new chat is known again once it has an id
        self._created: dict[int, Conversation] = {}
        self._sending: dict[int, str] = {}  # by serial: a question on its way to being asked
        self._keeping = asyncio.Lock()
        self._saver = Debounced(SAVE_DELAY_S, self._save_draft, self._writes.start)
        self._measurer = Debounced(MEASURE_DELAY_S, self._measure, self._tasks.start)

    # What is on view

    @property
    def conversation(self) -> Conversation:
        """The one on view; its id is "" for a new chat that is not kept yet."""
        return self._conversation

    @property
    def on_view(self) -> int:
        """Differs for everything that comes on view; a new chat keeps its number when it is kept."""
        return self._serial

    def kept_id(self, on_view: int) -> str:
        """The id that a new chat has got since it was on view under that number; "" for none."""
        created = self._created.get(on_view)
        return created.id if created is not None else ""

    @property
    def nodes(self) -> list[Node]:
        """The branch on view."""
        return self._nodes

    @property
    def answering(self) -> set[str]:
        """The ids of the conversations that are being answered now."""
        return self._answers.ids()

    @property
    def is_answering(self) -> bool:
        """Whether the conversation on view is being answered."""
        return self._answers.live(self._conversation.id) is not None

    @property
    def is_busy(self) -> bool:
        """The same, and from the very moment of Enter: a new chat must be kept before it can be answered."""
        return self._serial in self._sending or self.is_answering

    def show_last(self) -> None:
        """What was on view when the application was last closed, or a new chat."""
        last = self._store.settings.get(LAST_CONVERSATION, "")
        if not (isinstance(last, str) and last and self.open(last)):
            self.new_chat()

    def open(self, conversation_id: str) -> bool:
        """Put a conversation on view; False where it no longer exists."""
        found = self._store.conversations.get(conversation_id)
        if found is None:
            return False
        self._leave()
        self._serial += 1
        self._conversation = found
        self._nodes = self._application.chat.branch(found.id)
        waiting = "\n\n".join(self._answers.queued(found.id))
        self._put_draft(found.draft.removeprefix(waiting).lstrip("\n") if waiting else found.draft)
        self._store.settings.set(LAST_CONVERSATION, found.id)
        self._show()
        self._measurer.touch()
        return True

    def new_chat(self) -> None:
        """Put an empty chat on view, with the default model."""
        self._leave()
        self._serial += 1
        self._conversation = blank_conversation(self._default_model())
        self._nodes = []
        self._put_draft("")
        self._store.settings.set(LAST_CONVERSATION, "")
        self._show()
        self._measurer.touch()

    def reload(self) -> None:
        """Read the branch on view again and draw what has changed."""
        found = self._store.conversations.get(self._conversation.id) if self._conversation.id else None
        if found is not None:
            self._conversation = found
            self._nodes = self._application.chat.branch(found.id)
            self._show()

    def _show(self) -> None:
        key = self._conversation.id
        live = self._answers.live(key)
        nodes = up_to(self._nodes, live.parent_id) if live is not None else self._nodes
        self._view.show_state(
            ChatState(self._conversation, tuple(nodes), live, self._answers.queued(key), self._answers.error(key))
        )

    def _leave(self) -> None:
        """Keep the draft of what is on view before something else comes; an empty chat leaves no trace."""
        self._measurer.cancel()
        left, text = self._conversation, self._draft_text()
        if self._saver.due:
            self._saver.cancel()
            self._writes.start(self._keep_draft(left, self._serial, text), "save the draft")
        if left.id and not self._nodes and not text.strip() and not self.is_answering:
            self._store.conversations.delete(left.id)
            self._writes.start(self._after_writes(), "tidy an empty chat")

    async def _after_writes(self) -> None:
        await asyncio.wrap_future(self._store.settings.set(LAST_CONVERSATION, self._conversation.id))
        self._view.list_changed()

    # Asking

    def send(self, text: str) -> None:
        """Ask; while an answer is being written, wait for it to end."""
        if not text.strip():
            return
        self._put_draft("")
        if self.is_answering:
            self._answers.queue(self._conversation.id, text)
            self._saver.touch()
            self._show()
            return
        self._saver.cancel()
        leaf = self._nodes[-1].id if self._nodes else None
        self._sending.setdefault(self._serial, text)
        self._writes.start(self._send(self._conversation, self._serial, leaf, text), "send")

    async def _send(self, conversation: Conversation, serial: int, leaf: str | None, text: str) -> None:
        try:
            conversation = await self._kept(conversation, serial)
        except CodetteError:
            self._sending.pop(serial, None)
            if serial == self._serial:
                self._give_back(conversation.id, [text])
            raise
        if self._sending.pop(serial, "") == "" and not self._answers.live(conversation.id):
            self._give_back(conversation.id, [text])  # stopped before it was asked
            return
        self._store.conversations.set_draft(conversation.id, self._draft_text() if self._serial == serial else "")
        self._answers.begin(conversation, self._application.chat.send(conversation.id, text), leaf, typed=text)

    def drop_queued(self, index: int) -> None:
        """Take a waiting question back into the composer."""
        text = self._answers.take_back(self._conversation.id, index)
        if text:
            self._put_draft(f"{text}\n\n{self._draft}".strip())
            self._saver.touch()
            self._show()

    def regenerate(self, node_id: str | None = None) -> None:
        """Answer again: `node_id`, or the last answer (or the last question, where it has none)."""
        if self.is_busy or not self._nodes:
            return
        target = node_id or self._nodes[-1].id
        path = up_to(self._nodes, target)
        parent = next((node for node in reversed(path) if node.message.role is Role.USER), None)
        if parent is not None:
            stream = self._application.chat.regenerate(self._conversation.id, target)
            self._answers.begin(self._conversation, stream, parent.id)

    def edit(self, node_id: str, text: str) -> None:
        """Ask `text` in place of an earlier question: a new branch."""
        node = next((item for item in self._nodes if item.id == node_id), None)
        if self.is_busy or not text.strip() or node is None:
            return
        self._nodes = up_to(self._nodes, node.parent_id)
        self._answers.begin(
            self._conversation, self._application.chat.edit(self._conversation.id, node_id, text), node.parent_id
        )

    def stop(self) -> bool:
        """Stop the answer on view; False where none is being written."""
        return bool(self._sending.pop(self._serial, "")) or self._answers.stop(self._conversation.id)

    def stop_answer(self, conversation_id: str) -> bool:
        """Stop the answer of any conversation."""
        return self._answers.stop(conversation_id)

    def stop_all(self) -> None:
        """Stop every answer (the status line's Cancel)."""
        self._answers.stop_all()

    def walk(self, node_id: str, step: int) -> None:
        """Show the sibling `step` places after a node."""
        node = next((item for item in self._nodes if item.id == node_id), None)
        if node is None or self.is_answering or node.id not in node.sibling_ids:
            return
        at = node.sibling_ids.index(node.id) + step
        if 0 <= at < len(node.sibling_ids):
            self._tasks.start(self._walk(node.sibling_ids[at]), "walk to another branch")

    def walk_last(self, step: int) -> None:
        """The same for the newest message that has siblings."""
        node = last_of(self._nodes, lambda item: len(item.sibling_ids) > 1)
        if node is not None:
            self.walk(node.id, step)

    async def _walk(self, node_id: str) -> None:
        await asyncio.wrap_future(self._store.conversations.select_leaf_under(node_id))
        self.reload()
        self._measurer.touch()

    # AnswersListener

    def on_begun(self, live: LiveAnswer) -> None:
        """See `AnswersListener`."""
        if self._on_view(live.conversation_id):
            self._measurer.cancel()
            self._show()
        self._view.list_changed()

    def on_question(self, live: LiveAnswer, node: Node) -> None:
        """See `AnswersListener`."""
        if self._on_view(live.conversation_id):
            self._nodes = [*up_to(self._nodes, node.parent_id), node]
            self._saver.touch()  # a question that waited is asked now, and no draft any more
            self._show()
        else:
            forget_asked(self._store.conversations, live.conversation_id, node.message.content)

    def on_changed(self, live: LiveAnswer) -> None:
        """See `AnswersListener`."""
        if self._on_view(live.conversation_id):
            self._show()

    def on_grew(self, live: LiveAnswer, text: str) -> None:
        """See `AnswersListener`."""
        if not self._on_view(live.conversation_id):
            return
        if text:
            self._view.answer_grew(text)
        elif live.use is not None and not live.tokens:
            self._view.show_context(live.use)

    def on_ended(self, conversation_id: str, given_back: list[str]) -> None:
        """See `AnswersListener`."""
        if given_back:
            self._give_back(conversation_id, given_back)
        if self._on_view(conversation_id):
            self.reload()
            self._measurer.touch()
        self._view.list_changed()

    def _on_view(self, conversation_id: str) -> bool:
        return conversation_id == self._conversation.id

    def _give_back(self, key: str, texts: list[str]) -> None:
        """Questions that were not asked return to the draft: nothing typed is lost."""
        if self._on_view(key):
            self._put_draft("\n\n".join([*texts, self._draft]).strip())
            self._saver.touch()
            return
        conversation = self._store.conversations.get(key)
        if conversation is not None:
            kept = "\n\n".join(text for text in [*texts, conversation.draft] if text and text not in conversation.draft)
            self._store.conversations.set_draft(key, kept or conversation.draft)

    # Drafts and the context gauge

    def draft_changed(self, text: str) -> None:
        """The person typed."""
        if text != self._draft:
            self._draft = text
            self._saver.touch()
            self._measurer.touch()

    def measure(self) -> None:
        """Measure the context soon."""
        self._measurer.touch()

    def _put_draft(self, text: str) -> None:
        self._draft = text
        self._view.put_draft(text)

    def _draft_text(self) -> str:
        """What must survive a crash: the questions that wait, and what stands in the composer."""
        return "\n\n".join([*self._answers.queued(self._conversation.id), self._draft]).strip("\n")

    async def _save_draft(self) -> None:
        await self._keep_draft(self._conversation, self._serial, self._draft_text())

    async def _keep_draft(self, conversation: Conversation, serial: int, text: str) -> None:
        if conversation.id or text.strip():
            kept = await self._kept(conversation, serial)
            await asyncio.wrap_future(self._store.conversations.set_draft(kept.id, text))

    async def _kept(self, conversation: Conversation, serial: int) -> Conversation:
        """The conversation, created if it was not kept yet, whatever has come on view meanwhile."""
        if conversation.id:
            return conversation
        async with self._keeping:
            if serial in self._created:
                return self._created[serial]
            if serial == self._serial:
                conversation = self._conversation  # its settings may have changed since
            created = self._created[serial] = await self._create(conversation)
            if serial == self._serial:
                now = self._conversation
                self._conversation = replace(
                    created, model=now.model, system_prompt=now.system_prompt, sampling=now.sampling
                )
                self._store.settings.set(LAST_CONVERSATION, created.id)
                self._show()
            self._view.list_changed()
            return created

    async def _create(self, blank: Conversation) -> Conversation:
        return await asyncio.wrap_future(
            self._store.conversations.create(
                system_prompt=blank.system_prompt, model=blank.model, sampling=blank.sampling
            )
        )

    async def _measure(self) -> None:
        serial = self._serial  # not the id: a new chat gets one while this goes on
        if self.is_answering:
            return
        found = await measure(self._application.chat, self._conversation, self._draft)
        if serial != self._serial or self.is_answering:
            return
        self._view.show_plan(found.plan)
        self._view.show_context(found.use, found.error)

    # Settings of the conversation

    def set_settings(
        self, *, system_prompt: str | None = None, model: str | None = None, sampling: Sampling | None = None
    ) -> None:
        """Change what is given for the conversation on view."""
        before = self._conversation
        self._conversation = replace(
            before,
            system_prompt=before.system_prompt if system_prompt is None else system_prompt,
            model=before.model if model is None else model,
            sampling=before.sampling if sampling is None else sampling,
        )
        if before.id:
            self._writes.start(self._keep_settings(self._conversation), "save the chat's settings")
        self._show()
        self._measurer.touch()

    async def _keep_settings(self, wanted: Conversation) -> None:
        await asyncio.wrap_future(
            self._store.conversations.set_settings(
                wanted.id, system_prompt=wanted.system_prompt, model=wanted.model, sampling=wanted.sampling
            )
        )

    def _default_model(self) -> str:
        try:
            return self._application.catalogue.default_name()
        except CodetteError:
            return ""

    async def aclose(self) -> None:
        """Keep the draft, stop the answers and wait until they are stored."""
        self._application.begin_closing()
        await self._saver.flush()
        await self._writes.finish()
        await self._tasks.aclose()
        self._measurer.cancel()  # only now: an answer that ends asks for both
        await self._tasks.aclose()  # what its timer may have started meanwhile
        await self._saver.flush()

"""Drafts: what is typed is on disk 0.4 s later, and at once when one leaves. No Qt."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from codette_desktop.store.conversations import Conversations

SAVE_DELAY_S = 0.4
MEASURE_DELAY_S = 0.25


def forget_asked(conversations: Conversations, conversation_id: str, text: str) -> None:
    """A question that waited in a draft has been asked: it is a draft no more."""
    conversation = conversations.get(conversation_id)
    if conversation is not None and text in conversation.draft:
        conversations.set_draft(conversation_id, conversation.draft.replace(text, "", 1).strip("\n"))


class Debounced:
    """Calls `work` once, `delay_s` after the last `touch`; `flush` does it now if it is due."""

    def __init__(
        self, delay_s: float, work: Callable[[], Coroutine[Any, Any, None]], start: Callable[..., Any]
    ) -> None:
        self._delay_s = delay_s
        self._work = work
        self._start = start
        self._handle: asyncio.TimerHandle | None = None

    @property
    def due(self) -> bool:
        """Whether something waits to be done."""
        return self._handle is not None

    def touch(self) -> None:
        """Do it later; later again when called again."""
        self.cancel()
        self._handle = asyncio.get_event_loop().call_later(self._delay_s, self._fire)

    def cancel(self) -> None:
        """Do not do it."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    async def flush(self) -> None:
        """Do now what is due."""
        if self._handle is not None:
            self.cancel()
            await self._work()

    def _fire(self) -> None:
        self._handle = None
        self._start(self._work(), "debounced work")

"""What could not be written because the disk was full: kept in memory, and written when there is room again."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Generation, Node
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.events import ConversationsChanged, EventBus, StoreFailed, StoreRecovered
from codette_desktop.domain.messages import Message
from codette_desktop.store import Store

log = logging.getLogger(__name__)

PREFIX = "unsaved-"
RETRY_S = 3.0


class UnsavedNodes:
    """Nodes that are shown but not yet on disk, in the order they were said. Lives on the event loop's thread.

    `before` is called with each node that is about to be written, and may raise StoreError as the writing itself.
    """

    def __init__(self, store: Store, bus: EventBus, before: Callable[[Node], Awaitable[None]] | None = None) -> None:
        self._store = store
        self._bus = bus
        self._before = before
        self._waiting: list[Node] = []
        self._saved_as: dict[str, str] = {}
        self._retry: asyncio.Task[None] | None = None
        self._flushing = asyncio.Lock()

    def keep(
        self,
        conversation_id: str,
        parent_id: str | None,
        message: Message,
        generation: Generation | None,
        error: StoreError,
    ) -> Node:
        """Remember a message that could not be saved, tell everyone, and go on trying."""
        node_id = PREFIX + uuid.uuid4().hex
        node = Node(node_id, conversation_id, parent_id, message, datetime.now(UTC), (node_id,), generation)
        self._waiting.append(node)
        self._bus.publish(StoreFailed(error))
        if self._retry is None or self._retry.done():
            self._retry = asyncio.get_running_loop().create_task(self._keep_trying(), name="save what waits")
        return node

    def __len__(self) -> int:
        return len(self._waiting)

    def holds(self, node_id: str | None) -> bool:
        """Whether this node is not on disk yet."""
        return any(node.id == node_id for node in self._waiting)

    def of(self, conversation_id: str) -> list[Node]:
        """The conversation's unsaved nodes, oldest first."""
        return [node for node in self._waiting if node.conversation_id == conversation_id]

    def saved_id(self, node_id: str) -> str:
        """The node's identity on disk, if it has been written meanwhile; else its own."""
        return self._saved_as.get(node_id, node_id)

    def ancestors(self, node_id: str | None) -> tuple[list[Node], str | None]:
        """The unsaved nodes from the oldest down to `node_id`, and the saved node above them."""
        found: list[Node] = []
        by_id = {node.id: node for node in self._waiting}
        while node_id in by_id:
            found.append(by_id[node_id])
            node_id = found[-1].parent_id
        return found[::-1], self.saved_id(node_id) if node_id else None

    async def flush(self) -> bool:
        """Write what waits, in order, nothing twice; False where the disk is still full or busy."""
        async with self._flushing:
            return await self._flush()

    async def _flush(self) -> bool:
        while self._waiting:
            node = self._waiting[0]
            try:
                saved = await self._write(node)
            except StoreError as error:
                if error.retryable:
                    return False
                # Its conversation has been deleted for good: there is no place to write to.
                log.info("an unsaved message was given up: %s", error)
            else:
                self._saved_as[node.id] = saved.id
            self._waiting.remove(node)
        return True

    async def _write(self, node: Node) -> Node:
        if self._before is not None:
            await self._before(node)
        parent = self.saved_id(node.parent_id) if node.parent_id else None
        generation = node.generation
        if generation is None or parent is None or generation.reason is None:
            return await asyncio.wrap_future(
                self._store.conversations.add_message(node.conversation_id, parent, node.message)
            )
        generations = self._store.generations
        if generations.get(generation.id) is None:
            await asyncio.wrap_future(generations.start(node.conversation_id, parent, replace(generation, reason=None)))
        return await finish_in_store(self._store, generation, node.message.content)

    async def _keep_trying(self) -> None:
        while self._waiting:
            await asyncio.sleep(RETRY_S)
            # Shielded: a write under way cannot be undone, so it must be waited for, not begun again.
            if await asyncio.shield(self.flush()):
                self._bus.publish(StoreRecovered())
                self._bus.publish(ConversationsChanged())

    async def aclose(self) -> None:
        """Stop trying, after one last attempt."""
        if self._retry is not None:
            self._retry.cancel()
            await asyncio.gather(self._retry, return_exceptions=True)
        if self._waiting and not await self.flush():
            log.warning("%d messages could not be saved: the disk is full", len(self._waiting))


async def finish_in_store(store: Store, ended: Generation, text: str) -> Node:
    """Write the end of an answer whose start the store knows. Raises StoreError."""
    return await asyncio.wrap_future(
        store.generations.finish(
            ended.id,
            text,
            ended.reason or FinishReason.FAILED,
            ended.figures,
            ended.use,
            seed=ended.seed,
            engine_build=ended.engine_build,
            device=ended.device,
            model=ended.model,
            model_label=ended.model_label,
            model_hash=ended.model_hash,
            quantisation=ended.quantisation,
            error=ended.error,
            note=ended.note,
        )
    )

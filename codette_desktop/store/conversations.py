"""Conversations: the list, their branches, and what is said in them."""

from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime
from sqlite3 import Connection
from typing import Any

from codette_desktop.domain.conversations import Conversation, Node, SearchHit
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.messages import Message
from codette_desktop.domain.requests import Sampling
from codette_desktop.store import purge, rows, search, transfer, tree
from codette_desktop.store.access import Access, now_text, time_to_text
from codette_desktop.store.text import clean


class Conversations:
    """Reads answer at once from any thread and raise StoreError. Writes return futures that are done after COMMIT.

    Text is kept as `store.text.clean` leaves it. A write to something that no longer exists fails with StoreError.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    def list(self, limit: int = 200, offset: int = 0) -> "list[Conversation]":
        """The chats that are not deleted, the last updated first. Comparisons are not among them."""
        with self._access.read() as connection:
            found = connection.execute(
                f"""SELECT {rows.CONVERSATION_COLUMNS} FROM conversations c
                    WHERE c.kind = 'chat' AND c.deleted_at IS NULL
                    ORDER BY c.updated_at DESC, c.seq DESC LIMIT ? OFFSET ?""",
                (limit, offset),
            )
            return [rows.conversation(row) for row in found]

    def count(self) -> int:
        """How many chats are not deleted."""
        sql = "SELECT count(*) FROM conversations WHERE kind = 'chat' AND deleted_at IS NULL"
        with self._access.read() as connection:
            return connection.execute(sql).fetchone()[0]

    def get(self, conversation_id: str) -> Conversation | None:
        """The conversation, or None if there is none or it is deleted."""
        with self._access.read() as connection:
            return tree.read_conversation(connection, conversation_id)

    def first_questions(self, limit: int) -> "list[str]":
        """What chats that are not deleted began with, the newest first, each once."""
        with self._access.read() as connection:
            found = connection.execute(
                """SELECT m.content FROM nodes n JOIN messages m ON m.id = n.message_id
                   JOIN conversations c ON c.id = n.conversation_id
                   WHERE n.parent_id IS NULL AND m.role = 'user' AND c.kind = 'chat' AND c.deleted_at IS NULL
                   GROUP BY m.id ORDER BY max(n.seq) DESC LIMIT ?""",
                (limit,),
            )
            return [row["content"] for row in found if row["content"].strip()]

    def branch(self, conversation_id: str, last: int | None = None) -> "list[Node]":
        """The branch on view from the first message to the leaf, or its `last` nodes. [] where nothing was said."""
        with self._access.read() as connection:
            row = connection.execute("SELECT leaf_id FROM conversations WHERE id = ?", (conversation_id,)).fetchone()
            return tree.path(connection, row["leaf_id"], last) if row else []

    def path_to(self, node_id: str) -> "list[Node]":
        """The nodes from the first message to `node_id`; [] for an unknown one."""
        with self._access.read() as connection:
            return tree.path(connection, node_id)

    def search(self, text: str, limit: int = 50) -> "list[SearchHit]":
        """The chats whose title or messages hold all words of `text`, the last one as a beginning.

        At most one hit for a conversation: its newest message that matches, else its title. Titles that match come
        first, then the newest messages. Any text may be given; blank text finds nothing.
        """
        with self._access.read() as connection:
            return search.search(connection, text, limit)

    def export(self, conversation_id: str) -> dict[str, Any]:
        """The whole tree with its generations, for JSON; raises StoreError. Answers being written are left out."""
        with self._access.read() as connection:
            return transfer.export(connection, conversation_id)

    def import_(self, data: Mapping[str, Any]) -> "Future[Conversation]":
        """Add what `export` gave. Identities are kept unless one is in use here, then all are fresh.

        Fails with InvalidRequest, and without any change, for data that is not a whole, valid export.
        """
        return self._access.write(lambda connection: transfer.import_(connection, data))

    def create(
        self,
        title: str = "",
        *,
        draft: str = "",
        system_prompt: str = "",
        model: str = "",
        sampling: Sampling | None = None,
    ) -> "Future[Conversation]":
        """Start a conversation."""

        def work(connection: Connection) -> Conversation:
            now = now_text()
            values = (clean(draft), clean(system_prompt), clean(model), rows.sampling_text(sampling or Sampling()))
            conversation_id = tree.new_id()
            connection.execute(
                """INSERT INTO conversations(id, title, created_at, updated_at, draft, system_prompt, model, sampling)
                   VALUES (?, '', ?, ?, ?, ?, ?, ?)""",
                (conversation_id, now, now, *values),
            )
            tree.put_title(connection, conversation_id, clean(title))
            return tree.known_conversation(connection, conversation_id)

        return self._access.write(work)

    def rename(self, conversation_id: str, title: str) -> "Future[None]":
        """Change the title; the order of the list stays."""

        def work(connection: Connection) -> None:
            tree.require_conversation(connection, conversation_id)
            tree.put_title(connection, conversation_id, clean(title))

        return self._access.write(work)

    def delete(self, conversation_id: str) -> "Future[None]":
        """Hide the conversation; `restore` brings it back until it is purged."""
        return self._update(conversation_id, deleted_at=now_text())

    def restore(self, conversation_id: str) -> "Future[None]":
        """Undo `delete`."""
        return self._update(conversation_id, deleted_at=None)

    def purge_deleted(self, before: datetime) -> "Future[int]":
        """Remove for good what was deleted before that moment, with messages said nowhere else. Gives how many."""
        return self._access.write(lambda connection: purge.purge_deleted(connection, time_to_text(before)))

    def set_draft(self, conversation_id: str, text: str) -> "Future[None]":
        """Keep the text not yet sent; the order of the list stays."""
        return self._update(conversation_id, draft=clean(text))

    def set_settings(
        self,
        conversation_id: str,
        *,
        system_prompt: str | None = None,
        model: str | None = None,
        sampling: Sampling | None = None,
    ) -> "Future[None]":
        """Change what is given; None leaves a setting as it is."""
        changes = {
            "system_prompt": None if system_prompt is None else clean(system_prompt),
            "model": None if model is None else clean(model),
            "sampling": None if sampling is None else rows.sampling_text(sampling),
        }
        return self._update(conversation_id, **{name: value for name, value in changes.items() if value is not None})

    def select_leaf_under(self, node_id: str) -> "Future[str]":
        """Show the branch that ends at the newest node below `node_id` (or at itself); gives that leaf."""

        def work(connection: Connection) -> str:
            leaf_id = tree.newest_under(connection, node_id)
            if leaf_id is None:
                raise StoreError("This message no longer exists.")
            row = connection.execute("SELECT conversation_id FROM nodes WHERE id = ?", (leaf_id,)).fetchone()
            tree.show(connection, row["conversation_id"], leaf_id, touch=False)
            return leaf_id

        return self._access.write(work)

    def add_message(
        self, conversation_id: str, parent_id: str | None, message: Message, generation_id: str | None = None
    ) -> "Future[Node]":
        """Add a message below `parent_id` (None: a first message), show it, and move the conversation to the top."""

        def work(connection: Connection) -> Node:
            tree.require_parent(connection, conversation_id, parent_id)
            node_id = tree.add_node(connection, conversation_id, parent_id, message, generation_id)
            tree.show(connection, conversation_id, node_id, touch=True)
            return tree.path(connection, node_id, 1)[0]

        return self._access.write(work)

    def _update(self, conversation_id: str, **values: str | None) -> "Future[None]":
        def work(connection: Connection) -> None:
            tree.require_conversation(connection, conversation_id)
            for name, value in values.items():
                connection.execute(f"UPDATE conversations SET {name} = ? WHERE id = ?", (value, conversation_id))

        return self._access.write(work)

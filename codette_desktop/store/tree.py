"""The tree of nodes and the messages they hold, on a connection: what reading and writing repositories share."""

import uuid
from collections import defaultdict
from datetime import datetime
from sqlite3 import Connection

from codette_desktop.domain.conversations import Conversation, Node
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.messages import Message
from codette_desktop.store import rows
from codette_desktop.store.access import now_text, time_to_text
from codette_desktop.store.kinds import CHAT, SEARCH_IDS
from codette_desktop.store.text import clean, fold

_NODE_COLUMNS = "n.id, n.conversation_id, n.parent_id, n.created_at, m.role, m.content, " + ", ".join(
    f"g.{name} AS g_{name}" for name in rows.GENERATION_COLUMNS
)
_PATH = """WITH RECURSIVE path(id, parent_id, conversation_id, depth) AS (
    SELECT id, parent_id, conversation_id, 0 FROM nodes WHERE id = :id
    UNION ALL
    SELECT n.id, n.parent_id, n.conversation_id, depth + 1 FROM path CROSS JOIN nodes n ON n.id = path.parent_id
    LIMIT :last
)"""


def new_id() -> str:
    """A fresh identity."""
    return uuid.uuid4().hex


def read_conversation(connection: Connection, conversation_id: str) -> Conversation | None:
    """The conversation, unless there is none or it is deleted."""
    row = connection.execute(
        f"SELECT {rows.CONVERSATION_COLUMNS} FROM conversations c WHERE c.id = ? AND c.deleted_at IS NULL",
        (conversation_id,),
    ).fetchone()
    return rows.conversation(row) if row else None


def known_conversation(connection: Connection, conversation_id: str) -> Conversation:
    """The conversation; raises StoreError if there is none or it is deleted."""
    conversation = read_conversation(connection, conversation_id)
    if conversation is None:
        raise StoreError("This conversation no longer exists.")
    return conversation


def require_conversation(connection: Connection, conversation_id: str) -> None:
    """Raise StoreError unless the conversation is there (deleted ones are, until they are purged)."""
    if not connection.execute("SELECT 1 FROM conversations WHERE id = ?", (conversation_id,)).fetchone():
        raise StoreError("This conversation no longer exists.")


def require_parent(connection: Connection, conversation_id: str, parent_id: str | None) -> None:
    """Raise StoreError unless `parent_id` is a node of the conversation, or None."""
    require_conversation(connection, conversation_id)
    if parent_id is None:
        return
    row = connection.execute("SELECT conversation_id FROM nodes WHERE id = ?", (parent_id,)).fetchone()
    if row is None or row["conversation_id"] != conversation_id:
        raise StoreError("The message to continue from is not in this conversation.")


def path(connection: Connection, node_id: str | None, last: int | None = None) -> list[Node]:
    """The nodes from the root to `node_id`, or the `last` of them; [] for an unknown node."""
    parameters = {"id": node_id, "last": -1 if last is None else last}
    siblings: dict[str | None, list[str]] = defaultdict(list)
    for row in connection.execute(
        f"""{_PATH} SELECT s.parent_id, s.id FROM path CROSS JOIN nodes s
            ON s.conversation_id = path.conversation_id AND s.parent_id IS path.parent_id ORDER BY s.seq""",
        parameters,
    ):
        siblings[row["parent_id"]].append(row["id"])
    found = connection.execute(
        f"""{_PATH} SELECT {_NODE_COLUMNS} FROM path CROSS JOIN nodes n ON n.id = path.id
            JOIN messages m ON m.id = n.message_id LEFT JOIN generations g ON g.id = n.generation_id
            ORDER BY path.depth DESC""",
        parameters,
    )
    return [rows.node(row, tuple(siblings[row["parent_id"]])) for row in found]


def all_nodes(connection: Connection, conversation_id: str) -> list[Node]:
    """Every node of a conversation in order of creation, parents before children; `sibling_ids` left empty."""
    found = connection.execute(
        f"""SELECT {_NODE_COLUMNS} FROM nodes n JOIN messages m ON m.id = n.message_id
            LEFT JOIN generations g ON g.id = n.generation_id WHERE n.conversation_id = ? ORDER BY n.seq""",
        (conversation_id,),
    )
    return [rows.node(row, ()) for row in found]


def newest_under(connection: Connection, node_id: str) -> str | None:
    """The newest node of the subtree of `node_id`; it is a leaf, for children are newer than their parents."""
    row = connection.execute(
        """WITH RECURSIVE below(id, seq) AS (
            SELECT id, seq FROM nodes WHERE id = ?
            UNION ALL
            SELECT n.id, n.seq FROM below CROSS JOIN nodes n ON n.parent_id = below.id
        ) SELECT id FROM below ORDER BY seq DESC LIMIT 1""",
        (node_id,),
    ).fetchone()
    return row["id"] if row else None


def put_message(connection: Connection, message: Message, kind: str = CHAT) -> int:
    """The row of `message`, made if there is none. Whether new or said again, it becomes the newest to search.

    What was never said in a chat is searched apart: see `kinds.SEARCH_IDS`.
    """
    message = Message(message.role, clean(message.content))
    known = connection.execute("SELECT id, search_id FROM messages WHERE hash = ?", (message.hash,)).fetchone()
    first, last = SEARCH_IDS[kind]
    if known is not None and known["search_id"] > last:
        return known["id"]  # it stands in a kind that goes first
    search_id = _next_search_id(connection, first, last)
    if known is None:
        values = (message.hash, message.role.value, message.content, search_id)
        inserted = connection.execute(
            "INSERT INTO messages(hash, role, content, search_id) VALUES (?, ?, ?, ?) RETURNING id", values
        ).fetchone()
        message_id = inserted["id"]
    else:
        message_id = known["id"]
        connection.execute("UPDATE messages SET search_id = ? WHERE id = ?", (search_id, message_id))
        connection.execute("DELETE FROM message_search WHERE rowid = ?", (known["search_id"],))
    connection.execute("INSERT INTO message_search(rowid, folded) VALUES (?, ?)", (search_id, fold(message.content)))
    return message_id


def _next_search_id(connection: Connection, first: int, last: int) -> int:
    sql = "SELECT coalesce(max(search_id) + 1, ?1) FROM messages WHERE search_id BETWEEN ?1 AND ?2"
    return connection.execute(sql, (first, last)).fetchone()[0]


def add_node(
    connection: Connection,
    conversation_id: str,
    parent_id: str | None,
    message: Message,
    generation_id: str | None = None,
    *,
    node_id: str | None = None,
    created_at: datetime | None = None,
) -> str:
    """Add a node below `parent_id` (checked by the caller) and return its id."""
    node_id = node_id or new_id()
    kind = connection.execute("SELECT kind FROM conversations WHERE id = ?", (conversation_id,)).fetchone()["kind"]
    connection.execute(
        """INSERT INTO nodes(id, conversation_id, parent_id, message_id, generation_id, created_at)
           VALUES (?, ?, ?, ?, ?, ?)""",
        (
            node_id,
            conversation_id,
            parent_id,
            put_message(connection, message, kind),
            generation_id,
            time_to_text(created_at) if created_at else now_text(),
        ),
    )
    return node_id


def show(connection: Connection, conversation_id: str, leaf_id: str | None, *, touch: bool) -> None:
    """Make `leaf_id` the end of the branch on view; `touch` moves the conversation to the top of the list."""
    connection.execute("UPDATE conversations SET leaf_id = ? WHERE id = ?", (leaf_id, conversation_id))
    if touch:
        connection.execute("UPDATE conversations SET updated_at = ? WHERE id = ?", (now_text(), conversation_id))


def put_title(connection: Connection, conversation_id: str, title: str) -> None:
    """Set the title and index it."""
    row = connection.execute(
        "UPDATE conversations SET title = ? WHERE id = ? RETURNING seq", (title, conversation_id)
    ).fetchone()
    connection.execute("DELETE FROM title_search WHERE rowid = ?", (row["seq"],))
    connection.execute("INSERT INTO title_search(rowid, folded) VALUES (?, ?)", (row["seq"], fold(title)))

"""A whole conversation as data for JSON, and back.

    {"format": "codette-conversation", "version": 1, "conversation": {...},
     "nodes": [{"id", "parent_id", "role", "content", "created_at", "generation": {...} or null}, ...]}

Nodes stand in order of creation, parents before their children. A generation holds the fields of
`domain.conversations.Generation`. Times are ISO 8601 in UTC.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from sqlite3 import Connection
from typing import Any

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Conversation, Generation, Node
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.store import rows, tree
from codette_desktop.store.access import time_to_text
from codette_desktop.store.generations import insert
from codette_desktop.store.reading import Fields, read_conversation, read_generation, read_node
from codette_desktop.store.text import clean

FORMAT = "codette-conversation"
VERSION = 1


def export(connection: Connection, conversation_id: str) -> dict[str, Any]:
    """See `Conversations.export`."""
    conversation = tree.known_conversation(connection, conversation_id)
    return {
        "format": FORMAT,
        "version": VERSION,
        "conversation": _conversation_data(conversation),
        "nodes": [_node_data(node) for node in tree.all_nodes(connection, conversation_id)],
    }


def import_(connection: Connection, data: Mapping[str, Any]) -> Conversation:
    """See `Conversations.import_`."""
    conversation, nodes = _parse(data)
    if _any_in_use(connection, conversation, nodes):
        conversation, nodes = _with_fresh_ids(conversation, nodes)
    _insert(connection, conversation, nodes)
    return tree.known_conversation(connection, conversation.id)


def _conversation_data(conversation: Conversation) -> dict[str, Any]:
    return {
        **asdict(conversation),
        "created_at": time_to_text(conversation.created_at),
        "updated_at": time_to_text(conversation.updated_at),
        "sampling": _sampling_data(conversation.sampling),
    }


def _node_data(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "parent_id": node.parent_id,
        "role": node.message.role.value,
        "content": node.message.content,
        "created_at": time_to_text(node.created_at),
        "generation": _generation_data(node.generation) if node.generation else None,
    }


def _generation_data(generation: Generation) -> dict[str, Any]:
    return {
        **asdict(generation),
        "started_at": time_to_text(generation.started_at),
        "sampling": _sampling_data(generation.sampling),
        "reason": generation.reason.value if generation.reason else None,
    }


def _sampling_data(sampling: Any) -> dict[str, Any]:
    return {**asdict(sampling), "stop": list(sampling.stop)}


def _parse(data: Mapping[str, Any]) -> tuple[Conversation, list[Node]]:
    top = Fields(data, "The file")
    if top.mapping.get("format") != FORMAT:
        raise InvalidRequest("This is not an exported conversation.", "Choose a file that Codette Desktop exported.")
    if top.integer("version") != VERSION:
        raise InvalidRequest("This export was written by another version of Codette Desktop.", "Update, and try again.")
    conversation = read_conversation(top.fields("conversation"))
    nodes: list[Node] = []
    known: set[str] = set()
    generations: set[str] = set()
    for number, item in enumerate(top.list("nodes"), start=1):
        node = read_node(Fields(item, f"Message {number}"), conversation.id, read_generation)
        if node.id in known or (node.parent_id is not None and node.parent_id not in known):
            raise InvalidRequest(f"Message {number} of the file is out of place in its conversation.")
        if node.generation and node.generation.id in generations:
            raise InvalidRequest(f"Message {number} of the file shares its generation with another.")
        known.add(node.id)
        generations.update([node.generation.id] if node.generation else [])
        nodes.append(node)
    if conversation.leaf_id not in {None, *known}:
        raise InvalidRequest("The conversation in the file ends at a message that is not there.")
    return conversation, nodes


def _any_in_use(connection: Connection, conversation: Conversation, nodes: list[Node]) -> bool:
    def taken(table: str, identity: str) -> bool:
        return connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (identity,)).fetchone() is not None

    return (
        taken("conversations", conversation.id)
        or any(taken("nodes", node.id) for node in nodes)
        or any(taken("generations", node.generation.id) for node in nodes if node.generation)
    )


def _with_fresh_ids(conversation: Conversation, nodes: list[Node]) -> tuple[Conversation, list[Node]]:
    fresh: dict[str | None, str | None] = {None: None, **{node.id: tree.new_id() for node in nodes}}
    copy = replace(conversation, id=tree.new_id(), leaf_id=fresh[conversation.leaf_id])
    return copy, [
        replace(
            node,
            id=fresh[node.id] or "",
            parent_id=fresh[node.parent_id],
            conversation_id=copy.id,
            generation=replace(node.generation, id=tree.new_id()) if node.generation else None,
        )
        for node in nodes
    ]


def _insert(connection: Connection, conversation: Conversation, nodes: list[Node]) -> None:
    connection.execute(
        """INSERT INTO conversations(id, title, created_at, updated_at, leaf_id, draft, system_prompt, model, sampling)
           VALUES (?, '', ?, ?, ?, ?, ?, ?, ?)""",
        (
            conversation.id,
            time_to_text(conversation.created_at),
            time_to_text(conversation.updated_at),
            conversation.leaf_id,
            clean(conversation.draft),
            clean(conversation.system_prompt),
            clean(conversation.model),
            rows.sampling_text(conversation.sampling),
        ),
    )
    tree.put_title(connection, conversation.id, clean(conversation.title))
    for node in nodes:
        generation = node.generation
        if generation is not None:
            # Nobody is writing it here: one that was never ended is an interrupted one.
            ended = replace(generation, reason=generation.reason or FinishReason.INTERRUPTED)
            insert(connection, conversation.id, node.parent_id, rows.generation_values(ended), session="")
        tree.add_node(
            connection,
            conversation.id,
            node.parent_id,
            node.message,
            generation.id if generation else None,
            node_id=node.id,
            created_at=node.created_at,
        )

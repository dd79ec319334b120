"""What a vote was about, as far as it is still kept."""

from dataclasses import dataclass
from sqlite3 import Connection

from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.votes import Contestant, Vote
from codette_desktop.store import tree

# Chats and duels that somebody has deleted are theirs to bring back, and nobody's to write into a file.
_KEPT = """SELECT n.parent_id, n.conversation_id, m.content, c.system_prompt, p.origin_leaf_id
    FROM nodes n JOIN messages m ON m.id = n.message_id
    JOIN conversations c ON c.id = n.conversation_id AND c.deleted_at IS NULL
    LEFT JOIN duels d ON d.conversation_id = c.id
    LEFT JOIN experiments e ON e.id = d.experiment_id
    LEFT JOIN comparisons p ON p.conversation_id = c.id
    WHERE n.id = ? AND e.deleted_at IS NULL"""


@dataclass(frozen=True, slots=True)
class VoteTexts:
    """The messages that were answered (() where they are gone), and the answers (None where they are)."""

    prompt: tuple[Message, ...]
    left: str | None
    right: str | None


def texts(connection: Connection, vote: Vote) -> VoteTexts:
    """See `Votes.texts`."""
    nodes = [side.node_id if side else "" for side in (vote.left, vote.right)]
    found = [connection.execute(_KEPT, (node_id,)).fetchone() if node_id else None for node_id in nodes]
    row = found[0] or found[1]
    prompt: tuple[Message, ...] = ()
    if row is not None:
        system = row["system_prompt"] or _shared_system(vote)
        history = tree.path(connection, row["origin_leaf_id"]) if row["origin_leaf_id"] else []
        said = [*history, *tree.path(connection, row["parent_id"])]
        prompt = tuple(node.message for node in said if node.message.role is not Role.SYSTEM)
        prompt = ((Message(Role.SYSTEM, system),) if system else ()) + prompt
    left, right = (item["content"] if item else None for item in found)
    return VoteTexts(prompt, left, right)


def _shared_system(vote: Vote) -> str:
    """The system prompt that all who answered were asked with; "" where they were asked with several."""
    sides: list[Contestant] = [side.contestant for side in (vote.left, vote.right) if side]
    systems = {member.system for side in sides for member in side.members}
    return systems.pop() if len(systems) == 1 else ""

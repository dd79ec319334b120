"""Search through titles and messages.

The index gives matches newest first and is read only as far as the hits need, so that a word in every message costs
no more than a rare one. Messages of comparisons and duels that no chat holds have a range of their own in it, so that
however many there are, none is read for a search through chats; those of duels alone are not read at all.
"""

from collections.abc import Iterator
from sqlite3 import Connection, Row

from codette_desktop.domain.conversations import Conversation, SearchHit
from codette_desktop.store import rows
from codette_desktop.store.kinds import CHAT, COMPARISON, SEARCH_IDS
from codette_desktop.store.text import Query

_RANGES = {CHAT: (CHAT,), COMPARISON: (COMPARISON, CHAT)}  # of search_id, in which to look

_MAX_MATCHES = 3_000
_SCANNED_MESSAGES = 3_000
_SNIPPET_SOURCE_LENGTH = 16_000

# CROSS JOIN fixes the order of the loops: the index first, its rows one by one.
_BY_TITLE = f"""SELECT {rows.CONVERSATION_COLUMNS} FROM title_search
    CROSS JOIN conversations c ON c.seq = title_search.rowid AND c.kind = :kind AND c.deleted_at IS NULL
    WHERE title_search MATCH :query ORDER BY title_search.rowid DESC LIMIT :limit"""
_BY_MESSAGE = """SELECT m.id FROM message_search CROSS JOIN messages m ON m.search_id = message_search.rowid
    WHERE message_search MATCH :query AND message_search.rowid BETWEEN :low AND :high
    ORDER BY message_search.rowid DESC LIMIT :limit"""
_TITLE_SCAN = f"""SELECT {rows.CONVERSATION_COLUMNS} FROM conversations c
    WHERE c.kind = :kind AND c.deleted_at IS NULL AND instr(c.title, :query) ORDER BY c.updated_at DESC LIMIT :limit"""
_MESSAGE_SCAN = f"""SELECT id
    FROM (SELECT id, search_id, content FROM messages WHERE search_id BETWEEN :low AND :high
        ORDER BY search_id DESC LIMIT {_SCANNED_MESSAGES})
    WHERE instr(content, :query) ORDER BY search_id DESC LIMIT :limit"""
# A query of its own: ordered in the same one, SQLite would gather and sort every match.
_NODES_OF_MESSAGE = f"""SELECT n.id, n.conversation_id, n.message_id FROM nodes n
    CROSS JOIN conversations c ON c.id = n.conversation_id AND c.kind = ? AND c.deleted_at IS NULL
    WHERE n.message_id = ? ORDER BY n.seq DESC LIMIT {_MAX_MATCHES}"""


def search(connection: Connection, text: str, limit: int, kind: str = CHAT) -> list[SearchHit]:
    """See `Conversations.search`. Text without a letter, digit or symbol is looked for in the newest messages only."""
    query = Query(text)
    if not query.raw or limit < 1:
        return []
    indexed = query.expression is not None
    wanted = query.expression or query.raw
    titles = _titles(connection, _BY_TITLE if indexed else _TITLE_SCAN, wanted, limit, kind)
    matches = _matches(connection, _BY_MESSAGE if indexed else _MESSAGE_SCAN, wanted, limit, set(titles), kind)
    hits = [_hit(connection, query, titles.get(id_), id_, matches.get(id_)) for id_ in [*titles, *matches]]
    return list({hit.conversation.id: hit for hit in hits}.values())[:limit]


def _titles(connection: Connection, sql: str, wanted: str, limit: int, kind: str) -> dict[str, Conversation]:
    found = map(rows.conversation, connection.execute(sql, {"query": wanted, "limit": limit, "kind": kind}))
    newest_first = sorted(found, key=lambda item: item.updated_at, reverse=True)
    return {item.id: item for item in newest_first}


def _matches(connection: Connection, sql: str, wanted: str, limit: int, titles: set[str], kind: str) -> dict[str, Row]:
    """The newest match of each conversation, until `limit` of them are found besides those found by title."""
    found: dict[str, Row] = {}
    missing = limit - len(titles)
    for message_id in _messages(connection, sql, wanted, kind):
        for row in connection.execute(_NODES_OF_MESSAGE, (kind, message_id)):
            if row["conversation_id"] not in found:
                found[row["conversation_id"]] = row
                missing -= row["conversation_id"] not in titles
            if missing <= 0:
                return found
    return found


def _messages(connection: Connection, sql: str, wanted: str, kind: str) -> Iterator[int]:
    for low, high in (SEARCH_IDS[name] for name in _RANGES[kind]):
        values = {"query": wanted, "limit": _MAX_MATCHES, "low": low, "high": high}
        for row in connection.execute(sql, values):
            yield row["id"]


def _hit(
    connection: Connection, query: Query, conversation: Conversation | None, conversation_id: str, match: Row | None
) -> SearchHit:
    if conversation is None:
        sql = f"SELECT {rows.CONVERSATION_COLUMNS} FROM conversations c WHERE c.id = ?"
        conversation = rows.conversation(connection.execute(sql, (conversation_id,)).fetchone())
    if match is None:
        return SearchHit(conversation, query.snippet(conversation.title))
    sql = "SELECT substr(content, 1, ?) AS start FROM messages WHERE id = ?"
    content = connection.execute(sql, (_SNIPPET_SOURCE_LENGTH, match["message_id"])).fetchone()["start"]
    return SearchHit(conversation, query.snippet(content), match["id"])

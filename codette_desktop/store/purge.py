"""Removing for good."""

from sqlite3 import Connection

from codette_desktop.store import request_rows, tree

PURGED = "[]"  # the prompts of an experiment whose words were removed; none was begun without any


def purge_deleted(connection: Connection, before: str) -> int:
    """Remove the conversations deleted before that moment, with all that only they hold; gives how many."""
    gone = connection.execute("SELECT id FROM conversations WHERE deleted_at < ?", (before,)).fetchall()
    for row in gone:
        remove_conversation(connection, row["id"])
    _remove_batches(connection, before)
    remove_experiments(connection, before)
    return len(gone)


def _remove_batches(connection: Connection, before: str) -> None:
    """Remove the batches deleted before that moment; their comparisons stay."""
    for row in connection.execute("SELECT id FROM batches WHERE deleted_at < ?", (before,)).fetchall():
        of_it = (row["id"],)
        connection.execute("UPDATE comparisons SET batch_id = NULL WHERE batch_id = ?", of_it)
        connection.execute("DELETE FROM batch_prompts WHERE batch_id = ?", of_it)
        connection.execute("DELETE FROM batches WHERE id = ?", of_it)


def remove_experiments(connection: Connection, before: str) -> int:
    """Remove the words of the experiments deleted before that moment, and the texts of their duels; gives how many.

    Their votes stay, and so do their rules: the audit trail tells of both.
    """
    sql = "SELECT id FROM experiments WHERE deleted_at < ? AND prompts <> ?"
    gone = connection.execute(sql, (before, PURGED)).fetchall()
    for row in gone:
        of_it = (row["id"],)
        sql = "SELECT conversation_id FROM duels WHERE experiment_id = ?"
        for duel in connection.execute(sql, of_it).fetchall():
            remove_conversation(connection, duel["conversation_id"])
        connection.execute("UPDATE experiments SET question = '', prompts = ? WHERE id = ?", (PURGED, row["id"]))
    return len(gone)


def remove_conversation(connection: Connection, conversation_id: str) -> None:
    """Remove one conversation: nodes, generations, and messages no other conversation holds."""
    of_it = (conversation_id,)
    used = connection.execute("SELECT DISTINCT message_id FROM nodes WHERE conversation_id = ?", of_it).fetchall()
    tree.show(connection, conversation_id, None, touch=False)
    connection.execute("DELETE FROM comparison_answers WHERE conversation_id = ?", of_it)
    connection.execute("DELETE FROM comparisons WHERE conversation_id = ?", of_it)
    connection.execute("UPDATE batch_prompts SET comparison_id = NULL WHERE comparison_id = ?", of_it)
    connection.execute("DELETE FROM duels WHERE conversation_id = ?", of_it)
    for side in ("left_node", "right_node"):  # votes outlive the texts
        of_nodes = f"{side} <> '' AND {side} IN (SELECT id FROM nodes WHERE conversation_id = ?)"
        connection.execute(f"UPDATE votes SET {side} = '' WHERE {of_nodes}", of_it)
    _forget_requests(connection, conversation_id)
    connection.execute("DELETE FROM nodes WHERE conversation_id = ?", of_it)
    connection.execute("DELETE FROM generations WHERE conversation_id = ?", of_it)
    for row in used:
        _remove_message_if_unused(connection, row["message_id"])
    seq = connection.execute("DELETE FROM conversations WHERE id = ? RETURNING seq", of_it).fetchone()["seq"]
    connection.execute("DELETE FROM title_search WHERE rowid = ?", (seq,))


def _forget_requests(connection: Connection, conversation_id: str) -> None:
    """Remove the records of its answers, and of those that failed before them ("ID/NUMBER"), and words of errors."""
    answers = connection.execute("SELECT id FROM generations WHERE conversation_id = ?", (conversation_id,)).fetchall()
    sql = "DELETE FROM flights WHERE generation_id = ?1 OR (generation_id > ?1 || '/' AND generation_id < ?1 || '0')"
    connection.executemany(sql, [(row["id"],) for row in answers])
    request_rows.blank_errors(connection, [row["id"] for row in answers])


def _remove_message_if_unused(connection: Connection, message_id: int) -> None:
    row = connection.execute(
        """DELETE FROM messages WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM nodes WHERE message_id = ?1)
           RETURNING search_id""",
        (message_id,),
    ).fetchone()
    if row:
        connection.execute("DELETE FROM message_search WHERE rowid = ?", (row["search_id"],))

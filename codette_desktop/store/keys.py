"""Keys that are moments."""

from collections.abc import Sequence
from sqlite3 import Connection


def free_keys(connection: Connection, table: str, column: str, wanted: Sequence[int]) -> list[int]:
    """For each wanted key that one, or the next that is neither in the table nor given before.

    Another process may have kept something of the same moment, and a clock may stand still.
    """
    if not wanted:
        return []
    sql = f"SELECT 1 FROM {table} WHERE {column} BETWEEN ? AND ? LIMIT 1"
    # As a rule there is nothing yet in the whole period, not even where keys may be pushed on to.
    alone = connection.execute(sql, (min(wanted), max(wanted) + len(wanted))).fetchone() is None
    given: set[int] = set()
    keys: list[int] = []
    for key in wanted:
        while key in given or (not alone and _is_taken(connection, table, column, key)):
            key += 1
        given.add(key)
        keys.append(key)
    return keys


def _is_taken(connection: Connection, table: str, column: str, key: int) -> bool:
    return connection.execute(f"SELECT 1 FROM {table} WHERE {column} = ?", (key,)).fetchone() is not None

"""Totals of all requests, kept with them: a request is counted in the transaction that keeps it."""

import math
from collections import defaultdict
from collections.abc import Iterable
from sqlite3 import Connection

from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.domain.request_totals import Total, TotalKey, counted
from codette_desktop.store.access import Access
from codette_desktop.store.text import clean

_ADD = """INSERT INTO request_totals(total, model, backend, kind, bound, is_sum, value) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET value = """


class Totals:
    """Reads what `count` has kept."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def all(self) -> dict[TotalKey, float]:
        """Every total. Raises StoreError."""
        with self._access.read() as connection:
            rows = connection.execute("SELECT * FROM request_totals").fetchall()
        known = {total.value for total in Total}  # a newer version may count more
        return {
            TotalKey(
                Total(row["total"]), row["model"], row["backend"], row["kind"], row["bound"], bool(row["is_sum"])
            ): row["value"]
            for row in rows
            if row["total"] in known
        }


def count(connection: Connection, records: Iterable[RequestRecord], replaced: Iterable[RequestRecord] = ()) -> None:
    """Add requests to the totals; `replaced` are the rows they take the place of, which count no longer."""
    changes: dict[TotalKey, float] = defaultdict(float)
    last: dict[TotalKey, float] = {}
    for sign, some in ((-1, replaced), (1, records)):
        for record in some:
            for key, value in counted(record):
                if key.total is not Total.LAST_LOAD:
                    changes[key] += sign * value
                elif sign > 0:
                    last[key] = value
    rows = [_row(key, value) for key, value in changes.items() if value and math.isfinite(value)]
    connection.executemany(_ADD + "value + excluded.value", rows)
    connection.executemany(_ADD + "excluded.value", [_row(key, value) for key, value in last.items()])


def _row(key: TotalKey, value: float) -> tuple[str, str, str, str, float, bool, float]:
    return key.total.value, clean(key.model), clean(key.backend), clean(key.kind), key.bound, key.is_sum, value

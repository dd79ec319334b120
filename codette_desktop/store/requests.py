"""The log of requests: every time a model was asked."""

import json
import math
from array import array
from collections.abc import Sequence
from concurrent.futures import Future
from sqlite3 import Connection

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.request_log import (
    MeasuredRequest,
    ModelTotals,
    RequestFilter,
    RequestOrder,
    RequestPlace,
    RequestRecord,
)
from codette_desktop.domain.series import Series
from codette_desktop.store import request_curves, request_figures, request_rollup, request_rows
from codette_desktop.store.access import Access, when_all
from codette_desktop.store.kinds import CHAT, COMPARISON
from codette_desktop.store.numbers import moment_id
from codette_desktop.store.request_query import Query
from codette_desktop.store.text import clean

_LAST_KEY = 2**63 - 1
_NO_LIMIT = -1  # says SQLite
_CHUNK = 25  # in one job: a few milliseconds


class Requests:
    """Reads answer at once from any thread and raise StoreError; writes return futures that are done after COMMIT.

    Requests are kept for two years, and wait for everything else that is written, as all that is watched does.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    def add(self, records: Sequence[RequestRecord]) -> "Future[None]":
        """Keep requests; one of the same id is replaced."""
        if not all(math.isfinite(item.at) for item in records):
            refused: Future[None] = Future()
            refused.set_exception(InvalidRequest("A request without a moment cannot be kept."))
            return refused
        return when_all([self._adding(list(records[low : low + _CHUNK])) for low in range(0, len(records), _CHUNK)])

    def _adding(self, records: list[RequestRecord]) -> "Future[None]":
        return self._access.write_later(lambda connection: request_rows.insert(connection, records))

    def count(self, wanted: RequestFilter) -> int:
        """How many meet the filter."""
        with self._access.read() as connection:
            return Query(connection, wanted).count()

    def page(
        self, wanted: RequestFilter, order: RequestOrder, descending: bool, limit: int, offset: int = 0
    ) -> list[RequestRecord]:
        """Those that meet the filter, in an order; what is not known comes last, what is equal in the order of time."""
        with self._access.read() as connection:
            return _with_keys(connection, Query(connection, wanted).page(order, descending, limit, offset))

    def keys(self, wanted: RequestFilter, order: RequestOrder, descending: bool) -> "array[int]":
        """The keys of all that meet the filter, as they are now, in an order: eight bytes each. For `with_keys`."""
        with self._access.read() as connection:
            return array("q", Query(connection, wanted).page(order, descending, _NO_LIMIT, 0))

    def with_keys(self, keys: Sequence[int]) -> list[RequestRecord]:
        """Some of them, in the order of `keys`; those that are gone are left out."""
        with self._access.read() as connection:
            return _with_keys(connection, keys)

    def get(self, request_id: str) -> RequestRecord | None:
        """One of them; None where there is none."""
        with self._access.read() as connection:
            row = connection.execute(f"{request_rows.SELECT} WHERE r.id = ?", (clean(request_id),)).fetchone()
        return request_rows.record(row) if row else None

    def place(self, generation_id: str) -> RequestPlace:
        """Where the answer of a request is kept and can be opened; that of one that failed before it is the same."""
        answer = clean(generation_id).partition("/")[0]
        sql = """SELECT c.id, c.kind, n.id AS node_id
            FROM generations g JOIN conversations c ON c.id = g.conversation_id
            LEFT JOIN nodes n ON n.generation_id = g.id WHERE g.id = ? AND c.deleted_at IS NULL"""
        with self._access.read() as connection:
            row = connection.execute(sql, (answer,)).fetchone()
        if row is None or row["kind"] not in (CHAT, COMPARISON):  # a duel must not tell who wrote what
            return RequestPlace(generation_id)
        return RequestPlace(generation_id, row["id"], row["node_id"], row["kind"])

    def models(self) -> list[tuple[str, str]]:
        """Name and label of all that were asked, by label."""
        sql = "SELECT DISTINCT model, model_label FROM request_models ORDER BY model_label COLLATE NOCASE, model"
        with self._access.read() as connection:
            return [(row["model"], row["model_label"]) for row in connection.execute(sql)]

    def backends(self) -> list[str]:
        """All that were asked, by name."""
        sql = "SELECT DISTINCT backend FROM request_models ORDER BY backend COLLATE NOCASE"
        with self._access.read() as connection:
            return [row["backend"] for row in connection.execute(sql)]

    def series(self, field: str, start: float, end: float, points: int = 240) -> dict[str, Series]:
        """A curve for each label, of `time_to_first_token_ms`, `tokens_per_second`, `total_ms` or `queue_ms`.

        `mean` is the median of each step, `low` and `high` what a tenth of the requests lie below and above. Answers
        from the cache, failed ones and those that had to load the model are left out of the first token and the speed,
        the first two also of the total. Steps without any are left out. Of more than two days, the steps are whole
        hours and the mean of what is true of each hour.
        """
        with self._access.read() as connection:
            return request_curves.read(connection, field, start, end, max(1, points))

    def figures(self, start: float, end: float) -> list[ModelTotals]:
        """What the requests from `start` until before `end` add up to, the most often asked model first.

        Of more than 5,000 requests, medians and percentiles are right to half a percent.
        """
        with self._access.read() as connection:
            return request_figures.read(connection, start, end)

    def since(self, start: float, limit: int = 10_000, end: float | None = None) -> list[RequestRecord]:
        """The newest `limit` of those asked from `start` until before `end` (None: until ever), oldest first."""
        sql = f"{request_rows.SELECT} WHERE r.seq >= ? AND r.seq < ? ORDER BY r.seq DESC LIMIT ?"
        with self._access.read() as connection:
            rows = connection.execute(sql, (*_keys(start, end), limit)).fetchall()
        return [request_rows.record(row) for row in reversed(rows)]

    def measured(self, start: float, end: float, limit: int) -> list[MeasuredRequest]:
        """As `since`, but only what was measured: for many requests at once."""
        with self._access.read() as connection:
            return request_rows.measured(connection, *_keys(start, end), limit)

    def remove_before(self, at: float) -> "Future[None]":
        """Remove all that were asked before a moment, a few at a time."""
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()

        def work(connection: Connection) -> bool:
            return request_rollup.remove_some(connection, at)

        def again(write: "Future[bool]") -> None:
            if (error := write.exception()) is not None:
                done.set_exception(error)
            elif write.result():
                self._access.write_later(work).add_done_callback(again)
            else:
                done.set_result(None)

        self._access.write_later(work).add_done_callback(again)
        return done


def _with_keys(connection: Connection, keys: Sequence[int]) -> list[RequestRecord]:
    sql = f"{request_rows.SELECT} WHERE r.seq IN (SELECT value FROM json_each(?))"
    rows = connection.execute(sql, (json.dumps(list(keys)),))
    found = {row["seq"]: request_rows.record(row) for row in rows}
    return [found[key] for key in keys if key in found]


def _keys(start: float, end: float | None) -> tuple[int, int]:
    """Between which keys the requests of a period lie."""
    return moment_id(start), _LAST_KEY if end is None else moment_id(end)

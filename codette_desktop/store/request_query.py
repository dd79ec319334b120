"""Finding requests among a million: which index to read, and where to begin."""

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from codette_desktop.domain.request_log import RequestFilter, RequestOrder
from codette_desktop.store.telemetry_schema import order_index
from codette_desktop.store.text import clean

_FEW = 5_000  # so many are sorted at once rather than sought in the index of their order


class Query:
    """The requests that meet a filter. Every index of an order holds all that is filtered by."""

    def __init__(self, connection: Connection, wanted: RequestFilter) -> None:
        self._connection = connection
        self._conditions: list[str] = []
        self._values: list[Any] = []
        self._index = order_index(RequestOrder.AT.value)  # where those that are sought lie together
        for sign, at in ((">=", wanted.start), ("<", wanted.end)):
            if at is not None:
                self._add(f"seq {sign} ?", round(at * 1e6))
        if wanted.purpose is not None:
            self._add("purpose = ?", wanted.purpose.value)
        if wanted.cached is not None:
            self._add("cached = ?", int(wanted.cached))
        if wanted.reasons:
            self._index = order_index(RequestOrder.REASON.value)
            self._add(f"reason IN ({_marks(wanted.reasons)})", *(reason.value for reason in wanted.reasons))
        if text := clean(wanted.text).strip().casefold():
            self._seek_text(text)
        if wanted.model or wanted.backend:
            self._seek_models(
                "(?1 = '' OR model = ?1 OR model_label = ?1) AND (?2 = '' OR backend = ?2)",
                (clean(wanted.model), clean(wanted.backend)),
            )

    def count(self) -> int:
        """How many there are."""
        return self._rows("count(*)", self._index).fetchone()[0]

    def page(self, order: RequestOrder, descending: bool, limit: int, offset: int) -> list[int]:
        """Their keys, in an order."""
        way = "DESC" if descending else "ASC"
        by = f"seq {way}" if order is RequestOrder.AT else f"{order.value} {way} NULLS LAST, seq {way}"
        own = order_index(order.value)
        index = self._index if self._index != own and self._are_few() else own
        return [row[0] for row in self._rows("seq", index, f"ORDER BY {by} LIMIT ? OFFSET ?", limit, offset)]

    def _add(self, condition: str, *values: Any) -> None:
        self._conditions.append(condition)
        self._values += values

    def _seek_text(self, text: str) -> None:
        """Those with a text in the model or in the error: both stand in tables of few rows."""
        models = self._keys("request_models", "instr(folded, ?)", (text,))
        errors = "error_id IN (SELECT id FROM request_errors WHERE instr(folded, ?))"
        if not models:
            self._index = "requests_by_error"
            self._add(f"error_id IS NOT NULL AND {errors}", text)
        elif self._keys("request_errors", "instr(folded, ?)", (text,)):
            self._add(f"(model_id IN ({_listed(models)}) OR {errors})", text)
        else:
            self._seek_models("instr(folded, ?)", (text,))

    def _seek_models(self, condition: str, values: tuple[str, ...]) -> None:
        """Those of some models: named by their labels, too, for by these they lie together."""
        models = _listed(self._keys("request_models", condition, values))
        sql = f"SELECT DISTINCT model_label COLLATE NOCASE FROM request_models WHERE id IN ({models})"
        labels = [row[0] for row in self._connection.execute(sql)]
        self._add(f"model_id IN ({models}) AND model_label IN ({_marks(labels)})", *labels)
        if self._index != "requests_by_error":
            self._index = order_index(RequestOrder.MODEL.value)

    def _keys(self, table: str, condition: str, values: tuple[str, ...]) -> list[int]:
        return [row[0] for row in self._connection.execute(f"SELECT id FROM {table} WHERE {condition}", values)]

    def _are_few(self) -> bool:
        """Whether so few are sought that they are best read first and sorted then."""
        if not self._conditions:
            return False
        return self._rows("1", self._index, "LIMIT 1 OFFSET ?", _FEW).fetchone() is None

    def _rows(self, what: str, index: str, rest: str = "", *more: Any) -> Any:
        where = f" WHERE {' AND '.join(self._conditions)}" if self._conditions else ""
        sql = f"SELECT {what} FROM requests INDEXED BY {index}{where} {rest}"
        return self._connection.execute(sql, (*self._values, *more))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _listed(keys: list[int]) -> str:
    """Keys of the database itself, never what somebody typed."""
    return ", ".join(str(int(key)) for key in keys)

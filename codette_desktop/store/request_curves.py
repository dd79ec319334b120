"""Curves of requests by model."""

import math
from collections.abc import Iterable
from sqlite3 import Connection
from typing import Any

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.quantiles import percentile
from codette_desktop.domain.series import Series
from codette_desktop.store.request_rollup import SHARES, closed_hours
from codette_desktop.store.request_rows import HOUR_S

FIGURES = {
    "time_to_first_token_ms": "first_token",
    "tokens_per_second": "speed",
    "total_ms": "total",
    "queue_ms": "queue",
}
_ANSWERED = f"reason <> '{FinishReason.FAILED.value}' AND NOT cached"
_WARM = f"{_ANSWERED} AND (load_ms IS NULL OR load_ms = 0)"
# Which requests a figure is of; a speed of 0 is that of an answer too short to have one.
_COUNTS = {
    "time_to_first_token_ms": _WARM,
    "tokens_per_second": f"{_WARM} AND tokens_per_second > 0",
    "total_ms": _ANSWERED,
    "queue_ms": "1",
}
LONGEST_SINGLE_S = 2 * 86_400.0  # beyond this hours are read

_Parts = tuple[float, float, float, float]  # weight, low, median, high


def read(connection: Connection, field: str, start: float, end: float, points: int) -> dict[str, Series]:
    """See `Requests.series`."""
    if field not in FIGURES:
        raise InvalidRequest(f"There is no curve of {field}.")
    if end <= start:
        return {}
    least = (end - start) / points
    if end - start <= LONGEST_SINGLE_S:
        step = max(1, math.ceil(least))
        values = _single(connection, field, start, end, "model_label", step)
        return _series({place: [_spread(sorted(found))] for place, found in values.items()}, step)
    step = math.ceil(least / HOUR_S) * HOUR_S
    return _series(_hours(connection, field, start, end, step), step)


def _single(
    connection: Connection, field: str, start: float, end: float, by: str, step: int
) -> dict[tuple[Any, int], list[float]]:
    """The values of each step of a period, by a column of requests."""
    sql = f"""SELECT seq, {by}, {field} FROM requests
        WHERE seq >= ? AND seq < ? AND {field} IS NOT NULL AND {_COUNTS[field]}"""
    values: dict[tuple[Any, int], list[float]] = {}
    for key, whose, value in connection.execute(sql, (round(start * 1e6), round(end * 1e6))):
        values.setdefault((whose, key // 1_000_000 // step * step), []).append(value)
    return values


def _spread(ordered: list[float]) -> _Parts:
    low, median, high = (percentile(ordered, share) for share in SHARES)
    return len(ordered), low, median, high


def _hours(
    connection: Connection, field: str, start: float, end: float, step: int
) -> dict[tuple[str, int], list[_Parts]]:
    name = FIGURES[field]
    closed, rest = closed_hours(connection, start, end)
    weighted = ", ".join(f"sum({name}_count * {name}_{part}) / sum({name}_count)" for part in ("low", "median", "high"))
    sql = f"""SELECT model_id, sum({name}_count), {weighted} FROM request_hours
        WHERE {closed.where} AND {name}_count > 0 GROUP BY model_id"""
    found: dict[tuple[str, int], list[_Parts]] = {}
    labels = {row["id"]: row["model_label"] for row in connection.execute("SELECT id, model_label FROM request_models")}
    low, high = closed.values
    for at in range(low // step * step, high, step):
        for model, *parts in connection.execute(sql, (max(low, at), min(high, at + step))):
            found.setdefault((labels[model], at), []).append(tuple(parts))
    for low, high in rest:
        # By hours, as those that are reckoned.
        for (model, at), values in _single(connection, field, low, high, "model_id", HOUR_S).items():
            found.setdefault((labels[model], at // step * step), []).append(_spread(sorted(values)))
    return found


def _series(found: dict[tuple[str, int], list[_Parts]], step: int) -> dict[str, Series]:
    series: dict[str, Series] = {}
    for label, at in sorted(found):
        low, median, high = _mean(found[label, at])
        curve = series.setdefault(label, Series(step_s=float(step)))
        curve.at.append(at)
        curve.low.append(low)
        curve.mean.append(median)
        curve.high.append(high)
    return series


def _mean(parts: Iterable[Any]) -> tuple[float, float, float]:
    """What is true of a step of several hours: the mean of each figure, by the number of requests."""
    sums = [0.0, 0.0, 0.0]
    whole = 0.0
    for weight, *figures in parts:
        whole += weight
        for place, figure in enumerate(figures):
            sums[place] += weight * figure
    low, median, high = (figure / whole for figure in sums)
    return low, median, high

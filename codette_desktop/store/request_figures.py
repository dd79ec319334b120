"""What requests add up to, by model."""

from sqlite3 import Connection
from typing import TYPE_CHECKING

from codette_desktop.domain.quantiles import percentile
from codette_desktop.domain.request_log import ModelTotals
from codette_desktop.store.request_rollup import (
    BINS,
    COUNTED,
    HOUR_COUNTS,
    SPREAD_FIGURES,
    Totals,
    closed_hours,
    totals,
    value_of,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_SINGLE = 5_000  # up to so many requests are read one by one

_ROWS = f"SELECT {COUNTED} FROM requests WHERE seq >= ? AND seq < ?"


def read(connection: Connection, start: float, end: float) -> list[ModelTotals]:
    """See `Requests.figures`."""
    names = {
        row["id"]: (row["model"], row["model_label"])
        for row in connection.execute("SELECT id, model, model_label FROM request_models")
    }
    bounds = (round(start * 1e6), round(end * 1e6))
    many = "SELECT 1 FROM requests INDEXED BY requests_by_at WHERE seq >= ? AND seq < ? LIMIT 1 OFFSET ?"
    if connection.execute(many, (*bounds, MOST_SINGLE)).fetchone() is None:
        by_name = _merged(totals(connection.execute(_ROWS, bounds)), names)
        found = [_exact(name, item) for name, item in by_name.items()]
    else:
        found = _from_hours(connection, start, end, names)
    return sorted(found, key=lambda item: (-item.requests, item.model_label))


def _merged(found: dict[int, Totals], names: dict[int, tuple[str, str]]) -> dict[tuple[str, str], Totals]:
    """By name and label: a model may have been asked of several files and backends."""
    merged: dict[tuple[str, str], Totals] = {}
    for key, item in found.items():
        whole = merged.setdefault(names[key], Totals())
        whole.join(item)
    return merged


def _exact(name: tuple[str, str], item: Totals) -> ModelTotals:
    ordered = {figure: sorted(values) for figure, values in item.figures.items()}

    def at(figure: str, share: float) -> float | None:
        return percentile(ordered[figure], share) if ordered[figure] else None

    return _totals(name, item, at("first_token", 0.95), {figure: at(figure, 0.5) for figure in ordered})


def _totals(name: tuple[str, str], item: Totals, p95: float | None, medians: dict[str, float | None]) -> ModelTotals:
    return ModelTotals(
        *name,
        **{count: getattr(item, count) for count in HOUR_COUNTS},
        first_token_ms=medians["first_token"],
        first_token_p95_ms=p95,
        tokens_per_second=medians["speed"],
        total_ms=medians["total"],
        load_ms=medians["load"],
    )


def _from_hours(
    connection: Connection, start: float, end: float, names: dict[int, tuple[str, str]]
) -> list[ModelTotals]:
    import numpy as np  # here: it takes a while, and few need it

    closed, rest = closed_hours(connection, start, end)
    single: dict[int, Totals] = {}
    for low, high in rest:
        for key, item in totals(connection.execute(_ROWS, (round(low * 1e6), round(high * 1e6)))).items():
            single.setdefault(key, Totals()).join(item)
    by_name = _merged(single, names)
    bins = {name: [item.bins()] for name, item in by_name.items()}
    sums = ", ".join(f"sum({count})" for count in HOUR_COUNTS)
    sql = f"SELECT model_id, {sums} FROM request_hours WHERE {closed.where} GROUP BY model_id"
    for key, *counts in connection.execute(sql, closed.values):
        by_name.setdefault(names[key], Totals()).join(Totals(*counts))
    sql = f"SELECT model_id, bins FROM request_spreads WHERE {closed.where}"
    for key, some in connection.execute(sql, closed.values):
        bins.setdefault(names[key], []).append(some)
    found: list[ModelTotals] = []
    for name, item in by_name.items():
        values = np.frombuffer(b"".join(bins.get(name, ())), "<u2")
        counts = np.bincount(values, minlength=len(SPREAD_FIGURES) * BINS).reshape(-1, BINS)
        up_to = dict(zip(SPREAD_FIGURES, counts.cumsum(axis=1), strict=True))
        medians = {figure: _quantile(up_to[figure], 0.5) for figure in SPREAD_FIGURES}
        found.append(_totals(name, item, _quantile(up_to["first_token"], 0.95), medians))
    return found


def _quantile(up_to: "NDArray[np.int64]", share: float) -> float | None:
    """The value below which a share of those counted lie; `up_to` how many lie in each bin or below."""
    count = int(up_to[-1])
    return value_of(int(up_to.searchsorted(share * (count - 1), "right"))) if count else None

"""A million requests: how soon the page of requests is there, and what scrolling through it costs the window.

    python -m pytest -q -s tests/benchmarks/bench_requests_table.py        CODETTE_REQUESTS=100000 for a quick look

Yardstick: the same page of a hundred requests, in the same run.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget

from codette_desktop.gui.app import make_qt_application
from codette_desktop.gui.tabs.watch.requests import requests_wording as words
from codette_desktop.gui.tabs.watch.requests.requests_page import RequestsPage
from codette_desktop.gui.widgets import ToastHost
from codette_desktop.store import Store, request_rows
from codette_desktop.store.telemetry_schema import M010_TELEMETRY
from tests.support import watch_records as made

FEW, MANY = 100, int(os.environ.get("CODETTE_REQUESTS", "1000000"))
YEAR_S = 365 * 86_400.0
SCROLLS = 200


def fill(store: Store, count: int, end: float) -> None:
    """In a year; the indexes are made at the end, for it would take many minutes more."""
    indexes = [statement for statement in M010_TELEMETRY if "INDEX requests_by_" in statement]

    def without(connection: sqlite3.Connection) -> None:
        for statement in indexes:
            connection.execute(f"DROP INDEX {statement.split()[2]}")

    def again(connection: sqlite3.Connection) -> None:
        for statement in indexes:
            connection.execute(statement)

    step = YEAR_S / count
    store._access.write(without).result()
    for low in range(0, count, 10_000):
        rows = [made.record(at, end - (count - at) * step) for at in range(low, min(count, low + 10_000))]
        store._access.write(lambda connection, rows=rows: request_rows.insert(connection, rows)).result()
    store._access.write(again).result()


async def until(done: Callable[[], bool]) -> None:
    while not done():
        await asyncio.sleep(0)


async def opened(kept: made.KeptApplication) -> tuple[RequestsPage, float, float]:
    """The page, the time until its rows are there, and the longest the window stood still meanwhile (ms)."""
    host = QWidget()
    page = RequestsPage(kept, ToastHost(host))  # type: ignore[arg-type]
    page.resize(1280, 720)
    began = time.perf_counter()
    page.show()
    longest = await standing_still(lambda: page.model.rowCount() > 0)
    return page, 1000 * (time.perf_counter() - began), longest


async def standing_still(done: Callable[[], bool]) -> float:
    """The longest time between two turns of the loop until `done`, in ms."""
    longest, last = 0.0, time.perf_counter()
    while not done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return 1000 * longest


@pytest.mark.parametrize("count", [FEW, MANY])
def test_opening_and_scrolling(tmp_path: Path, count: int) -> None:
    app = make_qt_application()
    import qasync

    kept = made.application(tmp_path)
    fill(kept.store, count, time.time() - 5)
    with qasync.QEventLoop(app, already_running=False) as loop:
        loop.run_until_complete(measure(kept))
    kept.store.close()


async def measure(kept: made.KeptApplication) -> None:
    page, shown_ms, still_ms = await opened(kept)
    count = page.model.rowCount()
    print(f"\n{count:,} requests: rows after {shown_ms:.0f} ms, window still for {still_ms:.0f} ms at most")
    await until(lambda: not len(page.tasks))
    for column in (words.WHEN, words.TOTAL, words.MODEL):
        began = time.perf_counter()
        page.table.sort_by(column)
        longest = await standing_still(lambda: not len(page.tasks))
        took = 1000 * (time.perf_counter() - began)
        print(f"  sorted by {page.model.titles[column]}: {took:.0f} ms, still for {longest:.0f} ms")
    began, longest = time.perf_counter(), 0.0
    bar = page.table.verticalScrollBar()
    for step in range(SCROLLS):
        at = time.perf_counter()
        bar.setValue(bar.maximum() * step // SCROLLS)
        page.table.viewport().repaint()
        longest = max(longest, time.perf_counter() - at)
        await asyncio.sleep(0)
    await until(lambda: not len(page.tasks))
    took = 1000 * (time.perf_counter() - began)
    print(f"  {SCROLLS} jumps through all: {took:.0f} ms until the last rows, a jump {1000 * longest:.1f} ms at most")
    began = time.perf_counter()
    page.bar.text.setText("office")
    page.bar.text.returnPressed.emit()
    await until(lambda: not len(page.tasks))
    print(f"  searched for a word: {1000 * (time.perf_counter() - began):.0f} ms, {page.model.rowCount():,} found")
    await page.aclose()
    page.hide()
    page.deleteLater()

"""The shell of the Watch tab, and the page on a real store."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from codette_desktop.application import Application
from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.gui.tabs.watch.now.now_page import NowPage
from codette_desktop.gui.tabs.watch.now.now_state import Mode
from codette_desktop.gui.tabs.watch.tab import PAGES, WatchTab
from codette_desktop.gui.widgets import ToastHost
from tests.gui.conftest import settle, until
from tests.support.watching import SimulatedWatch


@pytest_asyncio.fixture
async def tab(application: Application) -> AsyncIterator[WatchTab]:
    """On a real application, not shown yet."""
    window = QWidget()
    window.resize(1280, 2000)
    made = WatchTab(application, ToastHost(window), window)
    yield made
    await made.aclose()
    window.hide()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


async def test_the_watch_knows_whether_anybody_looks(application: Application, tab: WatchTab) -> None:
    told: list[bool] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(application.watch, "set_visible", told.append)
        assert told == []
        for look in (tab.window().show, tab.window().hide, tab.window().show):
            look()
        tab.window().hide()
    assert told == [True, False, True, False]


async def test_pages_are_made_when_they_are_first_shown(tab: WatchTab) -> None:
    tab.window().show()
    assert tab.stack.count() == 0  # the loop need not run yet
    tab.start()
    await settle()
    assert isinstance(tab.stack.currentWidget(), NowPage)
    assert tab.stack.count() == 1
    for name in PAGES[1:]:
        tab.pages.button(name).click()
        assert tab.pages.current == name
        await settle()
    assert tab.stack.count() == len(PAGES)
    tab.show_page("now")
    assert tab.pages.button("now").isChecked()
    assert tab.stack.currentWidget() is tab.now


async def test_the_row_above_the_charts_stands_beside_the_pages_where_there_is_room(tab: WatchTab) -> None:
    tab.window().show()
    tab.resize(1280, 800)
    tab.start()
    await settle()
    bar = tab.now.bar
    assert bar.parentWidget() is tab
    assert bar.isVisible()
    tab.resize(720, 480)
    await settle()
    assert bar.parentWidget() is tab.now
    assert bar.isVisible()
    assert bar.mapTo(tab, bar.rect().topLeft()).y() >= tab.pages.geometry().bottom()
    tab.show_page("requests")
    tab.resize(1280, 800)
    await settle()
    assert not bar.isVisible()
    tab.show_page("now")
    await settle()
    assert bar.isVisible()


async def test_keys_count_from_the_row_above_the_charts_too(application: Application, tab: WatchTab) -> None:
    tab.window().show()
    tab.resize(1280, 800)
    application.watch.start()
    tab.start()
    await until(lambda: tab.now.charts.charts)
    QTest.keyClick(tab.now.bar.ranges.button("5m"), Qt.Key.Key_H)
    assert tab.now.presenter.period.mode is Mode.HELD
    QTest.keyClick(tab.now, Qt.Key.Key_H)
    assert tab.now.presenter.period.mode is Mode.LIVE
    await tab.now.presenter.tasks.finish()


async def test_what_the_real_sensors_tell_is_drawn(application: Application, tab: WatchTab) -> None:
    tab.window().show()
    tab.resize(1280, 2000)
    application.watch.set_interval(0.5)
    application.watch.start()
    tab.start()
    page = tab.now
    await until(lambda: page.charts.charts and application.watch.history.samples.version >= 3)
    memory = page.charts.chart("memory")
    await until(lambda: "–" not in {entry.value for entry in memory.legend.entries} and memory.legend.entries)
    assert [entry.label for entry in memory.legend.entries][:2] == ["Computer", "Codette"]
    assert page.stack.currentWidget() is page.scroller
    await application.watch.aclose()


@pytest.mark.parametrize("reason", [FinishReason.STOP, FinishReason.FAILED])
async def test_requests_of_the_real_store_are_drawn(
    application: Application, show: Callable[..., None], reason: FinishReason
) -> None:
    watch = SimulatedWatch()
    watch.run(300)
    record = RequestRecord(
        "1", watch.now_at - 20, "guide", "Guide M · Q8_0", reason=reason, completion_tokens=80,
        time_to_first_token_ms=38.0, tokens_per_second=212.0, total_ms=400.0,
    )  # fmt: skip
    await asyncio.wrap_future(application.store.requests.add([record]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch.history, "request_series", application.store.requests.series)
        patch.setattr(application, "watch", watch)
        page = NowPage(application, clock=watch.clock)
        show(page)
        await settle()
        page.presenter.poll()
        await until(lambda: not page.presenter.tasks and page.models.items)
        figures = dict(page.models.items[0].state.figures)  # type: ignore[attr-defined]
        chart = page.charts.chart("speed")
        if reason is FinishReason.STOP:
            assert figures == {"Requests": "1", "Speed": "212 tokens/s", "First token": "38 ms", "Errors": "0"}
            await until(lambda: [entry.value for entry in chart.legend.entries] == ["212"])
        else:
            assert figures["Errors"] == "1"
            assert chart.state.is_empty
        await page.aclose()

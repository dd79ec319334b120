"""Reports: made on demand off the window's thread, read, saved."""

import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import QApplication, QScrollBar
from pytestqt.qtbot import QtBot

from codette_desktop.domain.errors import StoreError
from codette_desktop.gui.tabs.watch.reports_page import ReportsPage
from codette_desktop.gui.widgets import ToastHost, file_dialogs
from codette_desktop.monitoring.report_data import Period
from tests.gui.conftest import settle, until
from tests.support import watch_records as made

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def page(kept: made.KeptApplication, toasts: ToastHost, show: Callable[..., None]) -> AsyncIterator[ReportsPage]:
    """The page before the first report."""
    shown = ReportsPage(kept, toasts)  # type: ignore[arg-type]
    show(shown)
    yield shown
    await shown.aclose()
    toasts.dismiss_all()


async def ready(page: ReportsPage) -> None:
    await until(lambda: not len(page.tasks))
    await settle()


async def test_a_report_of_a_day(
    kept: made.KeptApplication, page: ReportsPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert page.stack.currentWidget() is page.empty
    assert not page.html_button.isVisible()
    threads: list[str] = []
    data = kept.reports.data

    def noted(*given: Any) -> Any:
        threads.append(threading.current_thread().name)
        return data(*given)

    monkeypatch.setattr(kept.reports, "data", noted)
    page.make_button.click()
    assert not page.make_button.isEnabled()
    await ready(page)
    assert kept.reports.asked == [(Period.DAY, None, None)]
    assert threads
    assert threading.main_thread().name not in threads
    assert page.make_button.isEnabled()
    assert "160 requests, 3 failed" in page.view.plain()
    assert page.made.text().startswith("made at")
    assert page.html_button.isVisible()


async def test_chosen_days_are_whole_days(kept: made.KeptApplication, page: ReportsPage) -> None:
    page.period.set_current(Period.CHOSEN.value)
    assert page.days.isVisible()
    page.first.setDate(QDate(2026, 3, 1))
    page.last.setDate(QDate(2026, 3, 2))
    page.make_button.click()
    await ready(page)
    period, start, end = kept.reports.asked[0]
    assert period is Period.CHOSEN
    assert start is not None
    assert end is not None
    assert (start.day, start.hour, start.minute) == (1, 0, 0)
    assert end - start == timedelta(days=2)
    assert start.tzinfo is not None
    page.last.setDate(QDate(2026, 2, 20))
    assert not page.make_button.isEnabled()
    assert page.make_button.toolTip()
    page.period.set_current(Period.WEEK.value)
    assert page.make_button.isEnabled()
    assert not page.days.isVisible()


async def test_what_is_saved_is_what_is_read(
    kept: made.KeptApplication, page: ReportsPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.reports.label = "<script>alert(1)</script>"
    page.make_button.click()
    await ready(page)
    assert "<script>" in page.view.plain()
    for button, name in ((page.html_button, "report.html"), (page.markdown_button, "report.md")):
        file = tmp_path / name

        async def pick(*_args: Any, file: Path = file, **_kwargs: Any) -> Path:
            return file

        monkeypatch.setattr(file_dialogs, "pick_save_file", pick)
        button.click()
        await ready(page)
    saved = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert saved.lower().startswith("<!doctype html>")
    assert "<script>" not in saved
    assert "# Report" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert kept.reports.asked == [(Period.DAY, None, None)]  # not made anew


async def test_the_keyboard_stays_in_the_page_while_a_report_is_made(page: ReportsPage, qtbot: QtBot) -> None:
    page.activateWindow()
    page.focus()
    await until(page.make_button.hasFocus)
    qtbot.keyClick(page.make_button, Qt.Key.Key_Space)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert page.period.isAncestorOf(focused)
    await ready(page)
    assert page.make_button.hasFocus()


async def test_ten_columns_of_figures_are_seen_at_once(page: ReportsPage) -> None:
    head = ("Model", "Requests", "Failed", "Tokens", "Tokens/s", "First token", "95 % within", "Load", "Memory", "J")
    rows = ("A · Q8_0", "1,067", "0", "2,970", "574", "12 ms", "25 ms", "97 ms", "4 MB", "0.42")
    lines = ("|".join(head), "|".join("--" for _ in head), "|".join(rows))
    page.stack.setCurrentWidget(page.area)
    page.view.set_markdown("\n".join(f"|{line}|" for line in lines))
    await settle()
    bars = page.view.findChildren(QScrollBar)
    assert not [bar for bar in bars if bar.isVisible() and bar.maximum()]
    assert page.view.width() > 800


async def test_a_report_that_fails_leaves_the_last_one(kept: made.KeptApplication, page: ReportsPage) -> None:
    page.make_button.click()
    await ready(page)
    kept.reports.error = StoreError("The database cannot be read.")
    page.make_button.click()
    await ready(page)
    assert page.banner.text == "The database cannot be read."
    assert page.stack.currentWidget() is page.area
    assert page.make_button.isEnabled()
    assert page.make_button.text() == "Make report"
